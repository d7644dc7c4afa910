"""What `tynysh tune` does: thresholds for an alarm budget, from recordings, or as the running system learnt them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from tynysh.behaviour.registry import BUDGETED
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import LEVELS, Counts, no_alarms
from tynysh.commands.analyze import SEED, watch_for
from tynysh.errors import MediaError, TynyshError, UsageError
from tynysh.evaluation.analysis import analyse_video
from tynysh.evaluation.labels import Label, Recording, read_labels
from tynysh.evaluation.output_file import check_writable, write_text
from tynysh.incidents.alarm_budget import Choice, Rate, Standing, at_least, rate
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.runtime.pipeline import Step
from tynysh.runtime.thresholds import ENOUGH_VERDICTS, choice_for, share
from tynysh.site.incidents import AlarmBudget
from tynysh.site.yaml import load
from tynysh.store.database import Database
from tynysh.store.queries import alarm_budgets, cameras
from tynysh.store.queries.alarm_budgets import DAY_S

AROUND_S = 5.0
"""Seconds before and after a labelled happening in which alarms are neither false nor quiet time."""

MEANING = {
    Standing.LEARNING: "too little watched to tell; the usual threshold holds",
    Standing.KEPT: "within the budget, but for chance",
    Standing.RAISED: "the usual threshold is above the budget; not yet shown to be within at this one",
    Standing.FLOOR: "above the budget: more would find less than the floor of recall, or nobody knows how much",
}


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What was asked for on the command line. recordings: videos in which nothing happens, or one LABELS.csv."""

    recordings: tuple[Path, ...]
    site: Path | None = None
    camera: str | None = None
    alarms_per_day: float | None = None
    recall_floor: float | None = None
    json_out: Path | None = None
    device: str = "CPU"


@dataclass(slots=True)
class Tally:
    """What recordings of one camera would have raised.

    quiet_s: seconds in which nothing happens. false: behaviour → alarms in them, at each of `LEVELS`.
    happenings: behaviour → how many there are; found: how many of them each level finds.
    """

    quiet_s: float = 0.0
    false: dict[Behaviour, Counts] = field(default_factory=dict)
    happenings: dict[Behaviour, int] = field(default_factory=dict)
    found: dict[Behaviour, Counts] = field(default_factory=dict)

    def false_alarms(self, behaviour: Behaviour) -> Counts:
        """(L,) false alarms of a behaviour."""
        return self.false.get(behaviour, no_alarms())

    def recall(self, behaviour: Behaviour) -> list[float] | None:
        """(L,) the part of the labelled happenings that each level finds; None with fewer than `ENOUGH_VERDICTS`."""
        happenings = self.happenings.get(behaviour, 0)
        if happenings < ENOUGH_VERDICTS:
            return None
        found = self.found.get(behaviour, no_alarms())
        return [float(share) for share in found / happenings]


def tune(options: TuneOptions, console: Console, tell: Callable[[TynyshError], None]) -> int:
    """Run the recordings through the production pipeline and print a threshold for each behaviour; the exit code.

    A recording that cannot be read is told of, and the others go on. Raises TynyshError where nothing can be begun.
    """
    check_writable(options.json_out)
    recordings = _recordings(options.recordings)
    sites = load(options.site).sites if options.site is not None else ()
    watches = [watch_for(sites, options.camera, recording.file) for recording in recordings]
    budget = _budget(options, watches[0])
    networks: Networks | None = None
    tally, code = Tally(), 0
    for recording, watch in zip(recordings, watches, strict=True):
        try:
            video = VideoFile(recording.file)
            networks = networks or Networks.load(options.device)
            watched(video, recording.labels, watch, networks, tally)
        except MediaError as error:
            tell(error)
            code = error.exit_code
    settings = {each: watches[0].analysers[each] for each in BUDGETED if each in watches[0].analysers}
    choices = chosen(settings, tally, budget)
    _print(console, settings, choices, tally, budget)
    if options.json_out is not None:
        write_text(options.json_out, json.dumps(_as_json(choices, tally, budget), indent=2) + "\n")
    return code


def watched(
    video: VideoFile, labels: Sequence[Label], watch: CameraPlan, networks: Networks, tally: Tally
) -> None:
    """Run one recording and add to `tally` what it would have raised. Raises MediaError."""
    pipeline = build_pipeline(watch, networks, ids=Random(SEED))
    found = [no_alarms() for _ in labels]
    last_s: float | None = None

    def listen(step: Step) -> None:
        nonlocal last_s
        time_s = step.scene.time_s
        around = [
            index
            for index, label in enumerate(labels)
            if label.start_s - AROUND_S <= time_s <= label.end_s + AROUND_S
        ]
        for behaviour, counts in pipeline.threshold_sweep.take().items():
            if around:
                for index in around:
                    if labels[index].behaviour == behaviour:
                        found[index] += counts
            else:
                tally.false[behaviour] = tally.false_alarms(behaviour) + counts
        if not around and last_s is not None:
            tally.quiet_s += time_s - last_s
        last_s = time_s

    analyse_video(video, pipeline, on_step=listen, trails=False)
    for label, counts in zip(labels, found, strict=True):
        tally.happenings[label.behaviour] = tally.happenings.get(label.behaviour, 0) + 1
        before = tally.found.get(label.behaviour, no_alarms())
        tally.found[label.behaviour] = before + (counts > 0)


def chosen(
    settings: Mapping[Behaviour, AnalyserSettings], tally: Tally, budget: AlarmBudget
) -> dict[Behaviour, Choice]:
    """A threshold for each behaviour from what was tallied."""
    return {
        behaviour: choice_for(
            of_behaviour,
            tally.false_alarms(behaviour).tolist(),
            tally.quiet_s / DAY_S,
            share(budget, len(settings)),
            budget,
            measured=tally.recall(behaviour),
        )
        for behaviour, of_behaviour in settings.items()
    }


def show_learnt(database: Database, console: Console) -> int:
    """Print what the running system learnt of each camera; the exit code."""
    with database.reading() as session:
        names = {camera.id: camera.name for camera in cameras.cameras(session)}
        learnt = alarm_budgets.learnt(session, list(names))
    if not learnt:
        console.print(
            "Nothing has been learnt yet: run the cameras, and verify their incidents.", markup=False
        )
        return 0
    table = Table(show_edge=False)
    for heading in ("camera", "behaviour", "threshold", "usual", "false alarms a day", "budget"):
        table.add_column(heading, justify="left" if heading in {"camera", "behaviour"} else "right")
    for heading in ("recall", "verified, found again", "quiet days", "standing"):
        table.add_column(heading, justify="right" if heading != "standing" else "left")
    for one in learnt:
        table.add_row(
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
    console.print(table)
    _explain(console, {one.choice.standing for one in learnt})
    return 0


def _recordings(paths: Sequence[Path]) -> list[Recording]:
    lists = [path for path in paths if path.suffix.lower() == ".csv"]
    if lists and len(paths) > 1:
        raise UsageError(
            "LABELS.csv stands alone.", hint="Name one list, or videos in which nothing happens."
        )
    if lists:
        return read_labels(lists[0])
    return [Recording(str(path), path, path.stem, (), str(path)) for path in paths]


def _budget(options: TuneOptions, watch: CameraPlan) -> AlarmBudget:
    said: dict[str, Any] = {
        key: value
        for key, value in (
            ("alarms_per_day", options.alarms_per_day),
            ("recall_floor", options.recall_floor),
        )
        if value is not None
    }
    return watch.alarm_budget.model_copy(update=said)


def _print(
    console: Console,
    settings: Mapping[Behaviour, AnalyserSettings],
    choices: Mapping[Behaviour, Choice],
    tally: Tally,
    budget: AlarmBudget,
) -> None:
    hours = tally.quiet_s / 3600.0
    console.print(
        f"{hours:.2f} hours in which nothing happens; budget {budget.alarms_per_day:g} false alarms a day, "
        f"floor of recall {budget.recall_floor:g}.",
        markup=False,
    )
    table = Table(show_edge=False)
    table.add_column("behaviour")
    for heading in ("usual", "its false alarms a day", "threshold", "false alarms a day", "recall"):
        table.add_column(heading, justify="right")
    table.add_column("standing")
    for behaviour, choice in choices.items():
        usual = settings[behaviour].threshold
        at_usual = at_least(LEVELS, usual)
        before = rate(int(tally.false_alarms(behaviour)[at_usual]), tally.quiet_s / DAY_S)
        table.add_row(
            behaviour,
            f"{usual:.2f}",
            _rate(before),
            f"{choice.threshold:.2f}",
            _rate(choice.rate),
            _recall(choice),
            choice.standing.value,
        )
    console.print(table)
    _explain(console, {choice.standing for choice in choices.values()})
    console.print("For the site file:", markup=False)
    for behaviour, choice in choices.items():
        console.print(f"  {behaviour}: {{threshold: {choice.threshold:.2f}}}", markup=False)


def _explain(console: Console, standings: set[Standing]) -> None:
    for standing in Standing:
        if standing in standings:
            console.print(f"{standing.value}: {MEANING[standing]}.", markup=False)


def _rate(found: Rate) -> str:
    low, high = (f"{bound:.0f}" if bound >= 10 else f"{bound:.2g}" for bound in (found.low, found.high))
    return f"{found.per_day:.3g} ({low} to {high})"


def _recall(choice: Choice) -> str:
    known = "not measured" if choice.recall is None else f"{choice.recall:.2f}"
    return f"{known} (floor {choice.recall_floor:.2f})"


def _as_json(choices: Mapping[Behaviour, Choice], tally: Tally, budget: AlarmBudget) -> dict[str, Any]:
    days = tally.quiet_s / DAY_S
    return {
        "quiet_hours": tally.quiet_s / 3600.0,
        "alarms_per_day": budget.alarms_per_day,
        "recall_floor": budget.recall_floor,
        "behaviours": {
            behaviour: {
                "threshold": choice.threshold,
                "standing": choice.standing.value,
                "recall": choice.recall,
                "levels": [
                    {
                        "threshold": float(level),
                        "false_alarms": int(count),
                        "per_day": rate(int(count), days).per_day,
                        "found": None
                        if behaviour not in tally.happenings
                        else int(tally.found[behaviour][index]),
                    }
                    for index, (level, count) in enumerate(
                        zip(LEVELS, tally.false_alarms(behaviour), strict=True)
                    )
                ],
                "happenings": tally.happenings.get(behaviour, 0),
            }
            for behaviour, choice in choices.items()
        },
    }
