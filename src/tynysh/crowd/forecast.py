"""When will a count reach a limit, and how sure is that?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tynysh.scene.crowd import Estimate

BUCKET_S = 5.0
"""Counts are averaged over so many seconds before they are taken in: looks a moment apart err alike."""

SETTLED_S = 60.0
"""Seconds of counts before anything is forecast."""

TURNOVERS = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)
"""Variance of what comes and goes by chance in a second, as a part of the people there: 2 / T where they stay for T
seconds on average, thirteen minutes to 25 seconds. Which it is, the counts tell.
"""

AVERAGED = 2 / 3
"""Means over neighbouring buckets of a count that wanders differ by so much of the variance of the count itself."""

REMEMBERED = 0.98
"""How much of what earlier counts told of the turnover is kept at each bucket: a place's use changes over the day."""

FICKLENESS = 0.03 / 30
"""How much the growth (persons/s) of a crowd changes in a minute, standard deviation, as a part of the people there."""

UNKNOWN_GROWTH = 0.015
"""How much a crowd may be growing (persons/s) when it is first seen, standard deviation, as a part of the people."""

_Z90 = 1.645
_T95 = 2.2
"""Of Student's distribution with about twelve degrees of freedom: the turnover is known from some minutes only."""

_STEPS = 120


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
    """A local linear trend of one place's count, by Kalman filters of which each supposes another turnover.

    level' = level + growth · dt + noise, growth' = growth + noise, count = level + noise (Harvey: Forecasting,
    Structural Time Series Models and the Kalman Filter, 1989, section 2.3), with noises in proportion to the people
    there. How fast people come and go is not known: one filter runs for each of `TURNOVERS`, and a forecast is their
    mixture, weighted by how likely each made the counts so far (Magill, IEEE Trans. Automatic Control 10, 434, 1965),
    as mean and variance.
    """

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._time_s = 0.0
        self._bucket: list[Estimate] = []
        self._bucket_s = 0.0
        self._turnovers = np.array(TURNOVERS)
        self._likely = np.zeros(len(TURNOVERS))
        self._states = np.zeros((len(TURNOVERS), 2))
        self._covariances = np.zeros((len(TURNOVERS), 2, 2))

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
        self._take(time_s, value, max(0.5, band / 8) ** 2)

    def reach(self, limit: float, horizon_s: float) -> Reach | None:
        """When more than `limit` will be there; None if nothing can be told, or they do not become more."""
        if self._began_s is None or self._time_s - self._began_s < SETTLED_S:
            return None
        level, growth = self._weights() @ self._states
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
        value, half = float(expected[0]), _T95 * float(spread[0])
        return Estimate(max(0.0, value), max(0.0, value - half), max(0.0, value + half))

    def _weights(self) -> NDArray[np.float64]:
        """How likely each of `TURNOVERS` is, (M,)."""
        likely: NDArray[np.float64] = np.exp(self._likely - self._likely.max())
        likely /= likely.sum()
        return likely

    def _ahead(self, seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The expected counts in so many `seconds`, and their standard deviations."""
        weights, covariances, ahead = self._weights(), self._covariances, seconds[:, None]
        level, growth = self._states.T
        of_level, of_growth = self._noises()
        each = level + growth * ahead
        expected = each @ weights
        variance = (
            covariances[:, 0, 0]
            + 2 * ahead * covariances[:, 0, 1]
            + ahead**2 * covariances[:, 1, 1]
            + of_level * ahead
            + of_growth * ahead**3 / 3
            + (each - expected[:, None]) ** 2
        )
        return expected, np.sqrt(variance @ weights)

    def _noises(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        people = np.maximum(5.0, self._states[:, 0])
        return self._turnovers * people, (FICKLENESS * people) ** 2 / 60

    def _take(self, time_s: float, value: float, variance: float) -> None:
        if self._began_s is None:
            self._began_s = self._time_s = time_s
            self._states[:] = value, 0.0
            self._covariances[:] = np.diag([variance, (UNKNOWN_GROWTH * max(5.0, value)) ** 2])
            return
        elapsed = time_s - self._time_s
        self._time_s = time_s
        of_level, of_growth = self._noises()
        step = np.array([[1.0, elapsed], [0.0, 1.0]])
        noise = np.empty_like(self._covariances)
        noise[:, 0, 0] = AVERAGED * of_level * elapsed + of_growth * elapsed**3 / 3
        noise[:, 0, 1] = noise[:, 1, 0] = of_growth * elapsed**2 / 2
        noise[:, 1, 1] = of_growth * elapsed
        states = self._states @ step.T
        covariances = step @ self._covariances @ step.T + noise
        error, total = value - states[:, 0], covariances[:, 0, 0] + variance
        self._likely = REMEMBERED * self._likely - 0.5 * (error**2 / total + np.log(total))
        gain = covariances[:, :, 0] / total[:, None]
        self._states = states + gain * error[:, None]
        self._covariances = covariances - gain[:, :, None] * covariances[:, None, 0]


def _first(ahead: NDArray[np.float64], holds: NDArray[np.bool_]) -> float:
    return float(ahead[int(np.argmax(holds))]) if holds.any() else float(ahead[-1])
