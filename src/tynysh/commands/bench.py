"""`tynysh bench`: what a second of video costs."""

from random import Random

from tynysh.commands.options import AsJson, CameraName, Device, SiteOption, Video
from tynysh.commands.output import print_table, say


def bench(
    video: Video,
    site: SiteOption = None,
    camera: CameraName = None,
    as_json: AsJson = False,
    device: Device = "CPU",
) -> None:
    """What a second of video costs: CPU time by stage, memory, delay of events."""
    from tynysh.commands.output_file import PRINTED, write_figures
    from tynysh.evaluation import bench as benchmark
    from tynysh.evaluation.analysis import SEED
    from tynysh.evaluation.camera_choice import plan_for, sites_of
    from tynysh.media.reader import VideoFile
    from tynysh.runtime.camera_plan import build_pipeline
    from tynysh.runtime.networks import Networks

    plan = plan_for(sites_of(site), camera, video)
    # What is wrong with a file is told by its reader, before anything is measured; `bench` counts its own reading.
    VideoFile(video)
    result = benchmark.bench(
        video, lambda meter: build_pipeline(plan, Networks.load(device), ids=Random(SEED), meter=meter)
    )
    if as_json:
        write_figures(PRINTED, result.as_json())
        return
    say(f"{result.video}, {result.video_s:.1f} s")
    stages = [(name, f"{cost:.1f}", str(result.calls.get(name, ""))) for name, cost in result.stages.items()]
    print_table(
        ("stage", "CPU-ms per s of video", "calls"),
        [
            *stages,
            None,
            ("in all", f"{result.total:.1f}", ""),
            ("decoding alone", f"{result.decode:.1f}", ""),
        ],
        right=(1, 2),
    )
    delays = result.delays_s
    median = f", onset to event {delays[len(delays) // 2]:.1f} s (median)" if delays else ""
    say(
        f"start-up {result.startup:.0f} CPU-ms, peak memory {result.peak_rss_mb:.0f} MiB, "
        f"{len(result.events)} events{median}"
    )
