"""Are there more people in a place than its limit allows?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.places import foot, watched
from tynysh.behaviour.scene import Feed, Scene, Zone
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.geometry import Box, enclosing

WINDOW_S = 5.0
FULL_LOOKS = 4
"""With fewer looks of the detector in the window than this, a count is less certain."""


class CrowdingSettings(AnalyserSettings):
    """Settings of `crowding`."""

    release = 0.85
    release_s = 3.0

    min_duration_s: MinDuration = 2.0
    cooldown_s: Cooldown = 60.0
    limit: Annotated[
        int,
        Field(
            ge=1,
            le=10000,
            title="Limit",
            description="Greatest number of people that the place is meant for; more are crowding.",
        ),
    ] = 30


@dataclass(slots=True)
class _Counts:
    """Head counts of one place over the last seconds: (time_s, people), at looks of the detector."""

    looks: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, time_s: float, people: int) -> None:
        self.looks.append((time_s, people))
        while len(self.looks) > 1 and self.looks[0][0] < time_s - WINDOW_S:
            self.looks.popleft()

    def typical(self) -> int:
        """Median, the lower one of two."""
        ordered = sorted(people for _, people in self.looks)
        return ordered[(len(ordered) - 1) // 2]


class CrowdingAnalyser:
    """Counts people by where their feet are, against a limit, in each named zone or else in the whole
    picture.

    score = min(1, 0.6 n / (limit + 1)) · c, with n the median of the counts over the last 5 s (a person
    missed or doubled at some instants does not matter), and c = 0.7 + 0.3 min(1, looks / 4) for the certainty
    of few looks. So 0.6 means one more than the limit, seen at four looks or more, and 1 means two thirds
    more. Detectors miss people in dense
    crowds: the count is a lower bound there.
    """

    behaviour = Behaviour.CROWDING
    wants_pose = False

    def __init__(self, settings: CrowdingSettings) -> None:
        self._settings = settings
        self._counts: dict[str | None, _Counts] = {}
        self._last: tuple[Signal, ...] = ()

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per zone, or one for the picture; while the detector rests, what it last was."""
        if scene.feed is Feed.LOST:
            self._counts.clear()
            self._last = ()
            return ()
        zones: Sequence[Zone | None] = (None,)
        if self._settings.zones:
            zones = watched(scene, self._settings.zones)
        if scene.detected:
            self._last = tuple(self._score(scene, zone) for zone in zones)
        in_force = {None if zone is None else zone.name for zone in zones}
        return [replace(signal, time_s=scene.time_s) for signal in self._last if signal.zone in in_force]

    def _score(self, scene: Scene, zone: Zone | None) -> Signal:
        inside = [
            track.box for track in scene.tracks if zone is None or zone.contains(foot(scene, track.box))
        ]
        name = None if zone is None else zone.name
        counts = self._counts.setdefault(name, _Counts())
        counts.add(scene.time_s, len(inside))
        people, limit = counts.typical(), self._settings.limit
        certainty = 0.7 + 0.3 * min(1.0, len(counts.looks) / FULL_LOOKS)
        box: Box | None = scene.normalised_box(enclosing(inside)) if inside else None
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=min(1.0, 0.6 * people / (limit + 1)) * certainty,
            box=box,
            people=people,
            zone=name,
            subject=name or "",
            reason=Reason("crowding.count", {"people": people, "limit": limit}),
        )
