"""Is a crowd so dense, or does it press so much, that people may be crushed?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Annotated

import numpy as np
from pydantic import Field

from tynysh.behaviour.scores import AT_LIMIT
from tynysh.behaviour.settings import AnalyserSettings, Cooldown, MinDuration
from tynysh.behaviour.signal import Behaviour, Reason, Signal
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped
from tynysh.geometry import Box
from tynysh.scene.crowd import PICTURE, CrowdState, PlaceCrowd
from tynysh.scene.places import watched
from tynysh.scene.scene import Feed, Scene

WINDOW_S = 1.5
"""Seconds over whose looks the median counts."""

TURBULENT_FROM = 0.8
"""Part of the density limit from which pressure counts: in thinner crowds people only walk differently."""

MOST_PRESSURE = 1.6
"""What pressure counts for at most, in multiples of its limit."""

THRONG = 0.8
"""Part of the highest density from which cells are shown as the throng."""


class CrushRiskSettings(AnalyserSettings):
    """Settings of `crush_risk`."""

    release = 0.85
    release_s = 3.0

    min_duration_s: MinDuration = 1.0
    cooldown_s: Cooldown = 30.0
    density: Annotated[
        float,
        Field(
            ge=1.0,
            le=10.0,
            title="Density",
            description="Persons per square metre that at least ten people bear, from which a crowd may crush them.",
        ),
    ] = 5.0
    pressure: Annotated[
        float,
        Field(
            ge=0.01,
            le=1.0,
            title="Pressure",
            description="Crowd pressure, 1/s², from which a crowd of four fifths of that density is turbulent.",
        ),
    ] = 0.04


class CrushRiskAnalyser:
    """Watches local density and crowd pressure, on known ground only.

    score = 0.6 max(d / D, min(p / P, 1.6) · [d ≥ 0.8 D]), at most 1, with d the local density that at least ten people
    bear (persons/m²) and p the crowd pressure (1/s²), each the median over the last 1.5 s.

    D = 5: people touch all round from 4 to 5 a square metre on, and no longer choose where they go (Fruin: The causes
    and prevention of crowd disasters, 1993; Still: Introduction to Crowd Science, 2014, on moving crowds). P: Helbing,
    Johansson and Al-Abideen (2007) saw turbulence from 0.02/s² on; 0.04, because what jitters in boxes reaches 0.02 in
    a calm crowd of four a square metre (docs/developer/crowd.md).
    """

    behaviour = Behaviour.CRUSH_RISK

    def __init__(self, settings: CrushRiskSettings) -> None:
        self._settings = settings
        self._looks: dict[str, deque[tuple[float, float, float]]] = {}
        self._last: tuple[Signal, ...] = ()
        self._looked_s: float | None = None

    def observe(self, scene: Scene) -> Sequence[Signal]:
        """One signal per named zone in force, or one for the picture; none without a ground known well enough."""
        crowd, ground = scene.crowd, scene.ground
        if scene.feed is Feed.LOST or crowd is None or ground is None or not ground.trusted:
            self._looks.clear()
            self._last = ()
            self._looked_s = None
            return ()
        if crowd.time_s != self._looked_s:
            self._looked_s = crowd.time_s
            names = (
                [zone.name for zone in watched(scene, self._settings.zones)]
                if self._settings.zones
                else [PICTURE]
            )
            places = [place for name in names if (place := crowd.place(name)) is not None]
            self._last = tuple(self._score(crowd, place) for place in places)
        return [
            replace(signal, time_s=scene.time_s)
            for signal in self._last
            if signal.zone is None or scene.zone(signal.zone) is not None
        ]

    def _score(self, crowd: CrowdState, place: PlaceCrowd) -> Signal:
        looks = self._looks.setdefault(place.name, deque())
        looks.append((crowd.time_s, place.densest or 0.0, place.pressure or 0.0))
        while not 0.0 <= crowd.time_s - looks[0][0] <= WINDOW_S:
            looks.popleft()
        density = median(density for _, density, _ in looks)
        pressure = median(pressure for _, _, pressure in looks)
        by_density = density / self._settings.density
        by_pressure = (
            min(pressure / self._settings.pressure, MOST_PRESSURE) if by_density >= TURBULENT_FROM else 0.0
        )
        key = "crush_risk.density" if by_density >= by_pressure else "crush_risk.pressure"
        name = None if place.name == PICTURE else place.name
        return Signal(
            behaviour=self.behaviour,
            time_s=crowd.time_s,
            score=min(1.0, AT_LIMIT * max(by_density, by_pressure)),
            box=_throng(crowd, density),
            people=round(place.count.value),
            zone=name,
            subject=name or "",
            reason=Reason(key, {"density": round(density, 1), "pressure": round(pressure, 2)}),
        )


def _throng(crowd: CrowdState, density: float) -> Box | None:
    """Around the cells of the map that are nearly as dense as that; None where there are none."""
    if crowd.density_map is None or density <= 0:
        return None
    cells = crowd.density_map.cells
    rows, columns = np.nonzero(cells >= THRONG * density)
    if not len(rows):
        return None
    height, width = cells.shape
    return Box(
        float(columns.min() / width),
        float(rows.min() / height),
        float((columns.max() + 1) / width),
        float((rows.max() + 1) / height),
    )


SPEC = AnalyserSpec(
    id=Behaviour.CRUSH_RISK,
    settings=CrushRiskSettings,
    factory=CrushRiskAnalyser,
    family="crowd",
    rank=10,
    severity=Severity(4),
    words=shipped("crush_risk"),
    by_default=True,
)
