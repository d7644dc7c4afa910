"""What somebody measured on the floor of a camera's picture, and can a plane be laid through it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tynysh.errors import TynyshError
from tynysh.geometry import Point

FEWEST = 4
"""Points, or distances, that a calibration needs."""

_FLAT = 0.02
"""Triangles whose height is less than this part of their longest side are a line, as well as people can measure."""


class CalibrationError(TynyshError):
    """What was measured cannot be true of a floor, or does not say enough of it."""


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A point of the floor. at: in the picture, normalised. metres: where it is, from any origin, along any axes."""

    at: Point
    metres: Point


@dataclass(frozen=True, slots=True)
class KnownDistance:
    """A length on the floor, between two points of the picture (normalised)."""

    begin: Point
    end: Point
    metres: float


def check_points(points: Sequence[KnownPoint]) -> None:
    """Raise CalibrationError unless some plane in front of a camera is seen like this.

    Seen from in front, three points of a plane turn the same way in the picture as on the floor (or, all of them,
    the other way, where the axes are mirrored).
    """
    seen = np.array([point.at for point in points], dtype=np.float64)
    floor = np.array([point.metres for point in points], dtype=np.float64)
    _distinct(seen, "are the same point of the picture")
    _distinct(floor, "have the same metres")
    for corners, where in ((seen, "in the picture"), (floor, "on the floor, by their metres")):
        _spread(corners, where)
    turned = _turned(seen, floor)
    if not turned:
        return
    swaps = []
    for first, second in combinations(range(len(points)), 2):
        swapped = floor.copy()
        swapped[[first, second]] = floor[[second, first]]
        if not _turned(seen, swapped):
            swaps.append(f"{first + 1} and {second + 1}")
    if swaps:
        raise CalibrationError(
            f"No camera sees these points so: points {', or '.join(swaps)} seem to be swapped.",
            hint="Compare their metres with the picture.",
        )
    wrong = max(range(len(points)), key=lambda index: sum(index in triple for triple in turned))
    raise CalibrationError(
        f"No camera sees these points so: point {wrong + 1} does not agree with the others.",
        hint="Compare its metres with the picture.",
    )


def check_distances(distances: Sequence[KnownDistance]) -> None:
    """Raise CalibrationError where distances cannot say how a floor lies: lengths of nothing, or all along one line."""
    ends = [point for distance in distances for point in (distance.begin, distance.end)]
    for number, distance in enumerate(distances, 1):
        if np.hypot(distance.end[0] - distance.begin[0], distance.end[1] - distance.begin[1]) < 0.005:
            raise CalibrationError(
                f"Distance {number} begins and ends at the same point of the picture.",
                hint="Measure between points that lie clearly apart.",
            )
    corners = np.array(ends, dtype=np.float64)
    if _flatness(corners - corners.mean(axis=0)) < _FLAT:
        raise CalibrationError(
            "All distances lie along one line of the picture.",
            hint="Measure near and far, along and across the picture.",
        )


def _distinct(corners: NDArray[np.float64], what: str) -> None:
    for first, second in combinations(range(len(corners)), 2):
        if np.allclose(corners[first], corners[second], atol=1e-4):
            raise CalibrationError(
                f"Points {first + 1} and {second + 1} {what}.", hint="Take one of them away."
            )


def _spread(corners: NDArray[np.float64], where: str) -> None:
    """Four of the points must stand with no three on a line."""
    flat = {triple for triple in combinations(range(len(corners)), 3) if _is_line(corners[list(triple)])}
    for four in combinations(range(len(corners)), 4):
        if not any(triple in flat for triple in combinations(four, 3)):
            return
    counted = [sum(index in triple for triple in flat) for index in range(len(corners))]
    worst = int(np.argmax(counted))
    line = next(triple for triple in sorted(flat) if worst in triple)
    others = [str(index + 1) for index in line if index != worst]
    raise CalibrationError(
        f"Point {worst + 1} lies on one line with points {' and '.join(others)} {where}; "
        "four points are needed of which no three do.",
        hint="Corners of a large rectangle on the floor serve best.",
    )


def _is_line(triple: NDArray[np.float64]) -> bool:
    sides = triple - np.roll(triple, 1, axis=0)
    longest = float((sides**2).sum(axis=1).max())
    return abs(_turn(triple)) < _FLAT * longest


def _turn(triple: NDArray[np.float64]) -> float:
    """Twice the signed area of a triangle (3, 2)."""
    (ax, ay), (bx, by) = triple[1] - triple[0], triple[2] - triple[0]
    return float(ax * by - ay * bx)


def _turned(seen: NDArray[np.float64], floor: NDArray[np.float64]) -> list[tuple[int, ...]]:
    """The triples that turn otherwise in the picture than most do, against how they turn on the floor."""
    turns = {
        triple: _turn(seen[list(triple)]) * _turn(floor[list(triple)]) > 0
        for triple in combinations(range(len(seen)), 3)
        if not _is_line(seen[list(triple)]) and not _is_line(floor[list(triple)])
    }
    alike = sum(turns.values()) * 2 >= len(turns)
    return [triple for triple, same in turns.items() if same is not alike]


def _flatness(centred: NDArray[np.float64]) -> float:
    spread = np.linalg.svd(centred, compute_uv=False)
    return float(spread[1] / spread[0]) if spread[0] > 0 else 0.0
