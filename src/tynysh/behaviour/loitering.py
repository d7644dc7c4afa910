"""Does somebody stay at a protected place, or keep hands on a protected object, for longer than people do?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.crowd.track_stitching import take_up
from tynysh.geometry import Box, Point, enclosing
from tynysh.scene.need import Need
from tynysh.scene.person import Joint
from tynysh.scene.places import PROTECTED, SURE, base, distance, distances, objects, stands, watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

GRACE_S = 5.0
"""Seconds for which somebody may leave the place, or not be seen, and still be the one who stays there."""

SAME_PLACE = 1.0
"""Somebody found within this many heights of where another was lost is taken for the same: tracks break."""

TOUCH_M = 1.0
"""Feet further than this from an object's base, metres, are out of its reach. Used where the ground is known."""

_TOUCHING = (
    Joint.LEFT_WRIST,
    Joint.RIGHT_WRIST,
    Joint.LEFT_ELBOW,
    Joint.RIGHT_ELBOW,
    Joint.LEFT_KNEE,
    Joint.RIGHT_KNEE,
    Joint.HIP,
)

HANDS = 0.45
"""Where hands are, as a part of the box from its top, where no keypoints tell."""


class LoiteringSettings(AnalyserSettings):
    """Settings of `loitering`."""

    min_duration_s: MinDuration = 0.0
    cooldown_s: Cooldown = 60.0
    limit_s: Annotated[
        float,
        Field(
            ge=5.0,
            le=86400.0,
            title="Limit",
            description="Seconds that somebody may stay at the place.",
        ),
    ] = 60.0
    reach: Annotated[
        float,
        Field(
            ge=0.0,
            le=5.0,
            title="Reach",
            description="How far around the zone still counts as at the place, in body heights.",
        ),
    ] = 0.3
    contact_s: Annotated[
        float,
        Field(
            ge=2.0,
            le=86400.0,
            title="Contact",
            description="Seconds that somebody may touch a protected object (a zone of kind `object`).",
        ),
    ] = 15.0


@dataclass(slots=True)
class _Stay:
    """Somebody's stay at a place: since when, and when and where they were last at it."""

    track_id: int
    since_s: float
    last_s: float
    box: Box


class LoiteringAnalyser:
    """Times how long people stay in a zone or near it, and how long they touch an object: the named zones, or else
    those of kind `protected` and `object`.

    score = min(1, 0.6 d / limit), d the longest stay or contact in seconds: 0.6 at the limit, 1 at five thirds of it.
    Both outlast five seconds out of the place or out of sight. When a track breaks, whoever is found within one height
    of where it ended goes on with the stay: the time is the place's, not a person's.

    Contact is told of zones of kind `object`: the feet are within reach of where the object meets the ground (1 m where
    the ground is known, else `reach`), and a hand, an elbow, a knee or the hip is inside its outline. Without pose, the
    middle of the body or one of its sides at the height of the hands must be inside. Who stands close before the
    object with the hands in front of it looks the same in one picture.
    """

    behaviour = Behaviour.LOITERING

    def __init__(self, settings: LoiteringSettings) -> None:
        self._settings = settings
        self._stays: dict[str, list[_Stay]] = {}
        self._contacts: dict[str, list[_Stay]] = {}

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per zone in force, and one more per object."""
        if scene.feed is Feed.LOST:
            return ()
        settings = self._settings
        zones = watched(scene, settings.zones, PROTECTED)
        things = objects(scene, settings.zones)
        if not settings.zones:
            zones += things
        self._stays = {zone.name: self._stays.get(zone.name, []) for zone in zones}
        self._contacts = {zone.name: self._contacts.get(zone.name, []) for zone in things}

        places = [stands(scene, track) for track in scene.tracks]
        heights = [track.box.height for track in scene.tracks]

        def contact(zone: Zone) -> list[bool]:
            return [_touches(scene, zone, track, settings.reach) for track in scene.tracks]

        return [
            *(
                self._signal(
                    scene,
                    zone,
                    self._stays[zone.name],
                    (distances(scene, zone, places, heights) <= settings.reach).tolist(),
                    "stay",
                    settings.limit_s,
                )
                for zone in zones
            ),
            *(
                self._signal(
                    scene, zone, self._contacts[zone.name], contact(zone), "contact", settings.contact_s
                )
                for zone in things
            ),
        ]

    def _signal(
        self,
        scene: Scene,
        zone: Zone,
        stays: list[_Stay],
        present: Sequence[bool],
        what: str,
        limit_s: float,
    ) -> Signal:
        _follow(scene, stays, present)
        stays[:] = [stay for stay in stays if 0.0 <= scene.time_s - stay.last_s <= GRACE_S]
        longest = min(stays, key=lambda stay: stay.since_s, default=None)
        dwell_s = 0.0 if longest is None else longest.last_s - longest.since_s
        long = [stay.box for stay in stays if stay.last_s - stay.since_s >= limit_s]
        boxes = long or ([] if longest is None else [longest.box])
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=min(1.0, AT_LIMIT * dwell_s / limit_s),
            box=scene.normalised_box(enclosing(boxes)) if boxes else None,
            people=len(boxes),
            zone=zone.name,
            subject=what,
            reason=Reason(
                f"loitering.{what}", {"seconds": round(dwell_s), "zone": zone.name, "limit": round(limit_s)}
            ),
            since_s=None if longest is None else longest.since_s,
        )


def _follow(scene: Scene, stays: list[_Stay], present: Sequence[bool]) -> None:
    """Bring the stays up to date with the people of the scene, who are `present` at the place or not."""
    of_track = {stay.track_id: stay for stay in stays}
    here = {track.id for track in scene.tracks}
    alone = [stay for stay in stays if stay.track_id not in here]
    for track, staying in zip(scene.tracks, present, strict=True):
        stay = of_track.get(track.id)
        if stay is None:
            for stay, _ in take_up(alone, [track], _apart):
                stay.track_id = track.id
        if stay is None:
            if staying:
                stays.append(_Stay(track.id, scene.time_s, scene.time_s, track.box))
        elif staying:
            stay.last_s = scene.time_s
            stay.box = track.box


def _touches(scene: Scene, zone: Zone, track: Track, reach: float) -> bool:
    """Whether a person seems to touch the object of `zone`."""
    return _covers(scene, zone, track) and _within_reach(scene, zone, track, reach)


def _covers(scene: Scene, zone: Zone, track: Track) -> bool:
    """Whether what may touch is inside the outline of `zone`."""
    if track.keypoints is not None:
        sure = [track.keypoints[joint] for joint in _TOUCHING if track.keypoints[joint, 2] >= SURE]
        if sure:
            return any(zone.contains(scene.normalised((float(x), float(y)))) for x, y, _ in sure)
    box = track.box
    hands = box.top + HANDS * box.height
    points: tuple[Point, ...] = ((box.left, hands), (box.right, hands), box.centre)
    return any(zone.contains(scene.normalised(point)) for point in points)


def _within_reach(scene: Scene, zone: Zone, track: Track, reach: float) -> bool:
    """Whether the feet are close enough to where the object meets the ground."""
    feet = stands(scene, track)
    below = base(zone.polygon, feet[0])
    if scene.ground is not None and below is not None:
        here, there = scene.ground.metres_at(feet), scene.ground.metres_at((feet[0], below))
        if here is not None and there is not None:
            return hypot(here[0] - there[0], here[1] - there[1]) <= TOUCH_M
    return distance(scene, zone, track) <= reach


def _apart(stay: _Stay, track: Track) -> float | None:
    """How far a track is from where somebody who stayed was lost, pixels; None beyond `SAME_PLACE`."""
    apart = hypot(track.box.foot[0] - stay.box.foot[0], track.box.foot[1] - stay.box.foot[1])
    return apart if apart <= SAME_PLACE * track.box.height else None


SPEC = AnalyserSpec(
    id=Behaviour.LOITERING,
    settings=LoiteringSettings,
    factory=LoiteringAnalyser,
    family="trespass",
    rank=100,
    severity=Severity(1, long_s=300.0),
    needs=frozenset({Need.POSE}),
    words=shipped("loitering"),
)
