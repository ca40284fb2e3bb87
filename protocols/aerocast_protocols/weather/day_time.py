"""Give a report's day and time its month and year: no report says them.

All instants are UTC, whole microseconds since 1970-01-01.
"""

from datetime import date
from functools import lru_cache

from aerocast_protocols.errors import ProtocolError

MINUTE_US = 60 * 1_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
EARLY_US = HOUR_US  # a report may claim to be from this far in the future

_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date(9998, 12, 31).toordinal()


@lru_cache(maxsize=1024)  # the reports of one file share their times
def resolve_day_time(day: int, hour: int, minute: int, now_us: int) -> int | None:
    """Give the latest instant with this day and time not over an hour after ``now_us``.

    None when there is no such day, hour or minute, or the present is outside years 1 to 9998.
    """
    if not (1 <= day <= 31 and 0 <= hour < 24 and 0 <= minute < 60):
        return None
    latest_us = now_us + EARLY_US
    today = latest_us // DAY_US + _EPOCH
    if not 400 <= today <= _LAST:
        return None
    of_day_us = hour * HOUR_US + minute * MINUTE_US
    present = date.fromordinal(today)
    first = today - present.day + 1  # of the month
    if day < present.day or (day == present.day and of_day_us <= latest_us % DAY_US):
        return (first + day - 1 - _EPOCH) * DAY_US + of_day_us
    while True:  # months back, to one that has this day: at most two
        last = first - 1
        length = date.fromordinal(last).day
        first = last - length + 1
        if day <= length:
            return (first + day - 1 - _EPOCH) * DAY_US + of_day_us


def nearest_day_time(day: int, hour: int, minute: int, near_us: int) -> int:
    """Give the instant with this day and time nearest to ``near_us``; hour 24 is the next 00.

    Raises
    ------
    ProtocolError
        There is no such time, or no month near has that day.
    """
    if not (0 <= hour <= 24 and 0 <= minute < 60 and (hour < 24 or minute == 0)):
        raise ProtocolError(f"no time of day {hour:02}:{minute:02}")
    today = near_us // DAY_US + _EPOCH
    if not 1 <= day <= 31 or not 400 <= today <= _LAST:
        raise ProtocolError(f"no day {day}")
    of_day_us = hour * HOUR_US + minute * MINUTE_US
    present = date.fromordinal(today)
    if day <= 28 and abs(day - present.day) <= 13:  # no other month has it nearer
        return (today + day - present.day - _EPOCH) * DAY_US + of_day_us
    month = present.replace(day=1)
    before = date.fromordinal(month.toordinal() - 1).replace(day=1)
    after = date.fromordinal(month.toordinal() + 31).replace(day=1)
    found = [
        (each.toordinal() + day - 1 - _EPOCH) * DAY_US + of_day_us
        for each in (before, month, after)
        if day <= _length(each)
    ]
    return min(found, key=lambda instant_us: abs(instant_us - near_us))


def _length(month: date) -> int:
    """Count the days of the month that begins on this date."""
    return (date.fromordinal(month.toordinal() + 31).replace(day=1) - month).days
