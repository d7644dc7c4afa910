"""How does the floor lie, by what somebody measured on it?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from tynysh.crowd.calibration import KnownPoint, check_points
from tynysh.crowd.ground import Ground

Matrix = NDArray[np.float64]


def ground_from_points(points: Sequence[KnownPoint]) -> Ground:
    """The floor through four or more points of known place; CalibrationError if no floor can be seen so.

    The homography is found by the normalised direct linear transform and refined so that the squared distances in
    the picture are least (Hartley & Zisserman, Multiple View Geometry, 2004, algorithms 4.2 and 4.3).
    """
    check_points(points)
    seen = np.array([point.at for point in points], dtype=np.float64)
    floor = np.array([point.metres for point in points], dtype=np.float64)
    return Ground(_homography(seen, floor), 0.05)


def _homography(seen: Matrix, floor: Matrix) -> Matrix:
    """(3, 3) from the picture to the floor; positive third coordinate at the points."""
    to_seen, to_floor = _normalising(seen), _normalising(floor)
    a, b = _carried(to_floor, floor), _carried(to_seen, seen)
    start = _direct(a, b).ravel()

    def residuals(parameters: Matrix) -> Matrix:
        return (_carried(parameters.reshape(3, 3), a) - b).ravel()

    refined = least_squares(residuals, start / np.linalg.norm(start), method="trf").x.reshape(3, 3)
    to_metres = np.linalg.inv(np.linalg.inv(to_seen) @ refined @ to_floor)
    weights = np.column_stack([seen, np.ones(len(seen))]) @ to_metres[2]
    return np.asarray(to_metres / (np.linalg.norm(to_metres) * np.sign(weights.sum())), dtype=np.float64)


def _direct(a: Matrix, b: Matrix) -> Matrix:
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


def _normalising(points: Matrix) -> Matrix:
    """The similarity that brings `points` about the origin, at a mean distance of √2."""
    centre = points.mean(axis=0)
    scale = np.sqrt(2) / np.linalg.norm(points - centre, axis=1).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _carried(homography: Matrix, points: Matrix) -> Matrix:
    carried = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(carried[:, :2] / carried[:, 2:])
