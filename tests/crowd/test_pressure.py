"""Pressure is density times the variance of the local velocity."""

import numpy as np
import pytest
from tests.crowd.social_force import scattered

from tynysh.crowd.density import kernel, radius
from tynysh.crowd.pressure import PressureField
from tynysh.geometry import Floats
from tynysh.scene.walkers import Walkers

PLACES = np.array([[5.0, 5.0]])


def walkers(floor: Floats, velocity: Floats, *, scatter: Floats | None = None) -> Walkers:
    number = len(floor)
    nothing = np.zeros(number)
    spread = np.full(number, 0.03) if scatter is None else scatter
    ids = np.arange(1, number + 1)
    return Walkers(ids, floor, nothing, floor, velocity, nothing, spread, noise=0.0, metric=True)


def pressed(density: float, swing_m_s: float, *, period_s: float = 2.0) -> float:
    """The pressure in a crowd that is thrown to and fro together."""
    floor = scattered(round(100 * density), 10.0, 10.0, 3)
    field = PressureField(1)
    for time_s in np.arange(0.0, 12.0, 0.2):
        velocity = np.zeros_like(floor)
        velocity[:, 0] = swing_m_s * np.sin(2 * np.pi * time_s / period_s)
        found = field.observe(float(time_s), kernel(PLACES, floor, 1.0), walkers(floor, velocity))
    return float(found[0])


def test_the_kernel_adds_up_to_the_density() -> None:
    assert kernel(PLACES, scattered(400, 10.0, 10.0, 1), 1.0).sum() == pytest.approx(4.0, rel=0.05)


def test_the_kernel_is_narrow_in_a_crowd_and_wider_among_few() -> None:
    assert 1.0 <= radius(scattered(400, 10.0, 10.0, 1)) < 1.1
    assert 1.0 < radius(scattered(150, 10.0, 10.0, 1)) < 2.5
    assert radius(scattered(3, 10.0, 10.0, 1)) == 2.5
    assert radius(np.zeros((0, 2))) == 2.5


@pytest.mark.parametrize(("density", "swing_m_s"), [(4.0, 0.2), (4.0, 0.4), (6.0, 0.2)])
def test_a_crowd_thrown_to_and_fro_has_the_pressure_of_the_formula(density: float, swing_m_s: float) -> None:
    assert pressed(density, swing_m_s) == pytest.approx(density * swing_m_s**2 / 2, rel=0.2)


def test_a_crowd_that_stands_or_flows_steadily_has_none() -> None:
    floor = scattered(500, 10.0, 10.0, 3)
    field = PressureField(1)
    for time_s in np.arange(0.0, 6.0, 0.2):
        steady = np.tile([0.5, 0.1], (500, 1))
        found = field.observe(float(time_s), kernel(PLACES, floor, 1.0), walkers(floor, steady))
    assert found[0] == pytest.approx(0.0, abs=1e-6)


def test_few_people_do_not_press_whatever_they_do() -> None:
    assert pressed(0.5, 1.0) == 0.0


def test_whose_track_jumped_to_somebody_else_does_not_count() -> None:
    floor = scattered(500, 10.0, 10.0, 3)
    random = np.random.default_rng(2)
    field = PressureField(1)
    for time_s in np.arange(0.0, 6.0, 0.2):
        jumped = random.random(500) < 0.15
        velocity = np.where(jumped[:, None], random.normal(0, 1.5, (500, 2)), 0.1)
        scatter = np.where(jumped, 0.2, 0.03)
        found = field.observe(
            float(time_s), kernel(PLACES, floor, 1.0), walkers(floor, velocity, scatter=scatter)
        )
    assert found[0] < 1e-6
