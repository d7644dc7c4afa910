"""People are found in a clip by looking at it, also those whom single looks miss."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice, pairwise
from pathlib import Path

import pytest
from tests.perception.mot import read_labels
from tests.remembered import RememberedDetector
from tests.runtime.street import BLURRED, FPS, CoatDetector, draw, heads, write_street

from tynysh.evidence.anonymised import write_anonymised
from tynysh.evidence.look import CARRY_S, LAG_S, look_for_people, unaccounted, with_the_missed
from tynysh.evidence.timeline import PeopleTimeline
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.media.reader import VideoFile
from tynysh.perception.anonymiser import regions
from tynysh.scene.person import Person

WALKER = Box(100, 50, 130, 130)


def looks(*seen: Mapping[int, Box]) -> list[tuple[float, Mapping[int, Box]]]:
    return [(number / 5, boxes) for number, boxes in enumerate(seen)]


def covers(box: Box, other: Box) -> bool:
    return box.intersection(other) == other.area


class Missing:
    """A detector that sees nobody at some of its looks."""

    def __init__(self, missed: Sequence[int]) -> None:
        self._missed = missed
        self._looks = count()

    def detect(self, frame: Frame) -> Sequence[Person]:
        return [] if next(self._looks) in self._missed else CoatDetector().detect(frame)


@pytest.mark.parametrize(
    "missed",
    [[0], [7], [7, 8, 9], [0, 1, 2, 3], [26, 27, 28, 29], [3, 5, 7, 9, 11], [10, 11, 12, 13, 14, 15, 16]],
    ids=str,
)
def test_whom_some_looks_miss_is_blurred_all_the_same(tmp_path: Path, missed: Sequence[int]) -> None:
    original = write_street(tmp_path / "street.mp4", seconds=6)
    write_anonymised(original, tmp_path / "out.mp4", detector=Missing(missed))
    shown = heads(tmp_path / "out.mp4")
    assert len(shown) >= 50, "the walker can still be seen"
    assert max(shown) < BLURRED


def test_who_was_seen_before_and_after_is_put_in_between_with_a_margin() -> None:
    there = Box(160, 50, 190, 130)
    _, between, _ = with_the_missed(looks({1: WALKER}, {}, {1: there}))
    assert covers(between[1], Box(130, 50, 160, 130))
    assert between[1].width > WALKER.width


def test_who_comes_or_goes_is_taken_to_be_there_a_while_before_and_after() -> None:
    filled = with_the_missed(looks(*[{}] * 10, {1: WALKER}, *[{}] * 10))
    reach = round(5 * CARRY_S)
    assert [1 in boxes for boxes in filled] == [abs(number - 10) <= reach for number in range(21)]
    widths = [boxes[1].width for boxes in filled[10 : 10 + reach]]
    assert all(wider >= narrower for narrower, wider in pairwise(widths))


def test_nobody_is_carried_to_where_somebody_is_seen_anyhow() -> None:
    """A doubtful sighting that became a track."""
    filled = with_the_missed(looks({-1: WALKER}, {1: WALKER}, {1: WALKER}))
    assert [set(boxes) for boxes in filled] == [{-1}, {1}, {1}]


def test_whom_another_stream_saw_all_the_while_must_be_in_the_picture() -> None:
    blank = Box(0.0, 0.0, 0.1, 0.3)
    stander, other = Box(0.5, 0.4, 0.6, 0.7), Box(0.1, 0.4, 0.2, 0.7)
    assert unaccounted([stander, other], [other]) == [stander]
    assert unaccounted([stander, other], [other, stander, blank]) == []
    assert unaccounted([stander], []) == [stander]
    assert unaccounted([], [stander]) == []
    # One person cannot stand for two.
    assert len(unaccounted([stander, stander], [stander])) == 1


def test_the_way_of_somebody_whom_the_clip_s_looks_never_see_is_blurred(tmp_path: Path) -> None:
    original = write_street(tmp_path / "street.mp4", seconds=6)
    elsewhere = PeopleTimeline(keep_s=100)
    for number in range(-40, 100):
        (walker,) = CoatDetector().detect(Frame(draw(number / FPS + 0.5), time_s=0.0, index=0))
        elsewhere.add(number / FPS, {1: walker.box.scaled(1 / 320, 1 / 240)})
    write_anonymised(original, tmp_path / "out.mp4", detector=Missing(range(1000)), ways=elsewhere.ways)
    assert max(heads(tmp_path / "out.mp4")) < BLURRED


def test_ways_are_of_those_who_were_there_throughout() -> None:
    timeline = PeopleTimeline()
    for tenth in range(100):
        comes = {2: WALKER} if tenth > 50 else {}
        doubted = {-1 - tenth: WALKER}
        timeline.add(tenth / 10, {1: Box(tenth, 0, tenth + 10, 20), **comes, **doubted})
    assert timeline.ways(4.0, 6.0) == [Box(39, 0, 70, 20)]
    assert timeline.ways(6.0, 7.0)[1:] == [WALKER]
    assert PeopleTimeline().ways(0.0, LAG_S) == []


class Beginning(VideoFile):
    """The first 201 pictures of a video."""

    def frames(self) -> Iterator[Frame]:
        return islice(super().frames(), 201)


def test_on_real_footage_the_heads_of_all_who_are_near_are_covered(
    vtest: Path, square_detector: RememberedDetector
) -> None:
    """As labelled by eye in every twentieth picture, half of which are between two looks."""
    video = Beginning(vtest)
    people = look_for_people(video, square_detector)
    heads_seen = covered = 0
    for number, labels in read_labels().items():
        if number > 201:
            continue
        boxes = people.at(float(video.frame_times[number - 1]))
        assert boxes is not None
        pixels = [box.scaled(video.width, video.height) for box in boxes]
        treated = regions(pixels, video.width, video.height)
        for label in labels:
            x, y = label.box.centre[0], label.box.top + label.box.height / 12
            if not label.far and 0 <= x < video.width:
                heads_seen += 1
                covered += any(r.left <= x <= r.right and r.top <= y <= r.bottom for r in treated)
    assert covered == heads_seen > 40
