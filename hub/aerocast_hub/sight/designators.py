"""Which airline a flight number is of, and which airlines and airports there can be. Pure."""

import re
from collections.abc import Collection

# IATA: two of which one is a letter; ICAO: three letters. A designator is followed by digits.
_AIRLINE = re.compile(r"(?:[A-Z]{2}|[A-Z][0-9]|[0-9][A-Z]|[A-Z]{3})\Z")
_FLIGHT = re.compile(r"([A-Z]{3}|[A-Z0-9]{2})[0-9]")
_STATION = re.compile(r"[A-Z0-9]{3,4}\Z")
MOST_NAMED = 100


class DesignatorError(Exception):
    """It names no airline or airport; the text says what would."""


def airline_of(flight_key: str) -> str | None:
    """Give the airline of a flight number as compared (`aerocast_hub.schedule.flight_key`)."""
    found = _FLIGHT.match(flight_key)
    return None if found is None else found[1]


def read_airlines(named: Collection[str]) -> frozenset[str]:
    """Read airline designators, IATA or ICAO.

    Raises
    ------
    DesignatorError
        One is none, or they are more than 100.
    """
    return _read(named, _AIRLINE, "an airline's designator such as AF or AFR")


def read_stations(named: Collection[str]) -> frozenset[str]:
    """Read airport codes, IATA or ICAO.

    Raises
    ------
    DesignatorError
        One is none, or they are more than 100.
    """
    return _read(named, _STATION, "an airport's code such as TLS or LFBO")


def _read(named: Collection[str], form: re.Pattern[str], expected: str) -> frozenset[str]:
    if len(named) > MOST_NAMED:
        raise DesignatorError(f"{len(named)} are too many: at most {MOST_NAMED} can be named")
    read = frozenset(each.strip().upper() for each in named)
    for each in sorted(read):
        if form.match(each) is None:
            raise DesignatorError(f"{each[:20]!r} is not {expected}")
    return read
