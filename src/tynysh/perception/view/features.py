"""What does one picture show, in little: brightness, edges, sharpness, contrast?"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.media.frame import Image
from tynysh.perception.motion import averaged

Field = NDArray[np.float32]
"""One value for each cell of the grid, or block of the picture: (rows, columns)."""

GRID_WIDTH = 128
"""The picture is halved as long as it stays so many cells wide."""

BLOCK_COLUMNS, BLOCK_ROWS = 12, 9
THUMB = (24, 18)
"""Blocks of the picture that are compared with the view's, and the size (width, height) of its thumbnail."""

SOFT = 6.0
"""Grey levels a cell at which an edge counts half: above the noise of an averaged picture, below most edges."""

SATURATED = 230.0
"""Grey level: white is 235 in most video (ITU-R BT.601 and BT.709, limited range)."""

FLAT = 0.7
"""Grey levels a cell below which there is no gradient: what averaged noise makes."""

STILL_LEVELS, STILL_PART = 1.0, 0.01
"""A picture is still where less than this part of the cells differs by more than so many grey levels."""

FINE_PIXELS = 40_000
TOP_PART = 0.02
"""Sharpness is that of the strongest edges, which noise does not reach: of this part of about so many pixels."""

BRIGHT_PART = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What one picture shows, in little.

    grid: brightness of cells. edges: (2, rows, columns) gradients, saturated to lengths below 1. length: of the
    gradients before that, grey levels a cell. fine, coarse: strength of the strongest edges of the picture as it is and
    averaged down, grey levels. bright: 98th percentile. saturated: part of the cells. flat: part of the cells without
    any gradient. still: whether hardly any cell differs from the picture before. contrast: deviation of the thumbnail,
    grey levels.
    """

    grid: Field
    edges: Field
    length: Field
    fine: float
    coarse: float
    bright: float
    saturated: float
    flat: float
    still: bool
    thumb: Field
    contrast: float


def features(luma: Image, before: Features | None) -> Features:
    """Of a picture of brightness `luma` (height, width). before: of the picture that was looked at before."""
    grid = averaged(luma, GRID_WIDTH)
    edges = gradients(grid)
    length = lengths(edges)
    edges /= length + np.float32(SOFT)
    thumb = resized(grid, THUMB)
    half: Any = cv2.resize(grid, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    step = max(1, luma.size // FINE_PIXELS)
    return Features(
        grid=grid,
        edges=edges,
        length=length,
        fine=_strongest(luma[::step]),
        coarse=_strongest(half.astype(np.uint8)),
        bright=_brightest(grid),
        saturated=float(np.mean(grid >= SATURATED)),
        flat=float(np.mean(length < FLAT)),
        still=before is not None
        and before.grid.shape == grid.shape
        and float(np.mean(np.abs(grid - before.grid) > STILL_LEVELS)) < STILL_PART,
        thumb=thumb,
        contrast=float(np.std(thumb)),
    )


def gradients(grid: Field) -> Field:
    """(2, rows, columns) central differences of brightness to the right and down, levels a cell."""
    edges: Field = np.zeros((2, *grid.shape), np.float32)
    edges[0, :, 1:-1] = (grid[:, 2:] - grid[:, :-2]) * np.float32(0.5)
    edges[1, 1:-1, :] = (grid[2:, :] - grid[:-2, :]) * np.float32(0.5)
    return edges


def lengths(edges: Field) -> Field:
    """(rows, columns): lengths of gradients (2, rows, columns)."""
    length: Any = cv2.magnitude(edges[0], edges[1])
    return np.asarray(length, np.float32)


def squares(edges: Field) -> Field:
    """(rows, columns): squared lengths of gradients (2, rows, columns)."""
    return np.asarray(edges[0] * edges[0] + edges[1] * edges[1], np.float32)


def blocks(field: Field) -> Field:
    """Means of a field over (BLOCK_ROWS, BLOCK_COLUMNS) blocks."""
    return resized(field, (BLOCK_COLUMNS, BLOCK_ROWS))


def resized(field: Field, size: tuple[int, int]) -> Field:
    """Means over areas, at `size` (width, height)."""
    found: Any = cv2.resize(field, size, interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.float32)


def correlation(one: Field, other: Field) -> float:
    """Cosine of the angle between two fields taken as vectors, in [-1, 1]; 0 where one is nought."""
    norm = float(np.sqrt(np.sum(one * one) * np.sum(other * other)))
    return float(np.sum(one * other)) / norm if norm > 0.0 else 0.0


def _strongest(image: Image) -> float:
    """Mean difference of neighbours at the strongest edges of `image`, grey levels."""
    steps = cv2.absdiff(image[:, 1:], image[:, :-1])
    counts: Any = cv2.calcHist([steps], [0], None, [256], [0.0, 256.0])
    counts = counts.ravel()[::-1]
    wanted = TOP_PART * float(counts.sum())
    taken = np.clip(wanted - (np.cumsum(counts) - counts), 0.0, counts)
    return float(np.sum(taken * np.arange(255, -1, -1)) / max(1e-6, wanted))


def _brightest(grid: Field) -> float:
    """98th percentile of a sample of the cells."""
    values = grid[::4, ::4].ravel()
    number = int(BRIGHT_PART * (len(values) - 1))
    return float(np.partition(values, number)[number])
