"""A scene: all that analysers see at one instant."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.ground import Ground
from tynysh.crowd.state import CrowdState
from tynysh.geometry import Box, Point, Polygon, contains
from tynysh.media.frame import Frame
from tynysh.media.stream_health import StreamHealth
from tynysh.perception.track import Track


class Feed(StrEnum):
    """Whether pictures arrive from the camera."""

    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What moves, from low-resolution brightness.

    level: the part of the picture that moves, in [0, 1], noise taken out.
    moving: whether the gate is open (holds for a moment after the movement ends).
    mask: (rows, columns) booleans, where it moves; None when nothing was compared yet.
    light: whether the light or the exposure changed over most of the picture, which is no motion.
    """

    level: float
    moving: bool
    mask: NDArray[np.bool_] | None = None
    light: bool = False


STILL = Motion(level=0.0, moving=False)


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of the picture: polygon in normalised coordinates (0..1), clockwise or not.

    kind: what the zone is for, as in the site's schema.
    area_m2: of its floor, where somebody measured it. capacity: people that it is meant for.
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
    """A named line across the picture, normalised. Who crosses it from its left to its right, looking from `start`
    to `end`, goes in its direction.
    """

    name: str
    start: Point
    end: Point


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One instant on one camera.

    time_s: seconds on the stream's clock (see `Frame`); the only clock that analysers know.
    width, height: of the picture, pixels.
    detected: whether the detector looked at this instant; if not, tracks are carried forward.
    tracks: the people now, seen or carried forward.
    motion: what moves.
    zones: the camera's zones that are in force.
    lines: the camera's lines.
    frame: the picture, for analysers that look at pixels; None for scripted scenes and while the camera is
        lost.
    feed: whether pictures arrive.
    ground: where the floor is, where that is known; without it nothing is in metres.
    crowd: what is known of the crowd; None before the detector's first look.
    stream: how the stream arrives, where somebody measures that.
    """

    time_s: float
    width: int
    height: int
    detected: bool = True
    tracks: tuple[Track, ...] = ()
    motion: Motion = STILL
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    frame: Frame | None = None
    feed: Feed = Feed.LIVE
    ground: Ground | None = None
    crowd: CrowdState | None = None
    stream: StreamHealth | None = None

    def zone(self, name: str) -> Zone | None:
        """The zone of that name, if it is in force now."""
        return next((zone for zone in self.zones if zone.name == name), None)

    def normalised(self, point: Point) -> Point:
        """A point in pixels as a point in 0..1."""
        return (point[0] / self.width, point[1] / self.height)

    def people(self) -> dict[int, Box]:
        """Where the people are, by track id: boxes in 0..1."""
        return {track.id: self.normalised_box(track.box) for track in self.tracks}

    def normalised_box(self, box: Box) -> Box:
        """A box in pixels as a box in 0..1."""
        return box.scaled(1 / self.width, 1 / self.height)
