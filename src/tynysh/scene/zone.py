"""The named areas and lines of a camera's picture."""

from dataclasses import dataclass

from tynysh.geometry import Point, Polygon, contains


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of the picture: polygon in normalised coordinates (0..1), clockwise or not.

    kind: what the zone is for, as in the site's schema.
    area_m2: of its floor, where somebody measured it. capacity: people that it is meant for.

    >>> Zone("gate", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)), kind="protected").contains((0.3, 0.9))
    True
    """

    name: str
    polygon: Polygon
    kind: str = "area"
    area_m2: float | None = None
    capacity: int | None = None

    def contains(self, point: Point) -> bool:
        """Whether a point in normalised coordinates lies inside."""
        return contains(self.polygon, point)


@dataclass(frozen=True, slots=True)
class Line:
    """A named line across the picture, normalised. Who crosses it from its left to its right, looking from `begin`
    to `end`, goes in its direction.
    """

    name: str
    begin: Point
    end: Point
