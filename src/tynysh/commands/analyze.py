"""`tynysh analyze`: what happens in videos."""

from pathlib import Path
from random import Random
from typing import Annotated

from typer import Argument, Option

from tynysh.commands.options import AsJson, CameraName, Device, Fps, LanguageOption, SiteOption, StreamNumber
from tynysh.commands.output import json_text, note, print_table, report, say


def analyze(
    videos: Annotated[list[Path], Argument(metavar="VIDEO...", help="Files, or folders of files.")],
    site: SiteOption = None,
    camera: CameraName = None,
    json_lines: AsJson = False,
    render: Annotated[Path | None, Option("--render", help="Write an annotated, anonymised MP4.")] = None,
    tracks: Annotated[Path | None, Option("--tracks", help="Write tracks in MOTChallenge format.")] = None,
    counts: Annotated[
        Path | None, Option("--counts", help="Write how many people are where, once a second, as CSV.")
    ] = None,
    stream: StreamNumber = None,
    fps: Fps = None,
    language: LanguageOption = "en",
    device: Device = "CPU",
) -> int:
    """What happens in these videos: the live pipeline, as fast as the machine allows."""
    from tynysh.behaviour.registry import spec_of
    from tynysh.commands.output_file import check_writable, write_file
    from tynysh.errors import MediaError, UsageError
    from tynysh.evaluation.analysis import SEED, analyse_video
    from tynysh.evaluation.camera_choice import plan_for, sites_of
    from tynysh.evaluation.counts import CountLog
    from tynysh.evaluation.listing import HEADINGS, as_json, cells
    from tynysh.evaluation.rendering import render as write_rendered
    from tynysh.media.reader import VideoFile
    from tynysh.perception.clip_window import LEAST_RATE_HZ, too_few
    from tynysh.runtime.camera_plan import build_pipeline
    from tynysh.runtime.networks import Networks
    from tynysh.translations import text

    outputs = [out for out in (render, tracks, counts) if out is not None]
    if len(videos) > 1 and outputs:
        raise UsageError(
            "--render, --tracks and --counts take one video at a time.", hint="Name a single VIDEO."
        )
    check_writable(*outputs)
    if len({out.absolute() for out in outputs}) < len(outputs):
        raise UsageError(
            "--render, --tracks and --counts name the same file.", hint="Give each a file of its own."
        )
    sites = sites_of(site)
    networks: Networks | None = None
    rows, analysed, code = [], 0, 0
    for path in videos:
        try:
            video = VideoFile(path, stream=stream, fps=fps)
            for known in video.notes:
                note(known)
            plan = plan_for(sites, camera, path)
            networks = networks or Networks.load(device)
            count_log = CountLog()
            pipeline = build_pipeline(plan, networks, ids=Random(SEED))
            analysis = analyse_video(video, pipeline, on_step=count_log.observe)
            if video.damage is not None:
                report(video.damage)
                code = video.damage.exit_code
        except MediaError as error:
            report(error)
            code = error.exit_code
            continue
        analysed += 1
        rate_hz = analysis.rate_hz
        if rate_hz is not None and too_few(rate_hz) and any(spec_of(each).violent for each in plan.analysers):
            note(
                text(
                    language,
                    "analyze.few_pictures",
                    path=path,
                    rate=f"{rate_hz:.1f}",
                    least=f"{LEAST_RATE_HZ:.0f}",
                )
            )
        for event in analysis.events:
            if json_lines:
                say(json_text(as_json(event, str(path))))
            else:
                rows.append(cells(event, analysis, language))
        if tracks is not None:
            lines = [] if analysis.tracks is None else analysis.tracks.lines(len(analysis.frame_times))
            write_file(tracks, "".join(f"{line}\n" for line in lines))
        if counts is not None:
            write_file(counts, count_log.text(analysis.duration_s))
        if render is not None:
            write_rendered(VideoFile(path, stream=stream, fps=fps), analysis, render, language)
    if rows:
        print_table([text(language, f"analyze.{heading}") for heading in HEADINGS], rows, right=(2, 3, 4))
    elif analysed and not json_lines:
        say(text(language, "analyze.nothing"))
    return code
