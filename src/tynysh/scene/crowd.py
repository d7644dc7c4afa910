"""What is known of a crowd at one instant: the same figures for analysers, counts files, the API and history."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tynysh.scene.walkers import Walkers

PICTURE = "picture"
"""The name under which the whole picture is counted, beside the camera's zones."""


class ServiceLevel(StrEnum):
    """Level of service of a walkway or a place, from free (A) to packed (F), after Fruin (1971)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the band in which it lies in 95 of 100 cases.

    value: the best guess. low, high: the band, low <= value <= high.
    """

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Estimate":
        """Value and band times `factor`.

        >>> Estimate(20.0, low=15.0, high=30.0).scaled(0.1)
        Estimate(value=2.0, low=1.5, high=3.0)
        """
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class PlaceCrowd:
    """The crowd in one zone, or in the whole picture (`PICTURE`).

    count: people. rough: people are too many, too small or too hidden to be told apart, so that `count` is a guess
    from below and must not be shown as a precise number.
    area_m2: of the floor; None where it is not known, and then there is no density, level or pressure either.
    density: persons per square metre. level: of service. capacity: people that the place is meant for.
    speed: typical walking speed of those who move, metres per second where the ground is known, else None.
    heading: where most of them walk, degrees in the picture, clockwise from up; None if they do not agree or stand.
    stopped: part of the people who stand still, in [0, 1]; None where nobody was followed for long enough.
    counterflow: how much people walk against each other, from 0 (all one way) to 1 (half against half).
    pressure: crowd pressure, 1/s² (Helbing, Johansson and Al-Abideen, 2007), the highest in the place.
    densest: local density, persons per square metre, that at least ten people in the place bear; None with fewer people
    or without a known ground. It needs no area, and tells a throng in the corner of a large place.
    """

    name: str
    count: Estimate
    rough: bool = False
    area_m2: float | None = None
    density: Estimate | None = None
    level: ServiceLevel | None = None
    capacity: int | None = None
    speed: float | None = None
    heading: float | None = None
    stopped: float | None = None
    counterflow: float | None = None
    pressure: float | None = None
    densest: float | None = None


@dataclass(frozen=True, slots=True)
class LineCount:
    """Who crossed a counting line since the camera was opened: `ins` in its direction, `outs` against it."""

    name: str
    ins: int
    outs: int


@dataclass(frozen=True, slots=True, eq=False)
class DensityMap:
    """Where people are dense.

    cells: (rows, columns) float32, laid over the picture from its top left. Persons per square metre where `metric`,
    else persons per cell.
    """

    cells: NDArray[np.float32]
    metric: bool


@dataclass(frozen=True, slots=True, eq=False)
class CrowdState:
    """One instant on one camera. time_s: of the look of the detector that it rests on.

    places: the whole picture first, then the zones in the order of the camera. lines: in the order of the camera.
    walkers: where each person stands and walks, for analysers; neither stored nor shown.
    """

    time_s: float
    places: tuple[PlaceCrowd, ...]
    lines: tuple[LineCount, ...] = ()
    density_map: DensityMap | None = None
    walkers: Walkers | None = None

    def place(self, name: str) -> PlaceCrowd | None:
        """The crowd in the place of that name, if it is in force."""
        return next((place for place in self.places if place.name == name), None)
