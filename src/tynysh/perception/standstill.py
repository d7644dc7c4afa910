"""Which of those who are tracked never move, and are things rather than people?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box
from tynysh.scene.motion import Motion
from tynysh.scene.track import Track

FIXED_S = 60.0
CAME_S = 600.0
"""What has not moved for the first is fixed, and for the second what was seen to move before: people come and go,
statues do not."""

MOVED_PART = 0.08
"""Part of the box in which something must move: people who stand still sway, turn their heads, shift their weight."""

SAME_PLACE_IOU = 0.5
"""Boxes that overlap by so much are of one place: detectors are unsure of where things end."""

JUST_MOVED_S = 5.0
"""Whose box goes elsewhere has moved if something moved in it in so many last seconds; else it was misjudged."""

PASSES = 0.25
"""Heights per second from which somebody passes, so that what moves in another's box may be theirs."""

VANISHED_S = 120.0
"""What was not found for so long is gone, and what is found there after that is new."""

MOST_PLACES = 64


@dataclass(slots=True)
class _Place:
    """Where somebody or something is. since_s: since when it has not moved. came: whether it was seen to move there."""

    track_id: int
    box: Box
    since_s: float
    seen_s: float
    came: bool = False


class Standstill:
    """Tells of one camera's tracks since when they have been fixed; depends on its arguments alone.

    A track has moved when something moves in at least `MOVED_PART` of its box, but for what moves where somebody passes
    before it, or when its box goes elsewhere. Places outlast breaks of tracks: a new track in the same place goes on
    with what is known of it. Bounded: at most `MOST_PLACES`, each forgotten when nobody was found there for
    `VANISHED_S`.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []

    def observe(
        self, tracks: Sequence[Track], motion: Motion, time_s: float, *, size: tuple[int, int]
    ) -> tuple[Track, ...]:
        """The tracks with `fixed_since_s`. size: of the picture, width and height in pixels."""
        self._places = [place for place in self._places if 0.0 <= time_s - place.seen_s <= VANISHED_S]
        if motion.mask is not None and not motion.light and motion.mask.any():
            self._move(tracks, motion.mask, time_s, size)
        found = {place.track_id: place for place in self._places}
        seen = [track for track in tracks if track.seen(time_s)]
        for track in seen:
            place = found[track.id] = found.get(track.id) or self._place_of(track, tracks, time_s)
            self._follow(place, track, time_s)
        if len(self._places) > MOST_PLACES:
            self._places = sorted(self._places, key=lambda place: place.seen_s)[-MOST_PLACES:]
        return tuple(
            replace(track, fixed_since_s=_fixed_since_s(found[track.id], time_s))
            if track.id in found
            else track
            for track in tracks
        )

    def _move(
        self, tracks: Sequence[Track], mask: NDArray[np.bool_], time_s: float, size: tuple[int, int]
    ) -> None:
        """Take in what moves now."""
        across, down = mask.shape[1] / size[0], mask.shape[0] / size[1]
        passing = {
            track.id: _cells(track.box.scaled(across, down), mask.shape)
            for track in tracks
            if hypot(*track.velocity) > PASSES * track.box.height
        }
        for place in self._places:
            cells = _cells(place.box.scaled(across, down), mask.shape)
            if mask[cells].mean() < MOVED_PART:
                continue
            own = mask.copy()
            for track_id, other in passing.items():
                if track_id != place.track_id:
                    own[other] = False
            if own[cells].mean() >= MOVED_PART:
                place.since_s = time_s

    def _place_of(self, track: Track, tracks: Sequence[Track], time_s: float) -> _Place:
        """The place of a track that is new: one whose own track is gone, or another."""
        taken = {other.id for other in tracks}
        free = [place for place in self._places if place.track_id not in taken]
        best = max(free, key=lambda place: place.box.iou(track.box), default=None)
        if best is None or best.box.iou(track.box) < SAME_PLACE_IOU:
            best = _Place(track.id, track.box, time_s, time_s)
            self._places.append(best)
        best.track_id = track.id
        return best

    def _follow(self, place: _Place, track: Track, time_s: float) -> None:
        place.seen_s = time_s
        if place.box.iou(track.box) >= SAME_PLACE_IOU:
            return
        if time_s - place.since_s <= JUST_MOVED_S:
            place.came, place.since_s = True, time_s
        place.box = track.box


def _fixed_since_s(place: _Place, time_s: float) -> float | None:
    return place.since_s if time_s - place.since_s >= (CAME_S if place.came else FIXED_S) else None


def _cells(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The cells of a grid of `shape` that a box covers, one at least."""
    top, left = (
        min(max(0, int(edge)), most - 1) for edge, most in zip((box.top, box.left), shape, strict=True)
    )
    return slice(top, max(top + 1, round(box.bottom))), slice(left, max(left + 1, round(box.right)))
