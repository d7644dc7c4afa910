"""A camera over a level floor, against a projection that is written apart from it."""

import numpy as np
import pytest
from tests.crowd.cameras import ASPECT, seen, some_camera_pose

from tynysh.crowd.camera_pose import CameraPose

PLACES = np.array([[-2.0, 6.0], [0.0, 9.0], [3.0, 15.0], [1.0, 30.0]])


@pytest.mark.parametrize("seed", range(5))
def test_what_stands_on_the_floor_is_found_there(seed: int) -> None:
    camera = some_camera_pose(np.random.default_rng(seed))
    spots = seen(camera, PLACES[:, 0], PLACES[:, 1], 0.0)
    assert camera.ground(ASPECT, 0.0).metres(spots) == pytest.approx(PLACES)


def test_people_are_as_tall_as_they_are_wherever_they_stand() -> None:
    camera = CameraPose(1.3, np.radians(25), 0.0, 5.0)
    feet, heads = (seen(camera, PLACES[:, 0], PLACES[:, 1], z) for z in (0.0, 1.85))
    assert camera.heights(feet, heads, ASPECT) == pytest.approx(np.full(4, 1.85))
    assert camera.body_heights(feet, 1.85, ASPECT) == pytest.approx(feet[:, 1] - heads[:, 1])


def test_nobody_stands_above_the_horizon() -> None:
    camera = CameraPose(1.3, np.radians(10), 0.0, 5.0)
    sky = np.array([[0.5, 0.1]])
    assert np.isnan(camera.heights(sky, sky - 0.1, ASPECT)).all()
    assert np.isnan(camera.body_heights(sky, 1.7, ASPECT)).all()


def test_parameters_go_there_and_back() -> None:
    camera = CameraPose(1.3, 0.4, -0.02, 5.0)
    again = CameraPose.of(camera.parameters)
    assert (again.focal, again.tilt, again.roll, again.height) == pytest.approx((1.3, 0.4, -0.02, 5.0))
