"""When a subscription is due: second, minute, hour, day, month and day of week. Pure.

EPCIS 2.0 §8.2.5.3: each field is numbers and ranges (``5``, ``[1-5]``) with commas between; one
left out fits always. Days of the week are 1 (Monday) to 7. UTC.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

FIELDS: Mapping[str, tuple[int, int]] = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
LONGEST_FIELD = 200
FURTHEST_YEARS = 9  # the 29th of February may be eight years away

_ELEMENT = re.compile(r"(\d{1,2})|\[(\d{1,2})-(\d{1,2})\]")


class SubscriptionControlsError(ValueError):
    """No schedule; the message names the field."""


class Schedule:
    """A schedule.

    Raises
    ------
    SubscriptionControlsError
        A field is none, or nothing ever fits.
    """

    def __init__(self, told: Mapping[str, str]) -> None:
        unknown = sorted(set(told) - set(FIELDS))
        if unknown or not told:
            raise SubscriptionControlsError(
                f"schedule: expected {', '.join(FIELDS)}, at least one of them"
            )
        self._fits = {name: _numbers(name, told.get(name)) for name in FIELDS}
        finest = next(i for i, name in enumerate(FIELDS) if name in told)
        for name in list(FIELDS)[:finest]:  # "hour": once in that hour, not every second of it
            lowest = FIELDS[name][0]
            if name in ("second", "minute", "hour"):
                self._fits[name] = frozenset({lowest})

    def next_us(self, after_us: int) -> int:
        """Give the first instant after another one, UTC microseconds.

        Raises
        ------
        SubscriptionControlsError
            Nothing fits for years.
        """
        at = datetime.fromtimestamp(after_us // 1_000_000, UTC) + timedelta(seconds=1)
        last_year = at.year + FURTHEST_YEARS
        while at.year <= last_year:
            if at.month not in self._fits["month"]:
                days = monthrange(at.year, at.month)[1]
                at = _midnight(at) + timedelta(days=days - at.day + 1)
            elif not self._fits_day(at):
                at = _midnight(at) + timedelta(days=1)
            elif at.hour not in self._fits["hour"]:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in self._fits["minute"]:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in self._fits["second"]:
                at += timedelta(seconds=1)
            else:
                return int(at.timestamp()) * 1_000_000
        raise SubscriptionControlsError("schedule: never due")

    def _fits_day(self, at: datetime) -> bool:
        return at.day in self._fits["dayOfMonth"] and at.isoweekday() in self._fits["dayOfWeek"]


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0)


def _numbers(name: str, told: str | None) -> frozenset[int]:
    lowest, highest = FIELDS[name]
    if told is None:
        return frozenset(range(lowest, highest + 1))
    found: set[int] = set()
    for element in told[:LONGEST_FIELD].split(","):
        parts = _ELEMENT.fullmatch(element.strip())
        if parts is None:
            raise SubscriptionControlsError(f"schedule: {name} {told[:40]!r} is no number or range")
        first, last = (
            int(each) for each in ((parts[1], parts[1]) if parts[1] else parts.groups()[1:])
        )
        if not lowest <= first <= last <= highest:
            raise SubscriptionControlsError(
                f"schedule: {name} {told[:40]!r} is not within {lowest} to {highest}"
            )
        found |= set(range(first, last + 1))
    return frozenset(found)
