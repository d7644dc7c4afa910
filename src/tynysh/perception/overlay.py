"""Where is a clock burnt into the picture? It changes for ever, and nothing moves."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""(rows, columns), a value for each cell of the motion grid."""

BIN_S = 1.0
"""Clocks tick once in such a time; where pictures are rarer, at each of them."""

BORDER = 0.25
"""Clocks stand in this part of the picture, at its upper and lower edge."""

TALL, WIDE = 0.1, 0.35
"""What ticks is no higher and wider than these parts of the picture, and nothing else moves beside it."""

LEARNING, LEARNT, FORGOTTEN = 0.12, 0.75, 0.3
"""By how much a bin counts that went as a clock goes, from what mean of bins on it is one, and below what no more: it
is learnt in eleven bins and forgotten in ten."""

REACH = 2
"""Cells around what changes that belong to the same digit."""

LINE = 14
"""A line of text reaches so many heights of its letters to both sides of what ticks: hours and minutes, the date."""


class Overlay:
    """Learns where a clock ticks, from what moves from picture to picture; depends on its arguments alone.

    A cell belongs to a clock where, near the upper or lower edge, something small begins to change exactly once a
    second, or changes at each picture, ten seconds on end, while nothing larger moves there. People who are small and
    stay in one place do not keep time so. The other digits of its line change at a tick, and are left out at that
    moment alone. What is larger goes on being motion, also where the clock is.
    """

    def __init__(self) -> None:
        self._regular: NDArray[np.float32] | None = None
        self._learnt: Mask | None = None
        self._before: Mask | None = None
        self._counts: list[NDArray[np.int16]] = []
        self._pictures = 0
        self._bin_s: float | None = None

    def taken_out(self, moving: Mask, time_s: float) -> tuple[Mask, Mask | None]:
        """`moving` without what a clock moves, and where that is, None while there is none."""
        rows = moving.shape[0]
        if self._regular is None or self._learnt is None or (self._bin_s or 0.0) > time_s:
            self._regular = np.zeros(moving.shape, np.float32)
            self._learnt = np.zeros(moving.shape, np.bool_)
            self._before, self._bin_s = None, None
        wide = _spread(moving, REACH)
        # In the middle of the picture nothing is learnt.
        wide[round(BORDER * rows) : rows - round(BORDER * rows)] = False
        labels, boxes = _parts(wide)
        small = np.array([_is_small(box, moving.shape) for box in boxes], np.bool_)
        small[0] = False
        ticking, large = small[labels], wide & ~small[labels]
        self._learn(ticking, large, time_s)
        if not self._learnt.any():
            return moving, None
        around = _spread(self._learnt, REACH)
        rest = moving & ~(around & ticking)
        if (ticking & self._learnt).any():
            rest &= ~_line(self._learnt, labels, boxes, small)
        return rest, around

    def _learn(self, ticking: Mask, large: Mask, time_s: float) -> None:
        if self._regular is None or self._learnt is None:
            return
        if self._bin_s is None or self._before is None:
            self._begin(ticking, time_s)
        elif time_s - self._bin_s >= BIN_S - 1e-3:
            begun, changed, hidden = self._counts
            as_clocks_go = (begun == 1) | (changed == self._pictures)
            seen = hidden == 0
            self._regular += np.where(seen, LEARNING * (as_clocks_go - self._regular), 0.0).astype(np.float32)
            self._learnt = np.where(self._learnt, self._regular > FORGOTTEN, self._regular > LEARNT)
            self._begin(ticking, time_s)
        before = self._before if self._before is not None else np.zeros_like(ticking)
        self._counts[0] += ticking & ~before
        self._counts[1] += ticking
        self._counts[2] += large
        self._pictures += 1
        self._before = ticking

    def _begin(self, ticking: Mask, time_s: float) -> None:
        """Begin a bin."""
        self._counts = [np.zeros(ticking.shape, np.int16) for _ in range(3)]
        self._pictures = 0
        self._bin_s = time_s


def _line(learnt: Mask, labels: NDArray[np.int32], boxes: NDArray[np.int32], small: Mask) -> Mask:
    """What changes now in the lines of text in which something was `learnt` to tick."""
    of_line = np.zeros(len(boxes), np.bool_)
    for left, top, width, height, _ in _parts(learnt)[1][1:]:
        beside = LINE * max(height, 2 * REACH + 1)
        of_line |= (
            small
            & (boxes[:, 1] >= top - 2 * REACH)
            & (boxes[:, 1] + boxes[:, 3] <= top + height + 2 * REACH)
            & (boxes[:, 0] >= left - beside)
            & (boxes[:, 0] + boxes[:, 2] <= left + width + beside)
        )
    return np.asarray(of_line[labels], np.bool_)


def _is_small(box: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    """Whether a part is no larger than what ticks; `box`: left, top, width, height, area."""
    return bool(box[3] <= max(9, TALL * shape[0] + 2 * REACH) and box[2] <= WIDE * shape[1])


def _spread(mask: Mask, reach: int) -> Mask:
    side = 2 * reach + 1
    spread: Any = cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(spread, np.uint8) > 0


def _parts(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which connected part each cell is of, and the parts' boxes (N, 5), the background's first."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(boxes, np.int32)
