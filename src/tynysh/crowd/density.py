"""How dense is the crowd, and where?"""

import numpy as np
from numpy.typing import NDArray

from tynysh.geometry import Floats
from tynysh.scene.crowd import DensityMap
from tynysh.scene.ground import Ground
from tynysh.scene.walkers import Walkers

ROWS, COLUMNS = 18, 32
"""Cells of a map in persons/m²."""

COARSE_ROWS, COARSE_COLUMNS = 9, 16
"""Cells of a map in persons a cell."""

RADIUS_M = 1.0
"""Of the kernel in a crowd, as in Helbing, Johansson and Al-Abideen (2007)."""

WIDEST_RADIUS_M = 2.5
NEIGHBOURS = 6.0
"""Where people are fewer the kernel is wider, so that about as many fall under it, up to `WIDEST_RADIUS_M`."""

LARGEST_CELL_M2 = 25.0
"""Cells that cover more of the floor are too far away to say anything."""


class Floor:
    """The cells of the density map on the floor, for one ground and shape of picture; constant, so kept.

    cells: (C,) which cells of the picture show floor near enough; places: (C, 2) their middles, metres.
    """

    def __init__(self, ground: Ground) -> None:
        across, down = np.arange(COLUMNS + 1) / COLUMNS, np.arange(ROWS + 1) / ROWS
        corners = ground.metres(np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2))
        corners = corners.reshape(ROWS + 1, COLUMNS + 1, 2)
        one, other = corners[1:, 1:] - corners[:-1, :-1], corners[1:, :-1] - corners[:-1, 1:]
        area = np.abs(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]).ravel() / 2
        with np.errstate(invalid="ignore"):
            self.cells: NDArray[np.intp] = np.flatnonzero(area <= LARGEST_CELL_M2)
        middles = np.stack(
            np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS), axis=-1
        ).reshape(-1, 2)
        self.middles: Floats = middles[self.cells]
        self.places: Floats = ground.metres(self.middles) if len(self.cells) else np.zeros((0, 2))


def radius(floor: Floats) -> float:
    """The kernel's radius, metres, for people at places `floor` (N, 2): 1 m in a crowd, more where they are fewer.

    From the typical distance d of a person's nearest neighbour: where people stand at random their density is about
    1 / (4 d²), so that a circle holds `NEIGHBOURS` of them with R = 2 d √(NEIGHBOURS / π).
    """
    if len(floor) < 2:
        return WIDEST_RADIUS_M
    apart = _squared_distances(floor, floor)
    np.fill_diagonal(apart, np.inf)
    nearest = float(np.sqrt(np.median(apart.min(axis=1))))
    return float(np.clip(2 * nearest * np.sqrt(NEIGHBOURS / np.pi), RADIUS_M, WIDEST_RADIUS_M))


def kernel(places: Floats, floor: Floats, radius_m: float) -> Floats:
    """How much each of the people at `floor` (N, 2) adds to the density at each of `places` (M, 2): (M, N), 1/m².

    exp(-d² / R²) / (π R²), so that each person adds up to one (Helbing, Johansson, Al-Abideen: Dynamics of crowd
    disasters, Physical Review E 75, 046109, 2007). Metres.
    """
    weights: Floats = np.exp(_squared_distances(places, floor) * (-1 / radius_m**2)) / (np.pi * radius_m**2)
    return weights


def metric_map(floor: Floor, density: Floats) -> DensityMap:
    """The map with `density` (C,), persons/m², at the cells of `floor` and nought elsewhere."""
    cells = np.zeros(ROWS * COLUMNS, dtype=np.float32)
    cells[floor.cells] = density
    return DensityMap(cells.reshape(ROWS, COLUMNS), metric=True)


def counted_map(walkers: Walkers) -> DensityMap:
    """The map in persons a cell, where the ground is not known."""
    columns = np.clip((walkers.feet[:, 0] * COARSE_COLUMNS).astype(np.intp), 0, COARSE_COLUMNS - 1)
    rows = np.clip((walkers.feet[:, 1] * COARSE_ROWS).astype(np.intp), 0, COARSE_ROWS - 1)
    cells = np.bincount(rows * COARSE_COLUMNS + columns, minlength=COARSE_ROWS * COARSE_COLUMNS)
    return DensityMap(cells.reshape(COARSE_ROWS, COARSE_COLUMNS).astype(np.float32), metric=False)


def _squared_distances(a: Floats, b: Floats) -> Floats:
    apart: Floats = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.maximum(apart, 0.0)
