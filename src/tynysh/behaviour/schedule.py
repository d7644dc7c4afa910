"""Whether a schedule (days of the week, from–to) is in force at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from enum import StrEnum


class Weekday(StrEnum):
    """A day of the week, as it is written in a site's YAML."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEKDAYS = tuple(Weekday)
"""Monday first, as `datetime.weekday` counts."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours on days of the week, in the local time of the site.

    days: the days on which a period begins.
    start: local time at which it begins, included.
    end: local time at which it ends, excluded. Not after `start`: it ends on the following day; equal: 24
        hours.
    """

    days: frozenset[Weekday]
    start: time
    end: time

    def in_force(self, at_s: float, zone: tzinfo) -> bool:
        """Whether Unix time `at_s` (UTC) falls into a period, read on the wall clock of `zone`.

        Where the clock is put back, an hour that comes twice counts twice; where it is put forward, the hour
        that is missing is simply short.
        """
        local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
        now = local.time()
        today = WEEKDAYS[local.weekday()]
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        yesterday = WEEKDAYS[local.weekday() - 1]
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)
