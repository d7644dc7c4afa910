"""Does somebody stay at a protected place, or keep hands on a protected object, for longer than people do?"""

from collections.abc import Iterator, Sequence
from math import hypot
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.behaviour.stays import GRACE_S, Stays, fixed, party_subject
from tynysh.geometry import Point, enclosing
from tynysh.scene.need import Need
from tynysh.scene.person import Joint
from tynysh.scene.places import PROTECTED, SURE, base, distance, distances, objects, stands, watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

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


class LoiteringAnalyser:
    """Times how long people stay in a zone or near it, and how long they touch an object: the named zones, or else
    those of kind `protected` and `object`.

    score = min(1, 0.6 d / limit), d the longest stay or contact in seconds: 0.6 at the limit, 1 at five thirds of it.
    Both outlast five seconds out of the place or out of sight. When a track breaks, whoever is found within one height
    of where it ended goes on with the stay: the time is the place's, not a person's. Who comes later than the others is
    told anew (`behaviour.stays`).

    Contact is told of zones of kind `object`: the feet are within reach of where the object meets the ground (1 m where
    the ground is known, else `reach`), and a hand, an elbow, a knee or the hip is inside its outline. Without pose, the
    middle of the body or one of its sides at the height of the hands must be inside. Who stands close before the
    object with the hands in front of it looks the same in one picture.
    """

    behaviour = Behaviour.LOITERING

    def __init__(self, settings: LoiteringSettings) -> None:
        self._settings = settings
        self._stays: dict[str, Stays] = {}
        self._contacts: dict[str, Stays] = {}

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per zone in force and party there, and more for those at an object."""
        if scene.feed is Feed.LOST:
            return ()
        settings = self._settings
        zones = watched(scene, settings.zones, PROTECTED)
        things = objects(scene, settings.zones)
        if not settings.zones:
            zones += things
        self._stays = {zone.name: self._stays.get(zone.name, Stays()) for zone in zones}
        self._contacts = {zone.name: self._contacts.get(zone.name, Stays()) for zone in things}

        places = [stands(scene, track) for track in scene.tracks]
        heights = [track.box.height for track in scene.tracks]

        def contact(zone: Zone) -> list[bool]:
            return [_touches(scene, zone, track, settings.reach) for track in scene.tracks]

        def near(zone: Zone) -> list[bool]:
            return [bool(one) for one in distances(scene, zone, places, heights) <= settings.reach]

        return [
            *(
                signal
                for zone in zones
                for signal in self._signals(
                    scene, zone, self._stays[zone.name], near(zone), "stay", settings.limit_s
                )
            ),
            *(
                signal
                for zone in things
                for signal in self._signals(
                    scene, zone, self._contacts[zone.name], contact(zone), "contact", settings.contact_s
                )
            ),
        ]

    def _signals(
        self, scene: Scene, zone: Zone, stays: Stays, present: Sequence[bool], what: str, limit_s: float
    ) -> Iterator[Signal]:
        """One signal for each party at the place."""
        stays.observe(scene, present, keep_s=GRACE_S)
        for number, party in stays.parties().items():
            longest = min(party, key=lambda stay: stay.since_s, default=None)
            dwell_s = 0.0 if longest is None else longest.last_s - longest.since_s
            long = [stay for stay in party if stay.last_s - stay.since_s >= limit_s]
            told = long or ([] if longest is None else [longest])
            yield Signal(
                behaviour=self.behaviour,
                time_s=scene.time_s,
                score=min(1.0, AT_LIMIT * dwell_s / limit_s),
                box=scene.normalised_box(enclosing([stay.box for stay in told])) if told else None,
                people=len(told),
                zone=zone.name,
                subject=party_subject(what, number),
                reason=Reason(
                    f"loitering.{what}",
                    {"seconds": round(dwell_s), "zone": zone.name, "limit": round(limit_s)},
                ),
                since_s=None if longest is None else longest.since_s,
                fixed_since_s=fixed(told),
            )


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
