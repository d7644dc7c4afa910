"""The grid that is laid on the floor."""

import numpy as np
import pytest
from tests.crowd.cameras import ASPECT

from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.grid import FARTHEST_M, floor_grid
from tynysh.scene.ground import Ground

LEVEL = CameraPose(1.3, np.radians(8), 0.0, 4.0)


def test_its_lines_lie_on_whole_metres_inside_the_picture_and_below_the_horizon() -> None:
    ground = LEVEL.ground(ASPECT, 0.1)
    lines = floor_grid(ground, 5.0)
    assert len(lines) > 8
    horizon = 0.5 - 1.3 * np.tan(np.radians(8))
    for line in lines:
        places = np.array(line)
        assert ((places >= 0) & (places <= 1)).all()
        assert (places[:, 1] > horizon).all()
        floor = ground.metres(places)
        assert np.hypot(*floor.T).max() < 2 * FARTHEST_M
        across = np.abs(floor - 5.0 * np.round(floor / 5.0)).max(axis=0)
        assert across.min() < 1e-6, "one coordinate stays on a multiple of five metres"


def test_a_finer_grid_has_more_lines() -> None:
    steep = CameraPose(1.3, np.radians(60), 0.0, 4.0).ground(ASPECT, 0.1)
    assert len(floor_grid(steep, 1.0)) > 2 * len(floor_grid(steep, 3.0)) > 0


def test_a_picture_without_floor_has_no_grid() -> None:
    upwards = LEVEL.homography(ASPECT) @ np.array([[1, 0, 0], [0, 1, -2], [0, 0, 1]])
    assert floor_grid(Ground(upwards, 0.1), 1.0) == []


def test_the_inverse_of_a_ground_keeps_what_is_in_front_of_the_camera() -> None:
    ground = LEVEL.ground(ASPECT, 0.1)
    assert ground.picture(np.array([[0.0, 20.0]]))[0] == pytest.approx(
        [0.5, 0.5 + 1.3 * np.tan(np.arctan2(4, 20) - np.radians(8))]
    )
    assert np.isnan(ground.picture(np.array([[0.0, -20.0]]))).all()
