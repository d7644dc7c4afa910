"""Are there more people in a place than its limit allows, or will there be soon?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.crowd.forecast import Forecast, Reach
from tynysh.geometry import Box, enclosing
from tynysh.scene.crowd import PICTURE, Estimate, PlaceCrowd
from tynysh.scene.places import foot, watched
from tynysh.scene.scene import Feed, Scene
from tynysh.scene.zone import Zone

WINDOW_S = 5.0
FULL_LOOKS = 4
"""With fewer looks of the detector in the window than this, a count is less certain."""

USUAL_LIMIT = 30
"""Of the whole picture, where neither a limit nor a zone's capacity is given."""

SURE = 0.9
"""Chance of being over the limit in time from which a forecast counts."""

MOST_FORECAST = 0.62
"""Highest score that a forecast gives: what is there already outweighs it."""

FEW_LOOKS, MORE_LOOKS = 0.7, 0.3
"""How sure a count is however few looks it rests on, and how much more those of `FULL_LOOKS` make it."""


class CrowdingSettings(AnalyserSettings):
    """Settings of `crowding`."""

    release = 0.85
    release_s = 3.0

    min_duration_s: MinDuration = 2.0
    cooldown_s: Cooldown = 60.0
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            le=10000,
            title="Limit",
            description="Greatest number of people that the place is meant for; more are crowding. Left out: the "
            "capacity of each zone, and where no zone has one, 30 people in the picture.",
        ),
    ] = None
    forecast_min: Annotated[
        float,
        Field(
            ge=0.0,
            le=60.0,
            title="Forecast",
            description="Minutes ahead: a place that fills so fast that it will be over its limit by then is crowding "
            "already; 0 for no forecast.",
        ),
    ] = 5.0


@dataclass(frozen=True, slots=True)
class _Limited:
    """A place (None: the picture) and how many people it is meant for."""

    zone: Zone | None
    limit: int

    @property
    def name(self) -> str:
        return PICTURE if self.zone is None else self.zone.name


@dataclass(slots=True)
class _CountWindow:
    """Counts of one place over the last seconds: (time_s, people), at looks of the detector; and where they lead."""

    looks: deque[tuple[float, float]] = field(default_factory=deque)
    forecast: Forecast = field(default_factory=Forecast)

    def add(self, time_s: float, count: Estimate) -> None:
        self.forecast.observe(time_s, count)
        self.looks.append((time_s, count.value))
        while len(self.looks) > 1 and self.looks[0][0] < time_s - WINDOW_S:
            self.looks.popleft()

    def typical(self) -> int:
        """Median, the lower one of two."""
        ordered = sorted(people for _, people in self.looks)
        return round(ordered[(len(ordered) - 1) // 2])


class CrowdingAnalyser:
    """Holds the count of each place against its limit, now and as it will be in a few minutes.

    Places: the zones named in the settings; with none named those that have a capacity, and the whole picture where a
    limit is set or no zone has a capacity. The limit is the one set, else the zone's capacity.

    score = min(1, 0.6 n / (limit + 1)) · c, with n the median of the counts over the last 5 s (a person missed or
    doubled at some instants does not matter), and c = 0.7 + 0.3 min(1, looks / 4) for the certainty of few looks. So
    0.6 means one more than the limit, seen at four looks or more, and 1 means two thirds more. Detectors miss people in
    dense crowds: the count is a guess from below there.

    Or, if that is higher, min(0.62, 0.6 p / 0.9), with p the probability that more than the limit will be there
    `forecast_min` minutes from now (`crowd.forecast`: a local linear trend), which needs a minute of growth to tell.
    """

    behaviour = Behaviour.CROWDING

    def __init__(self, settings: CrowdingSettings) -> None:
        self._settings = settings
        self._counts: dict[str, _CountWindow] = {}
        self._last: tuple[Signal, ...] = ()
        self._looked_s: float | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per place; while the detector rests, what it last was."""
        if scene.feed is Feed.LOST or scene.crowd is None:
            self._forget()
            return ()
        if self._looked_s is not None and scene.crowd.time_s < self._looked_s:
            self._forget()
        places = self._places(scene)
        if scene.crowd.time_s != self._looked_s:
            self._looked_s = scene.crowd.time_s
            crowds = ((place, scene.crowd.place(place.name)) for place in places)
            self._last = tuple(
                self._score(scene, place, crowd) for place, crowd in crowds if crowd is not None
            )
        in_force = {None if place.zone is None else place.name for place in places}
        return [replace(signal, time_s=scene.time_s) for signal in self._last if signal.zone in in_force]

    def _forget(self) -> None:
        self._counts.clear()
        self._last = ()
        self._looked_s = None

    def _places(self, scene: Scene) -> list[_Limited]:
        settings = self._settings
        if settings.zones:
            return [
                _Limited(zone, settings.limit or zone.capacity or USUAL_LIMIT)
                for zone in watched(scene, settings.zones)
            ]
        places = [_Limited(zone, zone.capacity) for zone in scene.zones if zone.capacity is not None]
        if settings.limit is not None or not places:
            places.insert(0, _Limited(None, settings.limit or USUAL_LIMIT))
        return places

    def _score(self, scene: Scene, place: _Limited, crowd: PlaceCrowd) -> Signal:
        counts = self._counts.setdefault(place.name, _CountWindow())
        counts.add(scene.time_s, crowd.count)
        people, limit = counts.typical(), place.limit
        certainty = FEW_LOOKS + MORE_LOOKS * min(1.0, len(counts.looks) / FULL_LOOKS)
        score = min(1.0, AT_LIMIT * people / (limit + 1)) * certainty
        reason = Reason("crowding.count", {"people": people, "limit": limit})
        reach = (
            counts.forecast.reach(limit, 60 * self._settings.forecast_min)
            if self._settings.forecast_min
            else None
        )
        if reach is not None and (predicted := min(MOST_FORECAST, AT_LIMIT * reach.chance / SURE)) > score:
            score, reason = predicted, _forecast_reason(people, limit, reach)
        zone = place.zone
        inside = [
            track.box for track in scene.tracks if zone is None or zone.contains(foot(scene, track.box))
        ]
        box: Box | None = scene.normalised_box(enclosing(inside)) if inside else None
        name = None if zone is None else zone.name
        return Signal(
            behaviour=self.behaviour,
            time_s=scene.time_s,
            score=score,
            box=box,
            people=people,
            zone=name,
            subject=name or "",
            reason=reason,
        )


def _forecast_reason(people: int, limit: int, reach: Reach) -> Reason:
    values = {
        "people": people,
        "limit": limit,
        "minutes": round(reach.in_s / 60, 1),
        "earliest": round(reach.earliest_s / 60, 1),
        "latest": round(reach.latest_s / 60, 1),
    }
    return Reason("crowding.forecast", values)


SPEC = AnalyserSpec(
    id=Behaviour.CROWDING,
    settings=CrowdingSettings,
    factory=CrowdingAnalyser,
    family="crowd",
    rank=70,
    severity=Severity(2, long_s=300.0),
    words=shipped("crowding"),
)
