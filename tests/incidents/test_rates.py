"""Exact intervals of rates agree with published tables and hold their level."""

import numpy as np
import pytest
from scipy.stats import poisson

from tynysh.incidents.rates import garwood


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Pearson & Hartley, Biometrika Tables for Statisticians I (1966), table 40; Garwood (1936).
    [
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (2, 0.242, 7.225),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (20, 12.217, 30.888),
    ],
)
def test_intervals_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert garwood(count, 1.0) == pytest.approx((low, high), abs=6e-4)


def test_intervals_are_per_unit_of_exposure() -> None:
    assert garwood(5, 10.0) == pytest.approx((0.1623, 1.1668), abs=1e-4)
    assert garwood(0, 0.0) is None


@pytest.mark.parametrize("rate", [0.05, 0.7, 3.0, 11.0])
def test_the_true_rate_is_inside_at_least_as_often_as_promised(rate: float) -> None:
    counts = np.arange(80)
    inside = [low <= rate <= high for low, high in (garwood(int(count), 1.0) or (0, 0) for count in counts)]
    assert poisson.pmf(counts, rate)[inside].sum() >= 0.95
