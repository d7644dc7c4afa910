"""Hours of a site (days, from–to by the clock or by the sun): as they are written, and whether they are in force."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Self

from astral import Observer
from astral.sun import dawn, dusk, elevation, noon, sunrise, sunset
from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from tynysh.site.fields import Strict


class Day(StrEnum):
    """A day on which hours may begin, as it is written in a site's YAML."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
    HOLIDAY = "holiday"


WEEKDAYS = tuple(Day)[:7]
"""Monday first, as `datetime.weekday` counts."""


class SunEvent(StrEnum):
    """What the sun does: it rises and sets; at dawn and dusk it stands 6° below the horizon (civil twilight)."""

    DAWN = "dawn"
    SUNRISE = "sunrise"
    SUNSET = "sunset"
    DUSK = "dusk"


_BEFORE_NOON = (SunEvent.DAWN, SunEvent.SUNRISE)
_OF_ASTRAL: Mapping[SunEvent, Callable[[Observer, date], datetime]] = {
    SunEvent.DAWN: dawn,
    SunEvent.SUNRISE: sunrise,
    SunEvent.SUNSET: sunset,
    SunEvent.DUSK: dusk,
}
# Degrees at which the sun's middle stands; at sunrise its upper edge is seen, refracted.
_ELEVATION = {SunEvent.DAWN: -6.0, SunEvent.SUNRISE: -0.833, SunEvent.SUNSET: -0.833, SunEvent.DUSK: -6.0}


@dataclass(frozen=True, slots=True)
class SunMoment:
    """A time of day by the sun: `offset` after the event, before it where negative.

    >>> str(SunMoment(SunEvent.SUNSET, timedelta(minutes=-30)))
    'sunset-00:30'
    """

    event: SunEvent
    offset: timedelta = timedelta()

    @property
    def order(self) -> tuple[int, timedelta]:
        """Moments of one day compare by it as they follow each other, but for offsets of many hours."""
        return (tuple(SunEvent).index(self.event), self.offset)

    def __str__(self) -> str:
        if not self.offset:
            return self.event.value
        minutes = int(self.offset.total_seconds()) // 60
        return f"{self.event}{'+' if minutes > 0 else '-'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


_BY_THE_SUN = re.compile(rf"({'|'.join(SunEvent)})(?:([+-])(0?\d|1[0-2]):([0-5]\d))?")


def _clock(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise PydanticCustomError("clock", "is not a time of day; write HH:MM, from 00:00 to 23:59")
    return time.fromisoformat(value)


def _moment(value: Any) -> Any:
    if isinstance(value, SunMoment):
        return value
    by_the_sun = _BY_THE_SUN.fullmatch(value) if isinstance(value, str) else None
    if by_the_sun is not None:
        event, sign, hours, minutes = by_the_sun.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return SunMoment(SunEvent(event), -offset if sign == "-" else offset)
    try:
        return _clock(value)
    except PydanticCustomError:
        raise PydanticCustomError(
            "moment",
            "is not a time of day; write HH:MM, from 00:00 to 23:59, or `dawn`, `sunrise`, `sunset`, `dusk`, "
            "and how long before or after: `sunset-00:30`",
        ) from None


def _written(moment: time | SunMoment) -> str:
    return moment.strftime("%H:%M") if isinstance(moment, time) else str(moment)


Clock = Annotated[time, BeforeValidator(_clock), PlainSerializer(_written, return_type=str)]
Moment = Annotated[time | SunMoment, BeforeValidator(_moment), PlainSerializer(_written, return_type=str)]


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("day", "is not a day; write YYYY-MM-DD, as 2026-12-16") from None


CalendarDay = Annotated[date, BeforeValidator(_day), PlainSerializer(date.isoformat, return_type=str)]


@dataclass(frozen=True, slots=True, eq=False)
class Locality:
    """Where schedules are read.

    zone: of the wall clock. position: latitude and longitude, degrees, for the sun; None where no schedule asks for it.
    holidays: the days, on that wall clock, that are holidays.
    """

    zone: tzinfo
    position: tuple[float, float] | None = None
    holidays: Container[date] = frozenset()


class Schedule(Strict):
    """Hours on days, in the site's time zone; past midnight where `to` is not after `from`.

    The beginning is included, the end is not; where they are equal, it is 24 hours.

    >>> from zoneinfo import ZoneInfo
    >>> place = Locality(ZoneInfo("Asia/Almaty"))
    >>> nights = Schedule.model_validate({"days": ["fri", "sat"], "from": "22:00", "to": "04:00"})
    >>> saturday_at_two = datetime(2026, 3, 7, 2, 0, tzinfo=place.zone).timestamp()
    >>> nights.in_force(saturday_at_two, place), nights.in_force(saturday_at_two + 3 * 3600, place)
    (True, False)
    """

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=8)] = Field(
        default=WEEKDAYS,
        title="Days",
        description="Days on which the hours begin: `mon` to `sun`, and `holiday` for the site's holidays whatever "
        "day they fall on; all if left out.",
    )
    except_holidays: bool = Field(
        default=False, title="Except holidays", description="Whether no hours begin on the site's holidays."
    )
    begin: Moment = Field(
        alias="from",
        title="From",
        description="Local time at which the hours begin: HH:MM, or by the sun: `dawn`, `sunrise`, `sunset`, `dusk`, "
        "with an offset as in `sunset-00:30`.",
    )
    end: Moment = Field(
        alias="to", title="To", description="Local time at which the hours end: HH:MM, or by the sun."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.except_holidays and Day.HOLIDAY in self.days:
            raise PydanticCustomError(
                "holidays", "names `holiday` among its days and says `except_holidays` as well"
            )
        return self

    def in_force(self, at_s: float, place: Locality) -> bool:
        """Whether Unix time `at_s` (UTC) falls into a period, read on the wall clock of `place`.

        Where the clock is put back, an hour that comes twice counts twice; where it is put forward, the hour
        that is missing is simply short. ValueError if it goes by the sun and the place has no position.
        """
        now = datetime.fromtimestamp(at_s, UTC).astimezone(place.zone).replace(tzinfo=None)
        # A sunset may fall past midnight, and an offset may carry a beginning over it.
        near = (now.date() + timedelta(days=offset) for offset in (-1, 0, 1))
        for day in near:
            if self._begins(day, place):
                begin, end = self._period(day, place)
                if begin <= now < end:
                    return True
        return False

    def _begins(self, day: date, place: Locality) -> bool:
        usual = WEEKDAYS[day.weekday()] in self.days
        if day in place.holidays:
            return Day.HOLIDAY in self.days or (usual and not self.except_holidays)
        return usual

    def _period(self, day: date, place: Locality) -> tuple[datetime, datetime]:
        begin, end = _on_wall(self.begin, day, place), _on_wall(self.end, day, place)
        if isinstance(self.begin, SunMoment) and isinstance(self.end, SunMoment):
            # In a polar night sunset is no earlier than sunrise, and yet the next sunrise is meant.
            past_midnight = self.end.order <= self.begin.order
        else:
            past_midnight = end <= begin
        if past_midnight:
            end = _on_wall(self.end, day + timedelta(days=1), place)
        return begin, end


def _on_wall(moment: Moment, day: date, place: Locality) -> datetime:
    """When `moment` of `day` is on the wall clock."""
    if isinstance(moment, time):
        return datetime.combine(day, moment)
    if place.position is None:
        raise ValueError("hours by the sun need a position")
    at = _sun(moment.event, day, place.zone, *place.position) + moment.offset
    return at.astimezone(place.zone).replace(tzinfo=None)


@lru_cache(maxsize=256)
def _sun(event: SunEvent, day: date, zone: tzinfo, latitude: float, longitude: float) -> datetime:
    """When the event of the solar day around noon of `day` is.

    Where it does not come: in a polar night the moment towards which sunrise and sunset move, solar noon, so that
    from sunset to sunrise are 24 hours; in a polar day the solar midnight before or after, so that they are none.
    """
    where = Observer(latitude, longitude)
    midday = datetime.combine(day, time(12), zone).astimezone(UTC)
    noons = [noon(where, midday.date() + timedelta(days=offset)) for offset in (-1, 0, 1)]
    solar_noon = min(noons, key=lambda at: abs(at - midday))
    half = timedelta(hours=-12 if event in _BEFORE_NOON else 12)
    first, last = sorted((solar_noon, solar_noon + half))
    for offset in (-1, 0, 1):
        try:
            at = _OF_ASTRAL[event](where, solar_noon.date() + timedelta(days=offset))
        except ValueError:
            continue
        if first <= at <= last:
            return at
    dark = elevation(where, solar_noon, with_refraction=False) < _ELEVATION[event]
    return solar_noon if dark else solar_noon + half
