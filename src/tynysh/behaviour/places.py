"""Which of a camera's zones concern an analyser, and where people stand in them."""

from collections.abc import Sequence
from math import hypot

from tynysh.behaviour.scene import Scene, Zone
from tynysh.geometry import Box, Point

PROTECTED = "protected"
BENCH = "bench"


def watched(scene: Scene, names: Sequence[str], kind: str | None = None) -> tuple[Zone, ...]:
    """The zones in force that are named in `names`; with no names those of `kind`."""
    if names:
        return tuple(zone for zone in scene.zones if zone.name in names)
    return tuple(zone for zone in scene.zones if zone.kind == kind)


def foot(scene: Scene, box: Box) -> Point:
    """Where the person of `box` (pixels) touches the ground, normalised, and never outside the picture."""
    x, y = scene.normalised(box.foot)
    return (min(max(x, 0.0), 0.999), min(max(y, 0.0), 0.999))


def distance(scene: Scene, zone: Zone, box: Box) -> float:
    """How far the person of `box` stands from `zone`, in heights of the box; 0 inside."""
    x, y = foot(scene, box)
    if zone.contains((x, y)):
        return 0.0
    corners = [(corner_x * scene.width, corner_y * scene.height) for corner_x, corner_y in zone.polygon]
    point = (x * scene.width, y * scene.height)
    edges = zip(corners, [*corners[1:], corners[0]], strict=True)
    return min(_to_segment(point, start, end) for start, end in edges) / max(1.0, box.height)


def _to_segment(point: Point, start: Point, end: Point) -> float:
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = along_x * along_x + along_y * along_y
    share = 0.0
    if length > 0.0:
        share = ((point[0] - start[0]) * along_x + (point[1] - start[1]) * along_y) / length
        share = min(1.0, max(0.0, share))
    return hypot(point[0] - start[0] - share * along_x, point[1] - start[1] - share * along_y)
