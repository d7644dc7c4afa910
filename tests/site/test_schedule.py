"""Schedules are read on the wall clock of the site."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from tynysh.site.schedule import WEEKDAYS, Day, Locality, Moment, Schedule, SunEvent, SunMoment


def hours(
    days: Collection[Day], begin: time | SunMoment, end: time | SunMoment, *, except_holidays: bool = False
) -> Schedule:
    given = {"days": tuple(days), "from": begin, "to": end, "except_holidays": except_holidays}
    return Schedule.model_validate(given)


ALMATY = Locality(ZoneInfo("Asia/Almaty"))
BERLIN = Locality(ZoneInfo("Europe/Berlin"))
NIGHT = hours({Day.FRI, Day.SAT}, time(22, 0), time(6, 0))
OFFICE = hours(WEEKDAYS[:5], time(9, 0), time(18, 0))


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
    sunday = hours({Day.SUN}, time(8, 0), time(8, 0))
    assert sunday.in_force(at("2026-11-22T08:00:00"), ALMATY)
    assert sunday.in_force(at("2026-11-23T07:59:00"), ALMATY)
    assert not sunday.in_force(at("2026-11-23T08:00:00"), ALMATY)


def test_an_hour_that_comes_twice_counts_twice() -> None:
    early = hours(WEEKDAYS, time(2, 0), time(3, 0))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert early.in_force(first, BERLIN)
    assert early.in_force(first + 3600, BERLIN)
    assert not early.in_force(first + 7200, BERLIN)


class TestBySun:
    POSITION = (43.24, 76.89)
    DARK = hours(WEEKDAYS, SunMoment(SunEvent.SUNSET), SunMoment(SunEvent.SUNRISE))
    PLACE = Locality(ZoneInfo("Asia/Almaty"), POSITION)

    @pytest.mark.parametrize(
        ("local", "expected"),
        [
            # In Almaty the sun sets at 16:23 and rises at 06:53 (UTC+5) in late November.
            ("2026-11-22T16:10:00", False),
            ("2026-11-22T16:40:00", True),
            ("2026-11-23T00:00:00", True),
            ("2026-11-23T06:40:00", True),
            ("2026-11-23T07:10:00", False),
            ("2026-06-21T19:20:00", False),
            ("2026-06-21T20:00:00", True),
            ("2026-06-22T05:30:00", False),
        ],
    )
    def test_night_is_from_sunset_to_sunrise(self, local: str, expected: bool) -> None:
        assert self.DARK.in_force(at(local), self.PLACE) is expected

    def test_it_agrees_with_the_almanac(self) -> None:
        """Greenwich, 21 June 2026: the sun rises at 03:43 UTC and sets at 20:21 UTC."""
        greenwich = Locality(ZoneInfo("UTC"), (51.478, 0.0))
        day = hours(WEEKDAYS, SunMoment(SunEvent.SUNRISE), SunMoment(SunEvent.SUNSET))
        for text, expected in (("03:40", False), ("03:46", True), ("20:18", True), ("20:25", False)):
            assert day.in_force(at(f"2026-06-21T{text}:00", greenwich), greenwich) is expected

    def test_offsets_begin_earlier_and_end_later(self) -> None:
        wider = hours(
            WEEKDAYS,
            SunMoment(SunEvent.SUNSET, timedelta(minutes=-30)),
            SunMoment(SunEvent.SUNRISE, timedelta(minutes=30)),
        )
        assert wider.in_force(at("2026-11-22T16:10:00"), self.PLACE)
        assert wider.in_force(at("2026-11-23T07:10:00"), self.PLACE)
        assert not wider.in_force(at("2026-11-22T15:40:00"), self.PLACE)

    def test_dusk_comes_after_sunset(self) -> None:
        dusk = hours(WEEKDAYS, SunMoment(SunEvent.DUSK), SunMoment(SunEvent.DAWN))
        assert not dusk.in_force(at("2026-11-22T16:40:00"), self.PLACE)
        assert dusk.in_force(at("2026-11-22T17:10:00"), self.PLACE)

    def test_a_night_by_the_sun_belongs_to_the_day_on_which_it_begins(self) -> None:
        friday = self.DARK.model_copy(update={"days": (Day.FRI,)})
        assert friday.in_force(at("2026-11-21T05:00:00"), self.PLACE)
        assert not friday.in_force(at("2026-11-20T05:00:00"), self.PLACE)

    def test_a_polar_night_is_dark_all_day_and_a_polar_day_never(self) -> None:
        tromso = Locality(ZoneInfo("Europe/Oslo"), (69.65, 18.96))
        for hour in range(24):
            assert self.DARK.in_force(at(f"2026-12-20T{hour:02}:30:00", tromso), tromso)
            assert not self.DARK.in_force(at(f"2026-06-20T{hour:02}:30:00", tromso), tromso)
        light = hours(WEEKDAYS, SunMoment(SunEvent.SUNRISE), SunMoment(SunEvent.SUNSET))
        for hour in range(24):
            assert light.in_force(at(f"2026-06-20T{hour:02}:30:00", tromso), tromso)
            assert not light.in_force(at(f"2026-12-20T{hour:02}:30:00", tromso), tromso)

    def test_offsets_do_not_cut_a_polar_night(self) -> None:
        tromso = Locality(ZoneInfo("Europe/Oslo"), (69.65, 18.96))
        wider = hours(
            WEEKDAYS,
            SunMoment(SunEvent.SUNSET, timedelta(hours=-1)),
            SunMoment(SunEvent.SUNRISE, timedelta(hours=1)),
        )
        assert all(wider.in_force(at(f"2026-12-20T{hour:02}:30:00", tromso), tromso) for hour in range(24))

    def test_hours_may_follow_the_same_sunset(self) -> None:
        evening = hours(WEEKDAYS, SunMoment(SunEvent.SUNSET), SunMoment(SunEvent.SUNSET, timedelta(hours=2)))
        assert evening.in_force(at("2026-11-22T17:30:00"), self.PLACE)
        assert not evening.in_force(at("2026-11-22T19:00:00"), self.PLACE)

    def test_it_may_be_mixed_with_the_clock(self) -> None:
        evening = hours(WEEKDAYS, SunMoment(SunEvent.SUNSET), time(23, 0))
        assert evening.in_force(at("2026-11-22T22:00:00"), self.PLACE)
        assert not evening.in_force(at("2026-11-22T23:30:00"), self.PLACE)

    def test_summer_time_moves_the_wall_clock_and_not_the_sun(self) -> None:
        berlin = Locality(ZoneInfo("Europe/Berlin"), (52.52, 13.40))
        day = hours(WEEKDAYS, SunMoment(SunEvent.SUNRISE), SunMoment(SunEvent.SUNSET))
        # The sun rises at about 04:50 UTC around 29 March 2026, whatever the clocks are set to.
        before = datetime(2026, 3, 28, 6, 0, tzinfo=UTC).timestamp()
        after = datetime(2026, 3, 29, 6, 0, tzinfo=UTC).timestamp()
        early = datetime(2026, 3, 29, 4, 30, tzinfo=UTC).timestamp()
        assert day.in_force(before, berlin)
        assert day.in_force(after, berlin)
        assert not day.in_force(early, berlin)

    def test_without_a_position_there_is_no_sun(self) -> None:
        with pytest.raises(ValueError, match="need a position"):
            self.DARK.in_force(at("2026-11-22T12:00:00"), ALMATY)

    @pytest.mark.parametrize("moment", ["sunset", "sunrise+01:00", "dusk-00:05", "dawn"])
    def test_it_is_written_as_it_is_read(self, moment: str) -> None:
        read = TypeAdapter(Moment).validate_python(moment)
        assert str(read) == moment


class TestHolidays:
    PLACE = Locality(ZoneInfo("Asia/Almaty"), holidays={date(2026, 12, 16)})  # a Wednesday
    OPEN = hours({Day.SAT, Day.SUN, Day.HOLIDAY}, time(10, 0), time(22, 0))

    def test_hours_may_begin_on_holidays(self) -> None:
        assert self.OPEN.in_force(at("2026-12-16T12:00:00"), self.PLACE)
        assert not self.OPEN.in_force(at("2026-12-17T12:00:00"), self.PLACE)

    def test_hours_may_leave_holidays_out(self) -> None:
        office = OFFICE.model_copy(update={"except_holidays": True})
        assert not office.in_force(at("2026-12-16T12:00:00"), self.PLACE)
        assert office.in_force(at("2026-12-17T12:00:00"), self.PLACE)

    def test_a_holiday_is_its_day_of_the_week_where_nothing_else_is_said(self) -> None:
        assert OFFICE.in_force(at("2026-12-16T12:00:00"), self.PLACE)

    def test_a_night_that_began_before_a_holiday_goes_on_into_it(self) -> None:
        nights = hours(WEEKDAYS, time(22, 0), time(6, 0), except_holidays=True)
        assert nights.in_force(at("2026-12-16T03:00:00"), self.PLACE)
        assert not nights.in_force(at("2026-12-16T23:00:00"), self.PLACE)
