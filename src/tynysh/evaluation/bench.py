"""What a second of video costs: CPU time by stage, memory, and how long an event takes to be decided."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from tynysh.behaviour.event import Event
from tynysh.errors import MediaError
from tynysh.evaluation.analysis import analyse_video
from tynysh.media.reader import VideoFile
from tynysh.runtime.meter import CpuMeter, Meter
from tynysh.runtime.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Costs in CPU milliseconds per second of video, of all threads together.

    decode: decoding every picture on one thread and nothing else, measured in the same run. total: everything that
    `tynysh analyze` does once its networks are loaded. stages: its parts; `other` is what lies between them.
    startup: loading and compiling the networks, CPU milliseconds once.
    peak_rss_mb: the whole process, MiB. delays_s: onset to decision of each event, stream time.
    """

    video: str
    video_s: float
    decode: float
    total: float
    stages: dict[str, float]
    calls: dict[str, int]
    startup: float
    peak_rss_mb: float
    events: tuple[Event, ...]

    @property
    def delays_s(self) -> list[float]:
        """Seconds from onset to decision, per event, sorted."""
        return sorted(event.decided_s - event.start_s for event in self.events)

    def as_json(self) -> dict[str, Any]:
        """The figures by the names that they have in `--json`."""
        delays = self.delays_s
        return {
            "video": self.video,
            "video_s": round(self.video_s, 3),
            "decode_cpu_ms_per_video_s": round(self.decode, 2),
            "total_cpu_ms_per_video_s": round(self.total, 2),
            "stages": {name: round(cost, 2) for name, cost in self.stages.items()},
            "calls": self.calls,
            "startup_cpu_ms": round(self.startup, 1),
            "peak_rss_mb": round(self.peak_rss_mb, 1),
            "events": len(self.events),
            "onset_to_event_s": {
                "median": round(delays[len(delays) // 2], 3) if delays else None,
                "max": round(delays[-1], 3) if delays else None,
            },
        }


def bench(path: Path, build: Callable[[Meter], Pipeline]) -> BenchResult:
    """Measure `path` through the pipeline that `build` makes, given the meter to report to.

    Raises MediaError if the video cannot be read.
    """
    decode_s, video_s = decode_alone(path)
    before = time.process_time()
    meter = CpuMeter()
    pipeline = build(meter)
    startup_s = time.process_time() - before
    before = time.process_time()
    analysis = analyse_video(VideoFile(path), pipeline, meter=meter)
    total_s = time.process_time() - before
    stages = dict(meter.cpu_s)
    stages["other"] = max(0.0, total_s - sum(stages.values()))
    per_video_s = 1000.0 / video_s
    return BenchResult(
        video=path.name,
        video_s=video_s,
        decode=decode_s * per_video_s,
        total=total_s * per_video_s,
        stages={name: cost * per_video_s for name, cost in stages.items()},
        calls=dict(meter.calls),
        startup=startup_s * 1000.0,
        peak_rss_mb=peak_rss_mb(),
        events=analysis.events,
    )


def decode_alone(path: Path) -> tuple[float, float]:
    """CPU seconds to decode every picture of a file on one thread, and the file's length in seconds.

    Raises MediaError if the file cannot be read, or holds no picture.
    """
    before = time.process_time()
    length_s = 0.0
    try:
        with av.open(f"file:{path}") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            interval_s = 1.0 / float(stream.average_rate or 25)
            count = 0
            for frame in container.decode(stream):
                count += 1
                if frame.time is not None:
                    length_s = max(length_s, frame.time + interval_s)
    except (av.FFmpegError, IndexError, OSError) as error:
        raise MediaError(f"{path}: cannot be decoded: {error}") from None
    if not count:
        raise MediaError(f"{path}: holds no picture that can be decoded.")
    return time.process_time() - before, length_s or count * interval_s


def peak_rss_mb() -> float:
    """The most memory that this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024
