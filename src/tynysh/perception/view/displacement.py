"""Is the view there all the same: in another light, swaying, or shifted, turned and zoomed?"""

from collections.abc import Iterator
from dataclasses import replace
from math import hypot
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.perception.view.features import (
    SOFT,
    Features,
    Field,
    blocks,
    correlation,
    gradients,
    lengths,
    squares,
)
from tynysh.perception.view.reference import LOST_LIKENESS, Match, ReferenceView

NUDGED = 0.025
"""Part of the width by which a camera may sway in the wind or be knocked without looking elsewhere."""

RECOVERED = 0.4
"""Part of the lost blocks that must fit again where the view is said to have gone."""

FOUND_LIKENESS = 0.3
SHOWN_PART, SHOWN_OF_BLOCK = 0.25, 0.7
"""Correlation of all edges from which the view is found elsewhere, if more than this part of the picture and so much of
a block still shows it."""

BORDER = 5
"""Cells at the border of what was moved in that are no edge."""

ALIKE, STANDS_OUT = 0.2, 2.0
APART = ((0, 7), (7, 0), (0, -7), (-7, 0), (11, 11), (-11, 11))
"""Edges lie where they lay from this correlation of their directions on, if it is so many times that at displacements
of so many cells (down, to the right)."""

STRONGEST_EDGE = 4.0
"""Edges that are phase-correlated count up to so many times `SOFT`, lest one lamp outweigh the rest."""


def sway(now: Features, view: ReferenceView) -> tuple[int, int]:
    """By how many cells to the right and down the picture must be brought to lie on the view."""
    matrix = _shift(now.length, view.length, np.eye(2, 3))
    return round(float(matrix[0, 2])), round(float(matrix[1, 2]))


def slight(shift: tuple[int, int], columns: int) -> bool:
    """Whether a shift in cells of a grid of `columns` is that of a mast in the wind."""
    return hypot(*shift) <= NUDGED * columns


def shifted(now: Features, shift: tuple[int, int]) -> Features:
    """The picture, brought by so many cells to the right and down."""
    right, down = shift
    return replace(
        now,
        grid=np.roll(now.grid, (down, right), axis=(0, 1)),
        edges=np.roll(now.edges, (down, right), axis=(1, 2)),
        length=np.roll(now.length, (down, right), axis=(0, 1)),
    )


def same_in_other_light(now: Features, view: ReferenceView, found: Match) -> bool:
    """Whether edges lie where they lay in the lost blocks, though reversed."""
    rows, columns = now.grid.shape
    lost: Any = cv2.resize(found.lost.astype(np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST)
    return _edges_lie_alike(now.edges * lost, view.edges * lost)


def found_elsewhere(now: Features, view: ReferenceView, found: Match) -> bool:
    """Whether the view is there all the same, shifted, turned or at another scale: lost blocks fit again, and more
    blocks fit than where the view used to be.

    By phase correlation (Kuglin and Hines, 1975), for turn and scale on the logarithmic-polar spectrum (Reddy and
    Chatterji, IEEE Trans. Image Processing 5, 1996).
    """
    rows, columns = now.grid.shape
    for matrix in _movements(now, view):
        if _displacement(matrix, now.grid.shape) < NUDGED * columns:
            continue
        moved: Any = cv2.warpAffine(now.grid, matrix, (columns, rows), flags=cv2.INTER_LINEAR)
        inside: Any = cv2.warpAffine(np.ones_like(now.grid), matrix, (columns, rows))
        within = cv2.erode(np.asarray(inside), np.ones((BORDER, BORDER), np.uint8)) > 0.99
        edges = gradients(np.asarray(moved, np.float32))
        edges *= within / (lengths(edges) + np.float32(SOFT))
        usual = view.edges * within
        if float(np.mean(within)) <= SHOWN_PART or correlation(edges, usual) < FOUND_LIKENESS:
            continue
        shown = found.judged & (blocks(within.astype(np.float32)) > SHOWN_OF_BLOCK)
        fits = shown & _fits(edges, usual)
        lost = found.lost & shown
        if fits[lost].sum() >= RECOVERED * lost.sum() and fits.sum() > (shown & ~found.lost).sum():
            return True
    return False


def _unsigned(edges: Field) -> Field:
    """Gradients by the doubled angle, so that an edge and its reverse are the same."""
    length = np.maximum(lengths(edges), 1e-6)
    return np.stack([(edges[0] ** 2 - edges[1] ** 2) / length, 2.0 * edges[0] * edges[1] / length])


def _edges_lie_alike(one: Field, other: Field) -> bool:
    """Whether edges lie at the same places, whichever side of them is bright: the likeness must stand out from that
    at displacements, which scenes with many upright edges have anyway.
    """
    a, b = _unsigned(one), _unsigned(other)
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    if norm <= 0.0:
        return False
    here = float(np.sum(a * b)) / norm
    if here < ALIKE:
        return False
    elsewhere = max(float(np.sum(np.roll(a, shift, axis=(1, 2)) * b)) / norm for shift in APART)
    return here >= STANDS_OUT * elsewhere


def _fits(edges: Field, usual: Field) -> NDArray[np.bool_]:
    """The blocks in which edges lie as usual."""
    along = blocks(edges[0] * usual[0] + edges[1] * usual[1])
    both = blocks(squares(edges)) * blocks(squares(usual))
    return np.asarray(along >= LOST_LIKENESS * np.sqrt(np.maximum(both, 1e-9)), np.bool_)


def _movements(now: Features, view: ReferenceView) -> Iterator[NDArray[np.float64]]:
    """(2, 3) matrices that may bring the picture back onto the view: first a shift alone, then turned and scaled."""
    rows, columns = now.grid.shape
    yield _shift(now.length, view.length, np.eye(2, 3))
    centre = (columns / 2.0, rows / 2.0)
    radius = min(centre)
    spectra = [_polar_spectrum(grid, radius) for grid in (view.grid, now.grid)]
    (along, around), _ = cv2.phaseCorrelate(spectra[0], spectra[1])
    scale = float(np.exp(along * np.log(radius) / spectra[0].shape[1]))
    turn = 360.0 * around / spectra[0].shape[0]
    for degrees in (turn, turn + 180.0):
        turned: Any = cv2.getRotationMatrix2D(centre, degrees, 1.0 / scale)
        upright: Any = cv2.warpAffine(now.grid, turned, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        yield _shift(lengths(gradients(np.asarray(upright, np.float32))), view.length, turned)


def _shift(now: Field, usual: Field, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """`first`, and after it the shift that brings edges of lengths `now` onto those of `usual`."""
    window = cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(usual, np.minimum(now / SOFT, STRONGEST_EDGE), window)
    matrix = np.array(first, np.float64)
    matrix[:, 2] -= (right, down)
    return matrix


def _polar_spectrum(grid: Field, radius: float) -> Field:
    """The magnitude of the spectrum over angle (rows) and logarithm of frequency (columns), high ones raised."""
    rows, columns = grid.shape
    side = int(2 * radius)
    top, left = (rows - side) // 2, (columns - side) // 2
    square = grid[top : top + side, left : left + side]
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((square - square.mean()) * window)))
    magnitude = np.log1p(spectrum).astype(np.float32)
    polar: Any = cv2.warpPolar(
        magnitude, (side, 2 * side), (side / 2.0, side / 2.0), side / 2.0, cv2.WARP_POLAR_LOG
    )
    polar = np.asarray(polar, np.float32)
    return np.asarray(polar - polar.mean(axis=0, keepdims=True), np.float32)


def _displacement(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """How far a movement shifts the corners of a grid of `shape` on average, cells."""
    rows, columns = shape
    corners = np.array([[x, y, 1.0] for x in (0, columns) for y in (0, rows)])
    moved = corners @ matrix.T - corners[:, :2]
    return float(np.mean([hypot(*step) for step in moved]))
