"""Lying is told from standing, sitting, crouching and bending over."""

import numpy as np
import pytest
from tests.behaviour.scenes import H, posed

from tynysh.behaviour.posture import StandingHeights, lying, upright
from tynysh.demo.figure import BodyAction, BodyPose, joints
from tynysh.geometry import Box
from tynysh.scene.person import Keypoints


def skeleton(stance: BodyPose) -> tuple[Box, Keypoints]:
    at = joints(stance) * H
    keypoints: Keypoints = np.full((26, 3), 0.9, dtype=np.float32)
    keypoints[:, 0], keypoints[:, 1] = 300 + at[:, 0], 400 - at[:, 1]
    left, top = keypoints[:, :2].min(axis=0)
    right, bottom = keypoints[:, :2].max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom)), keypoints


SITTING = BodyPose(
    lean=0.1, left_leg=(1.5, 0.1), right_leg=(1.4, 0.0), left_arm=(0.5, 1.0), right_arm=(0.4, 0.9)
)
ON_THE_GROUND = BodyPose(lean=-0.2, left_leg=(1.5, 1.5), right_leg=(1.5, 1.6), left_arm=(-0.4, -0.2))
CROUCHING = BodyPose(lean=0.6, left_leg=(1.9, -0.7), right_leg=(1.8, -0.6), left_arm=(0.3, 0.8))
BENDING = BodyPose(lean=1.6, left_leg=(0.1, 0.0), right_leg=(-0.1, 0.0), left_arm=(0.1, 0.1))
LYING = BodyPose(fallen=1.0)
ON_THE_SIDE = BodyPose(fallen=1.0, left_leg=(0.9, -0.4), right_leg=(1.0, -0.2), lean=0.3)


@pytest.mark.parametrize("stance", [BodyPose(), SITTING, ON_THE_GROUND, CROUCHING, BENDING])
def test_who_is_up_does_not_lie(stance: BodyPose) -> None:
    box, keypoints = skeleton(stance)
    assert lying(box, keypoints, standing=H) < 0.3


@pytest.mark.parametrize("stance", [LYING, ON_THE_SIDE])
def test_who_lies_is_seen_with_and_without_pose(stance: BodyPose) -> None:
    box, keypoints = skeleton(stance)
    assert lying(box, keypoints, standing=H) >= 0.8
    assert lying(box, keypoints, standing=None) >= 0.8
    assert lying(box, None, standing=H) >= 0.6


def test_two_people_in_one_wide_box_are_as_tall_as_anyone() -> None:
    assert lying(Box(0, 0, 140, 100), None, standing=H) == 0.0


def test_lying_along_the_line_of_sight_is_short_but_upright() -> None:
    assert lying(Box(0, 0, 30, 36), None, standing=H) >= 0.6
    assert lying(Box(0, 0, 30, 36), None, standing=H, cut_off=True) == 0.0


def test_a_box_cut_off_by_the_edge_says_little() -> None:
    assert lying(Box(0, 0, 100, 50), None, standing=None, cut_off=True) < 0.3


def test_walkers_are_upright_and_the_fallen_are_not() -> None:
    walker, fallen = posed(1, BodyAction.WALK, 200, 0.0), posed(1, BodyAction.LIE, 200, 0.0)
    assert upright(walker.box, walker.keypoints)
    assert not upright(fallen.box, fallen.keypoints)


def test_standing_height_is_learnt_where_people_walk() -> None:
    heights = StandingHeights()
    assert heights.at(0.5) is None
    for number in range(20):
        heights.learn(0.5, 80 + number % 3)
        heights.learn(0.9, 150 + number % 3)
    assert heights.at(0.5) == pytest.approx(81, abs=1)
    assert heights.at(0.92) == pytest.approx(151, abs=1)
    assert heights.at(0.05) is None, "nobody walked near there"
