"""Who has gone down? Looked for with the picture turned, as detectors know people upright."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.detector import Detector
from tynysh.scene.person import Person
from tynysh.scene.track import Track

CLEAR = 0.5
"""Score from which somebody is clearly seen, whose going down is worth looking for."""

UPRIGHT = 0.9
"""Width over height up to which a box is of somebody who is up."""

SURE = 0.4
LONG = 1.5
"""Score of a turned look, and width over height in the picture as it is, from which somebody lies there."""

SAME = 0.5
"""A box that overlaps another by so much is of the same person."""

AROUND = 2.2
"""The part of the picture that is turned is a square of so many heights of the person."""

LOST_FOR_S = 10.0
"""For so long after somebody was last seen up, or lying by a turned look, they are looked for."""

EDGE = 0.02
"""Whose box ends so near a side of the picture, in its widths, may have left it."""


@dataclass(frozen=True, slots=True)
class _Last:
    """Somebody who was up, or lay: when and where last."""

    time_s: float
    box: Box


class TurnedLook:
    """Looks again, turned by a quarter, where the only person of a camera's picture was lost without leaving it.

    A network trained on people who stand hardly knows those who lie. Of 14 filmed falls of people alone it found, at
    their end, 5 at a score of 0.4 and more as filmed, and 10 turned to one side or the other. One look of a part of the
    picture, to either side by turns until one finds somebody; nothing while anybody is clearly seen up, or was lost at
    the edge. Depends on its arguments alone.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._last: _Last | None = None
        self._turns = 1
        self._found: Box | None = None

    def observe(self, frame: Frame, persons: Sequence[Person]) -> Sequence[Person]:
        """`persons`, found in `frame`, and who else lies there."""
        self._found = None
        clear = [person for person in persons if person.score >= CLEAR]
        if self._last is not None and not 0.0 <= frame.time_s - self._last.time_s <= LOST_FOR_S:
            self._last = None
        if clear:
            only = clear[0].box
            if len(clear) > 1 or _leaves(only, frame):
                self._last = None
            elif _is_up(only):
                self._last = _Last(frame.time_s, only)
            return persons
        if self._last is None:
            return persons
        lies = self._look(frame, self._last.box)
        if lies is None:
            self._turns = 4 - self._turns
            return persons
        self._last, self._found = _Last(frame.time_s, self._last.box), lies.box
        return [lies, *(person for person in persons if person.box.iou(lies.box) < SAME)]

    def marked(self, tracks: Sequence[Track]) -> tuple[Track, ...]:
        """The `tracks` of the picture looked at last, with whoever was found turned marked (`Track.turned`)."""
        found = self._found
        if found is None:
            return tuple(tracks)
        return tuple(replace(track, turned=track.box.iou(found) >= SAME) for track in tracks)

    def _look(self, frame: Frame, box: Box) -> Person | None:
        """Who lies about `box`, the surest, as far as a turned look tells."""
        side = min(AROUND * max(box.width, box.height), float(min(frame.width, frame.height)))
        left = int(min(max(box.centre[0] - side / 2, 0.0), frame.width - side))
        top = int(min(max(box.bottom - 0.75 * side, 0.0), frame.height - side))
        size = int(side)
        part = frame.bgr[top : top + size, left : left + size]
        turned = Frame(np.ascontiguousarray(np.rot90(part, self._turns)), time_s=frame.time_s, index=0)
        for person in self._detector.detect(turned):
            box = turned_back(person.box, size, self._turns)
            if person.score >= SURE and box.width >= LONG * box.height:
                there = Box(box.left + left, box.top + top, box.right + left, box.bottom + top)
                return replace(person, box=there)
        return None


def turned_back(box: Box, size: int, turns: int) -> Box:
    """Where a box of a square of `size` pixels, turned by a quarter to the left (1) or right (3), is before that.

    >>> turned_back(Box(10, 20, 30, 80), 100, turns=1)
    Box(left=20, top=10, right=80, bottom=30)
    """
    if turns == 1:
        return Box(size - box.bottom, box.left, size - box.top, box.right)
    return Box(box.top, size - box.right, box.bottom, size - box.left)


def _is_up(box: Box) -> bool:
    return box.width <= UPRIGHT * box.height


def _leaves(box: Box, frame: Frame) -> bool:
    """Whether somebody is at a side of the picture and may be about to leave it."""
    return box.left <= EDGE * frame.width or box.right >= (1 - EDGE) * frame.width
