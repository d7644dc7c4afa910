"""Does somebody stay at a protected place for longer than people do?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.places import PROTECTED, distance, watched
from tynysh.behaviour.scene import Feed, Scene, Zone
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.geometry import Box, enclosing
from tynysh.perception.track import Track

GRACE_S = 5.0
"""Seconds for which somebody may leave the place, or not be seen, and still be the one who stays there."""

SAME_PLACE = 1.0
"""Somebody found within this many heights of where another was lost is taken for the same: tracks break."""


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


@dataclass(slots=True)
class _Stay:
    """Somebody's stay at a place: since when, and when and where they were last at it."""

    track_id: int
    since_s: float
    last_s: float
    box: Box


class LoiteringAnalyser:
    """Times how long people stay in a zone or near it: the named zones, or else those of kind `protected`.

    score = min(1, 0.6 d / limit), d the longest stay in seconds: 0.6 at the limit, 1 at five thirds of it. A
    stay outlasts five seconds out of the place or out of sight. When a track breaks, whoever is found within
    one height of where it ended goes on with the stay: the time is the place's, not a person's.
    """

    behaviour = Behaviour.LOITERING
    wants_pose = False

    def __init__(self, settings: LoiteringSettings) -> None:
        self._settings = settings
        self._stays: dict[str, list[_Stay]] = {}

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per zone in force."""
        if scene.feed is Feed.LOST:
            return ()
        zones = watched(scene, self._settings.zones, PROTECTED)
        self._stays = {zone.name: self._stays.get(zone.name, []) for zone in zones}
        return [self._score(scene, zone) for zone in zones]

    def _score(self, scene: Scene, zone: Zone) -> Signal:
        stays = self._stays[zone.name]
        self._follow(scene, zone, stays)
        stays[:] = [stay for stay in stays if 0.0 <= scene.time_s - stay.last_s <= GRACE_S]
        limit_s = self._settings.limit_s
        longest = min(stays, key=lambda stay: stay.since_s, default=None)
        dwell_s = 0.0 if longest is None else longest.last_s - longest.since_s
        long = [stay.box for stay in stays if stay.last_s - stay.since_s >= limit_s]
        boxes = long or ([] if longest is None else [longest.box])
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=min(1.0, 0.6 * dwell_s / limit_s),
            box=scene.normalised_box(enclosing(boxes)) if boxes else None,
            people=len(boxes),
            zone=zone.name,
            subject=zone.name,
            reason=Reason(
                "loitering.stay", {"seconds": round(dwell_s), "zone": zone.name, "limit": round(limit_s)}
            ),
            since_s=None if longest is None else longest.since_s,
        )

    def _follow(self, scene: Scene, zone: Zone, stays: list[_Stay]) -> None:
        """Bring the stays up to date with the people of the scene."""
        present = {track.id for track in scene.tracks}
        for track in scene.tracks:
            stay = next((stay for stay in stays if stay.track_id == track.id), None)
            at_place = distance(scene, zone, track.box) <= self._settings.reach
            if stay is None:
                stay = _left_alone(stays, track, present)
            if stay is None:
                if at_place:
                    stays.append(_Stay(track.id, scene.time_s, scene.time_s, track.box))
                continue
            stay.track_id = track.id
            if at_place:
                stay.last_s = scene.time_s
                stay.box = track.box


def _left_alone(stays: Sequence[_Stay], track: Track, present: set[int]) -> _Stay | None:
    """The stay of somebody lost from sight that this track may carry on: the nearest within `SAME_PLACE`."""
    x, y = track.box.foot
    near = [
        (hypot(x - stay.box.foot[0], y - stay.box.foot[1]), stay.since_s, stay)
        for stay in stays
        if stay.track_id not in present
    ]
    apart, _, stay = min(near, key=lambda entry: entry[:2], default=(float("inf"), 0.0, None))
    return stay if apart <= SAME_PLACE * track.box.height else None
