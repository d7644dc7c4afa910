"""Trajectories keep what was seen of each person over the last seconds."""

import numpy as np
import pytest
from tests.behaviour.scenes import H, boxed, posed, scene, standing, times

from tynysh.demo.figure import BodyAction
from tynysh.geometry import Box
from tynysh.scene.person import Joint
from tynysh.scene.trajectories import Trajectories
from tynysh.scene.trajectory import Observation, Trajectory


def test_only_what_was_seen_is_kept_and_only_for_the_window() -> None:
    trajectories = Trajectories(window_s=2.0)
    for t in times(0, 5):
        seen = standing(1, 100, t)
        carried = standing(2, 300, t, seen_s=0.0)
        trajectories.observe(scene(t, [seen, carried]))
    now = trajectories.now(scene(4.9))
    assert set(now) == {1}
    assert now[1][0].time_s == pytest.approx(2.9, abs=0.11)


def test_scenes_at_which_the_detector_rested_add_nothing() -> None:
    trajectories = Trajectories()
    trajectories.observe(scene(0.0, [standing(1, 100, 0.0)]))
    trajectories.observe(scene(0.1, [standing(1, 100, 0.1)], detected=False))
    assert len(trajectories.now(scene(0.1))[1]) == 1


def test_those_not_seen_lately_are_left_out() -> None:
    trajectories = Trajectories()
    trajectories.observe(scene(0.0, [standing(1, 100, 0.0)]))
    assert trajectories.now(scene(3.0), within_s=1.0) == {}


@pytest.mark.parametrize("steps", [times(0, 2), [0.0, 0.3, 0.35, 0.9, 1.0, 1.7]])
def test_velocity_does_not_depend_on_when_people_were_seen(steps: list[float]) -> None:
    trajectory = Trajectory([Observation(t, Box(100 + 80 * t, 300, 140 + 80 * t, 400)) for t in steps])
    assert trajectory.velocity(0.0, 2.0) == pytest.approx((80.0, 0.0), abs=1e-6)


def test_velocity_of_hardly_anything_is_unknown() -> None:
    assert Trajectory([Observation(t, Box(0, 0, 10, 20)) for t in (0.0, 0.05, 0.1)]).velocity(0, 1) is None


def test_body_height_survives_a_fall_and_a_raised_arm() -> None:
    upright = [Observation(t, Box(0, 0, 40, H)) for t in times(0, 1)]
    fallen = [Observation(t, Box(0, 0, H, 30)) for t in times(1, 2)]
    raised = [Observation(t, Box(0, 0, 40, 1.3 * H)) for t in times(2, 2.3)]
    assert Trajectory([*upright, *fallen, *raised]).body_height == H


def trail_of(action: BodyAction, step_s: float = 0.1) -> Trajectory:
    tracks = [posed(1, action, 300, t) for t in times(0, 2, step_s)]
    return Trajectory([Observation(track.seen_s, track.box, track.keypoints) for track in tracks])


def fastest(trajectory: Trajectory) -> float:
    return trajectory.fastest


def test_striking_arms_are_faster_than_standing_ones() -> None:
    assert fastest(trail_of(BodyAction.STRIKE)) > 2.0 * H
    assert fastest(trail_of(BodyAction.STAND)) < 0.3 * H


def test_left_and_right_changing_names_is_no_movement() -> None:
    tracks = [posed(1, BodyAction.STAND, 300, t) for t in times(0, 1)]
    observations = []
    for number, track in enumerate(tracks):
        keypoints = np.array(track.keypoints)
        # Hands apart, so that a change of names would be a leap.
        keypoints[Joint.LEFT_WRIST, 0] += 30
        keypoints[Joint.RIGHT_WRIST, 0] -= 30
        if number % 2:
            keypoints[[Joint.LEFT_WRIST, Joint.RIGHT_WRIST]] = keypoints[
                [Joint.RIGHT_WRIST, Joint.LEFT_WRIST]
            ]
        observations.append(Observation(track.seen_s, track.box, keypoints))
    assert fastest(Trajectory(observations)) < 0.5 * H


def test_without_pose_nothing_is_said_of_limbs() -> None:
    trajectory = Trajectory([Observation(t, Box(0, 0, 40, 100)) for t in times(0, 1)])
    assert trajectory.limbs == []
    assert boxed(1, Box(0, 0, 1, 1), 0.0).keypoints is None


def test_what_is_known_of_a_moment_ago_is_not_otherwise_than_what_is_read_anew() -> None:
    trajectories = Trajectories(window_s=1.0)
    for step, t in enumerate(times(0, 3)):
        trajectories.observe(
            scene(
                t,
                [posed(1, BodyAction.STRIKE, 300 + 40 * t, t), standing(2, 90 * t, t)],
                detected=step % 3 > 0,
            )
        )
        for followed in trajectories.now(scene(t)).values():
            anew = Trajectory(list(followed))
            assert followed.limbs == anew.limbs
            assert followed.wide_turns == anew.wide_turns
            assert followed.fastest == anew.fastest
            assert followed.pace == anew.pace
            assert followed.runs == anew.runs
