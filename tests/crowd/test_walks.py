"""Which stretches of walks are taken."""

import pytest

from tynysh.crowd.walks import Walks, WalkSegment
from tynysh.geometry import Box
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track


def scene(
    time_s: float, *boxes: tuple[int, Box], detected: bool = True, seen_s: float | None = None
) -> Scene:
    tracks = tuple(
        Track(number, box, 0.9, (0.0, 0.0), 0.0, time_s if seen_s is None else seen_s)
        for number, box in boxes
    )
    return Scene(time_s, 1000, 500, detected=detected, tracks=tracks)


def at(x: float, height: float = 100.0) -> Box:
    return Box(x - 18, 300 - height, x + 18, 300)


def walked(walks: Walks, seconds: float, speed: float = 60.0, **more) -> list[WalkSegment]:
    found = []
    for step in range(int(seconds * 5) + 1):
        found += walks.observe(scene(step / 5, (1, at(200 + speed * step / 5)), **more))
    return found


def test_a_walk_is_taken_in_stretches_of_one_person() -> None:
    found = walked(Walks(), 6.5)
    assert len(found) == 3
    assert {stretch.person for stretch in found} == {0}
    first = found[0]
    assert first.seconds == pytest.approx(2.0)
    assert first.foot == pytest.approx((0.26, 0.6))
    assert first.head == pytest.approx((0.26, 0.4))
    assert (first.begin[0], first.end[0]) == pytest.approx((0.2, 0.32))


def test_somebody_who_stands_is_not_taken() -> None:
    assert walked(Walks(), 6.0, speed=2.0) == []


def test_between_looks_of_the_detector_nothing_is_taken() -> None:
    assert walked(Walks(), 6.0, detected=False) == []


def test_two_who_cover_each_other_are_not_taken() -> None:
    walks, found = Walks(), []
    for step in range(40):
        box = at(200 + 12 * step)
        found += walks.observe(scene(step / 5, (1, box), (2, at(210 + 12 * step))))
    assert found == []


def test_a_track_that_ends_gives_what_it_has() -> None:
    walks = Walks()
    assert walked(walks, 1.6) == []
    assert len(walks.observe(scene(1.8))) == 1
