"""What the user's own clock shows, in microseconds."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from models.instants import MICROSECOND, to_datetime

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
"""In microseconds."""


@lru_cache(maxsize=65_536)
def _offset(hour: int, zone: str) -> int:
    """How far a zone's clock is ahead of UTC in an hour since 1970, in microseconds; clocks are changed at full hours of UTC."""
    offset = to_datetime(hour * HOUR).astimezone(ZoneInfo(zone)).utcoffset()
    return int((offset or timedelta()) // MICROSECOND)


def local(at: int, zone: str) -> int:
    """The instant that a clock in UTC shows when the user's clock shows `at`: hours and days of it are the user's."""
    return at + _offset(at // HOUR, zone)


def day_name(day: int) -> str:
    """The weekday of a day since 1970."""
    return ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")[day % 7]


def is_quiet(at: int, zone: str, quiet_hours: tuple[float, float]) -> bool:
    """Whether the user's clock is between two hours; the second may be of the next morning."""
    begin, end = quiet_hours
    hour = local(at, zone) % DAY / HOUR
    return begin <= hour < end if begin <= end else hour >= begin or hour < end


def end_of_quiet(at: int, zone: str, quiet_hours: tuple[float, float]) -> int:
    """The first instant after `at` at which the user's clock shows the end of the quiet hours.

    On a day when clocks are changed it is found by the clock, not by counting hours.
    """
    now = local(at, zone)
    wanted = now // DAY * DAY + int(quiet_hours[1] * HOUR)
    return instant_of(wanted if wanted > now else wanted + DAY, zone)


def instant_of(clock: int, zone: str) -> int:
    """The instant at which the user's clock shows a time; of a time that it skips, the one after the same span of time.

    Parameters
    ----------
    clock
        As `local` gives it.
    """
    guess = clock - _offset(clock // HOUR, zone)
    return clock - _offset(guess // HOUR, zone)
