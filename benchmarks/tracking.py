"""What tracking costs, and how good it is, at several input sizes and rates of the detector.

    python benchmarks/tracking.py VTEST.avi [--sizes 320 416 512] [--intervals 0.1 0.2 0.3 0.5]

VTEST.avi is OpenCV's; quality is measured against the frames of it that are labelled in
tests/perception/data/vtest_labels.csv. The last line of each size is the schedule that is used in production.
Costs are process CPU time, in milliseconds for a second of video, decoding left out.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.perception.mot import Quality, quality, read_labels

from tynysh.media.frame import Frame
from tynysh.perception.detector import YoloxDetector, load_detector
from tynysh.perception.motion import MotionGate
from tynysh.perception.schedule import DetectionSchedule, ScheduleSettings
from tynysh.perception.track_log import TrackLog
from tynysh.perception.tracker import Tracker


@contextmanager
def stage(cost: Counter[str], name: str) -> Iterator[None]:
    """A context whose CPU time is added to `cost`."""
    start = time.process_time()
    yield
    cost[name] += time.process_time() - start


def fixed(interval_s: float) -> ScheduleSettings:
    """A look every `interval_s` seconds, whatever the scene."""
    names = ("close_s", "people_s", "alert_s", "motion_s", "still_people_s", "empty_s")
    return ScheduleSettings(**dict.fromkeys(names, interval_s))


def track(
    path: Path, detector: YoloxDetector, settings: ScheduleSettings
) -> tuple[Quality, Counter[str], float, float]:
    """Quality, CPU seconds by stage, looks a second and length in seconds of the whole way on `path`."""
    gate, schedule, tracker = MotionGate(), DetectionSchedule(settings), Tracker()
    cost: Counter[str] = Counter()
    log: TrackLog | None = None
    looks = frames = 0
    last_s = 0.0

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for index, picture in enumerate(container.decode(stream)):
            frame = Frame(picture, time_s=picture.time or 0.0, index=index)
            log = log or TrackLog(frame.width, frame.height)
            with stage(cost, "motion"):
                motion = gate.observe(frame)
            with stage(cost, "tracker"):
                tracks = tracker.predict(frame.time_s)
            look = schedule.due(frame.time_s, motion, tracks)
            if look:
                with stage(cost, "detector"):
                    people = detector.detect(frame)
                with stage(cost, "tracker"):
                    tracks = tracker.update(people, frame.time_s)
                looks += 1
            log.observe(index, frame.time_s, tracks, looked=look)
            frames, last_s = frames + 1, frame.time_s
    if log is None:
        raise SystemExit(f"{path} has no pictures")
    with stage(cost, "log"):
        entries = log.entries(frames)
    return quality(read_labels(), entries), cost, looks / last_s, last_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[320, 416, 512])
    parser.add_argument("--intervals", type=float, nargs="+", default=[0.1, 0.2, 0.3, 0.5])
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(
        "| input | look every | looks/s | MOTA | false | missed | switched | motion | detector | tracker | log |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for length in arguments.sizes:
        detector = load_detector(length=length)
        schedules = {f"{interval_s:g} s": fixed(interval_s) for interval_s in arguments.intervals}
        for name, settings in {**schedules, "as needed": ScheduleSettings()}.items():
            found, cost, rate, length_s = track(arguments.video, detector, settings)
            stages = " | ".join(
                f"{cost[stage] / length_s * 1e3:.1f}" for stage in ("motion", "detector", "tracker", "log")
            )
            print(
                f"| {length} | {name} | {rate:.1f} | {found.mota:.3f} | {found.false} | {found.missed} | "
                f"{found.switched} | {stages} |",
                flush=True,
            )
        detector.close()


if __name__ == "__main__":
    main()
