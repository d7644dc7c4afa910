"""Which of a camera's zones concern an analyser, and where people stand in them."""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

import numpy as np

from tynysh.geometry import Box, Floats, Point, Polygon, contains_each
from tynysh.scene.person import Joint
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Line, Zone

PROTECTED = "protected"
OBJECT = "object"
"""The outline, in the picture, of a thing that is protected: a monument, an eternal flame, a rock face."""

BENCH = "bench"

SURE = 0.3
"""Keypoints below this confidence are hidden or guessed, and no foot or hand is told from them."""

_FEET = (
    (Joint.LEFT_ANKLE, Joint.LEFT_BIG_TOE, Joint.LEFT_SMALL_TOE, Joint.LEFT_HEEL),
    (Joint.RIGHT_ANKLE, Joint.RIGHT_BIG_TOE, Joint.RIGHT_SMALL_TOE, Joint.RIGHT_HEEL),
)


def watched(scene: Scene, names: Sequence[str], kind: str | None = None) -> tuple[Zone, ...]:
    """The zones in force that are named in `names`; with no names those of `kind`."""
    if names:
        return tuple(zone for zone in scene.zones if zone.name in names)
    return tuple(zone for zone in scene.zones if zone.kind == kind)


def objects(scene: Scene, names: Sequence[str]) -> tuple[Zone, ...]:
    """Of the zones that are watched, those that outline an object."""
    return tuple(zone for zone in watched(scene, names, OBJECT) if zone.kind == OBJECT)


def foot(scene: Scene, box: Box) -> Point:
    """Where the person of `box` (pixels) touches the ground, normalised, and never outside the picture."""
    x, y = scene.normalised(box.foot)
    return (min(max(x, 0.0), 0.999), min(max(y, 0.0), 0.999))


def stands(scene: Scene, track: Track) -> Point:
    """Where a person touches the ground, normalised, and never outside the picture: the middle between the feet where
    pose found both, else the foot of the box. A pose that leaves the box belongs to somebody else.
    """
    soles = known_feet(track)
    if len(soles) < len(_FEET):
        return foot(scene, track.box)
    x = sum(sole[0] for sole in soles) / len(soles)
    y = max(sole[1] for sole in soles)
    box, slack = track.box, 0.15 * track.box.height
    if not (box.left - slack <= x <= box.right + slack and box.top <= y <= box.bottom + slack):
        return foot(scene, box)
    return foot(scene, Box(x, box.top, x, y))


def known_feet(track: Track) -> list[Point]:
    """The lowest sure keypoint of each foot, pixels, of those feet that pose is sure of."""
    if track.keypoints is None:
        return []
    soles: list[Point] = []
    for joints in _FEET:
        sure = [track.keypoints[joint] for joint in joints if track.keypoints[joint, 2] >= SURE]
        if sure:
            lowest = max(sure, key=lambda keypoint: float(keypoint[1]))
            soles.append((float(lowest[0]), float(lowest[1])))
    return soles


def base(polygon: Polygon, x: float) -> float | None:
    """Where a thing of this outline meets the ground below `x`: the largest y of the outline there, normalised; None
    to the left and to the right of it.

    >>> base(((0.2, 0.4), (0.6, 0.4), (0.6, 0.8), (0.2, 0.8)), x=0.3)
    0.8
    """
    crossings = [
        a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]) if a[0] != b[0] else max(a[1], b[1])
        for a, b in pairwise((*polygon, polygon[0]))
        if min(a[0], b[0]) <= x <= max(a[0], b[0])
    ]
    return max(crossings, default=None)


def surroundings(polygon: Polygon) -> Polygon:
    """`polygon`, enlarged by a quarter about its middle: from where a thing of this outline can be touched.

    >>> surroundings(((0.0, 0.0), (8.0, 0.0), (8.0, 4.0), (0.0, 4.0)))
    ((-1.0, -0.5), (9.0, -0.5), (9.0, 4.5), (-1.0, 4.5))
    """
    xs, ys = zip(*polygon, strict=True)
    middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    return tuple((middle[0] + 1.25 * (x - middle[0]), middle[1] + 1.25 * (y - middle[1])) for x, y in polygon)


def distance(scene: Scene, zone: Zone, track: Track) -> float:
    """How far a person stands from `zone`, in heights of the person's box; 0 inside."""
    x, y = stands(scene, track)
    if zone.contains((x, y)):
        return 0.0
    corners = [(corner_x * scene.width, corner_y * scene.height) for corner_x, corner_y in zone.polygon]
    point = (x * scene.width, y * scene.height)
    edges = zip(corners, [*corners[1:], corners[0]], strict=True)
    return min(_to_segment(point, begin, end) for begin, end in edges) / max(1.0, track.box.height)


def distances(scene: Scene, zone: Zone, places: Sequence[Point], heights: Sequence[float]) -> Floats:
    """`distance` for people who stand at `places` (N, normalised), `heights` pixels high, at once: (N,)."""
    stand = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    scale = np.array([scene.width, scene.height])
    starts = np.asarray(zone.polygon, dtype=np.float64) * scale
    ways = np.roll(starts, -1, axis=0) - starts
    offsets = (stand * scale)[:, None] - starts
    lengths = np.maximum((ways**2).sum(axis=1), 1e-12)
    shares = np.clip((offsets * ways).sum(axis=2) / lengths, 0.0, 1.0)
    apart = np.hypot(*np.moveaxis(offsets - shares[..., None] * ways, 2, 0)).min(axis=1, initial=np.inf)
    apart[contains_each(zone.polygon, stand)] = 0.0
    return np.asarray(apart / np.maximum(1.0, np.asarray(heights, dtype=np.float64)), dtype=np.float64)


def from_line(scene: Scene, line: Line, track: Track) -> float:
    """How far a person stands from `line`, pixels."""
    x, y = stands(scene, track)
    ends = [(end_x * scene.width, end_y * scene.height) for end_x, end_y in (line.begin, line.end)]
    return _to_segment((x * scene.width, y * scene.height), *ends)


def _to_segment(point: Point, begin: Point, end: Point) -> float:
    along_x, along_y = end[0] - begin[0], end[1] - begin[1]
    length = along_x * along_x + along_y * along_y
    share = 0.0
    if length > 0.0:
        share = ((point[0] - begin[0]) * along_x + (point[1] - begin[1]) * along_y) / length
        share = min(1.0, max(0.0, share))
    return hypot(point[0] - begin[0] - share * along_x, point[1] - begin[1] - share * along_y)
