"""Schedules are read on the wall clock of the site."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tynysh.behaviour.schedule import WEEKDAYS, Day, Locality, Schedule

ALMATY = Locality(ZoneInfo("Asia/Almaty"))
BERLIN = Locality(ZoneInfo("Europe/Berlin"))
NIGHT = Schedule(frozenset({Day.FRI, Day.SAT}), time(22, 0), time(6, 0))
OFFICE = Schedule(frozenset(WEEKDAYS[:5]), time(9, 0), time(18, 0))


def at(text: str, place: Locality = ALMATY) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=place.zone).timestamp()


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-20T21:59:59", False),  # a Friday
        ("2026-11-20T22:00:00", True),
        ("2026-11-21T05:59:59", True),
        ("2026-11-21T06:00:00", False),
        ("2026-11-21T23:00:00", True),
        ("2026-11-22T05:00:00", True),  # Sunday morning belongs to Saturday's night
        ("2026-11-22T23:00:00", False),
        ("2026-11-20T05:00:00", False),  # Friday morning would belong to Thursday's
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(local: str, expected: bool) -> None:
    assert NIGHT.in_force(at(local), ALMATY) is expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [("2026-11-23T09:00:00", True), ("2026-11-23T18:00:00", False), ("2026-11-22T12:00:00", False)],
)
def test_a_day_begins_and_ends_on_itself(local: str, expected: bool) -> None:
    assert OFFICE.in_force(at(local), ALMATY) is expected


def test_the_time_zone_decides() -> None:
    noon_utc = datetime(2026, 11, 23, 12, 30, tzinfo=UTC).timestamp()
    assert OFFICE.in_force(noon_utc, ALMATY), "17:30 in Almaty"
    assert not OFFICE.in_force(noon_utc, Locality(ZoneInfo("Asia/Tokyo"))), "21:30 in Tokyo"


def test_from_equal_to_until_is_a_whole_day() -> None:
    sunday = Schedule(frozenset({Day.SUN}), time(8, 0), time(8, 0))
    assert sunday.in_force(at("2026-11-22T08:00:00"), ALMATY)
    assert sunday.in_force(at("2026-11-23T07:59:00"), ALMATY)
    assert not sunday.in_force(at("2026-11-23T08:00:00"), ALMATY)


def test_an_hour_that_comes_twice_counts_twice() -> None:
    early = Schedule(frozenset(WEEKDAYS), time(2, 0), time(3, 0))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert early.in_force(first, BERLIN)
    assert early.in_force(first + 3600, BERLIN)
    assert not early.in_force(first + 7200, BERLIN)
