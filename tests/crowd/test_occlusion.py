"""What people in front hide of the floor behind them is told, on known ground and by sizes alone."""

import numpy as np
import pytest
from tests.crowd.filming import HEIGHT, WIDTH, Faults, Film, Lens, Watching, crowd_of, looks
from tests.crowd.social_force import Crowd, scattered

from tynysh.crowd.occlusion import BODY_HEIGHT_M, FULL, HiddenFloor, Occlusion, sized_ground
from tynysh.geometry import Box
from tynysh.scene.ground import Ground

LOW, HIGH, STEEP = Lens(4.0, 20.0), Lens(7.0, 40.0), Lens(10.0, 70.0, 500.0)
SIDE_M = 8.0
NEAR_M = {LOW: 8.0, HIGH: 7.5, STEEP: 2.0}


def standing(lens: Lens, *places: tuple[float, float]) -> list[Box]:
    """The boxes of people 1.7 m tall at these places, metres."""
    feet, heads = lens.pixels(np.array(places)), lens.pixels(np.array(places), BODY_HEIGHT_M)
    return [
        Box(x - 0.13 * (y - top), top, x + 0.13 * (y - top), y)
        for (x, y), (_, top) in zip(feet.tolist(), heads.tolist(), strict=True)
    ]


def hidden(lens: Lens, boxes: list[Box], *, ground: bool = True) -> float:
    found = Occlusion().observe(lens.ground() if ground else None, WIDTH, HEIGHT, boxes)
    assert found is not None
    return float(found.expected.sum())


def test_nobody_hides_nobody() -> None:
    assert Occlusion().observe(LOW.ground(), WIDTH, HEIGHT, []) is None


@pytest.mark.parametrize("ground", [True, False])
def test_one_on_an_empty_square_hides_hardly_anybody_and_a_row_of_people_many(ground: bool) -> None:
    one = standing(LOW, (0.0, 8.0))
    row = standing(LOW, *((0.5 * n, 8.0) for n in range(-8, 9)))
    assert hidden(LOW, one, ground=ground) < 0.3
    assert hidden(LOW, row, ground=ground) > 3


def test_the_steeper_a_camera_looks_down_the_fewer_are_hidden() -> None:
    rows = [(0.6 * n, NEAR_M[LOW] + 0.6 * m) for n in range(-4, 5) for m in range(5)]
    by_lens = [hidden(lens, standing(lens, *((x, y - 8 + NEAR_M[lens]) for x, y in rows))) for lens in NEAR_M]
    assert by_lens == sorted(by_lens, reverse=True)
    assert by_lens[0] > 2 * by_lens[2]


def test_somebody_straight_behind_another_is_covered_and_somebody_beside_is_not() -> None:
    lens = Lens(4.0, 20.0)
    floor = HiddenFloor(lens.ground(), WIDTH, HEIGHT)
    seen = floor.seen(standing(lens, *((0.4 * n, 8.0) for n in range(-3, 4))))
    behind, beside, before = (
        lens.pixels(np.array([place]))[0] for place in ((0.0, 9.5), (5.0, 9.5), (0.0, 6.0))
    )
    middles = floor.middles * (WIDTH, HEIGHT)

    def at(point: np.ndarray) -> float:
        return float(seen[np.argmin(np.hypot(*(middles - point).T))])

    assert at(behind) < 0.6
    assert at(beside) == at(before) == 1.0


def test_shadow_holds_no_more_than_a_floor_can_hold() -> None:
    found = Occlusion().observe(STEEP.ground(), WIDTH, HEIGHT, standing(STEEP, (0.0, 3.0), (0.4, 3.0)))
    assert found is not None
    floor_m2 = STEEP.ground().area_m2(((0, 0), (1, 0), (1, 1), (0, 1)))
    assert floor_m2 is not None
    assert 0 < found.room.sum() < FULL * floor_m2 / 3
    assert (found.expected <= found.room + 0.1).all()


def test_people_of_a_size_are_that_tall_on_the_floor_made_of_it() -> None:
    ground = sized_ground(100.0, WIDTH, HEIGHT)
    one = Box(600, 300, 626, 400)
    seen = HiddenFloor(ground, WIDTH, HEIGHT).seen([one])
    covered = HiddenFloor(ground, WIDTH, HEIGHT).middles[seen < 0.9] * (WIDTH, HEIGHT)
    assert len(covered)
    assert covered[:, 1].min() > 300 and covered[:, 1].max() < 400


def test_a_picture_above_the_horizon_has_no_floor() -> None:
    sky = Ground(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]]), 0.1)
    found = Occlusion().observe(sky, WIDTH, HEIGHT, [Box(600, 300, 626, 400)])
    assert found is not None and found.expected.sum() == 0


@pytest.mark.parametrize("ground", [True, False], ids=["ground", "sizes"])
@pytest.mark.parametrize("density", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("lens", [LOW, HIGH], ids=["low", "high"])
def test_a_crowd_that_hides_itself_is_rough_and_the_band_reaches_up_to_all(
    lens: Lens, density: float, ground: bool
) -> None:
    assert all(rough and people <= high for people, _, high, rough in filmed(lens, density, ground=ground))


@pytest.mark.parametrize(
    ("lens", "density"), [(LOW, 0.2), (HIGH, 0.2), (HIGH, 0.5), (STEEP, 0.5), (STEEP, 1.0)]
)
def test_people_who_can_be_told_apart_are_not_rough(lens: Lens, density: float) -> None:
    looked = filmed(lens, density)
    assert not any(rough for *_, rough in looked)
    assert np.mean([count / people for people, count, _, _ in looked]) == pytest.approx(1.0, abs=0.15)


def filmed(lens: Lens, density: float, *, ground: bool = True) -> list[tuple[int, float, float, bool]]:
    """People in a square of 5 x 5 m in the middle of a crowd, their count, its upper end and whether it is rough."""
    number, near_m = round(density * SIDE_M**2), NEAR_M[lens]
    wanted = np.tile([1.2 * max(0.0, 1 - density / 4.5), 0.0], (number, 1))
    crowd = Crowd(scattered(number, SIDE_M, SIDE_M, 1), wanted, period=(SIDE_M, SIDE_M), noise=0.1)
    zone = lens.zone("square", -2.5, near_m, 2.5, near_m + 5.0)
    watching = Watching(Film(lens, Faults(occlusion=True)), (zone,), (), lens.ground() if ground else None)
    looked = []
    for time_s in looks(4.0):
        crowd.walk(0.2)
        places = crowd.places + np.array([-SIDE_M / 2, near_m - 1.5])
        state = crowd_of(watching.look(time_s, places, crowd.heights_m)).place("square")
        assert state is not None
        inside = (np.abs(places[:, 0]) < 2.5) & (np.abs(places[:, 1] - near_m - 2.5) < 2.5)
        if time_s >= 2.0:
            looked.append((int(inside.sum()), state.count.value, state.count.high, state.rough))
    return looked
