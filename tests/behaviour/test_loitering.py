"""Loitering times how long a place is stayed at."""

import pytest
from tests.behaviour.scenes import LEFT_HALF, scene, scores, standing, times, watch

from tynysh.behaviour.loitering import LoiteringAnalyser, LoiteringSettings


def analyser(limit_s: float = 20.0, reach: float = 0.3) -> LoiteringAnalyser:
    return LoiteringAnalyser(LoiteringSettings(limit_s=limit_s, reach=reach))


def test_a_stay_counts_from_its_beginning_and_reaches_the_threshold_at_the_limit() -> None:
    signals = watch(analyser(), [scene(t, [standing(1, 200, t)], [LEFT_HALF]) for t in times(3, 30)])
    reached = next(signal for signal in signals if signal.score >= 0.6 - 1e-9)
    assert reached.time_s == pytest.approx(23.0, abs=0.15)
    assert reached.since_s == 3.0
    assert reached.zone == "left"


def test_passers_by_never_add_up() -> None:
    """A new person each six seconds, while the last has gone to the other side."""
    scenes = [scene(t, [standing(int(t // 6), 100 + 60 * (t % 6), t)], [LEFT_HALF]) for t in times(0, 60)]
    assert max(scores(watch(analyser(), scenes))) < 0.4


def test_a_track_that_breaks_goes_on_where_it_ended() -> None:
    scenes = []
    for t in times(0, 25):
        seen = t % 7 < 5
        scenes.append(scene(t, [standing(int(t // 7), 200 + 5 * (t // 7), t)] if seen else [], [LEFT_HALF]))
    assert max(scores(watch(analyser(), scenes))) >= 0.6


def test_a_short_step_out_does_not_end_the_stay_and_a_long_one_does() -> None:
    def stay(away_s: float) -> float:
        scenes = [
            scene(t, [standing(1, 700 if 12 <= t < 12 + away_s else 200, t)], [LEFT_HALF])
            for t in times(0, 25)
        ]
        return max(scores(watch(analyser(), scenes)))

    assert stay(3.0) >= 0.6
    assert stay(8.0) < 0.6


def test_near_the_zone_counts_as_far_as_the_reach_goes() -> None:
    def beside(reach: float) -> float:
        scenes = [scene(t, [standing(1, 540, t)], [LEFT_HALF]) for t in times(0, 25)]
        return max(scores(watch(analyser(reach=reach), scenes)))

    assert beside(0.5) >= 0.6
    assert beside(0.2) == 0.0
