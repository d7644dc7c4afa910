"""On real footage the parts of perception together reach the figures that the documentation names."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from tests.perception.mot import quality, read_labels
from tests.remembered import RememberedDetector

from tynysh.media.frame import Frame
from tynysh.perception.detector import Detector
from tynysh.perception.motion import MotionGate
from tynysh.perception.schedule import DetectionSchedule
from tynysh.perception.track_log import LogEntry, TrackLog
from tynysh.perception.tracker import Tracker

pytestmark = [pytest.mark.footage, pytest.mark.slow]


def frames(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            yield Frame(picture, time_s=picture.time or 0.0, index=index)


def watch(pictures: Iterator[Frame], detector: Detector) -> tuple[list[LogEntry], int, int]:
    """The tracks, the looks of the detector and the frames on which the gate was open, as in production."""
    gate, schedule, tracker = MotionGate(), DetectionSchedule(), Tracker()
    log: TrackLog | None = None
    count = looks = moving = 0
    for frame in pictures:
        count += 1
        log = log or TrackLog(frame.width, frame.height)
        motion = gate.observe(frame)
        moving += motion.moving
        tracks = tracker.predict(frame.time_s)
        look = schedule.due(frame.time_s, motion, tracks)
        if look:
            tracks = tracker.update(detector.detect(frame), frame.time_s)
            looks += 1
        log.observe(frame.index, frame.time_s, tracks, looked=look)
    assert log is not None
    return log.entries(count), looks, moving


def test_people_on_the_square_are_tracked(vtest: Path, square_detector: RememberedDetector) -> None:
    entries, looks, _ = watch(frames(vtest), square_detector)
    found = quality(read_labels(), entries)
    assert found.mota >= 0.85
    assert looks <= 5.1 * 79.5
    assert {entry.frame for entry in entries} == set(range(1, 796))


def test_people_who_stand_in_a_still_noisy_scene_are_kept_at_little_cost(
    vtest: Path, square_detector: RememberedDetector
) -> None:
    first = next(frames(vtest)).bgr
    noise = np.random.default_rng(3)

    def still() -> Iterator[Frame]:
        for index in range(300):
            grain = noise.integers(-10, 11, first.shape[:2], dtype=np.int16)[:, :, None]
            picture = np.clip(first + grain, 0, 255).astype(np.uint8)
            yield Frame(picture, time_s=index / 10, index=index)

    entries, looks, moving = watch(still(), square_detector)
    assert moving == 0
    # The beginning, then every 2.5 s.
    assert looks <= 12 + 27 / 2.5 + 2
    labelled = [label.id for label in read_labels()[1]]
    assert len({entry.id for entry in entries}) == len(labelled) == 3
    assert {entry.frame for entry in entries} == set(range(1, 301))
