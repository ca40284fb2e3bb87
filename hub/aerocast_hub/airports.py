"""Airports by either of their codes: flights say TLS, weather says LFBO.

The table is package ``airportsdata`` (MIT): codes, position and time zone of every airport with an
IATA code. Read once, on first use.
"""

from functools import cache
from math import cos, hypot, radians
from typing import NamedTuple

import airportsdata

METRES_PER_DEG = 111_195.0  # of latitude, on a sphere of 6,371 km


class Airport(NamedTuple):
    """One airport.

    Attributes
    ----------
    iata, icao
        Three and four letters, upper case; ``icao`` is None where the table has none.
    latitude_deg, longitude_deg
        WGS 84.
    time_zone
        IANA name, such as ``Europe/Paris``.
    country
        ISO 3166-1 alpha-2.
    """

    iata: str
    icao: str | None
    name: str
    city: str
    latitude_deg: float
    longitude_deg: float
    time_zone: str
    country: str
    elevation_ft: float | None = None


def airport(code: str) -> Airport | None:
    """Find an airport by IATA or ICAO code, in either case; None when neither is known."""
    wanted = code.strip().upper()
    by_iata, by_icao = _tables()
    return by_iata.get(wanted) or by_icao.get(wanted)


def airport_codes(code: str) -> frozenset[str]:
    """Give every code of an airport in lower case: sites are named after either."""
    found = airport(code)
    codes = {code} if found is None else {code, found.iata, found.icao or code}
    return frozenset(each.lower() for each in codes)


def nearest_airport(latitude_deg: float, longitude_deg: float, within_m: float) -> Airport | None:
    """Find the airport with an ICAO code nearest a point; None when none is within reach."""

    def metres_to(place: Airport) -> float:
        north_deg = place.latitude_deg - latitude_deg
        east_deg = (place.longitude_deg - longitude_deg) * cos(radians(latitude_deg))
        return hypot(north_deg, east_deg) * METRES_PER_DEG

    _, by_icao = _tables()
    found = min(by_icao.values(), key=metres_to)
    return found if metres_to(found) <= within_m else None


def airports_within(box: tuple[float, float, float, float]) -> list[Airport]:
    """Give the airports of a box, degrees: south, west, north, east; it may span 180 degrees."""
    south, west, north, east = box
    _, by_icao = _tables()
    return [
        each
        for each in by_icao.values()
        if south <= each.latitude_deg <= north
        and (
            west <= each.longitude_deg <= east
            if west <= east
            else each.longitude_deg >= west or each.longitude_deg <= east
        )
    ]


@cache
def _tables() -> tuple[dict[str, Airport], dict[str, Airport]]:
    rows = airportsdata.load("IATA").values()
    airports = [
        Airport(
            iata=row["iata"],
            icao=row["icao"] or None,
            name=row["name"],
            city=row["city"],
            latitude_deg=row["lat"],
            longitude_deg=row["lon"],
            time_zone=row["tz"],
            country=row["country"],
            elevation_ft=float(row["elevation"]),
        )
        for row in rows
    ]
    return (
        {each.iata: each for each in airports},
        {each.icao: each for each in airports if each.icao},
    )
