"""Which stretches of people's walks show them whole, upright and under way?"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, box_array, shared_areas
from tynysh.scene.scene import Scene

STRETCH_S = 2.0
"""Seconds of walk that are taken together."""

_SHORTEST_S = 1.2
_FEWEST = 5
_MARGIN = 0.01
_COVERED = 0.15
_UPRIGHT = (1.4, 5.0)
_SMALLEST = 0.03
_UNDER_WAY = 0.15
_STRAIGHT = 0.12


@dataclass(frozen=True, slots=True)
class WalkSegment:
    """A part of somebody's walk, two seconds or so, normalised coordinates.

    person: number of the walker, who is one while followed without a break. seconds: how long it took.
    foot, head: where they were in the middle of it. begin, end: of the foot.
    """

    person: int
    seconds: float
    foot: tuple[float, float]
    head: tuple[float, float]
    begin: tuple[float, float]
    end: tuple[float, float]


class Walks:
    """Takes stretches of walk out of one camera's scenes: only boxes that are seen now, not cut off by the picture's
    edge, not overlapping others, upright, and of people who move. Keeps what belongs to people in the picture only.
    """

    def __init__(self) -> None:
        self._samples: dict[int, deque[tuple[float, float, float, float]]] = {}
        self._persons: dict[int, int] = {}
        self._next_person = 0

    def observe(self, scene: Scene) -> list[WalkSegment]:
        """The stretches that ended at `scene`."""
        if not scene.detected:
            return []
        boxes = {track.id: scene.normalised_box(track.box) for track in scene.seen}
        whole = dict(_whole(boxes, scene.width / scene.height))
        followed = {track.id for track in scene.tracks} - (boxes.keys() - whole.keys())
        found: list[WalkSegment] = []
        for track_id in sorted(self._samples.keys() - followed):
            found += self._taken(track_id)
        for track_id in self._persons.keys() - {track.id for track in scene.tracks}:
            del self._persons[track_id]
        for track_id, box in whole.items():
            samples = self._samples.setdefault(track_id, deque())
            samples.append((scene.time_s, (box.left + box.right) / 2, box.bottom, box.top))
            if samples[-1][0] - samples[0][0] >= STRETCH_S:
                found += self._taken(track_id)
        return found

    def _taken(self, track_id: int) -> Iterator[WalkSegment]:
        samples = np.array(self._samples.pop(track_id))
        if len(samples) < _FEWEST or samples[-1, 0] - samples[0, 0] < _SHORTEST_S:
            return
        if track_id not in self._persons:
            self._persons[track_id] = self._next_person
            self._next_person += 1
        segment = _segment(self._persons[track_id], samples)
        if segment is not None:
            yield segment


def _whole(boxes: Mapping[int, Box], aspect: float) -> Iterator[tuple[int, Box]]:
    sides = box_array(list(boxes.values()))
    shared = shared_areas(sides, sides)
    np.fill_diagonal(shared, 0.0)
    covered = shared.max(axis=1, initial=0.0).tolist()
    for (track_id, box), hidden in zip(boxes.items(), covered, strict=True):
        inside = (
            box.left > _MARGIN
            and box.top > _MARGIN
            and box.right < 1 - _MARGIN
            and box.bottom < 1 - _MARGIN
            and box.height > _SMALLEST
        )
        slim = _UPRIGHT[0] <= box.height / max(box.width * aspect, 1e-6) <= _UPRIGHT[1]
        if inside and slim and hidden <= _COVERED * box.area:
            yield track_id, box


def _segment(person: int, samples: NDArray[np.float64]) -> WalkSegment | None:
    """samples: (N, 4) of time, x, bottom, top. A line through them in time takes out the gait, and jitter."""
    times = samples[:, 0] - samples[:, 0].mean()
    middle = samples[:, 1:].mean(axis=0)
    slope = times @ (samples[:, 1:] - middle) / (times @ times)
    tall = middle[1] - middle[2]
    half = (times[-1] - times[0]) / 2
    if np.hypot(*slope[:2]) * 2 * half < _UNDER_WAY * tall:
        return None
    stray = samples[:, 1:] - middle - np.outer(times, slope)
    if np.abs(stray[:, 1:]).max() > _STRAIGHT * tall:
        return None
    x, bottom, top = (float(value) for value in middle)
    ahead = slope[:2] * half
    return WalkSegment(
        person,
        float(2 * half),
        (x, bottom),
        (x, top),
        (x - float(ahead[0]), bottom - float(ahead[1])),
        (x + float(ahead[0]), bottom + float(ahead[1])),
    )
