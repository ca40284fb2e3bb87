"""Values of a query's parameters, as JSON or as text in an address. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from aerocast_protocols.epcis.event_hash import time_us
from aerocast_protocols.errors import ProtocolError

MOST_VALUES = 500
LONGEST_VALUE = 2000

Json = Mapping[str, object]


class QueryParameterError(ValueError):
    """A query cannot be answered; the message names the parameter."""


def comparable(name: str, value: object) -> float:
    """Read a number or a time to compare with.

    Raises
    ------
    QueryParameterError
        It is none.
    """
    number = read(value)
    if number is None:
        raise QueryParameterError(f"{name[:60]}: expected a number or a time")
    return number


def read(value: object) -> float | None:
    """Read a number or a time as something that can be compared."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return next(times_us([value]), None)
    return number_in(value)


def texts(name: str, value: object) -> frozenset[str]:
    """Read a list of texts.

    Raises
    ------
    QueryParameterError
        It is none.
    """
    values = value.split(",") if isinstance(value, str) else value
    if isinstance(values, int | float) and not isinstance(values, bool):
        values = [str(values)]
    if not isinstance(values, list) or not values or len(values) > MOST_VALUES:
        raise QueryParameterError(f"{name[:60]}: expected a list of 1 to {MOST_VALUES} values")
    for each in values:
        if not isinstance(each, str) or not 0 < len(each) <= LONGEST_VALUE or "\x00" in each:
            raise QueryParameterError(f"{name[:60]}: {str(each)[:60]!r} cannot be looked for")
    return frozenset(values)


def numbers(name: str, value: object) -> list[float]:
    """Read numbers.

    Raises
    ------
    QueryParameterError
        It is none.
    """
    values = value if isinstance(value, list) else [value]
    numbers = [read(each) for each in values]
    if not numbers or len(numbers) > MOST_VALUES or any(each is None for each in numbers):
        raise QueryParameterError(f"{name[:60]}: expected a number")
    return [each for each in numbers if each is not None]


def instant_us(name: str, value: object) -> int:
    """Read a time, as UTC microseconds.

    Raises
    ------
    QueryParameterError
        It is none.
    """
    try:
        return time_us(str(value).replace(" ", "+"))  # a plus sign in an address is a space
    except ProtocolError:
        raise QueryParameterError(
            f"{name}: {str(value)[:40]!r} is no time with an offset"
        ) from None


def count(parameters: Json, name: str) -> int | None:
    """Read a number from 1; None when it is not given.

    Raises
    ------
    QueryParameterError
        It is none.
    """
    value = parameters.get(name)
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 0 < int(text[:12]) <= 1_000_000_000:
        raise QueryParameterError(f"{name}: expected a number from 1")
    return int(text)


def times_us(values: Iterable[object]) -> Iterator[int]:
    """Give the times among values, UTC microseconds."""
    for text in strings_in(list(values)):
        try:
            yield time_us(text)
        except ProtocolError:
            continue


def number_in(value: object) -> float | None:
    """Give a number; None for anything else."""
    try:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else None  # type: ignore[arg-type]  # asked above
    except OverflowError:
        return None


def strings_in(value: object) -> Iterator[str]:
    """Give the texts of a value or list."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each
