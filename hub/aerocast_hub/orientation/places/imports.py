"""Importing an airport's map. Importing the same map twice changes nothing."""

import asyncio
from pathlib import Path
from statistics import fmean

from aerocast_hub.airports import nearest_airport
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import RefusedRow, UnusableInputError
from aerocast_hub.orientation.places.place_map import PlaceMap
from aerocast_hub.orientation.places.reading import read_places
from aerocast_hub.orientation.places.store import MapVersion, keep_map, map_code

NEAR_M = 15_000.0


async def import_places(
    database: Database, path: Path, airport_code: str | None = None
) -> list[MapVersion | RefusedRow]:
    """Take in a map; give its version and what was refused of it.

    Parameters
    ----------
    path
        A folder of GTFS or IMDF, either as a zip archive, a drawing in TOML, an OSM extract.
    airport_code
        Whose map it is; None: as the file says, else the airport nearest its middle.

    Raises
    ------
    UnusableInputError
        It is no map, lacks a file it cannot do without, or nobody knows of which airport it is.
    OSError
        It cannot be read.
    """
    places, refused = await asyncio.to_thread(read_places, path)
    if not places.ways:
        raise UnusableInputError(f"{path}: no way between any places could be read")
    asked = airport_code or places.airport
    code = _nearest(places) if asked is None else map_code(asked)
    if code is None:
        raise UnusableInputError(f"{path}: no airport within 15 km: say which with --airport")
    async with database.writing() as session:
        kept = await keep_map(session, code, places)
    return [kept, *refused]


def _nearest(places: PlaceMap) -> str | None:
    at = [
        (each.latitude_deg, each.longitude_deg)
        for each in places.places
        if each.latitude_deg is not None and each.longitude_deg is not None
    ]
    if not at:
        return None
    found = nearest_airport(fmean(each[0] for each in at), fmean(each[1] for each in at), NEAR_M)
    return None if found is None else found.iata
