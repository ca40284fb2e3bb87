"""Reports and sites name airports each in their own way."""

from aerocast_hub.airports import airport


def station_of(code: str) -> str:
    """Give the station of an airport's code: reports name airports by ICAO code."""
    wanted = code.replace("\x00", "?").strip().upper()
    found = airport(wanted) if len(wanted) == 3 else None
    return wanted if found is None or found.icao is None else found.icao
