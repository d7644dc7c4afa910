"""A forecast's interval holds what comes."""

import numpy as np
import pytest

from tynysh.crowd.forecast import Forecast
from tynysh.scene.crowd import Estimate


def fed(counts: list[float], forecast: Forecast | None = None) -> Forecast:
    """One count a second."""
    forecast = forecast or Forecast()
    for second, count in enumerate(counts):
        forecast.observe(float(second), Estimate(count, max(0.0, count - 2), count + 2))
    return forecast


def test_steady_growth_is_carried_on() -> None:
    ahead = fed([10 + 0.1 * second for second in range(240)]).at(60.0)
    assert ahead.value == pytest.approx(40.0, rel=0.06)
    assert ahead.low < 40.0 < ahead.high


def test_the_farther_ahead_the_less_sure() -> None:
    forecast = fed([20.0] * 120)
    widths = [band.high - band.low for band in map(forecast.at, (10.0, 60.0, 300.0))]
    assert widths == sorted(widths) and widths[2] > 2 * widths[0]


@pytest.mark.parametrize(("people", "stay_s"), [(30, 120), (100, 120), (60, 600), (12, 300)])
def test_the_band_holds_what_comes_of_people_who_come_and_go(people: int, stay_s: int) -> None:
    random = np.random.default_rng(people)
    held = []
    for _ in range(150):
        count, counts = people, []
        for _second in range(420):
            count += int(random.poisson(people / stay_s)) - int(random.binomial(count, 1 / stay_s))
            counts.append(float(count))
        band = fed(counts[:300]).at(120.0)
        held.append(band.low <= counts[-1] <= band.high)
    assert np.mean(held) >= 0.9


def test_when_a_limit_is_passed_and_between_when_and_when() -> None:
    reach = fed([10 + 0.1 * second for second in range(200)]).reach(45, 300.0)
    assert reach is not None
    assert reach.chance > 0.8
    assert reach.in_s == pytest.approx(150.0, rel=0.1)
    assert reach.earliest_s < 150.0 < reach.latest_s


def test_nothing_is_told_in_the_first_minute_or_where_nobody_is_added() -> None:
    assert fed([5 + 0.5 * second for second in range(50)]).reach(40, 300.0) is None
    assert fed([30 - 0.05 * second for second in range(300)]).reach(40, 300.0) is None
    assert fed([50.0] * 300).reach(40, 300.0) is None


def test_where_people_come_and_go_fast_the_forecast_is_less_sure() -> None:
    random = np.random.default_rng(2)
    widths = []
    for stay_s in (60, 600):
        count, counts = 60, []
        for _second in range(300):
            count += int(random.poisson(60 / stay_s)) - int(random.binomial(count, 1 / stay_s))
            counts.append(float(count))
        band = fed(counts).at(60.0)
        widths.append(band.high - band.low)
    assert widths[0] > 1.5 * widths[1]
