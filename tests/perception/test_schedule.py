"""The detector looks as often as the scene needs."""

import pytest

from tynysh.geometry import Box
from tynysh.perception.schedule import DetectionSchedule, ScheduleSettings, Urgency
from tynysh.scene.motion import STILL, Motion
from tynysh.scene.track import Track

MOVING = Motion(level=0.01, moving=True)


def person(x: float, number: int = 1, seen_s: float = 0.0) -> Track:
    """Someone 100 pixels tall whose feet are at x."""
    return Track(number, Box(x - 20, 100, x + 20, 200), 0.9, (0.0, 0.0), 0.0, seen_s)


def looks(
    schedule: DetectionSchedule,
    motion: Motion,
    places: tuple[float, ...],
    *,
    start_s: float = 0.0,
    seconds: float = 20.0,
    rate_hz: float = 10.0,
) -> list[float]:
    """When the detector looks, which then finds people at `places`."""
    found: list[float] = []
    looked_s = start_s
    for n in range(round(seconds * rate_hz)):
        time_s = start_s + n / rate_hz
        tracks = [person(x, number, looked_s) for number, x in enumerate(places)]
        if schedule.due(time_s, motion, tracks):
            found.append(time_s)
            looked_s = time_s
    return found


def settled(motion: Motion, *places: float, rate_hz: float = 10.0) -> float:
    """Looks a second once the beginning is over."""
    schedule = DetectionSchedule()
    looks(schedule, motion, places, seconds=5.0, rate_hz=rate_hz)
    return len(looks(schedule, motion, places, start_s=5.0, seconds=40.0, rate_hz=rate_hz)) / 40


def test_the_first_frame_is_looked_at() -> None:
    assert DetectionSchedule().due(1234.5, STILL, ())


@pytest.mark.parametrize("rate_hz", [8.0, 10.0, 12.5, 25.0])
def test_people_who_move_are_looked_at_four_times_a_second_on_average(rate_hz: float) -> None:
    assert settled(MOVING, 100, 500, rate_hz=rate_hz) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("rate_hz", [10.0, 12.5, 25.0])
def test_people_near_each_other_five_times(rate_hz: float) -> None:
    assert settled(MOVING, 100, 160, rate_hz=rate_hz) == pytest.approx(5, abs=0.2)


def test_people_in_a_still_scene_every_four_seconds() -> None:
    assert settled(STILL, 100, 160) == pytest.approx(0.25, abs=0.03)


def test_a_scene_that_moves_without_people_once_a_second() -> None:
    assert settled(MOVING) == pytest.approx(1, abs=0.05)


def test_an_empty_still_scene_every_ten_seconds() -> None:
    assert settled(STILL) == pytest.approx(0.1, abs=0.03)


def test_when_something_begins_to_move_it_looks_at_once_and_often() -> None:
    schedule = DetectionSchedule()
    looks(schedule, STILL, (), seconds=11.2)
    found = looks(schedule, MOVING, (), start_s=11.2, seconds=2.0)
    assert found[0] == 11.2
    assert len(found) == pytest.approx(8, abs=1)


def test_the_beginning_is_looked_at_often_so_that_people_who_stand_there_are_confirmed() -> None:
    assert len(looks(DetectionSchedule(), STILL, (), seconds=1.0)) >= 3


def test_a_still_noisy_minute_costs_few_looks() -> None:
    assert len(looks(DetectionSchedule(), STILL, (100, 160), seconds=60, rate_hz=10)) <= 28


def test_someone_just_lost_is_looked_for() -> None:
    schedule = DetectionSchedule()
    looked_s = looks(schedule, STILL, (100,), seconds=10)[-1]
    carried = [person(100, seen_s=looked_s)]
    found = [n / 10 for n in range(100, 170) if schedule.due(n / 10, STILL, carried)]
    assert found[0] - looked_s > 2
    assert len([time_s for time_s in found if time_s < found[0] + 1.2]) == pytest.approx(4, abs=1)
    assert len(found) <= 7


def test_frames_that_come_rarely_are_all_looked_at_when_people_move() -> None:
    schedule = DetectionSchedule()
    assert all(schedule.due(2.0 * n, MOVING, [person(100, seen_s=2.0 * n - 2)]) for n in range(20))


def test_after_a_pause_it_does_not_catch_up() -> None:
    schedule = DetectionSchedule()
    looks(schedule, MOVING, (100,), seconds=5)
    found = looks(schedule, MOVING, (100,), start_s=60, seconds=2)
    assert len(found) == pytest.approx(8, abs=1)


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    schedule = DetectionSchedule()
    looks(schedule, STILL, (100,), start_s=5000, seconds=10)
    assert len(looks(schedule, STILL, (100,), start_s=100, seconds=10)) >= 4


def test_intervals_are_settings() -> None:
    settings = ScheduleSettings(people_s=2.0, alert_for_s=0.0)
    found = looks(DetectionSchedule(settings), MOVING, (100,), seconds=20)
    assert len(found) == pytest.approx(10, abs=1)
    assert [settings.interval_s(need) for need in Urgency] == [0.2, 2.0, 0.25, 1.0, 4.0, 10.0]


def test_it_says_what_the_scene_needs() -> None:
    schedule = DetectionSchedule(ScheduleSettings(alert_for_s=1.0))
    assert schedule.due(0.0, STILL, ())
    assert schedule.need(0.5, STILL, ()) is Urgency.ALERT
    assert schedule.need(5.0, STILL, ()) is Urgency.EMPTY
    assert schedule.need(5.0, MOVING, ()) is Urgency.MOTION
    assert schedule.need(5.0, STILL, [person(100)]) is Urgency.STILL_PEOPLE
    assert schedule.need(5.0, MOVING, [person(100), person(500, 2)]) is Urgency.PEOPLE
    assert schedule.need(5.0, MOVING, [person(100), person(150, 2)]) is Urgency.CLOSE


def test_looks_in_tiles_are_so_rare_that_they_cost_no_more_than_ten_views_a_second() -> None:
    settings = ScheduleSettings()
    assert settings.interval_s(Urgency.CLOSE, inferences=5) == 0.5
    assert settings.interval_s(Urgency.PEOPLE, inferences=10) == 1.0
    assert settings.interval_s(Urgency.EMPTY, inferences=10) == settings.empty_s
    assert settings.interval_s(Urgency.PEOPLE) == settings.people_s


@pytest.mark.parametrize("rate", [1.0, 2.0, 5.0])
def test_a_camera_that_only_counts_is_looked_at_as_often_as_its_installer_says(rate: float) -> None:
    settings = ScheduleSettings.steady(rate)
    for inferences in (1, 10):
        assert (
            settings.interval_s(Urgency.CLOSE, inferences)
            == settings.interval_s(Urgency.PEOPLE, inferences)
            == 1 / rate
        )
    found = looks(DetectionSchedule(settings), MOVING, (100.0, 300.0))
    assert len(found) / 20.0 == pytest.approx(rate, rel=0.1)
    assert settings.interval_s(Urgency.EMPTY) == 10.0
