"""Is somebody where nobody may be: in a forbidden zone, over a line, up on a protected object? Was that one changed?"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from tynysh.behaviour.climbing import Climbing
from tynysh.behaviour.scores import AT_LIMIT, ramp
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration, ZoneName
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.behaviour.stays import GRACE_S, TOGETHER_S, Stays, fixed, party_subject
from tynysh.geometry import enclosing
from tynysh.scene.need import Need
from tynysh.scene.places import (
    OBJECT,
    PROTECTED,
    foot,
    from_line,
    known_feet,
    objects,
    stands,
    watched,
)
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Line, Zone

WINDOW_S = 1.0
YOUNG_S = 0.3
"""A track younger than this may be a mistake of the detector."""

CROSSED_S = 2.0
"""Seconds for which somebody who crossed a line is told of."""

TRACK_SCORE = 0.2, 0.5
"""Scores of tracks that do not count at all, and that count fully."""


class IntrusionSettings(AnalyserSettings):
    """Settings of `intrusion`. When a zone is forbidden only at some hours, its schedule says so."""

    min_duration_s: MinDuration = 0.8
    cooldown_s: Cooldown = 30.0
    lines: Annotated[
        tuple[ZoneName, ...],
        Field(
            max_length=16,
            title="Lines",
            description="Names of the camera's lines that nobody may cross.",
        ),
    ] = ()
    direction: Annotated[
        Literal["in", "out", "both"],
        Field(
            title="Direction",
            description="Which way nobody may cross the lines: `in` their direction, `out` against it, or `both`.",
        ),
    ] = "both"
    changed_s: Annotated[
        float,
        Field(
            ge=5.0,
            le=3600.0,
            title="Changed after",
            description="Seconds for which a protected object (a zone of kind `object`) must look otherwise than "
            "before people were near it: something left, sprayed, thrown or taken.",
        ),
    ] = 20.0


class IntrusionAnalyser:
    """Notices people where they may not be, in the named zones, or else in those of kind `protected` and `object`.

    - In a `protected` zone (or a named one of another kind): the feet are inside. Feet, because a body that covers a
      zone from the camera's view may stand before it; from pose where there is one.
    - On an `object`: the feet are up on it (`Climbing`).
    A person's score is the mean of this over the last second's looks, where without pose a look counts half if only
    one side of the box's foot was inside, times the certainty of the detection (0 below 0.2, 1 from 0.5). A
    party's score is that of its most certain person; who comes later is another party (`behaviour.stays`).
    - Over a named line, in the watched direction, as the line is counted (`crowd.gates`): 1 for two seconds. Who
      crosses it when that is over is told anew.
    - An `object` that looks otherwise than before people were near it (`perception.object_surface`):
      min(1, 0.6 t / changed_s), t the seconds since that was seen.
    """

    behaviour = Behaviour.INTRUSION

    def __init__(self, settings: IntrusionSettings) -> None:
        self._settings = settings
        self._looks: dict[tuple[str, int], deque[tuple[float, float]]] = {}
        self._climbing = Climbing()
        self._stays: dict[tuple[str, str], Stays] = {}
        self._crossed: dict[str, int] = {}
        self._crossings: dict[str, Signal] = {}
        self._parties: dict[str, tuple[int, float]] = {}
        self._last: tuple[Signal, ...] = ()

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per line, per zone in force and party there, and one more per object."""
        if scene.feed is Feed.LOST:
            self._looks.clear()
            self._crossed.clear()
            self._crossings.clear()
            self._last = ()
            return ()
        names = self._settings.zones
        forbidden = tuple(zone for zone in watched(scene, names, PROTECTED) if zone.kind != OBJECT)
        things = objects(scene, names)
        if scene.detected:
            self._forget(scene)
            self._climbing.learn(scene)
            self._last = (
                *(signal for zone in forbidden for signal in self._scores(scene, zone, _inside, "zone")),
                *(
                    signal
                    for zone in things
                    for signal in self._scores(scene, zone, self._climbing.score, "climbing")
                ),
            )
        in_force = {zone.name for zone in (*forbidden, *things)}
        held = [replace(signal, time_s=scene.time_s) for signal in self._last if signal.zone in in_force]
        lines = [line for line in scene.lines if line.name in self._settings.lines]
        return [
            *held,
            *(self._line(scene, line) for line in lines),
            *(self._changed(scene, zone) for zone in things),
        ]

    def _scores(
        self, scene: Scene, zone: Zone, certainty_of: Callable[[Scene, Zone, Track], float], what: str
    ) -> Iterator[Signal]:
        """One signal for each party at the place."""
        certainties = [self._certainty(scene, zone, track, certainty_of) for track in scene.tracks]
        stays = self._stays.setdefault((zone.name, what), Stays())
        # Who hovers about the border is the same intruder for as long as no further event of theirs is wanted.
        kept = stays.observe(
            scene,
            [certainty > 0.0 for certainty in certainties],
            keep_s=max(GRACE_S, self._settings.cooldown_s),
        )
        parties = {stay.track_id: stay.party for stay in kept}
        for number, party in stays.parties().items():
            found = [
                (certainty, track.box)
                for track, certainty in zip(scene.tracks, certainties, strict=True)
                if certainty > 0.0 and parties[track.id] == number
            ]
            boxes = [box for _, box in found]
            yield Signal(
                behaviour=self.behaviour,
                time_s=scene.time_s,
                score=max((certainty for certainty, _ in found), default=0.0),
                box=scene.normalised_box(enclosing(boxes)) if boxes else None,
                people=len(boxes),
                zone=zone.name,
                subject=party_subject(what, number),
                reason=Reason(f"intrusion.{what}", {"people": len(boxes), "zone": zone.name}),
                fixed_since_s=fixed([stay for stay in party if stay.last_s == scene.time_s]),
            )

    def _certainty(
        self, scene: Scene, zone: Zone, track: Track, certainty_of: Callable[[Scene, Zone, Track], float]
    ) -> float:
        """How surely somebody is where nobody may be."""
        certainty = self._lately(zone, track, certainty_of(scene, zone, track), scene.time_s)
        return certainty * ramp(track.score, *TRACK_SCORE) if scene.time_s - track.born_s >= YOUNG_S else 0.0

    def _line(self, scene: Scene, line: Line) -> Signal:
        """What `line` counts more than before, of those who went the watched way."""
        ways = {"in": (1, 0), "out": (0, 1), "both": (1, 1)}[self._settings.direction]
        more = 0
        for count in () if scene.crowd is None else scene.crowd.lines:
            if count.name == line.name:
                total = ways[0] * count.ins + ways[1] * count.outs
                more = total - self._crossed.get(line.name, total)
                self._crossed[line.name] = total
        last = self._crossings.get(line.name)
        if more <= 0 and last is not None and 0.0 <= scene.time_s - (last.since_s or 0.0) <= CROSSED_S:
            return replace(last, time_s=scene.time_s)
        number, began_s = self._parties.get(line.name, (1, scene.time_s))
        if more > 0:
            ongoing = last is not None and 0.0 <= scene.time_s - (last.since_s or 0.0) <= CROSSED_S
            if last is not None and not (ongoing and 0.0 <= scene.time_s - began_s <= TOGETHER_S):
                number, began_s = number + 1, scene.time_s
            self._parties[line.name] = (number, began_s)
        nearest = min(scene.tracks, key=lambda track: from_line(scene, line, track), default=None)
        signal = Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=float(more > 0),
            box=None if nearest is None or more <= 0 else scene.normalised_box(nearest.box),
            people=max(0, more),
            zone=line.name,
            subject=party_subject("line", number),
            reason=Reason("intrusion.line", {"people": max(0, more), "line": line.name}),
            since_s=scene.time_s if more > 0 else None,
        )
        if more > 0:
            self._crossings[line.name] = signal
        return signal

    def _changed(self, scene: Scene, zone: Zone) -> Signal:
        change = scene.surfaces.get(zone.name)
        lasted_s = 0.0 if change is None else scene.time_s - change.since_s
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=min(1.0, AT_LIMIT * lasted_s / self._settings.changed_s),
            box=None if change is None else change.box,
            zone=zone.name,
            subject="changed",
            reason=Reason("intrusion.changed", {"zone": zone.name, "seconds": round(lasted_s)}),
            since_s=None if change is None else change.since_s,
        )

    def _lately(self, zone: Zone, track: Track, now: float, time_s: float) -> float:
        """The mean over the last second, with what is so now."""
        looks = self._looks.setdefault((zone.name, track.id), deque())
        looks.append((time_s, now))
        return sum(share for _, share in looks) / len(looks)

    def _forget(self, scene: Scene) -> None:
        for key, looks in list(self._looks.items()):
            while looks and not 0.0 <= scene.time_s - looks[0][0] <= WINDOW_S:
                looks.popleft()
            if not looks:
                del self._looks[key]


def _inside(scene: Scene, zone: Zone, track: Track) -> float:
    """Which part of the feet is inside the zone."""
    if len(known_feet(track)) == 2:
        return float(zone.contains(stands(scene, track)))
    box = track.box
    sides = (box._replace(right=box.centre[0]), box._replace(left=box.centre[0]))
    return sum(zone.contains(foot(scene, side)) for side in sides) / len(sides)


SPEC = AnalyserSpec(
    id=Behaviour.INTRUSION,
    settings=IntrusionSettings,
    factory=IntrusionAnalyser,
    family="trespass",
    rank=60,
    severity=Severity(2, many=5),
    needs=frozenset({Need.POSE, Need.SURFACES}),
    words=shipped("intrusion"),
)
