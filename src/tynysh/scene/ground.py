"""Where on the floor is a point of the picture, in metres?"""

from dataclasses import dataclass

import numpy as np

from tynysh.geometry import Floats, Point, Polygon

TRUSTED_ERROR = 0.15
"""Metres are spoken of, and alarms in metres are on, where lengths on the floor are known at least so well: an area,
and with it a density, then is by 30 % off, which is less than a level of service is wide (Fruin, 1971).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The floor as a plane: a homography from the picture, normalised (0..1), to metres (Hartley & Zisserman, 2004).

    homography: (3, 3), scaled so that points of the floor in front of the camera have a positive third coordinate.
    error: relative standard error of lengths on the floor, as 0.08 for 8 %.

    >>> ground = Ground(np.diag([20.0, 10.0, 1.0]), error=0.05)  # from straight above: 20 m across, 10 m down
    >>> ground.metres_at((0.5, 0.5)), ground.trusted
    ((10.0, 5.0), True)
    >>> ground.area_m2(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)))
    50.0
    """

    homography: Floats
    error: float

    @property
    def trusted(self) -> bool:
        """Whether it is good enough to speak of metres."""
        return self.error <= TRUSTED_ERROR

    def metres(self, points: Floats) -> Floats:
        """Where on the floor, (N, 2) metres, are points of the picture (N, 2), normalised; NaN above the horizon."""
        return _apply(self.homography, points)

    def picture(self, points: Floats) -> Floats:
        """Where in the picture, (N, 2) normalised, are points of the floor (N, 2), metres; NaN behind the camera."""
        inverse: Floats = np.linalg.inv(self.homography).astype(np.float64)
        return _apply(inverse, points)

    def area_m2(self, polygon: Polygon) -> float | None:
        """The area of floor that a polygon of the picture (normalised) covers; None if it reaches the horizon."""
        corners = self.metres(np.asarray(polygon, dtype=np.float64))
        if not np.isfinite(corners).all():
            return None
        x, y = corners.T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

    def metres_at(self, point: Point) -> Point | None:
        """`metres` for one point; None above the horizon."""
        x, y = self.metres(np.asarray([point], dtype=np.float64))[0]
        return (float(x), float(y)) if np.isfinite(x) else None


def _apply(homography: Floats, points: Floats) -> Floats:
    carried = np.column_stack([points, np.ones(len(points))]) @ homography.T
    weight = carried[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        mapped = carried[:, :2] / weight
    mapped[weight[:, 0] <= 1e-9] = np.nan
    return mapped
