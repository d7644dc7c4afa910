"""People are blurred wherever they are or may be, and everything is where nobody knows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.street import BLURRED, FPS, HEIGHT, WIDTH, CoatDetector, draw, heads, write_street

from tynysh.errors import MediaError
from tynysh.evidence.anonymised import scaled_size, write_anonymised
from tynysh.evidence.look import look_for_people
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.scene.person import Person


class Blind:
    """A detector that must not be asked."""

    def detect(self, frame: Frame) -> Sequence[Person]:
        raise AssertionError("somebody asked")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_street(tmp_path_factory.mktemp("original") / "street.mp4", seconds=6)


def everybody(time_s: float) -> list[Box]:
    frame = Frame(draw(round(time_s * FPS) / FPS), time_s=time_s, index=0)
    return [person.box.scaled(1 / WIDTH, 1 / HEIGHT) for person in CoatDetector().detect(frame)]


def changes(before: Path, after: Path) -> list[float]:
    """By how many levels of 256 the pictures of two videos differ where nobody ever walks, on average."""
    pairs = zip(VideoFile(before).frames(), VideoFile(after).frames(), strict=True)
    return [float(np.abs(one.bgr[180:].astype(int) - other.bgr[180:]).mean()) for one, other in pairs]


def test_where_everybody_is_known_only_they_are_blurred(original: Path, tmp_path: Path) -> None:
    write_anonymised(original, tmp_path / "out.mp4", people_at=everybody, detector=Blind())
    shown = heads(tmp_path / "out.mp4")
    assert len(shown) >= 38
    assert max(shown) < BLURRED
    assert max(changes(original, tmp_path / "out.mp4")) < 6.0, "the street itself can still be seen"


def test_where_nobody_knows_the_detector_looks(original: Path, tmp_path: Path) -> None:
    write_anonymised(original, tmp_path / "out.mp4", people_at=lambda _: None, detector=CoatDetector())
    shown = heads(tmp_path / "out.mp4")
    assert len(shown) >= 38
    assert max(shown) < BLURRED, "from the first picture on"


def test_what_stays_unknown_is_blurred_as_a_whole(original: Path, tmp_path: Path) -> None:
    """Nothing says where people are in the last picture of sixty, too little to look anew."""
    times = VideoFile(original).frame_times
    write_anonymised(
        original,
        tmp_path / "out.mp4",
        people_at=lambda time_s: None if time_s >= times[-1] else everybody(time_s),
        detector=Blind(),
    )
    changed = changes(original, tmp_path / "out.mp4")
    assert max(changed[:-1]) < 6.0
    assert changed[-1] > 8.0


def test_people_are_found_from_the_first_look_on_before_the_tracker_is_sure(original: Path) -> None:
    found = look_for_people(VideoFile(original), CoatDetector())
    for time_s in (0.0, 0.1, 0.2, 0.5, 2.0, 3.9):
        boxes = found.at(time_s)
        assert boxes, time_s
        (expected,) = everybody(time_s)
        assert any(
            abs(box.centre[0] - expected.centre[0]) < 0.05 and abs(box.top - expected.top) < 0.05
            for box in boxes
        ), time_s


def test_a_clip_that_cannot_be_finished_leaves_nothing_behind(original: Path, tmp_path: Path) -> None:
    def fails(time_s: float) -> list[Box]:
        if time_s > 2.0 and asked:
            raise MediaError("the disk refuses")
        if time_s > 3.8:
            asked.append(time_s)
        return []

    asked: list[float] = []
    with pytest.raises(MediaError):
        write_anonymised(original, tmp_path / "out.mp4", people_at=fails, detector=Blind())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (641, 361), (320, 241), (64, 48)])
def test_pictures_get_sizes_that_h264_can_take(width: int, height: int) -> None:
    frame = Frame(np.zeros((height, width, 3), np.uint8), time_s=0.0, index=0)
    across, down = scaled_size(frame, 640)
    assert across % 2 == down % 2 == 0
    assert across <= 642
    assert across / down == pytest.approx(width / height, rel=0.02)
