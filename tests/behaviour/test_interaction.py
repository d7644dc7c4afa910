"""What people do to each other is measured relative to their bodies."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from tests.behaviour.scenes import H, posed, times

from tynysh.behaviour.acts import Act, ActKind, together
from tynysh.behaviour.bodies import charge, chase, drag, one_body, scuffle
from tynysh.behaviour.encounters import encounters, mutual_violence
from tynysh.behaviour.limbs import shove, strikes, swing
from tynysh.behaviour.scores import either, ramp
from tynysh.demo.figure import BodyAction
from tynysh.geometry import Box
from tynysh.scene.nearness import gap, pairs_within
from tynysh.scene.person import Joint
from tynysh.scene.track import Track
from tynysh.scene.trajectory import Observation, Trajectory


def trajectory(at: Callable[[float], Track], end_s: float = 2.0, step_s: float = 0.1) -> Trajectory:
    return Trajectory([Observation(t, at(t).box, at(t).keypoints) for t in times(0, end_s, step_s)])


def boxes(left: Callable[[float], float], end_s: float = 4.0, width: float = 36.0) -> Trajectory:
    return Trajectory([Observation(t, Box(left(t), 300, left(t) + width, 400)) for t in times(0, end_s)])


def striker(
    x: float, facing: int = 1, action: BodyAction = BodyAction.STRIKE, step_s: float = 0.1
) -> Trajectory:
    return trajectory(lambda t: posed(1, action, x, t, facing=facing), step_s=step_s)


def bystander(x: float, facing: int = -1) -> Trajectory:
    return trajectory(lambda t: posed(2, BodyAction.STAND, x, t, facing=facing))


@pytest.mark.parametrize("step_s", [0.05, 0.1, 0.2])
def test_a_blow_in_reach_is_a_strike_at_any_rate(step_s: float) -> None:
    found = strikes(striker(300, step_s=step_s), bystander(340), 0.0)
    assert either(strike.score for strike in found) > 0.6
    assert {strike.kind for strike in found} <= {ActKind.BLOW, ActKind.BLOW_TO_HEAD}


def test_a_blow_out_of_reach_or_the_other_way_is_none() -> None:
    assert strikes(striker(300), bystander(420), 0.0) == []
    assert strikes(striker(300, facing=-1), bystander(340), 0.0) == []


def test_a_kick_is_a_kick() -> None:
    found = strikes(striker(300, action=BodyAction.KICK), bystander(350), 0.0)
    assert max(found, key=lambda strike: strike.score).kind is ActKind.KICK


@pytest.mark.parametrize("action", [BodyAction.STAND, BodyAction.WALK])
def test_people_who_stand_or_walk_together_strike_nobody(action: BodyAction) -> None:
    one = trajectory(lambda t: posed(1, action, 300 + 75 * t, t, travelled=0.75 * t))
    other = trajectory(lambda t: posed(2, action, 335 + 75 * t, t, travelled=0.75 * t + 0.3))
    assert either(strike.score for strike in strikes(one, other, 0.0)) < 0.3
    assert mutual_violence(one, other) < 0.2
    assert shove(one, other, 0.0) is None


def test_blows_from_both_sides_are_mutual_violence_and_from_one_side_are_not() -> None:
    mutual = mutual_violence(striker(300), striker(340, facing=-1))
    one_sided = mutual_violence(striker(300), bystander(340))
    assert mutual > 0.7
    assert one_sided < 0.35


def test_violence_needs_closeness() -> None:
    assert mutual_violence(striker(300), striker(520, facing=-1)) == 0.0


def test_the_most_violent_pair_comes_first_and_strangers_are_left_out() -> None:
    trajectories = {1: striker(300), 2: striker(340, facing=-1), 3: bystander(400), 4: bystander(900)}
    found = encounters(trajectories)
    assert found[0].ids == (1, 2)
    assert found[0].violence > 0.7
    assert all(4 not in encounter.ids for encounter in found)


def test_pairs_are_found_at_once_as_they_would_be_one_by_one() -> None:
    random = np.random.default_rng(2)
    trajectories = {}
    for number in random.permutation(30).tolist():
        left, bottom, tall = random.uniform(0, 600), random.uniform(200, 500), random.uniform(60, 120)
        trajectories[number] = Trajectory(
            [Observation(0.0, Box(left, bottom - tall, left + 0.4 * tall, bottom))]
        )
    for reach in (0.3, 1.0, 4.0):
        one_by_one = [
            (one, other)
            for one, other in combinations(range(30), 2)
            if gap(
                trajectories[one].last,
                trajectories[other].last,
                (trajectories[one].body_height + trajectories[other].body_height) / 2,
            )
            <= reach
        ]
        assert one_by_one
        assert pairs_within(trajectories, reach) == one_by_one
    assert pairs_within({}, 1.0) == []


def test_people_at_different_depths_are_apart_though_they_overlap() -> None:
    near, far = Observation(0, Box(300, 300, 340, 400)), Observation(0, Box(310, 240, 345, 330))
    assert gap(near, near, H) == 0.0
    assert gap(near, far, H) > 1.0


def test_a_shove_drives_the_other_away() -> None:
    def pushing(t: float) -> Track:
        return posed(1, BodyAction.STRIKE, 300, 0.42, facing=1)

    def pushed(t: float) -> Track:
        return posed(2, BodyAction.STAND, 335 + max(0.0, t - 1.0) * 170, t)

    found = shove(trajectory(pushing), trajectory(pushed), 0.0)
    assert found is not None
    assert found.score > 0.6
    walking_on = shove(
        trajectory(lambda t: posed(1, BodyAction.STRIKE, 300 + max(0, t - 1) * 90, 0.42)),
        trajectory(pushed),
        0.0,
    )
    assert walking_on is None or walking_on.score < found.score


def run_from(start_s: float, x: float, speed: float) -> Callable[[float], float]:
    return lambda t: x + speed * max(0.0, t - start_s)


def test_one_who_runs_after_another_chases() -> None:
    found = chase(boxes(run_from(2.0, 100, 200)), boxes(run_from(1.8, 200, 200)))
    assert found is not None
    assert (found.kind, found.score) == (ActKind.CHASE, pytest.approx(1.0))
    assert found.speed == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (run_from(0, 100, 90), run_from(0, 200, 90), "they walk"),
        (run_from(2, 200, 200), run_from(2, 100, 200), "the other is behind"),
        (run_from(2, 100, 200), run_from(2, 600, -200), "they run toward each other"),
    ],
)
def test_other_running_is_no_chase(
    one: Callable[[float], float], other: Callable[[float], float], why: str
) -> None:
    assert chase(boxes(one), boxes(other)) is None, why


def test_joggers_and_crowds_that_run_are_less_certain() -> None:
    alone = chase(boxes(run_from(2.0, 100, 200)), boxes(run_from(1.8, 200, 200)))
    joggers = chase(boxes(run_from(0, 100, 200)), boxes(run_from(0, 200, 200)))
    together = chase(
        boxes(run_from(2.0, 100, 200)),
        boxes(run_from(1.8, 200, 200)),
        [boxes(run_from(2.0, 50, 200)), boxes(run_from(2.0, 150, 200))],
    )
    assert alone is not None
    assert joggers is not None
    assert together is not None
    assert joggers.score < 0.6
    assert together.score < 0.6


def test_ramps_rise_and_fall() -> None:
    assert [ramp(value, 1, 3) for value in (0, 1, 2, 3, 4)] == [0, 0, 0.5, 1, 1]
    assert [ramp(value, 3, 1) for value in (0, 1, 2, 3, 4)] == [1, 1, 0.5, 0, 0]


def jerked(x: float, by_px: float, end_s: float = 2.0) -> Trajectory:
    """Somebody pulled to and fro by `by_px` from look to look."""
    return Trajectory(
        [
            Observation(t, Box(x + by_px * (n % 2), 300, x + 40 + by_px * (n % 2), 400))
            for n, t in enumerate(times(0, end_s, 0.2))
        ]
    )


def test_bodies_that_jerk_in_touch_scuffle() -> None:
    found = scuffle(jerked(300, 6), jerked(350, -6))
    assert found is not None
    assert (found.kind, found.score) == (ActKind.SCUFFLE, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (jerked(300, 6), jerked(350, 0), "one of them stands still"),
        (jerked(300, 6), jerked(450, 6), "they are apart"),
        (boxes(lambda t: 300 + 80 * t), boxes(lambda t: 400 - 20 * t), "they walk past each other"),
    ],
)
def test_other_meetings_are_no_scuffle(one: Trajectory, other: Trajectory, why: str) -> None:
    assert scuffle(one, other) is None, why


def test_boxes_that_change_their_height_say_nothing_of_a_scuffle() -> None:
    flickering = Trajectory(
        [
            Observation(t, Box(300 + 6 * (n % 2), 300, 340 + 6 * (n % 2), 360 + 40 * (n % 2)))
            for n, t in enumerate(times(0, 2, 0.2))
        ]
    )
    assert scuffle(flickering, jerked(350, -6)) is None


def swinger(end: tuple[float, float]) -> Trajectory:
    """Somebody at x = 300 whose right wrist goes from behind the shoulder to `end` (from the shoulder, in H)."""

    def at(t: float) -> Track:
        track = posed(1, BodyAction.STAND, 300, t)
        assert track.keypoints is not None
        shoulder = track.keypoints[Joint.RIGHT_SHOULDER, :2]
        reach = end if t >= 1.0 else (-0.2, -0.25)
        track.keypoints[Joint.RIGHT_WRIST, :2] = shoulder + H * np.array(reach)
        return track

    return trajectory(at, step_s=0.2)


def test_a_wide_swing_at_somebody_beyond_reach_is_seen_and_a_wave_is_not() -> None:
    found = swing(swinger((0.32, 0.0)), bystander(380), 0.0)
    assert found is not None
    assert found.kind is ActKind.SWING
    assert found.score > 0.6
    assert swing(swinger((0.32, 0.0)), bystander(520), 0.0) is None
    assert swing(swinger((0.05, -0.32)), bystander(380), 0.0) is None


def test_one_who_is_pulled_along_the_ground_is_dragged() -> None:
    def pulled(speed: float) -> Trajectory:
        return Trajectory(
            [Observation(t, Box(340 + speed * t, 370, 440 + speed * t, 400)) for t in times(0, 2, 0.2)]
        )

    found = drag(boxes(lambda t: 300 + 50 * t, end_s=2.0), pulled(50))
    assert found is not None
    assert (found.kind, found.score) == (ActKind.DRAG, pytest.approx(0.83, abs=0.1))
    assert drag(boxes(lambda _t: 300, end_s=2.0), pulled(0)) is None
    assert drag(boxes(lambda t: 300 + 50 * t, end_s=2.0), boxes(lambda t: 340 + 50 * t, end_s=2.0)) is None


def test_one_who_rushes_at_somebody_charges_and_one_who_rushes_past_does_not() -> None:
    def rush(t: float) -> float:
        return 160 + 170 * max(0.0, t - 1.2)

    found = charge(boxes(rush, end_s=2.0), boxes(lambda _t: 350, end_s=2.0))
    assert found is not None
    assert found.score > 0.6
    assert charge(boxes(rush, end_s=2.0), boxes(lambda t: 350 + 170 * max(0.0, t - 1.2), end_s=2.0)) is None


def test_one_person_found_twice_is_one_body() -> None:
    assert one_body(boxes(lambda _t: 300), boxes(lambda _t: 304), 0.0)
    assert not one_body(boxes(lambda _t: 300), boxes(lambda _t: 330), 0.0)


def act(time_s: float, score: float, sure: float, kind: ActKind = ActKind.BLOW) -> Act:
    return Act(kind, time_s, score, 2.0, time_s, sure)


def test_one_step_of_a_guessed_joint_does_not_count_alone() -> None:
    """Wrists of people a few dozen pixels high leap from look to look."""
    assert together([act(1.0, 0.9, sure=0.0)]) <= 0.5
    assert together([act(1.0, 0.9, sure=0.0), act(1.0, 0.8, sure=0.0)]) <= 0.5
    assert together([act(1.0, 0.9, sure=0.5)]) < 0.9


def test_a_second_step_or_a_sure_one_or_another_act_counts() -> None:
    assert together([act(1.0, 0.9, sure=0.0), act(1.4, 0.5, sure=0.0)]) == pytest.approx(0.95)
    assert together([act(1.0, 0.9, sure=1.0)]) == 0.9
    shoved = replace(act(1.0, 0.5, sure=1.0), kind=ActKind.SHOVE)
    assert together([act(1.0, 0.9, sure=0.0), shoved]) == pytest.approx(0.95)
