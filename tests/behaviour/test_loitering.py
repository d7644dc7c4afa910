"""Loitering times how long a place is stayed at."""

import numpy as np
import pytest
from tests.behaviour.scenes import LEFT_HALF, H, boxed, scene, scores, standing, times, watch
from tests.behaviour.test_climbing import MONUMENT

from tynysh.behaviour.loitering import LoiteringAnalyser, LoiteringSettings
from tynysh.geometry import Box
from tynysh.scene.ground import Ground
from tynysh.scene.person import Joint
from tynysh.scene.track import Track


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


def contacts(
    x: float, feet_y: float, *, hands: tuple[float, float] | None = None, seconds: float = 30
) -> list[float]:
    """Scores of contact of somebody who stands at (x, feet_y), with the left wrist at `hands` if that is known."""

    def person(t: float) -> Track:
        box = Box(x - 18, feet_y - H, x + 18, feet_y)
        if hands is None:
            return boxed(1, box, t)
        keypoints = np.zeros((26, 3), dtype=np.float32)
        keypoints[Joint.LEFT_WRIST] = (*hands, 0.8)
        return boxed(1, box, t, keypoints=keypoints)

    signals = watch(analyser(), [scene(t, [person(t)], [MONUMENT]) for t in times(0, seconds)])
    return [signal.score for signal in signals if signal.subject == "contact"]


def test_hands_on_an_object_for_long_are_told() -> None:
    assert contacts(435, 410, hands=(460, 350))[-1] >= 0.6
    assert contacts(440, 410)[-1] >= 0.6


def test_hands_elsewhere_or_feet_out_of_reach_are_no_contact() -> None:
    assert max(contacts(435, 410, hands=(400, 350))) == 0.0
    assert max(contacts(500, 460, hands=(500, 390))) == 0.0


def test_a_short_touch_stays_below_the_threshold() -> None:
    assert max(contacts(435, 410, hands=(460, 350), seconds=8)) < 0.6


def test_where_the_ground_is_known_reach_is_in_metres() -> None:
    """The same picture of a small place and of a wide one: 0.6 m from the object, and 1.7 m."""

    def score(metres: float) -> float:
        floor = Ground(np.diag([metres, metres, 1.0]), error=0.05)
        people = [
            scene(t, [boxed(1, Box(442, 320, 478, 420), t)], [MONUMENT], ground=floor) for t in times(0, 20)
        ]
        return max(s.score for s in watch(analyser(), people) if s.subject == "contact")

    assert score(24.0) >= 0.6
    assert score(68.0) == 0.0
