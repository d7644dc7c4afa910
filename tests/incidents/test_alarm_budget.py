"""A threshold keeps the budget but for chance, and never falls silently below the floor of recall."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from tynysh.incidents.alarm_budget import RISK, Choice, Standing, choose, own_recall, rate

LEVELS = np.round(np.arange(0.30, 0.985, 0.02), 2)


def chosen(false_alarms: np.ndarray, days: float, **changes: object) -> Choice:
    values: dict[str, object] = {
        "budget": 1.0,
        "usual": 0.6,
        "lowest": 0.4,
        "recall": np.linspace(1.0, 0.3, len(LEVELS)),
        "recall_floor": 0.5,
    }
    return choose(LEVELS, false_alarms, days=days, **(values | changes))  # type: ignore[arg-type]


def calm(count: int = 0) -> np.ndarray:
    return np.full(len(LEVELS), count)


def test_each_bound_of_a_rate_is_wrong_in_one_case_of_ten() -> None:
    assert rate(0, 2.0).high == pytest.approx(math.log(1 / RISK) / 2.0)
    assert (rate(0, 2.0).low, rate(0, 0.0).high) == (0.0, math.inf)
    assert poisson.cdf(10, 4.0 * rate(10, 4.0).high) == pytest.approx(RISK)
    assert poisson.sf(9, 4.0 * rate(10, 4.0).low) == pytest.approx(RISK)


def test_a_new_camera_uses_the_usual_threshold() -> None:
    assert chosen(calm(), 1.0).standing is Standing.LEARNING
    assert chosen(calm(), 1.0).threshold == 0.6
    assert chosen(calm(), 0.0).rate.high == math.inf


def test_a_camera_calm_for_long_enough_is_allowed_to_notice_more_but_not_below_the_lowest() -> None:
    assert chosen(calm(), 2.2).standing is Standing.LEARNING
    kept = chosen(calm(), 2.4)
    assert (kept.standing, kept.threshold) == (Standing.KEPT, 0.4)


def test_a_noisy_camera_goes_up_as_soon_as_chance_cannot_explain_it() -> None:
    noisy = np.round(8 * np.exp(-(LEVELS - 0.3) * 4)).astype(int)
    raised = chosen(noisy, 0.2)
    assert raised.standing is Standing.RAISED
    assert raised.threshold > 0.6
    assert chosen(calm(1), 0.2).standing is Standing.LEARNING


def test_the_floor_of_recall_holds_and_says_so() -> None:
    held = chosen(calm(30), 3.0)
    assert held.standing is Standing.FLOOR
    assert held.recall is not None
    assert held.recall >= 0.5
    assert held.rate.low > 1.0


def test_where_recall_is_not_known_the_threshold_rises_half_way_at_most() -> None:
    held = chosen(calm(30), 3.0, recall=None)
    assert (held.threshold, held.standing, held.recall) == (0.8, Standing.FLOOR, None)
    assert chosen(calm(30), 3.0, recall=None, usual=0.97).threshold == 0.98


def test_a_calm_camera_is_not_made_to_notice_less_than_its_site_says() -> None:
    assert chosen(calm(), 30.0, usual=0.2, lowest=0.16).threshold == 0.2


def test_a_floor_that_no_threshold_reaches_leaves_the_lowest_and_does_not_flood() -> None:
    held = chosen(calm(30), 3.0, recall=np.linspace(0.9, 0.3, len(LEVELS)), recall_floor=0.95)
    assert (held.standing, held.threshold) == (Standing.FLOOR, 0.4)


def test_a_floor_above_the_usual_recall_holds_before_anything_is_known_of_the_budget() -> None:
    new = chosen(calm(), 0.0, recall_floor=0.9)
    assert new.standing is Standing.LEARNING
    assert new.threshold < 0.6
    assert new.recall is not None
    assert new.recall >= 0.9


def test_what_is_within_the_budget_at_the_floor_is_not_called_above_it() -> None:
    kept = chosen(calm(), 3.0, lowest=0.5, recall_floor=0.9)
    assert kept.standing is Standing.KEPT
    assert kept.recall is not None
    assert kept.recall >= 0.9


def test_the_chosen_rate_is_above_the_budget_no_more_often_than_the_risk() -> None:
    """Cameras whose false alarms come at every rate, with curves of every shape, watched for two to thirty days."""
    random = np.random.default_rng(11)
    wrong = kept = 0
    for _ in range(3000):
        true = random.uniform(0.5, 20) * np.exp(-(LEVELS - 0.3) * random.uniform(1, 12))
        days = random.uniform(2.5, 30)
        # Alarms of a higher level are a part of those of a lower one.
        steps = random.poisson(days * -np.diff(np.append(true, 0.0)))
        counts = np.cumsum(steps[::-1])[::-1]
        choice = chosen(counts, days, recall=None)
        if choice.standing is Standing.KEPT:
            kept += 1
            wrong += true[np.searchsorted(LEVELS, choice.threshold - 1e-9)] > 1.0
    assert kept > 1000
    assert wrong / kept <= RISK + 2 * math.sqrt(RISK * (1 - RISK) / kept)
    assert wrong > 0


def test_own_recall_is_the_part_of_verified_happenings_that_a_level_finds() -> None:
    assert own_recall([0.5, 0.7, 0.9], [0.4, 0.6, 0.8, 0.95]).tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
