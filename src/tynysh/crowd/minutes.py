"""What was the crowd like, minute by minute?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from tynysh.scene.crowd import CrowdState, PlaceCrowd

MINUTE_S = 60

LONGEST_HOLD_S = 20.0
"""A state counts until the next one, but no longer than this: past it, nobody knows what the camera saw."""


MOST_WAITING = 20_000
"""Minutes of series that may wait to be taken; past that the oldest is let go."""


class SeriesKind(StrEnum):
    """What a row of minutes is of: a zone of a camera (or its whole picture), a line of a camera, a place of a site."""

    ZONE = "zone"
    LINE = "line"
    PLACE = "place"


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Whose minutes: of the zone, line or place `name` of `owner`, a camera's id, or a site's for places."""

    kind: SeriesKind
    owner: str
    name: str


class Measure(IntEnum):
    """The columns of `Minutes.figures`; NaN where a figure is not known.

    SEEN: seconds of the minute that somebody looked; the others speak of those. COUNT, LOW, HIGH: people, and the
    band they were in, means over time. MOST: the highest count. ROUGH: part of the time in which the count was rough,
    0..1. DENSITY, DENSEST: persons per square metre, mean and highest. SPEED: m/s, mean. PRESSURE: 1/s², highest.
    INS, OUTS: who crossed the line.
    """

    SEEN = 0
    COUNT = 1
    LOW = 2
    HIGH = 3
    MOST = 4
    ROUGH = 5
    DENSITY = 6
    DENSEST = 7
    SPEED = 8
    PRESSURE = 9
    INS = 10
    OUTS = 11


SUMS = (Measure.SEEN, Measure.INS, Measure.OUTS)
HIGHEST = (Measure.MOST, Measure.DENSEST, Measure.PRESSURE)
MEANS = (Measure.COUNT, Measure.LOW, Measure.HIGH, Measure.ROUGH, Measure.DENSITY, Measure.SPEED)


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """Figures of some minutes. Minutes in which nobody looked are not among them: they are not zero.

    at: (N,) int64, ascending: Unix time in minutes. figures: (N, len(Measure)) float64.
    """

    at: NDArray[np.int64]
    figures: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Minutes":
        """No minutes."""
        return cls(np.empty(0, np.int64), np.empty((0, len(Measure))))

    @classmethod
    def joined(cls, parts: Sequence["Minutes"]) -> "Minutes":
        """All of them in order of time; what is told of one minute in several parts becomes one."""
        if not parts:
            return cls.none()
        at = np.concatenate([part.at for part in parts])
        order = np.argsort(at, kind="stable")
        return by_step(cls(at[order], np.concatenate([part.figures for part in parts])[order]), 1)

    def between(self, begin: int, end: int) -> "Minutes":
        """Those from `begin` until before `end`, Unix minutes."""
        first, last = np.searchsorted(self.at, [begin, end])
        return Minutes(self.at[first:last], self.figures[first:last])

    def column(self, figure: Measure) -> NDArray[np.float64]:
        """One figure over all minutes, (N,)."""
        return self.figures[:, figure]


def by_step(minutes: Minutes, step: int, origin: int = 0) -> Minutes:
    """`minutes` summed up by steps of `step` minutes counted from `origin`: means weighted by the seconds seen, the
    highest of highest figures, sums of seconds and of crossings. `at` is the beginning of each step.
    """
    if not len(minutes.at):
        return minutes
    steps = (minutes.at - origin) // step * step + origin
    starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - step))
    if len(starts) == len(steps):
        return Minutes(steps, minutes.figures)
    known = ~np.isnan(minutes.figures)
    filled = np.where(known, minutes.figures, 0.0)
    weight = known * filled[:, [Measure.SEEN]]
    figures = np.full((len(starts), len(Measure)), np.nan)
    for figure in SUMS:
        total = np.add.reduceat(filled[:, figure], starts)
        figures[:, figure] = np.where(np.logical_or.reduceat(known[:, figure], starts), total, np.nan)
    for figure in MEANS:
        total = np.add.reduceat(weight[:, figure], starts)
        mean = np.add.reduceat(weight[:, figure] * filled[:, figure], starts) / np.where(
            total > 0, total, np.nan
        )
        figures[:, figure] = mean
    for figure in HIGHEST:
        figures[:, figure] = np.fmax.reduceat(minutes.figures[:, figure], starts)
    return Minutes(steps[starts], figures)


def trend(minutes: Minutes) -> float | None:
    """By how many people a minute the count rises (or falls, below zero): the slope of the straight line that fits
    best (least squares). None with fewer than five minutes.
    """
    count = minutes.column(Measure.COUNT)
    known = ~np.isnan(count)
    if known.sum() < 5:
        return None
    at = minutes.at[known] - minutes.at[known].mean()
    return float((at * count[known]).sum() / (at**2).sum())


class MinuteMeter:
    """Sums the states of one camera up by minutes, in order of time; depends on its arguments alone.

    owner: the camera's id. kind: what its states tell of: zones, or of a site, places.
    """

    def __init__(self, owner: str, kind: SeriesKind = SeriesKind.ZONE) -> None:
        self._owner = owner
        self._kind = kind
        self._state: CrowdState | None = None
        self._at_s = 0.0
        self._crossed: dict[str, tuple[int, int]] = {}
        self._sums: dict[tuple[int, Series], _Sums] = {}

    def observe(self, state: CrowdState, time_s: float) -> None:
        """`state` is in force from `time_s` (Unix seconds) on."""
        self._hold(time_s)
        self._state, self._at_s = state, time_s
        for line in state.lines:
            ins, outs = self._crossed.get(line.name, (0, 0))
            self._crossed[line.name] = (line.ins, line.outs)
            series = Series(SeriesKind.LINE, self._owner, line.name)
            self._of(int(time_s // MINUTE_S), series).cross(line.ins - ins, line.outs - outs)

    def pause(self, time_s: float) -> None:
        """Nobody looks from `time_s` on, until the next state."""
        self._hold(time_s)
        self._state = None

    def take(self, before: int) -> Mapping[Series, Minutes]:
        """The minutes before `before` (Unix minutes), once: they are forgotten here."""
        taken: dict[Series, list[tuple[int, _Sums]]] = {}
        for key in sorted(key for key in self._sums if key[0] < before):
            taken.setdefault(key[1], []).append((key[0], self._sums.pop(key)))
        return {
            series: Minutes(
                np.array([at for at, _ in found], np.int64), np.array([sums.figures() for _, sums in found])
            )
            for series, found in taken.items()
        }

    def _of(self, minute: int, series: Series) -> "_Sums":
        found = self._sums.get((minute, series))
        if found is None:
            if len(self._sums) >= MOST_WAITING:
                del self._sums[next(iter(self._sums))]
            found = self._sums[minute, series] = _Sums()
        return found

    def _hold(self, until_s: float) -> None:
        if self._state is None:
            return
        until_s = min(until_s, self._at_s + LONGEST_HOLD_S)
        while self._at_s < until_s:
            minute = int(self._at_s // MINUTE_S)
            end_s = min(until_s, float((minute + 1) * MINUTE_S))
            for place in self._state.places:
                self._of(minute, Series(self._kind, self._owner, place.name)).hold(place, end_s - self._at_s)
            for line in self._state.lines:
                self._of(minute, Series(SeriesKind.LINE, self._owner, line.name)).seen_s += end_s - self._at_s
            self._at_s = end_s


class _Sums:
    """One minute of one series while it runs."""

    def __init__(self) -> None:
        self.seen_s = 0.0
        self._sums = dict.fromkeys(MEANS, 0.0)
        self._weights = dict.fromkeys(MEANS, 0.0)
        self._highest = dict.fromkeys(HIGHEST, np.nan)
        self._crossed: tuple[int, int] | None = None

    def hold(self, place: PlaceCrowd, seconds: float) -> None:
        """`place` was so for `seconds`."""
        self.seen_s += seconds
        count, density = place.count, None if place.density is None else place.density.value
        means = (count.value, count.low, count.high, float(place.rough), density, place.speed)
        for figure, mean in zip(MEANS, means, strict=True):
            if mean is not None:
                self._sums[figure] += mean * seconds
                self._weights[figure] += seconds
        for figure, highest in zip(HIGHEST, (count.value, density, place.pressure), strict=True):
            if highest is not None and not highest <= self._highest[figure]:
                self._highest[figure] = highest

    def cross(self, ins: int, outs: int) -> None:
        """So many more crossed."""
        before = self._crossed or (0, 0)
        self._crossed = (before[0] + max(0, ins), before[1] + max(0, outs))

    def figures(self) -> NDArray[np.float64]:
        """The minute's row of `Minutes.figures`."""
        row = np.full(len(Measure), np.nan)
        for figure, weight in self._weights.items():
            if weight > 0:
                row[figure] = self._sums[figure] / weight
        for figure, highest in self._highest.items():
            row[figure] = highest
        row[Measure.SEEN] = self.seen_s
        if self._crossed is not None:
            row[[Measure.INS, Measure.OUTS]] = self._crossed
        return row
