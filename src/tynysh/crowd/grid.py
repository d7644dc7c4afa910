"""What does a grid of metres look like when it lies on the floor that a camera sees?"""

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Point
from tynysh.scene.ground import Ground

FARTHEST_M = 60.0
"""Nothing is drawn farther off than this from the nearest floor in the picture."""

_MOST_LINES = 200
_SAMPLES = 600


def floor_grid(ground: Ground, step_m: float) -> list[list[Point]]:
    """Lines on the floor, `step_m` apart both ways, as polylines in the picture (normalised).

    They end at the picture's edge, before the horizon, and `FARTHEST_M` away.
    """
    seen = _floor_in_picture(ground)
    if len(seen) < 2:
        return []
    low, high = seen.min(axis=0), seen.max(axis=0)
    lines: list[list[Point]] = []
    for along in (0, 1):
        across = 1 - along
        first, last = ceil(low[across] / step_m), floor(high[across] / step_m)
        for number in range(first, min(last, first + _MOST_LINES) + 1):
            way = np.empty((_SAMPLES, 2))
            way[:, along] = np.linspace(low[along], high[along], _SAMPLES)
            way[:, across] = number * step_m
            lines += _visible(ground, way)
    return lines


def _floor_in_picture(ground: Ground) -> NDArray[np.float64]:
    """Points of the floor (N, 2), metres, that are in the picture and not too far off."""
    side = np.linspace(0.0, 1.0, 41)
    spots = ground.metres(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2))
    spots = spots[np.isfinite(spots).all(axis=1)]
    if not len(spots):
        return spots
    # The lowest row of the picture that shows floor is the nearest; others are measured from its middle.
    nearest = np.median(spots[-41:], axis=0)
    return np.asarray(spots[np.hypot(*(spots - nearest).T) <= FARTHEST_M])


def _visible(ground: Ground, way: NDArray[np.float64]) -> list[list[Point]]:
    """The parts of a way over the floor (N, 2), metres, that are in the picture."""
    places = ground.picture(way)
    # NaN, which is behind the camera, compares as false.
    inside = np.asarray(((places >= 0) & (places <= 1)).all(axis=1))
    breaks = np.flatnonzero(np.diff(inside.astype(np.int8))) + 1
    parts = np.split(np.arange(len(way)), breaks)
    return [
        [(float(x), float(y)) for x, y in places[part]] for part in parts if inside[part[0]] and len(part) > 1
    ]
