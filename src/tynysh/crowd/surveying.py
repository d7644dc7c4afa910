"""How does the floor lie, by what somebody measured on it?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi, radians, sqrt

import numpy as np
from scipy.optimize import least_squares

from tynysh.crowd.calibration import (
    CalibrationError,
    KnownDistance,
    KnownPoint,
    check_distances,
    check_points,
)
from tynysh.crowd.camera_pose import CameraPose
from tynysh.geometry import Floats
from tynysh.scene.ground import Ground

POINTING = 0.003
"""How well people point at a place of a picture: parts of its height, standard deviation. What lies further off than
that counts against the calibration."""

_SAME_M = 1e-6

WORST = 0.25
"""Distances that no floor explains better than to this part of their length are a mistake."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A ground from measurements.

    reprojection: root mean square distance, in heights of the picture, between where points are and where they would
    have to be; from distances, how far off they are, as a part of their length. camera_pose: where it was found,
    which is from distances.
    """

    ground: Ground
    reprojection: float
    camera_pose: CameraPose | None = None


def from_points(points: Sequence[KnownPoint], aspect: float) -> Survey:
    """The floor through four or more points of known place; CalibrationError if no floor can be seen so.

    The homography is found by the normalised direct linear transform and refined so that the squared distances in
    the picture are least (Hartley & Zisserman, Multiple View Geometry, 2004, algorithms 4.2 and 4.3). Any plane in
    any projection; only the lens's distortion is not in it. Its error is that of the lengths between the points, if
    each is pointed at as badly as they disagree, and no better than `POINTING`.
    """
    check_points(points)
    across = np.array([aspect, 1.0])
    seen = np.array([point.at for point in points]) * across
    floor = np.array([point.metres for point in points])
    homography = _homography(seen, floor)
    away = _carried(np.asarray(np.linalg.inv(homography), dtype=np.float64), floor) - seen
    reprojection = sqrt(float((away**2).sum(axis=1).mean()))
    spare = 2 * len(points) - 8
    pointing = max(POINTING, sqrt(float((away**2).sum()) / spare)) if spare else POINTING

    def lengths(moved: Floats) -> Floats:
        return _log_lengths(_carried(_homography(moved.reshape(-1, 2), floor), seen))

    error = _propagated(lengths, seen.ravel(), np.full(seen.size, pointing))
    return Survey(Ground(homography @ np.diag([aspect, 1.0, 1.0]), error), reprojection)


def from_distances(distances: Sequence[KnownDistance], aspect: float) -> Survey:
    """The floor by four or more lengths on it; CalibrationError if no camera sees such lengths so.

    Fits focal length, tilt, roll and height of a camera over a level floor (see `CameraPose`) by least squares, from
    many beginnings. Its error is that of the lengths between all ends, if each end is pointed at as badly as the
    distances disagree, and no better than `POINTING`.
    """
    check_distances(distances)
    best = _fitted(distances, aspect)
    ratios = _ratios(best, distances, aspect)
    worst = int(np.argmax(np.abs(ratios)))
    if abs(ratios[worst]) > WORST:
        raise CalibrationError(
            f"No camera over a level floor sees these lengths so; distance {worst + 1} fits worst, by "
            f"{abs(ratios[worst]):.0%}.",
            hint="Measure it again, and compare its ends with the picture.",
        )
    ends = np.array([[*distance.begin, *distance.end] for distance in distances])
    corners = ends.reshape(-1, 2)
    spans = np.hypot((ends[:, 2] - ends[:, 0]) * aspect, ends[:, 3] - ends[:, 1])
    spare = len(distances) - 4
    off = sqrt(float((ratios**2).sum()) / spare) if spare else 0.0
    pointing = max(POINTING, off * float(np.median(spans)) / sqrt(2))

    def lengths(moved: Floats) -> Floats:
        shifted = [
            KnownDistance((x0, y0), (x1, y1), distance.metres)
            for (x0, y0, x1, y1), distance in zip(moved.reshape(-1, 4).tolist(), distances, strict=True)
        ]
        return _log_lengths(_fitted(shifted, aspect, best).ground(aspect, 0.0).metres(corners))

    error = _propagated(lengths, ends.ravel(), np.tile([pointing / aspect, pointing], 2 * len(distances)))
    return Survey(best.ground(aspect, error), sqrt(float(np.mean(ratios**2))), best)


def _fitted(distances: Sequence[KnownDistance], aspect: float, near: CameraPose | None = None) -> CameraPose:
    starts = (
        [near]
        if near is not None
        else [
            CameraPose(focal, radians(tilt), 0.0, 4.0)
            for focal in (0.8, 1.3, 2.2)
            for tilt in (8, 20, 35, 55, 75)
        ]
    )

    def residuals(parameters: Floats) -> Floats:
        return _ratios(CameraPose.of(parameters), distances, aspect)

    fits = [
        least_squares(
            residuals,
            start.parameters,
            bounds=([-1.5, 0.0, -pi / 4, -1.5], [2.5, pi / 2, pi / 4, 6.0]),
            x_scale=[0.2, 0.1, 0.05, 0.2],
        )
        for start in starts
    ]
    return CameraPose.of(min(fits, key=lambda fit: fit.cost).x)


def _ratios(camera_pose: CameraPose, distances: Sequence[KnownDistance], aspect: float) -> Floats:
    """Logarithms of what the lengths are over what they should be."""
    ground = camera_pose.ground(aspect, 0.0)
    begins = ground.metres(np.array([distance.begin for distance in distances]))
    ends = ground.metres(np.array([distance.end for distance in distances]))
    lengths = np.hypot(*(ends - begins).T) / [distance.metres for distance in distances]
    # Above the horizon: far too long, so that a fit turns back.
    return np.log(np.where(np.isfinite(lengths), np.maximum(lengths, 1e-3), 1e3))


def _log_lengths(corners: Floats) -> Floats:
    first, second = np.triu_indices(len(corners), 1)
    apart = np.hypot(*(corners[first] - corners[second]).T)
    return np.asarray(np.log(apart[apart > _SAME_M]))


def _propagated(function: Callable[[Floats], Floats], at: Floats, deviations: Floats) -> float:
    """Root mean square standard deviation of the function's values, to first order."""
    step = 1e-4
    slopes = np.stack(
        [(function(at + step * unit) - function(at - step * unit)) / (2 * step) for unit in np.eye(len(at))],
        axis=1,
    )
    return sqrt(float(((slopes * deviations) ** 2).sum(axis=1).mean()))


def _homography(seen: Floats, floor: Floats) -> Floats:
    """(3, 3) from the picture to the floor; positive third coordinate at the points."""
    to_seen, to_floor = _normalising(seen), _normalising(floor)
    a, b = _carried(to_floor, floor), _carried(to_seen, seen)
    start = _direct(a, b).ravel()

    def residuals(parameters: Floats) -> Floats:
        return (_carried(parameters.reshape(3, 3), a) - b).ravel()

    refined = least_squares(residuals, start / np.linalg.norm(start)).x.reshape(3, 3)
    to_metres = np.linalg.inv(np.linalg.inv(to_seen) @ refined @ to_floor)
    weights = np.column_stack([seen, np.ones(len(seen))]) @ to_metres[2]
    return np.asarray(to_metres / (np.linalg.norm(to_metres) * np.sign(weights.sum())), dtype=np.float64)


def _direct(a: Floats, b: Floats) -> Floats:
    """The homography that carries `a` to `b`, (N, 2) each, by the direct linear transform."""
    ones, nought = np.ones((len(a), 1)), np.zeros((len(a), 3))
    points = np.hstack([a, ones])
    rows = np.vstack(
        [
            np.hstack([points, nought, -b[:, :1] * points]),
            np.hstack([nought, points, -b[:, 1:] * points]),
        ]
    )
    return np.asarray(np.linalg.svd(rows)[2][-1].reshape(3, 3), dtype=np.float64)


def _normalising(points: Floats) -> Floats:
    """The similarity that brings `points` about the origin, at a mean distance of √2."""
    centre = points.mean(axis=0)
    scale = np.sqrt(2) / np.linalg.norm(points - centre, axis=1).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _carried(homography: Floats, points: Floats) -> Floats:
    carried = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(carried[:, :2] / carried[:, 2:], dtype=np.float64)
