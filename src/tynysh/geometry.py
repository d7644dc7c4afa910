"""Boxes and polygons in pictures, (x, y) with the origin at the top left; positions on the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""An array of 64-bit floats; docstrings tell its shape."""

Point = tuple[float, float]
Polygon = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class GeoPosition:
    """A place on the map, degrees (WGS 84)."""

    latitude: float
    longitude: float


class Box(NamedTuple):
    """An axis-parallel rectangle, in pixels unless said otherwise; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width, never negative."""
        return max(0.0, self.right - self.left)

    @property
    def height(self) -> float:
        """Height, never negative."""
        return max(0.0, self.bottom - self.top)

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """The middle (x, y)."""
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    @property
    def foot(self) -> Point:
        """The middle of the lower edge (x, y): where a standing person touches the ground."""
        return ((self.left + self.right) / 2, self.bottom)

    def intersection(self, other: "Box") -> float:
        """Area shared with `other`, in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: "Box") -> float:
        """Intersection over union, in [0, 1]."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def union(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def clipped(self, width: float, height: float) -> "Box":
        """The part inside a picture of `width` x `height` pixels."""
        return Box(
            min(max(self.left, 0.0), width),
            min(max(self.top, 0.0), height),
            min(max(self.right, 0.0), width),
            min(max(self.bottom, 0.0), height),
        )

    def scaled(self, x: float, y: float) -> "Box":
        """Coordinates multiplied by `x` and `y`: to and from normalised coordinates."""
        return Box(self.left * x, self.top * y, self.right * x, self.bottom * y)


def enclosing(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of `boxes`; there must be at least one."""
    first, *rest = boxes
    for box in rest:
        first = first.union(box)
    return first


def box_array(boxes: Sequence[Box]) -> NDArray[np.float32]:
    """`boxes` as an array (N, 4) of left, top, right, bottom."""
    return np.asarray(boxes, dtype=np.float32).reshape(-1, 4)


def shared_areas(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area that each of `a` (N, 4) shares with each of `b` (M, 4), as (N, M)."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    width, height = np.moveaxis(np.clip(bottom_right - top_left, 0, None), 2, 0)
    return np.asarray(width * height, dtype=np.float32)


def areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area of each of `boxes` (N, 4), never negative."""
    width, height = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).T
    return np.asarray(width * height, dtype=np.float32)


def iou_matrix(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each of `a` (N, 4) with each of `b` (M, 4), as (N, M)."""
    shared = shared_areas(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    return np.where(union > 0, shared / np.maximum(union, 1e-9), 0.0).astype(np.float32)


def contains(polygon: Polygon, point: Point) -> bool:
    """Whether `point` lies inside `polygon` (even-odd rule)."""
    x, y = point
    inside = False
    before = polygon[-1]
    for corner in polygon:
        if (corner[1] > y) != (before[1] > y):
            crossing = (before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0]
            if x < crossing:
                inside = not inside
        before = corner
    return inside


def contains_each(polygon: Polygon, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """`contains` for points (N, 2) at once: (N,). Points that are NaN lie nowhere."""
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=np.bool_)
    before = polygon[-1]
    for corner in polygon:
        if corner[1] != before[1]:
            crossing = (before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0]
            inside ^= ((corner[1] > y) != (before[1] > y)) & (x < crossing)
        before = corner
    return inside
