"""When will a count reach a limit, and how sure is that?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tynysh.crowd.state import Estimate

BUCKET_S = 5.0
"""Counts are averaged over so many seconds before they are taken in: looks a moment apart err alike."""

SETTLED_S = 60.0
"""Seconds of counts before anything is forecast."""

TURNOVER = 0.005
"""Variance of what comes and goes by chance in a second, as a part of the people there: as where they stay for seven
minutes. Where they come and go faster the forecasts err more, and are scaled by that."""

FICKLENESS = 0.02 / 30
"""How much the growth (persons/s) of a crowd changes in a minute, standard deviation, as a part of the people there."""

UNKNOWN_GROWTH = 0.015
"""How much a crowd may be growing (persons/s) when it is first seen, standard deviation, as a part of the people."""

_Z90 = 1.645
_STEPS = 120
_MEMORY = 40.0
"""Buckets over which the forecast's own errors are averaged."""


@dataclass(frozen=True, slots=True)
class Reach:
    """When a limit will be passed.

    chance: probability that more than the limit are there at the horizon. in_s: seconds from now at which the expected
    count passes it. earliest_s, latest_s: the 90 % interval of that; latest_s at most thrice the horizon.
    """

    chance: float
    in_s: float
    earliest_s: float
    latest_s: float


class Forecast:
    """A local linear trend of one place's count, by a Kalman filter.

    level' = level + growth · dt + noise, growth' = growth + noise, count = level + noise (Harvey: Forecasting,
    Structural Time Series Models and the Kalman Filter, 1989, section 2.3), with noises in proportion to the people
    there, and the variance of forecasts scaled by the mean of the squared standardised errors of those made so far
    (Durbin & Koopman: Time Series Analysis by State Space Methods, 2012, section 2.10), where that is above one.
    """

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._time_s = 0.0
        self._bucket: list[Estimate] = []
        self._bucket_s = 0.0
        self._state = np.zeros(2)
        self._covariance = np.zeros((2, 2))
        self._scale, self._weight = 1.0, _MEMORY / 2

    def observe(self, time_s: float, count: Estimate) -> None:
        """Take in the count of a look; times must go forward."""
        if not self._bucket:
            self._bucket_s = time_s
        self._bucket.append(count)
        if time_s - self._bucket_s < BUCKET_S:
            return
        value = sum(one.value for one in self._bucket) / len(self._bucket)
        band = sum(one.high - one.low for one in self._bucket) / len(self._bucket)
        self._bucket = []
        self._take(time_s, value, max(0.5, band / 4) ** 2)

    def reach(self, limit: float, horizon_s: float) -> Reach | None:
        """When more than `limit` will be there; None if nothing can be told, or they do not become more."""
        if self._began_s is None or self._time_s - self._began_s < SETTLED_S:
            return None
        level, growth = self._state
        if growth <= 0 or level > limit:
            return None
        ahead = np.linspace(0.0, 3 * horizon_s, 3 * _STEPS + 1)
        expected, spread = self._ahead(ahead)
        chance = 0.5 * (1 + math.erf((expected[_STEPS] - limit) / (spread[_STEPS] * math.sqrt(2))))
        return Reach(
            chance=chance,
            in_s=float((limit - level) / growth),
            earliest_s=_first(ahead, expected + _Z90 * spread > limit),
            latest_s=_first(ahead, expected - _Z90 * spread > limit),
        )

    def at(self, seconds: float) -> Estimate:
        """The count in so many seconds, with the band of 95 in 100."""
        expected, spread = self._ahead(np.array([seconds]))
        value, half = float(expected[0]), 1.96 * float(spread[0])
        return Estimate(max(0.0, value), max(0.0, value - half), max(0.0, value + half))

    def _ahead(self, seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The expected counts in so many `seconds`, and their standard deviations."""
        level, growth = self._state
        of_level, of_growth = self._noises()
        variance = (
            self._covariance[0, 0]
            + 2 * seconds * self._covariance[0, 1]
            + seconds**2 * self._covariance[1, 1]
            + of_level * seconds
            + of_growth * seconds**3 / 3
        )
        return level + growth * seconds, np.sqrt(variance * max(1.0, self._scale))

    def _noises(self) -> tuple[float, float]:
        people = max(5.0, float(self._state[0]))
        return TURNOVER * people, (FICKLENESS * people) ** 2 / 60

    def _take(self, time_s: float, value: float, variance: float) -> None:
        if self._began_s is None:
            self._began_s = self._time_s = time_s
            self._state[:] = value, 0.0
            self._covariance[:] = np.diag([variance, (UNKNOWN_GROWTH * max(5.0, value)) ** 2])
            return
        elapsed = time_s - self._time_s
        self._time_s = time_s
        of_level, of_growth = self._noises()
        step = np.array([[1.0, elapsed], [0.0, 1.0]])
        self._state = step @ self._state
        self._covariance = step @ self._covariance @ step.T + np.array(
            [
                [of_level * elapsed + of_growth * elapsed**3 / 3, of_growth * elapsed**2 / 2],
                [of_growth * elapsed**2 / 2, of_growth * elapsed],
            ]
        )
        error, total = value - self._state[0], self._covariance[0, 0] + variance
        self._weight = min(self._weight + 1, _MEMORY)
        self._scale += (float(error**2 / total) - self._scale) / self._weight
        gain = self._covariance[:, 0] / total
        self._state = self._state + gain * error
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])


def _first(ahead: NDArray[np.float64], holds: NDArray[np.bool_]) -> float:
    return float(ahead[int(np.argmax(holds))]) if holds.any() else float(ahead[-1])
