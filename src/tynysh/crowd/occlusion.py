"""How much of the floor do the people who are seen hide from the camera, and how many may stand there?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Box, Floats
from tynysh.scene.ground import Ground

ROWS, COLUMNS = 24, 32
"""Cells of the picture, at the middle of which somebody may stand."""

LARGEST_CELL_M2 = 25.0
"""Cells that cover more of the floor are too far away for anybody to be found there."""

REACH_M = 3.0
"""Over about so many metres a crowd is alike: the density of floor that is hidden is that of the floor around it."""

BODY_HEIGHT_M = 1.7
GIRTH = 0.26
"""Width of somebody upright, in their height: 0.45 m."""

FULL = 6.5
"""Persons/m² who can stand on a floor (Still: Introduction to Crowd Science, 2014, has 5 to 7 for standing crowds)."""

SHADOW = 0.9
"""Floor on which somebody would be seen less than to this part lies in the shadow of others."""

SHADOW_M = 6.0
"""Shadow is floor up to so many metres from somebody who is seen; of what is farther behind them nothing is said."""

LOOKS_DOWN = np.radians(15.0)
"""How a camera is taken to look down where its ground is not known."""

SIZE_STEP = 0.25
"""Where the ground is not known people are taken to have the size of the typical one, in steps of so much (log)."""

# Part of people found by the part of them that is seen, measured on people cut out and set on vtest.avi's square
# (docs/developer/counting.md).
_SEEN, _FOUND = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0), (0.1, 0.17, 0.35, 0.65, 0.93, 1.0)

_RASTER_ROWS, _RASTER_COLUMNS = 90, 160
_DOWN, _ACROSS = 8, 3


@dataclass(frozen=True, slots=True, eq=False)
class OccludedArea:
    """What people who are seen hide, for each cell of the floor.

    middles: (C, 2) of the cells, normalised. expected: (C,) people hidden. room: (C,) people who can stand in shadow.
    """

    middles: Floats
    expected: Floats
    room: Floats


MOST_FLOORS = 2
"""Floors that are kept, of the sizes that people had last."""


class Occlusion:
    """What one camera's people hide, look by look, on its ground or, where that is not known, by their sizes."""

    def __init__(self) -> None:
        self._floors: dict[tuple[Ground | int, int, int], HiddenFloor] = {}

    def observe(
        self, ground: Ground | None, width: int, height: int, boxes: Sequence[Box]
    ) -> OccludedArea | None:
        """What people whose `boxes` (pixels of a picture of width x height) are seen hide; None if nobody is seen."""
        if not boxes:
            return None
        size = 0
        if ground is None:
            size = round(float(np.log(max(1.0, np.median([box.height for box in boxes])))) / SIZE_STEP)
        known = (size if ground is None else ground, width, height)
        if known not in self._floors:
            # Sizes waver between two steps; what was reckoned for either is worth its second use.
            while len(self._floors) >= MOST_FLOORS:
                del self._floors[next(iter(self._floors))]
            floor = ground or sized_ground(float(np.exp(size * SIZE_STEP)), width, height)
            self._floors[known] = HiddenFloor(floor, width, height)
        return self._floors[known].behind(boxes)


def sized_ground(tall: float, width: int, height: int) -> Ground:
    """A floor on which everybody looks `tall` pixels tall in a picture of width x height pixels, as from afar."""
    metre = tall / (BODY_HEIGHT_M * np.cos(LOOKS_DOWN))
    return Ground(np.diag([width / metre, height / (metre * np.sin(LOOKS_DOWN)), 1.0]), 1.0)


class HiddenFloor:
    """The floor of one ground in a picture of width x height pixels, cell by cell.

    Somebody who stood in a cell would be seen but for those nearer to the camera whose boxes cover them, and found
    with a probability p that was measured by the part of them that is seen. The density of the crowd around a cell is
    that of those found by the floor on which they would be found, Σ K / Σ K p a (Horvitz and Thompson, 1952, smoothed
    with the kernel K = exp(-d / REACH_M) over the floor), so that hidden in a cell of area a are that times a (1 - p).
    People who are not found hide others too, so that this is a guess from below in a crowd; what is sure is that no
    more than `FULL` can stand on a square metre of floor that lies in shadow.

    How tall somebody looks follows from the homography alone: seen from afar, a metre across the floor is s₁ pixels and
    one along it s₂, with s₂ = s₁ sin θ for the angle θ at which the camera looks down there, and an upright metre is
    s₁ cos θ = √(s₁² - s₂²) (weak perspective; Hartley and Zisserman, 2004, section 6.3).

    """

    def __init__(self, ground: Ground, width: int, height: int) -> None:
        self._size = np.array([width, height], dtype=np.float64)
        self._ground = ground
        x, y = (np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS
        middles = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        step = np.array([0.5 / COLUMNS, 0.5 / ROWS])
        across = ground.metres(middles + step * (1, 0)) - ground.metres(middles - step * (1, 0))
        along = ground.metres(middles + step * (0, 1)) - ground.metres(middles - step * (0, 1))
        area = np.abs(across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0])
        with np.errstate(invalid="ignore"):
            near = area <= LARGEST_CELL_M2
        self.middles: Floats = middles[near]
        self._areas: Floats = area[near]
        self._places = ground.metres(self.middles)
        cell = self._size / (COLUMNS, ROWS)
        # Metres of the floor for a pixel of the picture, (C, 2, 2); its singular values are 1 / s₂ and 1 / s₁.
        metres = np.stack([across[near] / cell[0], along[near] / cell[1]], axis=2)
        scale = np.linalg.svd(metres, compute_uv=False) if len(metres) else np.ones((0, 2))
        tall = BODY_HEIGHT_M * np.sqrt(np.maximum(0.0, 1 / scale[:, 1] ** 2 - 1 / scale[:, 0] ** 2))
        tall = np.maximum(tall, GIRTH * BODY_HEIGHT_M / scale[:, 1])
        self._feet = self.middles * self._size
        self._samples = self._raster_samples(tall, GIRTH * BODY_HEIGHT_M / scale[:, 1])
        self._near = _near(self._places, self._places).astype(np.float32)

    def _raster_samples(self, tall: Floats, wide: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where on the raster somebody in each cell would be, (C, S) flat indices, and which are in the picture."""
        down = (np.arange(_DOWN) + 0.5) / _DOWN
        across = (np.arange(_ACROSS) + 0.5) / _ACROSS - 0.5
        x = self._feet[:, 0, None, None] + wide[:, None, None] * across[None, None, :]
        y = self._feet[:, 1, None, None] - tall[:, None, None] * down[None, :, None]
        x, y = (part.reshape(len(tall), _DOWN * _ACROSS) for part in np.broadcast_arrays(x, y))
        columns = np.floor(x * _RASTER_COLUMNS / self._size[0]).astype(np.intp)
        rows = np.floor(y * _RASTER_ROWS / self._size[1]).astype(np.intp)
        inside = (columns >= 0) & (columns < _RASTER_COLUMNS) & (rows >= 0) & (rows < _RASTER_ROWS)
        return np.where(inside, rows * _RASTER_COLUMNS + columns, 0), inside

    def seen(self, boxes: Sequence[Box]) -> Floats:
        """The part of somebody in each cell, (C,), that those of `boxes` (pixels) who are nearer leave to be seen."""
        nearest = np.zeros((_RASTER_ROWS, _RASTER_COLUMNS), dtype=np.float32)
        scale = np.array([_RASTER_COLUMNS, _RASTER_ROWS] * 2) / np.tile(self._size, 2)
        ordered = np.array(sorted(boxes, key=lambda box: box.bottom), dtype=np.float64).reshape(-1, 4)
        corners = np.round(ordered * scale).astype(int).clip(0, [_RASTER_COLUMNS, _RASTER_ROWS] * 2)
        for (left, top, right, bottom), foot in zip(corners.tolist(), ordered[:, 3].tolist(), strict=True):
            nearest[top:bottom, left:right] = foot
        where, inside = self._samples
        free = (nearest.ravel()[where] <= self._feet[:, 1, None]) & inside
        seen: Floats = free.sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
        return seen

    def behind(self, boxes: Sequence[Box]) -> OccludedArea:
        """What people whose `boxes` (pixels) these are hide."""
        seen = self.seen(boxes)
        found = np.interp(seen, _SEEN, _FOUND)
        feet = np.array([box.foot for box in boxes], dtype=np.float64) / self._size
        floor = self._ground.metres(feet.clip(0.0, 0.999))
        near = _near(self._places, floor[np.isfinite(floor).all(axis=1)])
        shown = self._near @ (self._areas * found).astype(np.float32)
        density = np.minimum(near.sum(axis=1) / np.maximum(shown, 1e-6), FULL)
        shadow = (seen < SHADOW) & (near.max(axis=1, initial=0.0) > np.exp(-SHADOW_M / REACH_M))
        return OccludedArea(self.middles, density * self._areas * (1 - found), FULL * self._areas * shadow)


def _near(places: Floats, others: Floats) -> Floats:
    """exp(-d / REACH_M) for all places (M, 2) and others (N, 2), metres: (M, N)."""
    near: Floats = np.hypot(places[:, :1] - others[:, 0], places[:, 1:] - others[:, 1])
    near *= -1 / REACH_M
    np.exp(near, out=near)
    return near
