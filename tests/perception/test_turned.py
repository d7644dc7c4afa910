"""Who was up and is lost inside the picture is looked for lying, with the picture turned; nobody else is."""

from collections.abc import Sequence

import numpy as np
import pytest

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.turned import LOST_FOR_S, TurnedLook
from tynysh.scene.person import Person
from tynysh.scene.track import Track

WIDTH, HEIGHT = 640, 480
UP = Box(300, 150, 360, 350)
DOWN = Box(230, 310, 400, 370)


def picture(time_s: float, lies: Box | None = None) -> Frame:
    """A grey picture, brighter where somebody lies."""
    shown = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    if lies is not None:
        left, top, right, bottom = map(int, lies)
        shown[top:bottom, left:right] = 220
    return Frame(shown, time_s=time_s, index=0)


class Upright:
    """A detector that sees what is bright and higher than wide."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, frame: Frame) -> Sequence[Person]:
        self.looks += 1
        rows, columns = np.nonzero(frame.bgr[..., 0] > 150)
        if not len(rows):
            return []
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [Person(box, 0.8)] if box.height > box.width else []


def up(box: Box = UP, score: float = 0.8) -> Person:
    return Person(box, score)


def looks_after(*persons: Person) -> int:
    """How often it looks again when these are not found any more."""
    network = Upright()
    turned = TurnedLook(network)
    turned.observe(picture(0.0), persons)
    turned.observe(picture(0.3), [])
    return network.looks


def test_who_went_down_is_found_where_they_lie() -> None:
    turned = TurnedLook(Upright())
    turned.observe(picture(0.0), [up()])
    for time_s in (0.3, 9.0, 18.0):
        (found,) = turned.observe(picture(time_s, DOWN), [])
        assert found.box == pytest.approx(tuple(DOWN), abs=1)


def test_the_track_of_who_was_found_turned_is_marked() -> None:
    turned = TurnedLook(Upright())
    turned.observe(picture(0.0), [up()])
    turned.observe(picture(0.3, DOWN), [])
    tracks = [Track(number, box, 0.8, (0.0, 0.0), 0.0, 0.3) for number, box in ((1, DOWN), (2, UP))]
    assert [track.turned for track in turned.marked(tracks)] == [True, False]
    turned.observe(picture(0.6), [up()])
    assert not any(track.turned for track in turned.marked(tracks))


def test_what_else_was_found_stays_unless_it_is_the_same() -> None:
    turned = TurnedLook(Upright())
    turned.observe(picture(0.0), [up()])
    same, other = Person(DOWN, 0.2), Person(Box(10, 10, 40, 90), 0.3)
    found = turned.observe(picture(0.3, DOWN), [same, other])
    assert [person.score for person in found] == [0.8, 0.3]


def test_nobody_is_looked_for_without_need() -> None:
    assert looks_after(up()) == 1
    assert looks_after() == 0
    assert looks_after(up(), up(Box(100, 150, 160, 350))) == 0
    assert looks_after(up(Box(0, 150, 60, 350))) == 0
    assert looks_after(up(score=0.3)) == 0


def test_after_a_while_nobody_is_looked_for_any_more() -> None:
    network = Upright()
    turned = TurnedLook(network)
    turned.observe(picture(0.0), [up()])
    turned.observe(picture(LOST_FOR_S + 0.1), [])
    assert network.looks == 0


def test_it_looks_to_either_side_by_turns() -> None:
    seen: list[tuple[int, int]] = []

    class Watching(Upright):
        def detect(self, frame: Frame) -> Sequence[Person]:
            rows, columns = np.nonzero(frame.bgr[..., 0] > 150)
            seen.append((int(rows.mean()), int(columns.mean())))
            return []

    turned = TurnedLook(Watching())
    turned.observe(picture(0.0), [up()])
    for time_s in (0.3, 0.6, 0.9):
        turned.observe(picture(time_s, Box(230, 310, 260, 330)), [])
    assert seen[0] == seen[2] != seen[1]
