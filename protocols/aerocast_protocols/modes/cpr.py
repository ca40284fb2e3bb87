"""Compact position reporting: 17 bits each of latitude and longitude, and the world they fit in.

RTCA DO-260B §A.1.7. A frame says where in a zone the aircraft
is, not in which zone: a pair of an even and an odd frame, or a position known to be near, does.
Latitudes are degrees north in [-90, 90], longitudes degrees east in [-180, 180).
"""

import math
from bisect import bisect_left
from typing import NamedTuple

_SCALE = 1 << 17
_ZONES = 15  # NZ: latitude zones between equator and pole
AIRBORNE_DEG, SURFACE_DEG = 360.0, 90.0


class Cpr(NamedTuple):
    """The raw fields of one position frame: ``odd`` is the format bit, the rest 0 to 131071."""

    odd: bool
    latitude: int
    longitude: int


class Position(NamedTuple):
    """A place: degrees north and east."""

    latitude_deg: float
    longitude_deg: float


def _transition_latitude(zones: int) -> float:
    a = 1.0 - math.cos(math.pi / (2.0 * _ZONES))
    return math.degrees(math.acos(math.sqrt(a / (1.0 - math.cos(2.0 * math.pi / zones)))))


# Latitudes at which the number of longitude zones changes, from 87 degrees (2) to 10.47 (59).
TRANSITION_LATITUDES = (*(_transition_latitude(zones) for zones in range(59, 2, -1)), 87.0)


def longitude_zones(latitude_deg: float) -> int:
    """Give NL: how many longitude zones there are at a latitude, 1 to 59."""
    latitude_deg = abs(latitude_deg)
    if latitude_deg > 87.0:
        return 1
    return 59 - bisect_left(TRANSITION_LATITUDES, latitude_deg)


def airborne_global(even: Cpr, odd: Cpr, *, odd_is_latest: bool) -> Position | None:
    """Solve an even and an odd airborne frame of the same aircraft, at most 10 s apart.

    Returns
    -------
    The position of the later frame; None when the two cannot belong together (impossible latitude,
    or latitudes with different numbers of zones).
    """
    solved = _solve_latitudes(even, odd, AIRBORNE_DEG)
    latitudes = [each - 360.0 if each >= 270.0 else each for each in solved]
    if not all(-90.0 <= each <= 90.0 for each in latitudes):
        return None
    if longitude_zones(latitudes[0]) != longitude_zones(latitudes[1]):
        return None
    latitude = latitudes[odd_is_latest]
    longitude = _solve_longitude(even, odd, latitude, AIRBORNE_DEG, odd_is_latest=odd_is_latest)
    return Position(latitude, _to_east(longitude))


def surface_global(
    even: Cpr, odd: Cpr, reference: Position, *, odd_is_latest: bool
) -> Position | None:
    """Solve an even and an odd surface frame: one of eight places, the one nearest ``reference``.

    Parameters
    ----------
    reference
        Within 45 degrees of the aircraft: the receiver's own position.

    Returns
    -------
    The position of the later frame; None when the two cannot belong together.
    """
    solved = _solve_latitudes(even, odd, SURFACE_DEG)
    north = 0 if abs(solved[0] - reference[0]) <= abs(solved[0] - 90.0 - reference[0]) else 90
    latitudes = [each - north for each in solved]
    if not all(-90.0 <= each <= 90.0 for each in latitudes):
        return None
    if longitude_zones(latitudes[0]) != longitude_zones(latitudes[1]):
        return None
    latitude = latitudes[odd_is_latest]
    longitude = _solve_longitude(even, odd, latitude, SURFACE_DEG, odd_is_latest=odd_is_latest)
    quarters = round((reference[1] - longitude) / 90.0)
    return Position(latitude, _to_east(longitude + 90.0 * quarters))


def local(frame: Cpr, reference: Position, *, on_surface: bool) -> Position | None:
    """Solve one frame by a position known to be near: 180 NM when airborne, 45 NM on the surface.

    Returns
    -------
    The position nearest ``reference`` that the frame can mean; None when that is beyond a pole.
    """
    span = SURFACE_DEG if on_surface else AIRBORNE_DEG
    step = span / (4 * _ZONES - frame.odd)
    latitude = _nearest(frame.latitude / _SCALE, step, reference[0])
    if not -90.0 <= latitude <= 90.0:
        return None
    step = span / max(longitude_zones(latitude) - frame.odd, 1)
    return Position(latitude, _to_east(_nearest(frame.longitude / _SCALE, step, reference[1])))


def encode_cpr(position: Position, *, odd: bool, on_surface: bool) -> Cpr:
    """Encode a position as an aircraft does."""
    span = SURFACE_DEG if on_surface else AIRBORNE_DEG
    step = span / (4 * _ZONES - odd)
    latitude = math.floor(_SCALE * (position[0] % step) / step + 0.5)
    # The zone count belongs to the latitude as the receiver will read it.
    read = step * (latitude / _SCALE + math.floor(position[0] / step))
    step = span / max(longitude_zones(read) - odd, 1)
    longitude = math.floor(_SCALE * (position[1] % step) / step + 0.5)
    return Cpr(odd, latitude % _SCALE, longitude % _SCALE)


def _nearest(fraction: float, step: float, reference: float) -> float:
    return step * (fraction + math.floor(0.5 + reference / step - fraction))


def _solve_latitudes(even: Cpr, odd: Cpr, span: float) -> tuple[float, float]:
    index = math.floor((59 * even.latitude - 60 * odd.latitude) / _SCALE + 0.5)
    return (
        span / 60.0 * (index % 60 + even.latitude / _SCALE),
        span / 59.0 * (index % 59 + odd.latitude / _SCALE),
    )


def _solve_longitude(
    even: Cpr, odd: Cpr, latitude_deg: float, span: float, *, odd_is_latest: bool
) -> float:
    zones = longitude_zones(latitude_deg)
    index = math.floor((even.longitude * (zones - 1) - odd.longitude * zones) / _SCALE + 0.5)
    latest, count = (odd, max(zones - 1, 1)) if odd_is_latest else (even, zones)
    return span / count * (index % count + latest.longitude / _SCALE)


def _to_east(longitude_deg: float) -> float:
    return (longitude_deg + 180.0) % 360.0 - 180.0
