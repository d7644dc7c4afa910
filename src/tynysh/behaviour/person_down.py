"""Does somebody lie where people do not lie, and not get up?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.posture import StandingHeights, lying, upright
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.crowd.track_stitching import take_up
from tynysh.geometry import Box
from tynysh.scene.need import Need
from tynysh.scene.places import BENCH, foot, watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track

SMOOTHING_S = 0.7
LONGEST_STEP_S = 2.0
"""A look counts for at most this long, so that one picture after a pause does not decide alone."""

HOLD_S = 6.0
HOLD_WHEN_REPLACED_S = 3.0
"""Seconds of looks for which somebody who lies may be missed by the detector; fewer when somebody upright
appears
in the same place, who may be the one who got up, or one who helps."""

FELL_WITHIN_S = 4.0
"""Who was up so many seconds before lying has fallen."""

UP, UP_FOR_S = 0.1, 0.5
"""Score of a look up to which somebody surely does not lie, and for how long that must have been seen."""

FALL_REACH = 1.0
"""Of somebody who was lost while up, another track that lies within so many lengths is the continuation."""

TURNED = 0.9
"""Score of a look that found somebody in the turned picture alone."""

SEEMS_TO_LIE = 0.4
"""Score of a look from which somebody is taken to lie there."""

FADING_S = 12.0
"""Time constant with which the score of somebody who is missed decays."""

GONE = 0.05
"""Smoothed score below which nobody lies there any more."""

OWN_HEIGHT_S = 120.0
"""Seconds for which somebody's own standing height is remembered."""

WALKS = 0.25
"""Heights per second from which somebody upright walks, and does not sit."""

SLIM = 0.45
"""Width in heights of a box up to which somebody stands, though they do not walk: who sits is wider."""

SAME_PLACE_IOU, SAME_PLACE_REACH = 0.2, 0.4
"""Boxes of one place overlap by so much, or their middles are no further apart than this part of their longest side."""

EDGE = 0.01
"""A box that ends so near the picture's edge, in its heights, is cut off by it."""


class PersonDownSettings(AnalyserSettings):
    """Settings of `person_down`. People lying on zones of kind `bench` do not count."""

    release_s = 2.0

    fall_s: Annotated[
        float,
        Field(
            ge=0.0,
            le=3600.0,
            title="After a fall",
            description="Seconds for which somebody must lie who was seen to go down, if that is less than "
            "`min_duration_s`.",
        ),
    ] = 1.5
    min_duration_s: MinDuration = 10.0
    cooldown_s: Cooldown = 60.0


@dataclass(slots=True)
class _Fallen:
    """Somebody who lies, or seems to.

    level: smoothed score. missed_s: seconds of looks since they were last found. fell: seen up just
        before. fixed_since_s: as `Track.fixed_since_s`.
    """

    subject: str
    track_id: int
    box: Box
    since_s: float
    seen_s: float
    level: float
    fell: bool
    missed_s: float = 0.0
    fixed_since_s: float | None = None


@dataclass(slots=True)
class _Up:
    """Somebody who did not lie, from when to when as far as was seen, and where last."""

    since_s: float
    last_s: float
    box: Box


class PersonDownAnalyser:
    """Scores each person who lies (`posture.lying`), smoothed over 0.7 s; the settings' minimum duration
    makes it an event, `fall_s` where somebody was seen to go down: who was up, standing or sitting, within
    the four seconds before. Held to the named zones, or else the whole picture, always without zones of kind
    `bench`.

    Detectors lose people who lie. One who was seen lying is therefore held at the place for 6 s of looks (3 s
    if somebody upright newly appears there), the score decaying with a time constant of 12 s, and taken up
    again by any track that lies there. While the detector rests, nothing changes. Standing height comes from
    the same person just before, or from people who walked or stood in that part of the picture.
    """

    behaviour = Behaviour.PERSON_DOWN

    def __init__(self, settings: PersonDownSettings) -> None:
        self._settings = settings
        self._heights = StandingHeights()
        self._upright: dict[int, tuple[float, float]] = {}
        self._up: dict[int, _Up] = {}
        self._fallen: list[_Fallen] = []
        self._count = 0
        self._looked_s: float | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal for each person who lies or seems to."""
        if scene.feed is Feed.LOST:
            self._fallen.clear()
            self._looked_s = None
            return ()
        if self._looked_s is not None and scene.time_s < self._looked_s:
            # The clock was set back: nobody can lie since a time to come.
            self._fallen.clear()
            self._upright.clear()
            self._up.clear()
            self._looked_s = None
        if scene.detected:
            self._follow(scene)
        return [
            Signal(
                behaviour=self.behaviour,
                time_s=scene.time_s,
                score=fallen.level,
                box=scene.normalised_box(fallen.box),
                people=1,
                subject=fallen.subject,
                reason=Reason("person_down.fell" if fallen.fell else "person_down.lying"),
                since_s=fallen.since_s,
                hold_s=self._settings.fall_s if fallen.fell else None,
                # Who was seen to fall is a person, however still they lie.
                fixed_since_s=frozenset(
                    () if fallen.fell or fallen.fixed_since_s is None else (fallen.fixed_since_s,)
                ),
            )
            for fallen in self._fallen
        ]

    def _follow(self, scene: Scene) -> None:
        """Bring those who lie up to date with the people seen now."""
        elapsed_s = (
            0.0 if self._looked_s is None else min(LONGEST_STEP_S, max(0.0, scene.time_s - self._looked_s))
        )
        self._looked_s = scene.time_s
        seen = scene.seen
        missed = list(self._fallen)
        for track in seen:
            score = self._lying(scene, track)
            found = take_up(missed, [track], _who_lies if score >= SEEMS_TO_LIE else _same_track)
            for fallen, _ in found:
                fallen.level += (score - fallen.level) * (1.0 - exp(-elapsed_s / SMOOTHING_S))
                fallen.track_id, fallen.seen_s, fallen.missed_s = track.id, scene.time_s, 0.0
                fallen.fixed_since_s = track.fixed_since_s
                if score >= SEEMS_TO_LIE:
                    fallen.box = track.box
            if not found and score >= SEEMS_TO_LIE:
                self._add(scene, track, score)
            if score <= UP:
                up = self._up.setdefault(track.id, _Up(scene.time_s, scene.time_s, track.box))
                up.last_s, up.box = scene.time_s, track.box
        for fallen in missed:
            fallen.missed_s += elapsed_s
            fallen.level *= exp(-elapsed_s / FADING_S)
        self._fallen = [fallen for fallen in self._fallen if self._holds(fallen, seen)]
        self._remember(scene, seen)

    def _lying(self, scene: Scene, track: Track) -> float:
        """How surely a track lies where it should not."""
        middle = scene.normalised(track.box.centre)
        ground = foot(scene, track.box)
        if any(zone.contains(middle) or zone.contains(ground) for zone in watched(scene, (), BENCH)):
            return 0.0
        names = self._settings.zones
        if names and not any(
            zone.contains(middle) or zone.contains(ground) for zone in watched(scene, names)
        ):
            return 0.0
        if track.turned:
            return TURNED
        own = self._upright.get(track.id)
        standing = own[1] if own is not None else self._heights.at(ground[1])
        return lying(
            track.box,
            track.keypoints,
            standing,
            cut_off=_cut_off(scene, track.box),
            seen_upright=own is not None,
        )

    def _add(self, scene: Scene, track: Track, score: float) -> None:
        self._count += 1
        self._fallen.append(
            _Fallen(
                subject=str(self._count),
                track_id=track.id,
                box=track.box,
                since_s=scene.time_s,
                seen_s=scene.time_s,
                level=score / 2,
                fell=any(
                    scene.time_s - up.last_s <= FELL_WITHIN_S and up.last_s - up.since_s >= UP_FOR_S
                    for track_id, up in self._up.items()
                    if track_id == track.id or _goes_on(up, track, scene.time_s)
                ),
            )
        )

    def _holds(self, fallen: _Fallen, seen: Sequence[Track]) -> bool:
        if fallen.level < GONE:
            return False
        replaced = any(
            track.born_s >= fallen.seen_s
            and upright(track.box, track.keypoints)
            and _same_place(fallen.box, track.box)
            for track in seen
        )
        return fallen.missed_s <= (HOLD_WHEN_REPLACED_S if replaced else HOLD_S)

    def _remember(self, scene: Scene, seen: Sequence[Track]) -> None:
        """Learn standing heights from those who are upright now."""
        for track in seen:
            if _cut_off(scene, track.box) or not upright(track.box, track.keypoints):
                continue
            height = track.box.height
            self._upright[track.id] = (scene.time_s, height)
            if hypot(*track.velocity) > WALKS * height or track.box.width <= SLIM * height:
                self._heights.learn(foot(scene, track.box)[1], height)
        self._upright = {
            track_id: entry
            for track_id, entry in self._upright.items()
            if scene.time_s - entry[0] <= OWN_HEIGHT_S
        }
        self._up = {
            track_id: up
            for track_id, up in self._up.items()
            if 0.0 <= scene.time_s - up.last_s <= FELL_WITHIN_S
        }


def _same_track(fallen: _Fallen, track: Track) -> float | None:
    return 0.0 if fallen.track_id == track.id else None


def _who_lies(fallen: _Fallen, track: Track) -> float | None:
    """0 for the fallen person's own track, 1 for another that lies in the same place."""
    if fallen.track_id == track.id:
        return 0.0
    return 1.0 if _same_place(fallen.box, track.box) else None


def _goes_on(up: _Up, track: Track, time_s: float) -> bool:
    """Whether a track that lies may be somebody who was up and is not seen any more."""
    reach = FALL_REACH * max(up.box.height, track.box.width)
    apart = hypot(up.box.centre[0] - track.box.centre[0], up.box.centre[1] - track.box.centre[1])
    return up.last_s < time_s and track.born_s >= up.last_s and apart <= reach


def _same_place(a: Box, b: Box) -> bool:
    reach = SAME_PLACE_REACH * max(a.width, a.height, b.width, b.height)
    return a.iou(b) >= SAME_PLACE_IOU or hypot(a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]) <= reach


def _cut_off(scene: Scene, box: Box) -> bool:
    """Whether the picture's edge cuts the box off, at the bottom or at a side."""
    margin = EDGE * scene.height
    return box.bottom >= scene.height - margin or box.left <= margin or box.right >= scene.width - margin


SPEC = AnalyserSpec(
    id=Behaviour.PERSON_DOWN,
    settings=PersonDownSettings,
    factory=PersonDownAnalyser,
    family="violence",
    rank=30,
    severity=Severity(3, long_s=60.0, after_violence=True),
    needs=frozenset({Need.POSE}),
    words=shipped("person_down"),
    by_default=True,
    budgeted=True,
)
