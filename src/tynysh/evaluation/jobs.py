"""Recordings are looked at, each once, here or in several processes, and what was seen is kept."""

import hashlib
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tynysh import __version__
from tynysh.errors import MediaError, TynyshError, UsageError
from tynysh.evaluation.camera_choice import plan_for, sites_of
from tynysh.evaluation.csv_input import Faults
from tynysh.evaluation.labels import Recording, read_labels
from tynysh.evaluation.saved_sightings import FORMAT, SavedSightings
from tynysh.evaluation.sightings import Sightings, record_sightings
from tynysh.media.reader import VideoFile
from tynysh.media.video_files import files_of, is_folder
from tynysh.runtime.camera_plan import CameraPlan
from tynysh.runtime.networks import Networks

Load = Callable[[str], Networks]
"""The networks of a device; of a module's top level, so that other processes find it too."""


@dataclass(frozen=True, slots=True)
class AnalysisJob:
    """A recording to be looked at, and what is watched for in it. key: names what is kept of it between runs.

    stream, fps: see `VideoFile`.
    """

    recording: Recording
    plan: CameraPlan
    key: str
    stream: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: sightings, or the error for which there are none; with sightings, a file's damage.

    notes: see `VideoFile`.
    """

    sightings: Sightings | None
    error: TynyshError | None = None
    notes: Sequence[str] = ()


OnSecond = Callable[[AnalysisJob, float, float], None]
"""Told of a job where in its recording it is, and how long that is, seconds."""


def jobs_of(
    labels: Path,
    site: Path | None,
    camera: str | None,
    device: str,
    *,
    stream: int | None = None,
    fps: float | None = None,
) -> list[AnalysisJob]:
    """The recordings of a LABELS.csv with what is watched for in each. Raises TynyshError before any long work."""
    recordings, sites = read_labels(labels), sites_of(site)
    site_seal = hashlib.sha256(b"" if site is None else site.read_bytes()).hexdigest()
    jobs = []
    faults = Faults()
    for recording in recordings:
        named = camera or (recording.own_camera if site is not None else None)
        try:
            plan = plan_for(sites, named, recording.file)
        except UsageError as error:
            faults.add(recording.where, f"{error.message} {error.hint or ''}".rstrip())
            continue
        identity = (FORMAT, __version__, device, _files(recording.file), named, site_seal, stream, fps)
        key = hashlib.sha256(repr(identity).encode()).hexdigest()[:32]
        jobs.append(AnalysisJob(recording, plan, key, stream, fps))
    faults.raise_if_any()
    return jobs


def record_all_sightings(
    jobs: Sequence[AnalysisJob],
    saved: SavedSightings,
    device: str,
    *,
    workers: int = 1,
    load_networks: Load | None = None,
    on_second: OnSecond = lambda _job, _at_s, _of_s: None,
) -> Generator[tuple[AnalysisJob, Outcome], None, None]:
    """Each job with what became of it, as it is done: first those of which `saved` has kept what was seen.

    workers: processes that share the others. load_networks: in place of the usual ones, for drawn scenes.
    on_second: told of progress where there is one process. Raises TynyshError where a process dies.
    """
    waiting = []
    for job in jobs:
        before = saved.get(job.key)
        if before is None:
            waiting.append(job)
        else:
            yield job, Outcome(before)
    workers = min(workers, len(waiting))
    load = load_networks or Networks.load
    source = (
        _in_processes(waiting, workers, device, load)
        if workers > 1
        else _here(waiting, device, load, on_second)
    )
    with closing(source):
        for job, outcome in source:
            if outcome.sightings is not None and outcome.error is None:
                saved.put(job.key, outcome.sightings)
            yield job, outcome


def _files(path: Path) -> tuple[tuple[str, int, int], ...]:
    """The file, or those of a folder, each with its size and its last change; none of a folder without videos."""
    try:
        files = files_of(path) if is_folder(path) else [path]
    except MediaError:
        return ()
    return tuple(
        (str(file.absolute()), about.st_size, about.st_mtime_ns) for file in files for about in [file.stat()]
    )


def _here(
    jobs: Sequence[AnalysisJob], device: str, load_networks: Load, on_second: OnSecond
) -> Generator[tuple[AnalysisJob, Outcome], None, None]:
    """Do the jobs one after the other."""
    networks: Networks | None = None
    for job in jobs:
        networks = networks or load_networks(device)
        yield job, _do(job, networks, on_second)


def _in_processes(
    jobs: Sequence[AnalysisJob], workers: int, device: str, load_networks: Load
) -> Generator[tuple[AnalysisJob, Outcome], None, None]:
    """Do the jobs in `workers` processes, each with networks of its own; as they are done."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (device, load_networks)) as pool, _none_left_behind():
        with _deaf():
            futures = {pool.submit(_do_alone, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
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


def _do_alone(job: AnalysisJob) -> Outcome:
    if _networks is None:
        raise RuntimeError("jobs are for processes that were begun by `_begin`")
    return _do(job, _networks)


def _do(
    job: AnalysisJob, networks: Networks, on_second: OnSecond = lambda _job, _at_s, _of_s: None
) -> Outcome:
    """Look at one recording."""
    try:
        video = VideoFile(job.recording.file, stream=job.stream, fps=job.fps)
        sightings = record_sightings(
            video,
            job.recording.labels,
            job.plan,
            networks,
            on_second=lambda at_s: on_second(job, at_s, video.duration_s),
        )
    except MediaError as error:
        return Outcome(None, _sendable(error))
    return Outcome(sightings, None if video.damage is None else _sendable(video.damage), video.notes)


def _sendable(error: MediaError) -> MediaError:
    """The error as any process can take it: subclasses may not be made anew from their message."""
    return MediaError(error.message, hint=error.hint)
