"""How schedules write flight numbers, airports, days and times, and what we make of it."""

import re
from datetime import UTC, date, datetime

from aerocast_hub.importing import WrongValueError

LATEST_US = 4_102_444_800_000_000  # 2100: databases hold 64 bits, and clocks far off are no use

_DESIGNATOR = re.compile(r"([A-Z]{3}|[A-Z0-9]{2})0*([0-9]{1,5}[A-Z]?)\Z")
_AIRPORT = re.compile(r"[A-Z0-9]{3,4}\Z")


def flight_key(flight: str) -> str:
    """Write a flight number as compared: ``af 0123`` and ``AF123`` are one flight."""
    plain = "".join(each for each in flight.upper() if each.isalnum())
    found = _DESIGNATOR.match(plain)
    return plain if found is None else found[1] + found[2]


def instant_us(text: str) -> int:
    """Read an instant: ISO 8601; without a zone it is UTC, as in every schedule of aviation.

    Raises
    ------
    ValueError
        It is none, or not between 1970 and 2100.
    """
    read = datetime.fromisoformat(text.strip())
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    return in_range_us(read.timestamp())


def in_range_us(unix_s: float) -> int:
    """Give UTC microseconds from UTC seconds.

    Raises
    ------
    ValueError
        Not between 1970 and 2100.
    """
    if not 0 <= unix_s * 1_000_000 <= LATEST_US:
        raise ValueError(f"{unix_s} is not between 1970 and 2100")
    return round(unix_s) * 1_000_000


def read_flight(key: str, text: str) -> tuple[str, str]:
    """Read a flight number: as written in capitals, and as compared.

    Raises
    ------
    WrongValueError
        It is none; ``key`` is the heading it stood under.
    """
    compared = flight_key(text)
    if not compared:
        raise WrongValueError(key, text, "a flight number such as AF6120")
    return text.strip().upper(), compared


def read_airport(key: str, text: str) -> str:
    """Read an airport's code, IATA or ICAO, in capitals.

    Raises
    ------
    WrongValueError
        It is none; ``key`` is the heading it stood under.
    """
    code = text.strip().upper()
    if _AIRPORT.match(code) is None:
        raise WrongValueError(key, text, "an airport's code such as TLS or LFBO")
    return code


def read_date(key: str, text: str) -> str:
    """Read a day, ISO 8601.

    Raises
    ------
    WrongValueError
        It is none; ``key`` is the heading it stood under.
    """
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise WrongValueError(key, text, "a date such as 2024-07-06") from None
