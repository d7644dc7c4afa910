"""The floor by the people who walk over it: against cameras whose camera_pose is known."""

import dataclasses

import numpy as np
import pytest
from tests.crowd.cameras import ASPECT, HEIGHT, WIDTH, length_errors, some_camera_pose, walking

from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.learning import FEWEST_PEOPLE, GroundLearner, Hints, Learnt
from tynysh.geometry import Box
from tynysh.scene.scene import Scene

CAMERA = CameraPose(1.3, np.radians(20), np.radians(1), 5.0)


def learnt(scenes: list[Scene], learner: GroundLearner | None = None) -> Learnt | None:
    learner = learner or GroundLearner()
    for scene in scenes:
        learner.observe(scene)
    return learner.learnt


def spots(scenes: list[Scene], count: int = 40) -> np.ndarray:
    """Where people's feet were."""
    chosen = scenes[:: max(1, len(scenes) // count)]
    return np.array([scene.normalised(scene.tracks[0].box.foot) for scene in chosen])


def test_lengths_are_right_over_many_cameras_and_the_error_that_is_told_is_honest() -> None:
    true, estimated, focal = [], [], []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        camera = some_camera_pose(rng)
        scenes = walking(camera, rng, 40)
        found = learnt(scenes)
        if found is None:
            # It hangs so that hardly anybody is seen whole.
            continue
        errors = length_errors(found.ground, camera, spots(scenes))
        true.append(float(np.sqrt(np.nanmean(errors**2))))
        estimated.append(found.error)
        focal.append(np.log(found.camera_pose.focal / camera.focal))
    trusted = np.array(true)[np.array(estimated) <= 0.15]
    assert len(true) >= 14
    assert len(trusted) >= 10, "forty people are mostly enough"
    assert np.median(trusted) < 0.08
    assert trusted.max() < 0.25
    assert np.mean(np.array(true) > 2 * np.array(estimated)) <= 0.05, (
        "two standard errors hold in nineteen of twenty"
    )
    assert abs(np.mean(focal)) < 0.1, "not biased"


def test_more_people_make_it_better() -> None:
    def error(people: int) -> float:
        found = learnt(walking(CAMERA, np.random.default_rng(5), people))
        assert found is not None
        return found.error

    assert error(60) < error(15)


def test_before_enough_people_have_walked_nothing_is_said() -> None:
    assert learnt(walking(CAMERA, np.random.default_rng(2), FEWEST_PEOPLE - 1)) is None


def test_children_and_people_who_sit_do_not_spoil_it() -> None:
    scenes = walking(CAMERA, np.random.default_rng(7), 50, sitting=0.15)
    found = learnt(scenes)
    assert found is not None
    assert np.sqrt(np.mean(length_errors(found.ground, CAMERA, spots(scenes)) ** 2)) < 0.15


def test_the_same_scenes_give_the_same_floor() -> None:
    scenes = walking(CAMERA, np.random.default_rng(3), 15)
    assert learnt(scenes) == learnt(scenes)


def test_what_the_site_says_of_the_camera_helps() -> None:
    scenes = walking(CAMERA, np.random.default_rng(4), 12)
    plain = learnt(scenes)
    estimated = learnt(
        scenes, GroundLearner(hints=Hints(view=2 * np.arctan(ASPECT / 2 / CAMERA.focal), height=5.0))
    )
    assert plain is not None
    assert estimated is not None
    assert estimated.error < plain.error
    assert estimated.camera_pose.focal == pytest.approx(CAMERA.focal, rel=0.1)


@pytest.mark.parametrize("spoil", ["cut off", "lying", "standing still", "carried forward"])
def test_people_who_are_not_seen_whole_upright_and_walking_are_left_out(spoil: str) -> None:
    def spoilt(scene: Scene, first: dict[int, Box]) -> Scene:
        (track,) = scene.tracks
        box = track.box
        match spoil:
            case "cut off":
                box = Box(box.left, box.top, box.right, float(HEIGHT))
            case "lying":
                box = Box(box.left - box.height, box.top, box.right + box.height, box.bottom)
            case "standing still":
                box = first.setdefault(track.id, box)
            case _:
                track = dataclasses.replace(track, seen_s=scene.time_s - 1)
        return dataclasses.replace(scene, tracks=(dataclasses.replace(track, box=box),))

    first: dict[int, Box] = {}
    scenes = [spoilt(scene, first) for scene in walking(CAMERA, np.random.default_rng(1), 20)]
    assert learnt(scenes) is None


def test_a_camera_that_was_turned_is_learnt_anew() -> None:
    learner = GroundLearner()
    learnt(walking(CAMERA, np.random.default_rng(1), 20), learner)
    assert learner.learnt is not None
    learner.moved(away=True)
    assert learner.learnt is None
    assert learner.observe(Scene(1e4, WIDTH, HEIGHT)) is None
    turned = dataclasses.replace(CAMERA, tilt=np.radians(35))
    scenes = walking(turned, np.random.default_rng(2), 40)
    found = learnt(scenes, learner)
    assert found is not None
    assert np.sqrt(np.mean(length_errors(found.ground, turned, spots(scenes)) ** 2)) < 0.15


class TestWhatWasLearntBefore:
    BEFORE = Learnt(CAMERA, ASPECT, 0.07, 60)

    def test_holds_at_once_and_until_better_is_known(self) -> None:
        learner = GroundLearner(self.BEFORE)
        ground = learner.observe(Scene(0.0, WIDTH, HEIGHT))
        assert ground is not None
        assert ground.trusted
        assert learnt(walking(CAMERA, np.random.default_rng(1), 10), learner) is self.BEFORE

    def test_goes_when_people_contradict_it(self) -> None:
        other = CameraPose(1.3, np.radians(20), 0.0, 12.0)
        learner = GroundLearner(dataclasses.replace(self.BEFORE, camera_pose=other))
        found = learnt(walking(CAMERA, np.random.default_rng(1), 25), learner)
        assert found is not None
        assert found.camera_pose.height == pytest.approx(5.0, rel=0.25)

    def test_is_of_no_use_for_a_picture_of_another_shape(self) -> None:
        assert GroundLearner(self.BEFORE).observe(Scene(0.0, 640, 480)) is None


def test_memory_is_bounded() -> None:
    learner = GroundLearner()
    learnt(walking(CAMERA, np.random.default_rng(9), 150), learner)
    assert learner.segments <= 6 * 6 * 12
