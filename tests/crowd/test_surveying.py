"""The floor from what somebody measured on it."""

import numpy as np
import pytest
from tests.crowd.cameras import ASPECT, length_errors, seen, some_camera_pose

from tynysh.crowd.calibration import CalibrationError, KnownDistance, KnownPoint, check_points
from tynysh.crowd.camera_pose import CameraPose
from tynysh.crowd.surveying import from_distances, from_points

CAMERA = CameraPose(1.4, np.radians(22), np.radians(2), 5.0)
FLOOR = np.array([[-3.0, 5.0], [3.0, 5.0], [3.0, 14.0], [-3.0, 14.0], [0.0, 8.0], [-2.0, 10.0]])


def points(camera: CameraPose, floor: np.ndarray, rng: np.random.Generator | None = None) -> list[KnownPoint]:
    where = seen(camera, floor[:, 0], floor[:, 1], 0.0)
    if rng is not None:
        where = where + rng.normal(0, 0.003, where.shape)
    return [
        KnownPoint(tuple(at), tuple(metres))
        for at, metres in zip(where.tolist(), floor.tolist(), strict=True)
    ]


def distances(camera: CameraPose, pairs: list, rng: np.random.Generator | None = None) -> list[KnownDistance]:
    known = points(camera, FLOOR, rng)
    lengths = [float(np.hypot(*(FLOOR[a] - FLOOR[b]))) for a, b in pairs]
    return [
        KnownDistance(known[a].at, known[b].at, length) for (a, b), length in zip(pairs, lengths, strict=True)
    ]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_exact_points_give_the_exact_floor(count: int) -> None:
    survey = from_points(points(CAMERA, FLOOR[:count]), ASPECT)
    spots = seen(CAMERA, FLOOR[:, 0], FLOOR[:, 1], 0.0)
    assert np.abs(length_errors(survey.ground, CAMERA, spots)).max() < 1e-6
    assert survey.reprojection < 1e-6
    assert survey.ground.area_m2(tuple(map(tuple, spots[:4].tolist()))) == pytest.approx(54.0)


def test_axes_may_be_mirrored() -> None:
    mirrored = [
        KnownPoint(point.at, (point.metres[1], point.metres[0])) for point in points(CAMERA, FLOOR[:4])
    ]
    assert from_points(mirrored, ASPECT).ground.metres_at(mirrored[2].at) == pytest.approx((14.0, 3.0))


def test_the_sky_is_nowhere_on_the_floor() -> None:
    ground = from_points(points(CAMERA, FLOOR), ASPECT).ground
    assert (
        ground.metres_at((0.5, 0.01)) is None or CAMERA.ground(ASPECT, 0).metres_at((0.5, 0.01)) is not None
    )
    assert ground.metres_at((0.5, -0.3)) is None


def test_the_error_of_points_is_about_what_pointing_costs() -> None:
    rng = np.random.default_rng(1)
    true, estimated = [], []
    for _ in range(30):
        survey = from_points(points(CAMERA, FLOOR, rng), ASPECT)
        spots = seen(CAMERA, FLOOR[:, 0], FLOOR[:, 1], 0.0)
        true.append(np.sqrt(np.mean(length_errors(survey.ground, CAMERA, spots) ** 2)))
        estimated.append(survey.ground.error)
    assert 0.5 < np.median(estimated) / np.median(true) < 2.0


def test_distances_alone_give_the_floor_and_the_camera() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3), (4, 5)]
    survey = from_distances(distances(CAMERA, pairs), ASPECT)
    assert survey.camera_pose is not None
    assert survey.camera_pose.height == pytest.approx(5.0, rel=0.01)
    assert survey.camera_pose.focal == pytest.approx(1.4, rel=0.01)
    spots = seen(CAMERA, FLOOR[:, 0], FLOOR[:, 1], 0.0)
    assert np.abs(length_errors(survey.ground, CAMERA, spots)).max() < 0.01


def test_distances_that_nobody_pointed_at_exactly_give_lengths_within_a_few_standard_errors() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3), (4, 5)]
    rng = np.random.default_rng(3)
    for _ in range(3):
        survey = from_distances(distances(CAMERA, pairs, rng), ASPECT)
        spots = seen(CAMERA, FLOOR[:, 0], FLOOR[:, 1], 0.0)
        true = np.sqrt(np.mean(length_errors(survey.ground, CAMERA, spots) ** 2))
        assert survey.ground.trusted
        assert true < 3 * survey.ground.error


def test_a_distance_that_cannot_be_is_named() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3), (4, 5)]
    given = distances(CAMERA, pairs)
    given[3] = KnownDistance(given[3].begin, given[3].end, given[3].metres * 4)
    with pytest.raises(CalibrationError, match="distance 4 fits worst"):
        from_distances(given, ASPECT)


def test_points_on_one_line_are_named() -> None:
    given = points(CAMERA, np.array([[-3.0, 5.0], [0.0, 5.0], [3.0, 5.0], [3.0, 14.0]]))
    with pytest.raises(CalibrationError, match=r"Point 1 lies on one line with points 2 and 3"):
        check_points(given)


def test_swapped_points_are_named() -> None:
    given = points(CAMERA, FLOOR[:4])
    given[1], given[2] = KnownPoint(given[1].at, given[2].metres), KnownPoint(given[2].at, given[1].metres)
    with pytest.raises(CalibrationError, match="points 1 and 4, or 2 and 3 seem to be swapped"):
        check_points(given)


def test_the_same_point_twice_is_named() -> None:
    given = points(CAMERA, FLOOR[:4])
    given[3] = KnownPoint(given[0].at, (9.0, 9.0))
    with pytest.raises(CalibrationError, match="Points 1 and 4 are the same point of the picture"):
        check_points(given)


@pytest.mark.parametrize("seed", range(4))
def test_any_camera_is_found_from_a_rectangle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    camera = some_camera_pose(rng)
    survey = from_points(points(camera, FLOOR[:4]), ASPECT)
    assert (
        np.abs(length_errors(survey.ground, camera, seen(camera, FLOOR[:, 0], FLOOR[:, 1], 0.0))).max() < 1e-5
    )
