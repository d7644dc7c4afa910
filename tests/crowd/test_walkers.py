"""Velocities are those with which people walk, in metres where the ground is known, else in body heights."""

from collections.abc import Sequence

import numpy as np
import pytest

from tynysh.crowd.walkers import FORESHORTENING, VelocityEstimator
from tynysh.scene.ground import Ground
from tynysh.scene.walkers import Walkers

TEN_METRES = Ground(np.diag([10.0, 10.0, 1.0]), 0.01)
"""The picture is ten metres square, seen from above."""


def walked(
    velocity: tuple[float, float],
    times: Sequence[float],
    *,
    ground: Ground | None = TEN_METRES,
    seen: Sequence[bool] | None = None,
) -> Walkers:
    """One person, a fifth of the picture tall, who walks so many shares of the picture a second."""
    estimator = VelocityEstimator()
    for index, time_s in enumerate(times):
        feet = np.array([[0.5 + velocity[0] * time_s, 0.5 + velocity[1] * time_s]])
        found = np.array([True if seen is None else seen[index]])
        last = estimator.observe(
            time_s, np.array([1]), feet, np.array([0.2]), found, ground=ground, aspect=1.0
        )
    return last


LOOKS = tuple(0.2 * look for look in range(10))


def test_on_known_ground_in_metres_a_second() -> None:
    walkers = walked((0.12, 0.05), LOOKS)
    assert walkers.metric
    assert walkers.velocity[0] == pytest.approx((1.2, 0.5))
    assert walkers.speed[0] == pytest.approx(1.3)
    assert walkers.scatter[0] == pytest.approx(0.0, abs=1e-9)
    assert walkers.floor[0] == pytest.approx((5 + 1.2 * 1.8, 5 + 0.5 * 1.8))


def test_without_it_in_body_heights_a_second_more_up_and_down_than_it_looks() -> None:
    walkers = walked((0.1, 0.1), LOOKS, ground=None)
    assert not walkers.metric
    assert walkers.velocity[0] == pytest.approx((0.5, 0.5 * FORESHORTENING))
    assert np.isnan(walkers.floor).all()


@pytest.mark.parametrize(
    ("velocity", "heading"), [((0.0, -0.1), 0), ((0.1, 0.0), 90), ((0.0, 0.1), 180), ((-0.1, 0.0), 270)]
)
def test_the_heading_is_clockwise_from_up(velocity: tuple[float, float], heading: float) -> None:
    assert walked(velocity, LOOKS).heading[0] == pytest.approx(heading)


def test_two_looks_a_moment_apart_are_not_enough_and_two_far_apart_are() -> None:
    assert np.isnan(walked((0.1, 0.0), (0.0, 0.2)).speed[0])
    assert walked((0.01, 0.0), (0.0, 4.0)).speed[0] == pytest.approx(0.1)


def test_whoever_was_only_carried_forward_for_a_while_has_no_velocity() -> None:
    times = tuple(0.2 * look for look in range(12))
    assert np.isfinite(walked((0.1, 0.0), times, seen=[True] * 11 + [False]).speed[0])
    assert np.isnan(walked((0.1, 0.0), times, seen=[True] * 7 + [False] * 5).speed[0])


@pytest.mark.parametrize("later_s", [-5.0, 60.0])
def test_after_a_gap_and_when_the_clock_goes_back_it_begins_anew(later_s: float) -> None:
    assert np.isnan(walked((0.1, 0.0), (*LOOKS, LOOKS[-1] + later_s)).speed[0])


def test_people_come_and_go_without_mixing_their_velocities() -> None:
    estimator = VelocityEstimator()
    for look in range(12):
        time_s = 0.2 * look
        here = [
            number
            for number in (3, 1, 2)
            if not (number == 1 and look < 4) and not (number == 2 and look > 8)
        ]
        feet = np.array([[0.1 * number, 0.2 + 0.05 * number * time_s] for number in here])
        last = estimator.observe(
            time_s,
            np.array(here),
            feet,
            np.full(len(here), 0.2),
            np.full(len(here), True),
            ground=TEN_METRES,
            aspect=1.0,
        )
    assert last.numbers.tolist() == [3, 1]
    assert last.velocity[:, 1] == pytest.approx([1.5, 0.5])


def test_jitter_is_told_as_noise() -> None:
    random = np.random.default_rng(1)
    estimator = VelocityEstimator()
    number = np.arange(1, 41)
    for look in range(12):
        feet = np.tile([0.5, 0.5], (40, 1)) + random.normal(0, 0.005, (40, 2))
        last = estimator.observe(
            0.2 * look, number, feet, np.full(40, 0.2), np.full(40, True), ground=TEN_METRES, aspect=1.0
        )
    assert last.noise == pytest.approx(float(np.var(last.velocity)), rel=0.5)
    assert np.median(last.scatter) == pytest.approx(0.05, rel=0.2)
