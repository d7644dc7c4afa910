"""What is known of the crowd on one camera, look by look?"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.counting import Z95, Counter
from tynysh.crowd.density import RADIUS_M, Floor, counted_map, kernel, metric_map, radius
from tynysh.crowd.flow import flow
from tynysh.crowd.gates import Gates
from tynysh.crowd.pressure import PressureField
from tynysh.crowd.service_level import service_level
from tynysh.crowd.track_stitching import TrackStitcher
from tynysh.crowd.walkers import VelocityEstimator
from tynysh.geometry import Floats, Polygon, contains_each
from tynysh.scene.crowd import PICTURE, CrowdState, DensityMap, Estimate, PlaceCrowd
from tynysh.scene.ground import Ground
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene
from tynysh.scene.walkers import Walkers
from tynysh.scene.zone import Zone

WHOLE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""The whole picture as a polygon."""

LEVEL_WINDOW_S = 5.0
"""Seconds over which density and standing are averaged for the level of service."""

DENSEST = 10
"""People who must bear a local density before it is called the place's."""

HIGH = 0.9
"""Quantile of the pressures in the crowded part of a place that is called the place's: the very highest is chance."""

MOST_MISSED = 2.0
"""Local densities are raised by as many people as the count says were missed, but at most to this multiple."""

Booleans = NDArray[np.bool_]


@dataclass(slots=True)
class _RecentDensity:
    """Density and part standing of one place over the last seconds: (time_s, density, stopped)."""

    looks: deque[tuple[float, float, float | None]] = field(default_factory=deque)

    def means(self, time_s: float, density: float, stopped: float | None) -> tuple[float, float | None]:
        """Both over `LEVEL_WINDOW_S`, this look taken in."""
        self.looks.append((time_s, density, stopped))
        while time_s - self.looks[0][0] > LEVEL_WINDOW_S:
            self.looks.popleft()
        standing = [part for _, _, part in self.looks if part is not None]
        mean = sum(value for _, value, _ in self.looks) / len(self.looks)
        return mean, sum(standing) / len(standing) if standing else None


@dataclass(frozen=True, slots=True, eq=False)
class _Local:
    """What is known place by place of the floor. density: (N,) that each person bears, of themselves and their
    neighbours. pressure: (C,) at the cells of `floor`.
    """

    floor: Floor
    density: Floats
    pressure: Floats


class CrowdMeter:
    """Measures one camera's crowd from its scenes, in order of time; depends on its arguments alone."""

    def __init__(self) -> None:
        self._state: CrowdState | None = None
        self._counter = Counter()
        self._stitcher = TrackStitcher()
        self._velocities = VelocityEstimator()
        self._gates = Gates()
        self._recent: dict[str, _RecentDensity] = {}
        self._ground: Ground | None = None
        self._floor: Floor | None = None
        self._pressure = PressureField(0)
        self._areas: dict[Polygon, float | None] = {}

    def observe(self, scene: Scene, persons: Sequence[Person] | None) -> CrowdState | None:
        """The crowd at `scene` (whose own `crowd` is not set yet); between looks of the detector the last one.

        persons: what the detector found at this instant, None if it did not look. None while nothing is known.
        """
        if persons is None:
            return self._state
        if self._state is not None and scene.time_s < self._state.time_s:
            self.lost()
        counts = self._counter.observe(scene, persons)
        walkers, seen = self._walkers(scene)
        aspect = scene.width / scene.height
        lines = self._gates.observe(
            scene.time_s,
            scene.lines,
            walkers.numbers[seen],
            walkers.feet[seen],
            walkers.heights[seen],
            aspect=aspect,
        )
        density_map, local = self._maps(scene, walkers)
        places = [self._place(scene, PICTURE, None, counts, walkers, local)]
        places += [self._place(scene, zone.name, zone, counts, walkers, local) for zone in scene.zones]
        self._state = CrowdState(scene.time_s, tuple(places), lines, density_map, walkers)
        return self._state

    def lost(self) -> None:
        """There are no pictures: nothing is known of the crowd any more, but for who has crossed the lines so far."""
        self._state = None
        self._counter = Counter()
        self._stitcher, self._velocities = TrackStitcher(), VelocityEstimator()
        self._gates.forget_people()
        self._recent.clear()
        self._ground = self._floor = None

    def _walkers(self, scene: Scene) -> tuple[Walkers, Booleans]:
        """The people of the scene, and which of them were seen at this look."""
        tracks = scene.tracks
        numbers = self._stitcher.observe(scene.time_s, tracks)
        boxes = np.array([track.box for track in tracks], dtype=np.float64).reshape(-1, 4)
        scaled = boxes / (scene.width, scene.height, scene.width, scene.height)
        feet = np.column_stack([(scaled[:, 0] + scaled[:, 2]) / 2, scaled[:, 3]]).clip(0.0, 0.999)
        seen = (numbers > 0) & np.array([track.seen(scene.time_s) for track in tracks], dtype=np.bool_)
        walkers = self._velocities.observe(
            scene.time_s,
            numbers,
            feet,
            scaled[:, 3] - scaled[:, 1],
            seen,
            ground=scene.ground,
            aspect=scene.width / scene.height,
        )
        return walkers, seen

    def _maps(self, scene: Scene, walkers: Walkers) -> tuple[DensityMap, _Local | None]:
        if scene.ground is None:
            return counted_map(walkers), None
        if self._floor is None or scene.ground is not self._ground:
            before, self._ground, self._floor = self._floor, scene.ground, Floor(scene.ground)
            self._areas.clear()
            # A ground that is learnt changes a little now and then: what is known of the same cells goes on.
            if before is None or not np.array_equal(before.cells, self._floor.cells):
                self._pressure = PressureField(len(self._floor.cells))
        floor = self._floor
        # People above the horizon are nowhere on the floor: so far off that no kernel reaches them.
        feet = np.where(np.isfinite(walkers.floor), walkers.floor, 1e6)
        wide = radius(feet)
        close = kernel(floor.places, feet, RADIUS_M)
        shown = close if wide == RADIUS_M else kernel(floor.places, feet, wide)
        pressure = self._pressure.observe(scene.time_s, close, walkers)
        borne = kernel(feet, feet, RADIUS_M).sum(axis=1)
        return metric_map(floor, shown.sum(axis=1)), _Local(floor, borne, pressure)

    def _place(
        self,
        scene: Scene,
        name: str,
        zone: Zone | None,
        counts: Mapping[str, tuple[Estimate, bool]],
        walkers: Walkers,
        local: _Local | None,
    ) -> PlaceCrowd:
        count, rough = counts[name]
        inside = np.ones(len(walkers.feet), dtype=np.bool_)
        if zone is not None:
            inside = contains_each(zone.polygon, walkers.feet)
        moves = flow(walkers, inside)
        area_m2, error = self._area(scene.ground, zone)
        density, level = None, None
        if area_m2 is not None:
            density = _density(count, area_m2, error)
            recent = self._recent.setdefault(name, _RecentDensity())
            level = service_level(*recent.means(scene.time_s, density.value, moves.stopped))
        densest, pressure = None, None
        if local is not None:
            missed = min(MOST_MISSED, max(1.0, count.value / max(1, int(inside.sum()))))
            borne = np.sort(local.density[inside])
            densest = float(borne[-DENSEST]) * missed if len(borne) >= DENSEST else None
            cells = (
                local.pressure
                if zone is None
                else local.pressure[contains_each(zone.polygon, local.floor.middles)]
            )
            pressing = cells[cells > 0]
            pressure = (
                float(np.sort(pressing)[int(HIGH * (len(pressing) - 1))]) * missed if len(pressing) else 0.0
            )
        return PlaceCrowd(
            name=name,
            count=count,
            rough=rough,
            area_m2=area_m2,
            density=density,
            level=level,
            capacity=None if zone is None else zone.capacity,
            speed=moves.speed,
            heading=moves.heading,
            stopped=moves.stopped,
            counterflow=moves.counterflow,
            pressure=pressure,
            densest=densest,
        )

    def _area(self, ground: Ground | None, zone: Zone | None) -> tuple[float | None, float]:
        """The floor of a place in m², None where it is not known; and the relative standard error of that."""
        if zone is not None and zone.area_m2 is not None:
            return zone.area_m2, 0.0
        if ground is None:
            return None, 0.0
        polygon = WHOLE if zone is None else zone.polygon
        if polygon not in self._areas:
            self._areas[polygon] = ground.area_m2(polygon)
        return self._areas[polygon], 2 * ground.error


def _density(count: Estimate, area_m2: float, error: float) -> Estimate:
    """Persons/m², with the band of the count widened by that of the area (errors independent, first order)."""
    value = count.value / area_m2
    spread = Z95 * error * value
    low = value - float(np.hypot(count.value - count.low, spread * area_m2)) / area_m2
    high = value + float(np.hypot(count.high - count.value, spread * area_m2)) / area_m2
    return Estimate(value, max(0.0, low), high)
