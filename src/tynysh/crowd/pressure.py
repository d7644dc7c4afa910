"""How much is the crowd's pressure, and where?"""

import math

import numpy as np

from tynysh.geometry import Floats
from tynysh.scene.walkers import Walkers

MEMORY_S = 3.0
"""Time constant of the means over time."""

LEAST_DENSITY = 1.0
"""Persons/m² below which nobody presses anybody: people who walk freely vary in velocity and mean nothing by it."""

ERRANT = 1.8
"""Whose places scatter more than so many times the median about their line was mixed up with somebody else."""

SETTLED_S = 1.0
"""Seconds of one crowd before its variance means anything."""


class PressureField:
    """Crowd pressure P(r) = ρ(r) · ⟨(V(r, t) - ⟨V(r)⟩)²⟩, 1/s², at fixed places of the floor.

    V(r, t) is the mean velocity of the people round r, weighted by the density's kernel, and the means over time fade
    with `MEMORY_S` (Helbing, Johansson and Al-Abideen, 2007, who average over time at a place likewise). What jitter of
    boxes adds to the variance of V, 2 σ² Σw² / (Σw)² with σ² the variance of a component of one person's velocity, is
    taken off.
    """

    def __init__(self, places: int) -> None:
        self._weight = np.zeros(places)
        self._density = np.zeros(places)
        self._mean = np.zeros((places, 2))
        self._square = np.zeros(places)
        self._noise = np.zeros(places)
        self._age_s = np.zeros(places)
        self._time_s: float | None = None

    def observe(self, time_s: float, weights: Floats, walkers: Walkers) -> Floats:
        """The pressure (M,) at the places after a look at `time_s`.

        weights: (M, N) of the N people at the M places, 1/m², as `density.kernel` gives them. walkers: the N people;
        their velocities in m/s.
        """
        elapsed_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        velocity, known = walkers.velocity, np.isfinite(walkers.scatter)
        if known.any():
            known &= walkers.scatter <= ERRANT * np.median(walkers.scatter[known])
        density = weights.sum(axis=1)
        weights = weights[:, known]
        total = weights.sum(axis=1)
        crowded = (density >= LEAST_DENSITY) & (total >= 0.3 * density)
        safe = np.maximum(total, 1e-9)
        local = weights @ velocity[known] / safe[:, None]
        spread = 2 * walkers.noise * (weights**2).sum(axis=1) / safe**2
        fading = math.exp(-elapsed_s / MEMORY_S)
        self._weight = fading * self._weight
        self._age_s = np.where(crowded, self._age_s + elapsed_s, 0.0)
        gain = np.where(crowded, 1 / (self._weight + 1), 0.0)
        self._density += gain * (density - self._density)
        self._mean += gain[:, None] * (local - self._mean)
        self._square += gain * ((local**2).sum(axis=1) - self._square)
        self._noise += gain * (spread - self._noise)
        self._weight = np.where(crowded, self._weight + 1, 0.0)
        variance = np.maximum(self._square - (self._mean**2).sum(axis=1) - self._noise, 0.0)
        settled = crowded & (self._age_s >= SETTLED_S)
        return np.where(settled, self._density * variance, 0.0)
