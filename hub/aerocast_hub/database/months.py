"""Calendar months in UTC: what observations are kept, archived and forgotten by. Pure."""

from datetime import UTC, datetime
from typing import NamedTuple

SECOND_US = 1_000_000
FIRST_YEAR, LAST_YEAR = 1970, 9998


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    month: int

    @property
    def first_us(self) -> int:
        """Its first microsecond, UTC since 1970-01-01."""
        return round(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * SECOND_US

    @property
    def end_us(self) -> int:
        """The first microsecond after it."""
        return self.after(1).first_us

    def after(self, months: int) -> "Month":
        """Give the month so many later (earlier when negative)."""
        number = self.year * 12 + self.month - 1 + months
        return Month(number // 12, number % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_of(at_us: int) -> Month:
    """Give the month an instant is in.

    Raises
    ------
    ValueError
        It is before 1970 or after 9998.
    """
    try:
        day = datetime.fromtimestamp(at_us // SECOND_US, UTC)
    except (OverflowError, OSError, ValueError):
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{at_us} us is in no month between {FIRST_YEAR} and {LAST_YEAR}")
    return Month(day.year, day.month)


def read_month(text: str) -> Month:
    """Read ``2026-11``.

    Raises
    ------
    ValueError
        It is none; the message says what is expected.
    """
    year, _, month = text.partition("-")
    if len(year) == 4 and len(month) == 2 and (year + month).isdecimal():
        found = Month(int(year), int(month))
        if FIRST_YEAR <= found.year <= LAST_YEAR and 1 <= found.month <= 12:
            return found
    raise ValueError(f"{text!r} is no month: it is written like 2026-11")
