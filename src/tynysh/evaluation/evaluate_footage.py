"""What `tynysh evaluate footage` does: recordings that people labelled, through the code that runs in production."""

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tynysh import __version__
from tynysh.behaviour import wording
from tynysh.commands.analyze import watch_for
from tynysh.errors import MediaError, TynyshError, UsageError
from tynysh.evaluation.csv_input import Faults, ListError
from tynysh.evaluation.footage import Figures, FootageReport, figures, to_be_shown
from tynysh.evaluation.footage_report import LEAST_HOURS, MOST_SHOWN, page
from tynysh.evaluation.labels import Recording, read_labels
from tynysh.evaluation.matching import TOLERANCE_S
from tynysh.evaluation.output_file import check_writable, write_text
from tynysh.evaluation.sightings import Sightings, look
from tynysh.media.reader import VideoFile
from tynysh.media.source import files_of, is_folder
from tynysh.runtime.camera_plan import CameraPlan
from tynysh.runtime.networks import Networks
from tynysh.site.yaml import load
from tynysh.translations import Language, text

FORMAT = 1
"""Of what is kept between runs."""

Tell = Callable[[TynyshError], None]
Load = Callable[[str], Networks]
"""The networks of a device; of a module's top level, so that other processes find it too."""


@dataclass(frozen=True, slots=True)
class FootageOptions:
    """What was asked for on the command line. resume: a folder in which a run that was broken off goes on."""

    labels: Path
    site: Path | None = None
    camera: str | None = None
    json_out: Path | None = None
    report_out: Path | None = None
    resume: Path | None = None
    language: Language = "en"
    device: str = "CPU"
    workers: int = 1
    tolerance_s: float = TOLERANCE_S


@dataclass(frozen=True, slots=True)
class Job:
    """A recording to be looked at, and what is watched for in it. key: names what is kept of it between runs."""

    recording: Recording
    watch: CameraPlan
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: sightings, or the error for which there are none; with sightings, a file's damage."""

    sightings: Sightings | None
    error: TynyshError | None = None


class SavedSightings:
    """What recordings came to, a file each in `folder`, so that a run that was broken off goes on where it was.

    What is kept is numbers and anonymised pictures, in files for their user only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageError(
                f"The folder {folder} cannot be used: {error.strerror}.",
                hint="Name another one with --resume.",
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"The folder {folder} is not writable.", hint="Name another one with --resume.")

    def get(self, key: str) -> Sightings | None:
        """What was kept under `key`; None where it is not there, or not whole."""
        if self._folder is None:
            return None
        try:
            return Sightings.from_json(json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def put(self, key: str, sightings: Sightings) -> None:
        """Keep `sightings` under `key`. Raises UsageError where the folder cannot be written."""
        if self._folder is None:
            return
        part = self._folder / f"{key}.part"
        part.unlink(missing_ok=True)
        try:
            part.touch(mode=0o600)
            part.write_text(json.dumps(sightings.as_json()), encoding="utf-8")
            part.replace(part.with_suffix(".json"))
        except OSError as error:
            raise UsageError(f"{part} cannot be written: {error.strerror}.") from error


def run(
    options: FootageOptions,
    console: Console,
    tell: Tell,
    *,
    now: datetime,
    load_networks: Load | None = None,
) -> int:
    """Look at the recordings, print the figures, write what was asked for; the exit code.

    A file that cannot be read is told of, and the others go on; the exit code then is that of the last error. now: the
    date that the page shows. load_networks: in place of the usual ones, for drawn scenes. Raises TynyshError where
    nothing can be begun.
    """
    for out in (options.json_out, options.report_out):
        check_writable(None if out == Path("-") else out)
    jobs = prepare(options)
    kept = SavedSightings(options.resume)
    code = 0
    seen: list[tuple[Recording, Sightings]] = []
    unread: list[tuple[Recording, str]] = []
    quiet = options.json_out == Path("-")
    for job, outcome in zip(
        jobs,
        _outcomes(jobs, kept, options, console, load_networks or Networks.load, quiet=quiet),
        strict=True,
    ):
        if outcome.error is not None:
            error = outcome.error
            tell(_placed(error, job.recording.where))
            code = error.exit_code
        if outcome.sightings is not None:
            seen.append((job.recording, outcome.sightings))
        elif outcome.error is not None:
            unread.append((job.recording, outcome.error.message))
    if not seen:
        raise MediaError(
            f"None of the files in {options.labels} can be read.",
            hint="tynysh analyze FILE tells more of one.",
        )
    report = FootageReport.of(seen, tolerance_s=options.tolerance_s, unread=unread)
    for _, label, why in report.judged.set_aside:
        tell(ListError(f"{label.where}: {text('en', f'evaluation.footage.{why}')}"))
        code = ListError.exit_code
    written = json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"
    if quiet:
        console.file.write(written)
    else:
        print_report(report, console, options.language)
        if options.json_out is not None:
            write_text(options.json_out, written)
    if options.report_out is not None:
        write_text(options.report_out, page(report, language=options.language, now=now))
    return code


def prepare(options: FootageOptions) -> list[Job]:
    """The recordings with what is watched for in each. Raises TynyshError before any long work."""
    recordings = read_labels(options.labels)
    site = load(options.site) if options.site is not None else None
    site_seal = b"" if options.site is None else options.site.read_bytes()
    jobs = []
    faults = Faults()
    for recording in recordings:
        told = options.camera or (recording.told_camera if site is not None else None)
        try:
            watch = watch_for(site.sites if site is not None else (), told, recording.file)
        except UsageError as error:
            faults.add(recording.where, f"{error.message} {error.hint or ''}".rstrip())
            continue
        identity = (
            FORMAT,
            __version__,
            options.device,
            _files(recording.file),
            told,
            hashlib.sha256(site_seal).hexdigest(),
        )
        jobs.append(Job(recording, watch, hashlib.sha256(repr(identity).encode()).hexdigest()[:32]))
    faults.raise_if_any()
    return jobs


def _files(path: Path) -> tuple[tuple[str, int, int], ...]:
    """The file, or those of a folder, each with its size and its last change; none of a folder without videos."""
    try:
        files = files_of(path) if is_folder(path) else [path]
    except MediaError:
        return ()
    return tuple(
        (str(file.absolute()), about.st_size, about.st_mtime_ns) for file in files for about in [file.stat()]
    )


def _outcomes(
    jobs: Sequence[Job],
    kept: SavedSightings,
    options: FootageOptions,
    console: Console,
    load_networks: Load,
    *,
    quiet: bool,
) -> list[Outcome]:
    """What became of each of `jobs`, in their order; shows how far it is."""
    outcomes: dict[int, Outcome] = {}
    waiting: list[int] = []
    for place, job in enumerate(jobs):
        before = kept.get(job.key)
        if before is None:
            waiting.append(place)
        else:
            outcomes[place] = _small(job, Outcome(before), options)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        files = progress.add_task(
            options.labels.name, total=len(jobs), completed=len(outcomes), at=f"{len(outcomes)}/{len(jobs)}"
        )
        workers = min(options.workers, len(waiting))
        source = (
            _in_processes(jobs, waiting, workers, options.device, load_networks)
            if workers > 1
            else _here(jobs, waiting, options.device, load_networks, progress)
        )
        with closing(source):
            for place, outcome in source:
                if outcome.sightings is not None and outcome.error is None:
                    kept.put(jobs[place].key, outcome.sightings)
                outcomes[place] = _small(jobs[place], outcome, options)
                progress.update(files, completed=len(outcomes), at=f"{len(outcomes)}/{len(jobs)}")
    return [outcomes[place] for place in range(len(jobs))]


def _small(job: Job, outcome: Outcome, options: FootageOptions) -> Outcome:
    """The outcome with those pictures only that the page may show."""
    if outcome.sightings is None:
        return outcome
    shown = to_be_shown(job.recording, outcome.sightings, tolerance_s=options.tolerance_s, most=MOST_SHOWN)
    return Outcome(shown, outcome.error)


def _here(
    jobs: Sequence[Job], places: Sequence[int], device: str, load_networks: Load, progress: Progress
) -> Generator[tuple[int, Outcome], None, None]:
    """Do the jobs at `places` one after the other."""
    networks: Networks | None = None
    for place in places:
        job = jobs[place]
        networks = networks or load_networks(device)
        task = progress.add_task(job.recording.path, total=None, at="")

        def show(at_s: float, of_s: float, task: object = task) -> None:
            progress.update(task, total=of_s, completed=at_s, at=f"{_clock(at_s)}/{_clock(of_s)}")  # type: ignore[arg-type]

        yield place, _do(job, networks, on_second=show)
        progress.remove_task(task)


def _in_processes(
    jobs: Sequence[Job], places: Sequence[int], workers: int, device: str, load_networks: Load
) -> Generator[tuple[int, Outcome], None, None]:
    """Do the jobs at `places` in `workers` processes, each with networks of its own; as they are done."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (device, load_networks)) as pool, _none_left_behind():
        with _deaf():
            places_of = {pool.submit(_do_alone, jobs[place]): place for place in places}
        for future in as_completed(places_of):
            place = places_of[future]
            try:
                yield place, future.result()
            except BrokenProcessPool:
                raise TynyshError(
                    "A process that looked at recordings ended unexpectedly.",
                    hint="Is the memory enough? Fewer --workers take less.",
                ) from None


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that begin in the block never hear of Ctrl-C, which reaches all processes of a terminal: it is the
    parent's to act upon.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _none_left_behind() -> Iterator[None]:
    """Where the block is left early, as by Ctrl-C, end the processes rather than wait for their files."""
    try:
        yield
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise


_networks: Networks | None = None
"""Those of a process that was started for jobs."""


def _begin(device: str, load_networks: Load) -> None:
    """A process begins."""
    global _networks  # noqa: PLW0603  the one place where a process of the pool can keep what its jobs share
    _networks = load_networks(device)


def _do_alone(job: Job) -> Outcome:
    if _networks is None:
        raise RuntimeError("jobs are for processes that were begun by `_begin`")
    return _do(job, _networks)


def _do(
    job: Job, networks: Networks, *, on_second: Callable[[float, float], None] = lambda _at, _of: None
) -> Outcome:
    """Look at one recording; on_second: told where it is, and how long the recording is, seconds."""
    try:
        video = VideoFile(job.recording.file)
        sightings = look(
            video,
            job.recording.labels,
            job.watch,
            networks,
            on_second=lambda at_s: on_second(at_s, video.duration_s),
        )
    except MediaError as error:
        return Outcome(None, _sendable(error))
    return Outcome(sightings, None if video.damage is None else _sendable(video.damage))


def _sendable(error: MediaError) -> MediaError:
    """The error as any process can take it: subclasses may not be made anew from their message."""
    return MediaError(error.message, hint=error.hint)


def _placed(error: TynyshError, where: str) -> TynyshError:
    return MediaError(f"{where}: {error.message}", hint=error.hint)


def print_report(report: FootageReport, console: Console, language: Language) -> None:
    """Print the short table: in all, by behaviour, by camera."""

    def say(key: str, **values: object) -> str:
        return text(language, f"evaluation.footage.{key}", **values)

    table = Table(show_edge=False)
    table.add_column("", overflow="fold")
    for heading in (
        "labelled",
        "table_recall",
        "table_precision",
        "table_false",
        "table_rate",
        "table_delay",
    ):
        table.add_column(say(heading), justify="right", no_wrap=True)
    judged = report.judged
    _row(table, say("in_all"), figures(judged))
    for behaviour in report.behaviours:
        _row(table, wording.name(language, behaviour), figures(judged, behaviour=behaviour))
    if len(report.cameras) > 1:
        table.add_section()
        for camera in report.cameras:
            _row(table, camera, figures(judged, camera=camera))
    console.print(table)
    hours = sum(judged.footage_hours.values())
    console.print(say("summary", files=len(report.seen), hours=f"{hours:.2f}"), markup=False, soft_wrap=True)


def _row(table: Table, name: str, of: Figures) -> None:
    rate = of.false_per_hour if of.hours >= LEAST_HOURS else None
    table.add_row(
        # Names of cameras are not markup.
        Text(name),
        str(of.labelled),
        _told(of.recall, of.recall_interval, 100, 0),
        _told(of.precision, of.precision_interval, 100, 0),
        str(of.false),
        _told(rate, of.false_per_hour_interval, 1, 2),
        "–" if not of.delays_s else f"{of.delay_s(0.5):.1f}, {of.delay_s(0.95):.1f}",
    )


def _told(value: float | None, interval: tuple[float, float] | None, times: float, digits: int) -> str:
    """A figure with its interval in brackets, both `times` as large as they are."""
    if value is None or interval is None:
        return "–"
    low, high = (f"{times * side:.{digits}f}" for side in interval)
    return f"{times * value:.{digits}f} ({low}–{high})"


def _clock(time_s: float) -> str:
    hours, rest = divmod(int(time_s), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
