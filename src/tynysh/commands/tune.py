"""`tynysh tune`: thresholds that keep a camera within its alarm budget."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import (
    CameraName,
    Data,
    DatabaseUrl,
    Device,
    JsonFile,
    SiteOption,
    open_database,
)
from tynysh.commands.output import print_table, report, say

if TYPE_CHECKING:
    from tynysh.incidents.alarm_budget import AlarmRate, Choice, Standing
    from tynysh.store.database import Database

MEANING = {
    "learning": "too little watched to tell; the usual threshold holds",
    "kept": "within the budget, but for chance",
    "raised": "the usual threshold is above the budget; not yet shown to be within at this one",
    "floor": "above the budget: more would find less than the floor of recall, or nobody knows how much",
}


def tune(
    recordings: Annotated[
        list[Path] | None,
        Argument(
            metavar="[RECORDING]...",
            help="Videos in which nothing happens, or one LABELS.csv; without any, what the running system learnt.",
            show_default=False,
        ),
    ] = None,
    site: SiteOption = None,
    camera: CameraName = None,
    budget: Annotated[
        float | None, Option("--budget", min=0.001, max=1000, help="False alarms a day that are borne.")
    ] = None,
    recall_floor: Annotated[
        float | None,
        Option("--recall-floor", min=0, max=1, help="Part of what happens that must still be found."),
    ] = None,
    as_json: JsonFile = None,
    data: Data = None,
    database: DatabaseUrl = None,
    device: Device = "CPU",
) -> int:
    """Thresholds that keep a camera within its alarm budget, and what they cost in recall."""
    if not recordings:
        with open_database(data, database) as opened:
            _show_learnt(opened)
        return 0

    from tynysh.behaviour.registry import BUDGETED
    from tynysh.behaviour.threshold_sweep import LEVELS
    from tynysh.commands.output_file import PRINTED, check_writable, write_figures
    from tynysh.errors import MediaError, UsageError
    from tynysh.evaluation.camera_choice import plan_for, sites_of
    from tynysh.evaluation.labels import Recording, read_labels
    from tynysh.evaluation.tally import AlarmTally, choices_of, figures_of, tally_video
    from tynysh.incidents.alarm_budget import at_least, rate
    from tynysh.media.reader import VideoFile
    from tynysh.runtime.networks import Networks

    check_writable(as_json)
    if recordings[0].suffix.lower() == ".csv" and len(recordings) == 1:
        videos = read_labels(recordings[0])
    elif any(path.suffix.lower() == ".csv" for path in recordings):
        raise UsageError(
            "LABELS.csv stands alone.", hint="Name one list, or videos in which nothing happens."
        )
    else:
        videos = [Recording(str(path), path, path.stem, (), str(path)) for path in recordings]
    sites = sites_of(site)
    plans = [plan_for(sites, camera, video.file) for video in videos]
    asked = {"alarms_per_day": budget, "recall_floor": recall_floor}
    within = plans[0].alarm_budget.model_copy(
        update={name: value for name, value in asked.items() if value is not None}
    )
    networks: Networks | None = None
    tally, code = AlarmTally(), 0
    for video, plan in zip(videos, plans, strict=True):
        try:
            opened_video = VideoFile(video.file)
            networks = networks or Networks.load(device)
            tally_video(opened_video, video.labels, plan, networks, tally)
            if opened_video.damage is not None:
                raise opened_video.damage
        except MediaError as error:
            report(error)
            code = error.exit_code
    settings = {each: plans[0].analysers[each] for each in BUDGETED if each in plans[0].analysers}
    choices = choices_of(settings, tally, within)
    if as_json is not None:
        write_figures(as_json, figures_of(choices, tally, within))
    if as_json == PRINTED:
        return code
    say(
        f"{tally.quiet_s / 3600:.2f} hours in which nothing happens; budget {within.alarms_per_day:g} false alarms "
        f"a day, floor of recall {within.recall_floor:g}."
    )
    rows = []
    for behaviour, choice in choices.items():
        usual = settings[behaviour].threshold
        at_usual = rate(int(tally.false_alarms(behaviour)[at_least(LEVELS, usual)]), tally.quiet_days)
        found = (f"{choice.threshold:.2f}", _rate(choice.rate), _recall(choice), choice.standing.value)
        rows.append((behaviour, f"{usual:.2f}", _rate(at_usual), *found))
    print_table(
        (
            "behaviour",
            "usual",
            "its false alarms a day",
            "threshold",
            "false alarms a day",
            "recall",
            "standing",
        ),
        rows,
        right=range(1, 6),
    )
    _explain({choice.standing for choice in choices.values()})
    say("For the site file:")
    for behaviour, choice in choices.items():
        say(f"  {behaviour}: {{threshold: {choice.threshold:.2f}}}")
    return code


def _show_learnt(database: "Database") -> None:
    """Print what the running system learnt of each camera."""
    from tynysh.store.queries import alarm_budgets, cameras

    with database.reading() as session:
        learnt = alarm_budgets.learnt(session, [camera.id for camera in cameras.cameras(session)])
    if not learnt:
        say("Nothing has been learnt yet: run the cameras, and verify their incidents.")
        return
    print_table(
        (
            "camera",
            "behaviour",
            "threshold",
            "usual",
            "false alarms a day",
            "budget",
            "recall",
            "verified, found again",
            "quiet days",
            "standing",
        ),
        [
            (
                one.camera_id,
                one.behaviour,
                f"{one.choice.threshold:.2f}",
                f"{one.usual:.2f}",
                _rate(one.choice.rate),
                f"{one.budget:.2f}",
                _recall(one.choice),
                f"{one.refound} of {one.verified}",
                f"{one.days:.1f}",
                one.choice.standing.value,
            )
            for one in learnt
        ],
        right=range(2, 9),
    )
    _explain({one.choice.standing for one in learnt})


def _explain(standings: "Collection[Standing]") -> None:
    for standing, meaning in MEANING.items():
        if standing in standings:
            say(f"{standing}: {meaning}.")


def _rate(found: "AlarmRate") -> str:
    low, high = (f"{bound:.0f}" if bound >= 10 else f"{bound:.2g}" for bound in (found.low, found.high))
    return f"{found.per_day:.3g} ({low} to {high})"


def _recall(choice: "Choice") -> str:
    known = "not measured" if choice.recall is None else f"{choice.recall:.2f}"
    return f"{known} (floor {choice.recall_floor:.2f})"
