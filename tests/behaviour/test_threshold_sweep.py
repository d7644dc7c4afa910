"""Near alarms are the events that other thresholds would have made."""

from random import Random

import numpy as np
import pytest

from tynysh.behaviour.event import Phase
from tynysh.behaviour.events import EventMaker, Rule
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.behaviour.threshold_sweep import LEVELS, ThresholdSweep

FIGHT = Behaviour.FIGHT


def rule(threshold: float = 0.6, min_duration_s: float = 0.5) -> Rule:
    return Rule(threshold, 0.7 * threshold, min_duration_s, cooldown_s=40.0, release_s=1.0)


def signals_of(scores: list[tuple[float, float]], subject: str = "", of: Behaviour = FIGHT) -> list[Signal]:
    return [Signal(of, time_s, score, subject=subject) for time_s, score in scores]


def wandering(seed: int) -> list[tuple[float, float]]:
    """Five minutes of a score that drifts and leaps, with pauses."""
    random, score, samples = np.random.default_rng(seed), 0.1, []
    for step in range(3000):
        score = float(np.clip(0.97 * score + random.normal(0.006, 0.06), 0, 1))
        if step % 977 > 40 and not 2000 < step < 2200:
            samples.append((step / 10, score))
    return samples


@pytest.mark.parametrize("seed", range(4))
def test_they_are_as_many_as_the_events_of_each_threshold(seed: int) -> None:
    samples = wandering(seed)
    near = ThresholdSweep({FIGHT: rule()})
    for signal in signals_of(samples):
        near.observe([signal], signal.time_s)
    counted = near.take()[FIGHT]
    for level, count in zip(LEVELS, counted, strict=True):
        events = EventMaker({FIGHT: rule(float(level))}, ids=Random(0))
        made = [event for signal in signals_of(samples) for event in events.observe([signal], signal.time_s)]
        assert count == sum(event.phase is Phase.BEGUN for event in made), level
    assert counted[0] > counted[-1]


def test_what_is_taken_is_not_taken_again() -> None:
    near = ThresholdSweep({FIGHT: rule()})
    for signal in signals_of([(t / 10, 0.9) for t in range(20)]):
        near.observe([signal], signal.time_s)
    assert near.take()[FIGHT].tolist() == [int(level <= 0.9) for level in LEVELS]
    assert near.take() == {}


def test_subjects_count_each_for_itself_and_other_behaviours_not_at_all() -> None:
    near = ThresholdSweep({FIGHT: rule()})
    for t in range(20):
        one, other = signals_of([(t / 10, 0.5)], "one"), signals_of([(t / 10, 0.5)], "other")
        near.observe([*one, *other, *signals_of([(t / 10, 1.0)], of=Behaviour.INTRUSION)], t / 10)
    assert near.take()[FIGHT].max() == 2


def test_nothing_is_kept_of_a_calm_camera() -> None:
    near = ThresholdSweep({FIGHT: rule()})
    for t in range(2000):
        near.observe(signals_of([(t / 10, 0.9 if t < 20 else 0.0)]), t / 10)
    assert near._ladders == {}
