"""Flight numbers as compared, and the parts of a schedule people write in several ways."""

import re
from datetime import UTC, datetime

_DESIGNATOR = re.compile(r"([A-Z]{3}|[A-Z0-9]{2})0*([0-9]{1,5}[A-Z]?)\Z")


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
        It is none.
    """
    read = datetime.fromisoformat(text.strip())
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    return round(read.timestamp()) * 1_000_000
