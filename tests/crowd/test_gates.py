"""Counting lines count each crossing once, both ways."""

from collections.abc import Sequence

import numpy as np
import pytest

from tynysh.crowd.gates import Gates
from tynysh.geometry import Point
from tynysh.scene.crowd import LineCount
from tynysh.scene.zone import Line

UP = Line("up", (0.5, 0.8), (0.5, 0.2))
"""Its left is the left of the picture."""


def crossing(*paths: Sequence[Point], line: Line = UP, step_s: float = 0.2) -> LineCount:
    """The counts after people walked along paths, one place a look, each a fifth of the picture tall."""
    gates = Gates()
    for look in range(max(len(path) for path in paths)):
        here = [(number, path[look]) for number, path in enumerate(paths, start=1) if look < len(path)]
        numbers = np.array([number for number, _ in here])
        feet = np.array([place for _, place in here])
        counts = gates.observe(look * step_s, [line], numbers, feet, np.full(len(here), 0.2), aspect=1.0)
    return counts[0]


def along(start: float, end: float, y: float = 0.5, steps: int = 8) -> list[Point]:
    return [(float(x), y) for x in np.linspace(start, end, steps)]


def test_from_its_left_to_its_right_is_in() -> None:
    assert crossing(along(0.3, 0.7)) == LineCount("up", 1, 0)
    assert crossing(along(0.7, 0.3)) == LineCount("up", 0, 1)
    down = Line("down", UP.end, UP.begin)
    assert crossing(along(0.3, 0.7), line=down) == LineCount("down", 0, 1)


def test_several_at_once_and_both_ways() -> None:
    paths = [along(0.3, 0.7, y) for y in (0.3, 0.4, 0.5)] + [along(0.8, 0.2, y) for y in (0.35, 0.6)]
    assert crossing(*paths) == LineCount("up", 3, 2)


def test_who_stands_on_the_line_and_sways_crosses_once_at_most() -> None:
    random = np.random.default_rng(1)
    sways = [(0.5 + float(offset), 0.5) for offset in random.uniform(-0.019, 0.019, 200)]
    assert crossing(along(0.3, 0.5, steps=4) + sways) == LineCount("up", 0, 0)
    assert crossing(along(0.3, 0.5, steps=4) + sways + along(0.5, 0.7, steps=4)) == LineCount("up", 1, 0)
    assert crossing(along(0.3, 0.5, steps=4) + sways + along(0.5, 0.3, steps=4)) == LineCount("up", 0, 0)


def test_who_turns_back_is_counted_out_again() -> None:
    assert crossing(along(0.3, 0.7) + along(0.7, 0.3)) == LineCount("up", 1, 1)


@pytest.mark.parametrize("y", [0.1, 0.9])
def test_who_goes_round_the_end_of_the_line_does_not_cross_it(y: float) -> None:
    assert crossing(along(0.3, 0.7, y)) == LineCount("up", 0, 0)


def test_few_looks_are_enough() -> None:
    assert crossing([(0.2, 0.5), (0.8, 0.5)], step_s=4.0) == LineCount("up", 1, 0)


def test_who_was_not_seen_for_long_begins_anew() -> None:
    assert crossing([(0.2, 0.5), (0.8, 0.5)], step_s=6.0) == LineCount("up", 0, 0)


def test_an_oblique_line_is_as_good() -> None:
    oblique = Line("oblique", (0.2, 0.2), (0.8, 0.8))
    assert crossing([(0.6, 0.3), (0.3, 0.6)], line=oblique) == LineCount("oblique", 1, 0)
    assert crossing([(0.3, 0.6), (0.6, 0.3)], line=oblique) == LineCount("oblique", 0, 1)
