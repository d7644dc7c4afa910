"""Small people are looked for in tiles, where that finds many more of them, and only there."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.crowd.composites import mosaic, mosaic_boxes

from tynysh.geometry import Box, box_array, iou_matrix
from tynysh.media.frame import Frame
from tynysh.perception.detector import load_detector
from tynysh.perception.tiling import (
    CONFIRM_S,
    FIRST_PROBE_S,
    PROBE_S,
    Detection,
    TiledDetector,
    merged,
    most_across,
    tiled,
    tiles,
)
from tynysh.scene.person import Person

WIDTH, HEIGHT = 1920, 1080
PICTURE = Box(0, 0, WIDTH, HEIGHT)


class Square:
    """Finds people who stand in a grid: in the whole picture only `large` of them, in tiles everybody."""

    def __init__(self, people: int, large: int) -> None:
        self.people, self.large = people, large
        self.inferences = 0

    def standing(self) -> list[Box]:
        return [
            Box(100 + 170 * (n % 10), 100 + 90 * (n // 10), 112 + 170 * (n % 10), 130 + 90 * (n // 10))
            for n in range(self.people)
        ]

    def detect(self, frame: Frame) -> Sequence[Person]:
        (found,) = self.detect_parts(frame, [PICTURE])
        return found

    def detect_parts(self, _frame: Frame, parts: Sequence[Box]) -> Sequence[Sequence[Person]]:
        self.inferences += len(parts)
        return [self._seen(part) for part in parts]

    def _seen(self, part: Box) -> list[Person]:
        known = self.standing()[: self.large] if part == PICTURE else self.standing()
        shown = [Box(*np.clip(box, [*part[:2]] * 2, [*part[2:]] * 2)) for box in known]
        return [
            Person(box, 0.8, input_scale=416 / part.width)
            for box in shown
            if box.width > 3 and box.height > 3
        ]


class Blind:
    """A detector that cannot look at parts."""

    def detect(self, _frame: Frame) -> Sequence[Person]:
        return ()


def frame(time_s: float, width: int = WIDTH, height: int = HEIGHT) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), time_s=time_s, index=0)


def inferences_of_looks(
    tiled_detector: TiledDetector, detector: Square, start_s: float, seconds: float
) -> list[int]:
    """At two looks a second, how many inferences of the network each took."""
    inferences = []
    for n in range(round(2 * seconds)):
        before = detector.inferences
        tiled_detector.detect(frame(start_s + n / 2))
        inferences.append(detector.inferences - before)
    return inferences


@pytest.mark.parametrize("across", [2, 3])
@pytest.mark.parametrize("size", [(1920, 1080), (2304, 1728), (1080, 1921)])
def test_tiles_cover_the_picture_and_overlap_in_its_shape(size: tuple[int, int], across: int) -> None:
    parts = tiles(*size, across)
    assert len(parts) == across**2
    cover = np.zeros((size[1], size[0]), np.uint8)
    for left, top, right, bottom in (map(int, part) for part in parts):
        cover[top:bottom, left:right] += 1
        assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1], rel=0.01)
    assert cover.min() == 1
    assert (cover > 1).mean() > 0.15


@pytest.mark.parametrize(
    ("size", "across"), [((640, 360), 1), ((768, 576), 2), ((1280, 720), 3), ((576, 1080), 3)]
)
def test_tiles_never_show_more_than_the_camera_saw(size: tuple[int, int], across: int) -> None:
    assert most_across(*size) == across


def test_everybody_is_found_once_wherever_the_seams_run() -> None:
    square = Square(people=100, large=30)
    people, whole = tiled(square, frame(0.0), 3)
    assert len(whole) == 30
    assert sorted(tuple(map(round, person.box)) for person in people) == sorted(
        tuple(map(round, box)) for box in square.standing()
    )


def test_somebody_larger_than_the_overlap_is_taken_from_the_whole() -> None:
    tall = Person(Box(900, 300, 1000, 800), 0.9, input_scale=0.2)
    parts = [Box(0, 0, WIDTH, 594), Box(0, 486, WIDTH, HEIGHT)]
    halves = [[Person(Box(900, 300, 1000, 594), 0.95)], [Person(Box(900, 486, 1000, 800), 0.95)]]
    assert [person.box for person in merged([tall], parts, halves, PICTURE)] == [tall.box]


def test_somebody_cut_by_a_seam_whom_nobody_else_saw_is_kept() -> None:
    parts = [Box(0, 0, WIDTH, 594), Box(0, 486, WIDTH, HEIGHT)]
    cut = Person(Box(900, 560, 912, 594), 0.6)
    assert [person.box for person in merged([], parts, [[cut], []], PICTURE)] == [cut.box]


def test_someone_at_the_edge_of_the_picture_is_not_cut() -> None:
    parts = [Box(0, 0, WIDTH, 594), Box(0, 486, WIDTH, HEIGHT)]
    people = [Person(Box(0, 10, 12, 40), 0.6), Person(Box(4, 10, 20, 40), 0.5)]
    assert len(merged([], parts, [people, []], PICTURE)) == 2


def test_a_scene_of_small_people_is_looked_at_in_tiles_after_two_probes() -> None:
    square = Square(people=30, large=10)
    tiled_detector = TiledDetector(square)
    inferences = inferences_of_looks(tiled_detector, square, 0.0, 10.0)
    first, second = round(2 * FIRST_PROBE_S), round(2 * (FIRST_PROBE_S + CONFIRM_S))
    assert inferences[:first] == [1] * first
    assert inferences[first] == inferences[second] == 10
    assert inferences[first + 1 : second] == [1] * (second - first - 1)
    assert set(inferences[second + 1 :]) == {tiled_detector.inferences} == {10}
    assert len(tiled_detector.detect(frame(10.0))) == 30


def test_tiles_are_given_up_when_they_add_nothing_any_more() -> None:
    square = Square(people=30, large=10)
    tiled_detector = TiledDetector(square)
    inferences_of_looks(tiled_detector, square, 0.0, 10.0)
    square.large = 30
    inferences = inferences_of_looks(tiled_detector, square, 10.0, 120.0)
    assert inferences[0] == 10
    assert inferences[40] == 10, "not at once"
    assert inferences[-1] == tiled_detector.inferences == 1


def test_tiles_stay_while_nobody_is_there() -> None:
    square = Square(people=30, large=10)
    tiled_detector = TiledDetector(square)
    inferences_of_looks(tiled_detector, square, 0.0, 10.0)
    square.people = 0
    assert set(inferences_of_looks(tiled_detector, square, 10.0, 120.0)) == {10}


@pytest.mark.parametrize(("people", "large"), [(8, 7), (8, 8), (1, 0), (0, 0), (20, 16)])
def test_a_scene_that_the_whole_shows_well_is_probed_rarely(people: int, large: int) -> None:
    square = Square(people, large)
    tiled_detector = TiledDetector(square)
    inferences = inferences_of_looks(tiled_detector, square, 0.0, 2 * PROBE_S)
    assert tiled_detector.inferences == 1
    assert sum(count > 1 for count in inferences) == 2


def test_what_an_installer_says_is_kept_to() -> None:
    square = Square(people=30, large=10)
    assert set(inferences_of_looks(TiledDetector(square, Detection.WHOLE), square, 0.0, 20.0)) == {1}
    assert set(inferences_of_looks(TiledDetector(square, Detection.TILED), square, 0.0, 20.0)) == {10}
    square.large = 30
    assert set(inferences_of_looks(TiledDetector(square, Detection.TILED), square, 0.0, 60.0)) == {10}


def test_pictures_too_small_for_tiles_and_scripted_scenes_are_seen_whole() -> None:
    tiled_detector = TiledDetector(Square(people=0, large=0), Detection.TILED)
    assert tiled_detector.detect(frame(0.0, 640, 360)) == []
    assert tiled_detector.inferences == 1
    scripted = TiledDetector(Blind(), Detection.TILED)
    scripted.detect(frame(0.0))
    assert scripted.inferences == 1


def test_a_clock_set_back_begins_anew() -> None:
    square = Square(people=30, large=10)
    tiled_detector = TiledDetector(square)
    inferences_of_looks(tiled_detector, square, 1000.0, 1.0)
    inferences = inferences_of_looks(tiled_detector, square, 5.0, 10.0)
    assert inferences[-1] == 10


@pytest.mark.footage
@pytest.mark.slow
def test_most_of_the_small_people_on_a_wide_square_are_found_in_tiles_only(vtest: Path) -> None:
    across = 3
    detector = load_detector()
    seen: dict[str, list[bool]] = {"whole": [], "tiled": []}
    for shown in mosaic(vtest, across, 21):
        if shown.index % 20:
            continue
        boxes = box_array(mosaic_boxes(across, shown.index, 768, 576))
        people, whole = tiled(detector, shown, most_across(shown.width, shown.height))
        for name, found in (("whole", whole), ("tiled", people)):
            sure = box_array([person.box for person in found if person.score >= 0.4])
            seen[name] += (iou_matrix(boxes, sure).max(axis=1, initial=0.0) >= 0.4).tolist()
            assert len(sure) <= 1.05 * len(boxes)
    detector.close()
    assert np.mean(seen["whole"]) < 0.7
    assert np.mean(seen["tiled"]) > 0.9
