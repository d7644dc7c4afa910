"""Which new track goes on where another broke off?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tynysh.scene.track import SAME_INSTANT_S, Track

LONGEST_BREAK_S = 3.0
"""A track that was not seen for longer is not taken up by another."""

REACH = 0.6
"""How far from where the old track leads, in heights, the new one may begin."""

LIKE_HEIGHT = 0.7
"""The lower of the two heights is at least this part of the taller."""

_NEVER = 1e6
"""Unlikeness of those who cannot be the same."""

Lost = TypeVar("Lost")
New = TypeVar("New")


def take_up(
    lost: list[Lost], new: Sequence[New], unlikeness: Callable[[Lost, New], float | None]
) -> list[tuple[Lost, New]]:
    """Who of `lost` goes on as whom of `new`, so that the total unlikeness is least; they are taken out of `lost`.

    unlikeness: far below a million, of equals the first are taken; None where the two cannot be the same. Where each
    that is new should take the likest that is left, without regard to the others, ask for one after the other.
    """
    if not lost or not new:
        return []
    table = [[unlikeness(old, one) for one in new] for old in lost]
    cost = np.array([[_NEVER if value is None else value for value in row] for row in table])
    rows, columns = linear_sum_assignment(cost)
    pairs = [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if cost[pair] < _NEVER]
    taken = [(lost[row], new[column]) for row, column in pairs]
    for row, _ in reversed(pairs):
        del lost[row]
    return taken


@dataclass(slots=True)
class _StitchedTrack:
    """Somebody's way so far: `number` is theirs for as long as it goes on, over breaks of the track.

    track: as it was when they were last seen.
    """

    number: int
    track: Track


class TrackStitcher:
    """Numbers people over breaks of their tracks, from places, heights and velocities alone.

    Where people hide each other, tracks break, and what is measured over seconds (a step over a line, a velocity, a
    change of pace) would begin anew. A track that is new takes over the number of one that has not been seen for a
    moment, if it begins near where that one was going; of several, so that the total distance is least.
    """

    def __init__(self) -> None:
        self._paths: dict[int, _StitchedTrack] = {}
        self._next = 1

    def observe(self, time_s: float, tracks: Sequence[Track]) -> NDArray[np.int64]:
        """The numbers (N,) of the people that are `tracks` (N) at a look at `time_s`."""
        seen = [track for track in tracks if track.seen(time_s)]
        new = [track for track in seen if track.id not in self._paths]
        broken = [
            path
            for path in self._paths.values()
            if SAME_INSTANT_S <= time_s - path.track.seen_s <= LONGEST_BREAK_S
        ]
        for old, track in take_up(broken, new, _distance):
            self._paths[track.id] = self._paths.pop(old.track.id)
        for track in seen:
            path = self._paths.get(track.id)
            if path is None:
                self._paths[track.id] = _StitchedTrack(self._next, track)
                self._next += 1
            else:
                path.track = track
        for track_id, path in list(self._paths.items()):
            if not 0.0 <= time_s - path.track.seen_s <= LONGEST_BREAK_S:
                del self._paths[track_id]
        return np.array([self._number(track) for track in tracks], dtype=np.int64)

    def _number(self, track: Track) -> int:
        path = self._paths.get(track.id)
        # Carried forward, while somebody else has the number already, or for too long: nothing is measured of it.
        return -track.id if path is None else path.number


def _distance(path: _StitchedTrack, track: Track) -> float | None:
    """How far a new track is from where a broken path leads, in heights; None if too far, or of another height."""
    old = path.track
    gone_s = track.seen_s - old.seen_s
    x, y = old.box.foot
    lower, taller = sorted((old.box.height, track.box.height))
    far = hypot(
        track.box.foot[0] - (x + old.velocity[0] * gone_s), track.box.foot[1] - (y + old.velocity[1] * gone_s)
    )
    return far / max(taller, 1.0) if lower >= LIKE_HEIGHT * taller and far <= REACH * taller else None
