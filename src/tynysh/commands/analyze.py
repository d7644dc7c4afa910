"""What `tynysh analyze` and `tynysh bench` do."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import typer
from rich.console import Console

from tynysh.errors import MediaError, TynyshError, UsageError
from tynysh.evaluation.analysis import VideoAnalysis, analyse_video
from tynysh.evaluation.bench import BenchResult, bench
from tynysh.evaluation.counts import CountLog
from tynysh.evaluation.listing import json_line, print_table
from tynysh.evaluation.output_file import check_writable, write_text
from tynysh.evaluation.rendering import render
from tynysh.media.reader import VideoFile
from tynysh.runtime.camera_plan import CameraPlan, build_pipeline
from tynysh.runtime.networks import Networks
from tynysh.site.camera import Camera
from tynysh.site.site import Site
from tynysh.site.yaml import load
from tynysh.translations import Language

SEED = 20260101
"""Of the ids of events: the same file gives the same events, ids and all."""


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """What was asked for on the command line."""

    videos: tuple[Path, ...]
    site: Path | None
    camera: str | None
    as_json: bool
    render: Path | None
    tracks: Path | None
    counts: Path | None
    language: Language
    device: str


def run_analyze(options: AnalyzeOptions, console: Console, tell: Callable[[TynyshError], None]) -> int:
    """Analyse the videos one after the other and print their events; the exit code.

    A video that cannot be read is told of, and the others go on; the exit code then is that of the last error.
    Raises TynyshError where nothing can be begun.
    """
    outputs = [out for out in (options.render, options.tracks, options.counts) if out is not None]
    if len(options.videos) > 1 and outputs:
        raise UsageError(
            "--render, --tracks and --counts take one video at a time.", hint="Name a single VIDEO."
        )
    for out in outputs:
        check_writable(out)
    if len({out.absolute() for out in outputs}) < len(outputs):
        raise UsageError(
            "--render, --tracks and --counts name the same file.", hint="Give each a file of its own."
        )
    site = load(options.site) if options.site is not None else None
    code = 0
    networks: Networks | None = None
    analyses: list[VideoAnalysis] = []
    for path in options.videos:
        try:
            video = VideoFile(path)
            watch = watch_for(site.sites if site else (), options.camera, path)
            networks = networks or Networks.load(options.device)
            counts = CountLog()
            pipeline = build_pipeline(watch, networks, ids=Random(SEED))
            analysis = analyse_video(video, pipeline, on_step=counts.observe)
            if video.damage is not None:
                tell(video.damage)
                code = video.damage.exit_code
        except MediaError as error:
            tell(error)
            code = error.exit_code
            continue
        if options.as_json:
            for event in analysis.events:
                typer.echo(json_line(event, str(path)))
        else:
            analyses.append(analysis)
        if options.tracks is not None:
            write_tracks(analysis, options.tracks)
        if options.counts is not None:
            write_text(options.counts, counts.text(analysis.duration_s))
        if options.render is not None:
            render(VideoFile(path), analysis, options.render)
    if not options.as_json and analyses:
        print_table(console, analyses, language=options.language)
    return code


def bench_video(path: Path, site: Path | None, camera: str | None, device: str) -> BenchResult:
    """Measure what `tynysh analyze` costs on a file. Raises TynyshError."""
    watch = watch_for(load(site).sites if site is not None else (), camera, path)
    # What is wrong with a file is told by its reader, before anything is measured; `bench` counts its own reading.
    VideoFile(path)
    return bench(
        path,
        lambda meter: build_pipeline(watch, Networks.load(device), ids=Random(SEED), meter=meter),
    )


def watch_for(sites: tuple[Site, ...], name: str | None, video: Path) -> CameraPlan:
    """What to watch for in `video`: what the site says of the camera `name` (id or name), else of the camera whose
    stream the file is, else of the only camera; the usual where there is no site. Raises UsageError.
    """
    if not sites:
        if name is not None:
            raise UsageError("--camera needs --site.", hint="Name the site file that has the camera.")
        return CameraPlan.usual()
    cameras = [(site, camera) for site in sites for camera in site.cameras]
    found = [pair for pair in cameras if _is_meant(pair[1], name, video)]
    if not found and name is None and len(cameras) == 1:
        found = cameras
    if len(found) != 1:
        known = ", ".join(camera.id for _, camera in cameras) or "none"
        wanted = f"called {name!r}" if name is not None else f"that shows {video}"
        raise UsageError(
            f"The site has {len(found) or 'no'} camera{'s' if len(found) > 1 else ''} {wanted}.",
            hint=f"Choose one with --camera: {known}.",
        )
    return CameraPlan.of(*found[0], scheduled=False)


def write_tracks(analysis: VideoAnalysis, out: Path) -> None:
    """Write the tracks in MOTChallenge format. Raises UsageError where `out` cannot be written."""
    lines = [] if analysis.tracks is None else analysis.tracks.lines(len(analysis.frame_times))
    try:
        with out.open("w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None


def _is_meant(camera: Camera, name: str | None, video: Path) -> bool:
    if name is not None:
        return name in {camera.id, camera.name}
    return any(
        address is not None and Path(address.removeprefix("file://")).absolute() == video.absolute()
        for address in (camera.main, camera.sub)
    )
