"""A scene: all that analysers see at one instant, and never a picture of anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tynysh.geometry import Box, Point
from tynysh.media.stream_health import StreamHealth
from tynysh.scene.clip import ClipScore
from tynysh.scene.crowd import CrowdState
from tynysh.scene.ground import Ground
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.surface import SurfaceChange
from tynysh.scene.track import Track
from tynysh.scene.trajectory import Trajectory
from tynysh.scene.view import View
from tynysh.scene.zone import Line, Zone


class Feed(StrEnum):
    """Whether pictures arrive from the camera."""

    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One instant on one camera.

    time_s: seconds on the stream's clock (see `media.frame.Frame`); the only clock that analysers know.
    width, height: of the picture, pixels.
    detected: whether the detector looked at this instant; if not, tracks are carried forward.
    tracks: the people now, seen or carried forward.
    found: boxes of all that the detector found at this instant, also of what is far from sure to be anybody.
    trajectories: where those seen lately were over the last seconds, by track id (`scene.trajectories`).
    motion: what moves.
    zones: the camera's zones that are in force.
    lines: the camera's lines.
    feed: whether pictures arrive.
    ground: where the floor is, where that is known; without it nothing is in metres.
    crowd: what is known of the crowd; None before the detector's first look.
    stream: how the stream arrives, where somebody measures that.
    clip: the latest look of the network that looks at moving pictures; None where nothing is worth a look.
    view: whether the camera shows its usual view; None while it is lost.
    surfaces: the changes on protected objects, by the zone's name.

    The last three are there only for cameras of which an analyser needs them (`Need`).

    >>> from tynysh.scene.zone import Zone
    >>> scene = Scene(12.0, 640, 480, zones=(Zone("gate", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))),))
    >>> scene.zone("gate").contains(scene.normalised((320.0, 120.0)))
    True
    """

    time_s: float
    width: int
    height: int
    detected: bool = True
    tracks: tuple[Track, ...] = ()
    found: tuple[Box, ...] = ()
    trajectories: Mapping[int, Trajectory] = field(default_factory=dict)
    motion: Motion = STILL
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    feed: Feed = Feed.LIVE
    ground: Ground | None = None
    crowd: CrowdState | None = None
    stream: StreamHealth | None = None
    clip: ClipScore | None = None
    view: View | None = None
    surfaces: Mapping[str, SurfaceChange] = field(default_factory=dict)

    @property
    def seen(self) -> tuple[Track, ...]:
        """The tracks of those whom the detector found at this instant."""
        return tuple(track for track in self.tracks if track.seen(self.time_s))

    def lately(self, within_s: float) -> dict[int, Trajectory]:
        """The trajectories of those seen within the last `within_s` seconds."""
        return {
            track_id: trajectory
            for track_id, trajectory in self.trajectories.items()
            if self.time_s - trajectory.last.time_s <= within_s
        }

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
