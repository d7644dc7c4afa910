"""`tynysh evaluate`: how well Tynysh sees, on labelled clips and recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import (
    CameraName,
    Device,
    Fps,
    JsonFile,
    LanguageOption,
    ReportFile,
    SiteOption,
    StreamNumber,
    Workers,
    group,
)
from tynysh.commands.output import note, print_table, report, say
from tynysh.translations import Language, text

if TYPE_CHECKING:
    from tynysh.evaluation.figures import Figures
    from tynysh.evaluation.footage import FootageReport
    from tynysh.evaluation.jobs import AnalysisJob, Outcome
    from tynysh.evaluation.saved_sightings import SavedSightings

app = group("How well Tynysh sees.")


@app.command()
def fights(
    clips: Annotated[Path, Argument(metavar="CLIPS.CSV", help="path,fight relative to the file's folder.")],
    as_json: JsonFile = None,
    report_out: ReportFile = None,
    device: Device = "CPU",
) -> None:
    """Judge the shipped fight model on labelled clips, through the code that runs in production."""
    from random import Random

    from rich.progress import Progress

    from tynysh.behaviour.fight import FightSettings
    from tynysh.behaviour.signal import Behaviour
    from tynysh.commands.output_file import PRINTED, check_writable, write_figures, write_file
    from tynysh.evaluation.analysis import SEED
    from tynysh.evaluation.fight_report import page
    from tynysh.evaluation.fights import evaluate, read_clips
    from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
    from tynysh.runtime.networks import Networks

    check_writable(as_json, report_out)
    clips_to_score = read_clips(clips)
    networks = Networks.load(device)
    plan = CameraPlan({Behaviour.FIGHT: FightSettings()})
    with Progress(transient=True, disable=as_json == PRINTED) as progress:
        task = progress.add_task(clips.name, total=len(clips_to_score))
        came_to = evaluate(
            clips_to_score,
            lambda: build_pipeline(plan, networks, ids=Random(SEED)),
            on_clip=lambda: progress.advance(task),
        )
    figures = came_to.as_json()
    if as_json != PRINTED:
        for name in ("n", "accuracy", "auc", "average_precision", "recall", "false_alarm_rate", "threshold"):
            value, interval = figures[name], figures.get(f"{name}_interval")
            shown = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
            bounds = "" if interval is None else f"  ({interval[0]:.3f} to {interval[1]:.3f})"
            say(f"{name:18}{shown}{bounds}")
        if figures["note"]:
            say(figures["note"])
    if as_json is not None:
        write_figures(as_json, figures)
    if report_out is not None:
        write_file(report_out, page(came_to))


@app.command()
def footage(
    labels: Annotated[
        Path,
        Argument(metavar="LABELS.CSV", help="file,start,end,behaviour: files relative to the list's folder."),
    ],
    site: SiteOption = None,
    camera: CameraName = None,
    report_out: ReportFile = None,
    as_json: JsonFile = None,
    resume: Annotated[
        Path | None,
        Option("--resume", help="Folder in which what is done is kept; a later run goes on from there."),
    ] = None,
    tolerance: Annotated[
        float,
        Option("--tolerance", min=0, max=600, help="Seconds by which alert and label may miss each other."),
    ] = 2.0,
    workers: Workers = 1,
    stream: StreamNumber = None,
    fps: Fps = None,
    language: LanguageOption = "en",
    device: Device = "CPU",
) -> int:
    """Judge Tynysh on labelled recordings of one's own, event by event, through the live pipeline."""
    from datetime import UTC, datetime

    from tynysh.commands.output_file import PRINTED, check_writable, write_figures, write_file
    from tynysh.errors import MediaError
    from tynysh.evaluation.csv_input import ListError
    from tynysh.evaluation.footage import FootageReport
    from tynysh.evaluation.footage_report import page
    from tynysh.evaluation.jobs import jobs_of
    from tynysh.evaluation.saved_sightings import SavedSightings

    check_writable(as_json, report_out)
    jobs = jobs_of(labels, site, camera, device, stream=stream, fps=fps)
    saved = SavedSightings(resume)
    quiet = as_json == PRINTED
    outcomes = _sightings_of(jobs, saved, device, workers, tolerance, labels.name, quiet=quiet)
    code = 0
    for job in jobs:
        for known in outcomes[job.key].notes:
            note(f"{job.recording.where}: {known}")
        error = outcomes[job.key].error
        if error is not None:
            report(MediaError(f"{job.recording.where}: {error.message}", hint=error.hint))
            code = error.exit_code
    came_to = FootageReport.of(
        [(job.recording, seen) for job in jobs if (seen := outcomes[job.key].sightings) is not None],
        tolerance_s=tolerance,
        unread=[
            (job.recording, outcome.error.message)
            for job in jobs
            if (outcome := outcomes[job.key]).sightings is None and outcome.error is not None
        ],
    )
    if not came_to.seen:
        raise MediaError(
            f"None of the files in {labels} can be read.", hint="tynysh analyze FILE tells more of one."
        )
    for _, label, why in came_to.judged.set_aside:
        report(ListError(f"{label.where}: {text('en', f'evaluation.footage.{why}')}"))
        code = ListError.exit_code
    if not quiet:
        _print_report(came_to, language)
    if as_json is not None:
        write_figures(as_json, came_to.as_json())
    if report_out is not None:
        write_file(report_out, page(came_to, language=language, now=datetime.now(UTC)))
    return code


def _sightings_of(
    jobs: "list[AnalysisJob]",
    saved: "SavedSightings",
    device: str,
    workers: int,
    tolerance_s: float,
    name: str,
    *,
    quiet: bool,
) -> "dict[str, Outcome]":
    """What became of each of `jobs`, by key, with those pictures only that a page may show; shows how far it is."""
    from dataclasses import replace

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tynysh.evaluation.footage_report import MOST_SHOWN
    from tynysh.evaluation.jobs import record_all_sightings
    from tynysh.evaluation.judging import to_be_shown
    from tynysh.evaluation.labels import clock

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeRemainingColumn(),
    )
    outcomes: dict[str, Outcome] = {}
    with Progress(*columns, transient=True, disable=quiet) as progress:
        files = progress.add_task(name, total=len(jobs), at=f"0/{len(jobs)}")
        current = progress.add_task("", visible=False, at="")

        def on_second(job: "AnalysisJob", at_s: float, of_s: float) -> None:
            at = f"{clock(at_s)}/{clock(of_s)}"
            about = job.recording.path
            progress.update(current, description=about, total=of_s, completed=at_s, at=at, visible=True)

        for job, outcome in record_all_sightings(jobs, saved, device, workers=workers, on_second=on_second):
            seen = outcome.sightings
            if seen is not None:
                seen = to_be_shown(job.recording, seen, tolerance_s=tolerance_s, most=MOST_SHOWN)
            outcomes[job.key] = replace(outcome, sightings=seen)
            progress.update(files, completed=len(outcomes), at=f"{len(outcomes)}/{len(jobs)}")
    return outcomes


def _print_report(came_to: "FootageReport", language: Language) -> None:
    """Print the short table: in all, by behaviour, by camera."""
    from tynysh.behaviour import wording
    from tynysh.evaluation.figures import figures

    def say_of(key: str, **values: object) -> str:
        return text(language, f"evaluation.footage.{key}", **values)

    judged = came_to.judged
    rows: list[tuple[str, ...] | None] = [_row(say_of("in_all"), figures(judged))]
    for behaviour in came_to.behaviours:
        name = wording.name(language, behaviour)
        rows.append(_row(name, figures(judged, behaviour=behaviour)))
    if len(came_to.cameras) > 1:
        rows += [None, *(_row(camera, figures(judged, camera=camera)) for camera in came_to.cameras)]
    headings = ("labelled", "table_recall", "table_precision", "table_false", "table_rate", "table_delay")
    print_table(["", *(say_of(heading) for heading in headings)], rows, right=range(1, 7))
    hours = sum(judged.footage_hours.values())
    say(say_of("summary", files=len(came_to.seen), hours=f"{hours:.2f}"))


def _row(name: str, of: "Figures") -> tuple[str, ...]:
    return (
        name,
        str(of.labelled),
        _with_interval(of.recall, of.recall_interval, 100, 0),
        _with_interval(of.precision, of.precision_interval, 100, 0),
        str(of.false),
        _with_interval(of.false_per_hour, of.false_per_hour_interval, 1, 2) if of.enough_hours else "–",
        "–" if not of.delays_s else f"{of.delay_s(0.5):.1f}, {of.delay_s(0.95):.1f}",
    )


def _with_interval(
    value: float | None, interval: tuple[float, float] | None, times: float, digits: int
) -> str:
    """A figure with its interval in brackets, both `times` as large as they are."""
    if value is None or interval is None:
        return "–"
    low, high = (f"{times * side:.{digits}f}" for side in interval)
    return f"{times * value:.{digits}f} ({low}–{high})"
