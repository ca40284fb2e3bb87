"""Airports by either of their codes: flights say TLS, weather says LFBO.

The table is package ``airportsdata`` (MIT): codes, position and time zone of every airport with an
IATA code. Read once, on first use.
"""

from functools import cache
from typing import NamedTuple

import airportsdata


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
    """

    iata: str
    icao: str | None
    name: str
    city: str
    latitude_deg: float
    longitude_deg: float
    time_zone: str


def airport(code: str) -> Airport | None:
    """Find an airport by IATA or ICAO code, in either case; None when neither is known."""
    wanted = code.strip().upper()
    by_iata, by_icao = _tables()
    return by_iata.get(wanted) or by_icao.get(wanted)


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
        )
        for row in rows
    ]
    return (
        {each.iata: each for each in airports},
        {each.icao: each for each in airports if each.icao},
    )
