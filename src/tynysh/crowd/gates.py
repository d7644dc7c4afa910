"""Who has crossed the counting lines, and which way?"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Floats
from tynysh.scene.crowd import LineCount
from tynysh.scene.zone import Line

BAND = 0.1
"""Feet count as beyond a line from this part of the body's height on: who stands on it and sways does not cross."""

FORGOTTEN_S = 5.0
"""Somebody not seen for so long has no side any more."""


@dataclass(slots=True)
class _LineCrossings:
    """One line's counts, and on which side of it each person was last: their number → (distance, x, y). seen_s: number
    → when they were last seen.
    """

    ins: int = 0
    outs: int = 0
    sides: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    seen_s: dict[int, float] = field(default_factory=dict)

    def forget(self, time_s: float, present: Sequence[int]) -> None:
        """Forget the side of whoever was not seen for `FORGOTTEN_S`; those `present` are seen now."""
        for number, seen_s in list(self.seen_s.items()):
            if not 0.0 <= time_s - seen_s <= FORGOTTEN_S:
                del self.seen_s[number]
                self.sides.pop(number, None)
        for number in present:
            self.seen_s[number] = time_s


class Gates:
    """Counts feet over lines, each person once a crossing.

    Somebody has a side once the feet are further from the line than `BAND` heights (a hysteresis: jitter on the line
    is no crossing), and crosses when that side changes and the way from the last place on the one side to the first on
    the other meets the line between its ends. Looks may be far apart, tracks may break (`crowd.track_stitching`).
    """

    def __init__(self) -> None:
        self._crossings: dict[str, _LineCrossings] = {}

    def observe(
        self,
        time_s: float,
        lines: Sequence[Line],
        numbers: NDArray[np.int64],
        feet: Floats,
        heights: Floats,
        *,
        aspect: float,
    ) -> tuple[LineCount, ...]:
        """The counts of `lines` after a look at `time_s` that saw the people `numbers` (N,).

        feet: (N, 2) normalised. heights: (N,) of boxes, normalised by the picture's height. aspect: width of the
        picture by its height.
        """
        places = feet * (aspect, 1.0)
        return tuple(self._count(time_s, line, numbers, places, heights, aspect) for line in lines)

    def forget_people(self) -> None:
        """Nobody has a side any more; the counts stay."""
        for crossings in self._crossings.values():
            crossings.sides.clear()
            crossings.seen_s.clear()

    def _count(
        self,
        time_s: float,
        line: Line,
        numbers: NDArray[np.int64],
        places: Floats,
        heights: Floats,
        aspect: float,
    ) -> LineCount:
        crossings = self._crossings.setdefault(line.name, _LineCrossings())
        begin = np.array(line.begin) * (aspect, 1.0)
        along = np.array(line.end) * (aspect, 1.0) - begin
        length = max(float(np.hypot(*along)), 1e-9)
        # Left of the direction is where this is positive, for y runs downwards.
        distance = ((places - begin) @ (along[1], -along[0])) / length
        clear = np.abs(distance) > BAND * heights
        crossings.forget(time_s, numbers.tolist())
        for index in np.flatnonzero(clear).tolist():
            number = int(numbers[index])
            here = float(distance[index])
            x, y = float(places[index, 0]), float(places[index, 1])
            before = crossings.sides.get(number)
            crossings.sides[number] = (here, x, y)
            if before is None or (before[0] > 0) == (here > 0):
                continue
            share = before[0] / (before[0] - here)
            met_x, met_y = before[1] + share * (x - before[1]), before[2] + share * (y - before[2])
            at = ((met_x - begin[0]) * along[0] + (met_y - begin[1]) * along[1]) / length**2
            if not 0.0 <= at <= 1.0:
                continue
            if here < 0:
                crossings.ins += 1
            else:
                crossings.outs += 1
        return LineCount(line.name, crossings.ins, crossings.outs)
