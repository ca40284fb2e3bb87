"""The map people find their way by: levels, places, ways and what may fail (lifts, gates).

Pure. Every importer puts its map together through `MapBuilder`, so that all of them refuse the
same mistakes in the same words.
"""

from collections.abc import Container
from math import cos, hypot, isfinite, radians
from typing import Literal, get_args

import msgspec

from aerocast_hub.importing import WrongValueError
from aerocast_hub.orientation.wording import Name

Mode = Literal["walkway", "stairs", "travelator", "escalator", "lift", "gate", "exit"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""In the order of GTFS's ``pathway_mode``, from 1: fare gates are gates of any kind."""

METRES_PER_DEG = 111_195.0  # of latitude, on a sphere of 6,371 km
MOST_PLACES = 100_000
MOST_WAYS = 500_000


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A floor; ``index`` orders floors, 0 is at the ground."""

    id: str
    index: float
    name: Name | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere to go, or a point on the way.

    Attributes
    ----------
    kind
        ``reclaim``, ``gate``, ``stand``, ``entrance``, ``platform``, ``point`` ...
    code
        What the screens call it, such as ``4`` for reclaim belt 4.
    level
        Its level's id; None where the map does not tell.
    """

    id: str
    kind: str
    name: Name | None = None
    code: str | None = None
    level: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None


class Facility(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can fail or be closed: a lift, an escalator, a security check.

    Attributes
    ----------
    name
        For a lift what stands on it, such as ``C``; for a check what it is called in a sentence.
    """

    id: str
    kind: str
    name: Name | None = None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one place to the next, in that direction alone.

    Attributes
    ----------
    id
        Both directions of one way have the same.
    length_m, seconds
        How far it is, and how long it takes; None where not known.
    wheelchair_length_m, wheelchair_seconds
        The same for wheelchairs, where it differs.
    stairs
        How many steps; negative is down.
    slope
        Steepest rise over run; negative is down.
    wheelchair
        False where the map says that wheelchairs cannot go; None where it says nothing.
    facility
        The lift, escalator or check this is.
    sign
        What the signs along it say.
    """

    id: str
    origin: str
    destination: str
    mode: Mode
    length_m: float | None = None
    seconds: float | None = None
    wheelchair_length_m: float | None = None
    wheelchair_seconds: float | None = None
    stairs: int | None = None
    slope: float | None = None
    min_width_m: float | None = None
    wheelchair: bool | None = None
    facility: str | None = None
    sign: Name | None = None


class PlaceMap(msgspec.Struct, frozen=True, kw_only=True):
    """A whole map, checked: every way's ends and every place's level exist.

    Attributes
    ----------
    format
        What it was read from: ``gtfs``, ``drawn``, ``imdf`` or ``osm``.
    airport
        IATA code, where the file names one.
    """

    format: str
    airport: str | None = None
    levels: tuple[Level, ...] = ()
    places: tuple[Place, ...] = ()
    ways: tuple[Way, ...] = ()
    facilities: tuple[Facility, ...] = ()


class MapBuilder:
    """Puts a map together; each ``add`` refuses what does not fit with `WrongValueError`."""

    def __init__(self, map_format: str) -> None:
        self._format = map_format
        self._levels: dict[str, Level] = {}
        self._places: dict[str, Place] = {}
        self._facilities: dict[str, Facility] = {}
        self._ways: list[Way] = []
        self._way_ids: set[str] = set()
        self._refused_places: set[str] = set()
        self.airport: str | None = None

    def add_level(self, level: Level) -> Level:
        """Add a level."""
        _check_new("level", level.id, self._levels)
        if not isfinite(level.index):
            raise WrongValueError("level_index", level.index, "a number")
        self._levels[level.id] = level
        return level

    def add_facility(self, facility: Facility) -> Facility:
        """Add a lift, an escalator, a check."""
        _check_new("facility", facility.id, self._facilities)
        self._facilities[facility.id] = facility
        return facility

    def add_place(self, place: Place) -> Place:
        """Add a place; its level must be there before it."""
        _check_new("place", place.id, self._places)
        if len(self._places) >= MOST_PLACES:
            raise WrongValueError("place", place.id, f"at most {MOST_PLACES} places")
        try:
            self._check_place(place)
        except WrongValueError:
            self._refused_places.add(place.id)
            raise
        self._places[place.id] = place
        return place

    def add_way(self, way: Way, *, is_two_way: bool = False, back_sign: Name | None = None) -> Way:
        """Add a way, and the way back where there is one; its places must be there before it."""
        _check_new("way", way.id, self._way_ids)
        if len(self._ways) >= MOST_WAYS:
            raise WrongValueError("way", way.id, f"at most {MOST_WAYS} ways")
        if is_two_way and way.mode == "exit":
            raise WrongValueError("is_bidirectional", 1, "0: exit gates lead one way")
        self._check_end("from", way.origin)
        self._check_end("to", way.destination)
        if way.facility is not None and way.facility not in self._facilities:
            self._facilities[way.facility] = Facility(id=way.facility, kind=way.mode)
        complete = self._measured(way)
        _check_numbers(complete)
        self._way_ids.add(way.id)
        self._ways.append(complete)
        if is_two_way:
            self._ways.append(_back(complete, back_sign))
        return complete

    def build(self) -> PlaceMap:
        """Give the map."""
        return PlaceMap(
            format=self._format,
            airport=self.airport,
            levels=tuple(self._levels.values()),
            places=tuple(self._places.values()),
            ways=tuple(self._ways),
            facilities=tuple(self._facilities.values()),
        )

    def _check_place(self, place: Place) -> None:
        if place.level is not None and place.level not in self._levels:
            raise WrongValueError("level", place.level, "a level of this map")
        latitude_deg, longitude_deg = place.latitude_deg, place.longitude_deg
        if latitude_deg is not None and not abs(latitude_deg) <= 90:
            raise WrongValueError("latitude", latitude_deg, "degrees, -90 to 90")
        if longitude_deg is not None and not abs(longitude_deg) <= 180:
            raise WrongValueError("longitude", longitude_deg, "degrees, -180 to 180")

    def _check_end(self, key: str, place: str) -> None:
        if place in self._refused_places:
            raise WrongValueError(key, place, "a place that was not refused itself")
        if place not in self._places:
            raise WrongValueError(key, place, "a place of this map: the way would dangle")

    def _measured(self, way: Way) -> Way:
        """Measure a walk nobody measured by the places at its ends."""
        if way.mode not in ("walkway", "travelator") or not (
            way.length_m is None and way.seconds is None
        ):
            return way
        metres = distance_m(self._places[way.origin], self._places[way.destination])
        if metres is None:
            raise WrongValueError("length", None, "a length, a time, or places with positions")
        return msgspec.structs.replace(way, length_m=metres)


def distance_m(one: Place, other: Place) -> float | None:
    """Give the straight line between two places, metres; None when a position is not known."""
    if one.latitude_deg is None or other.latitude_deg is None:
        return None
    if one.longitude_deg is None or other.longitude_deg is None:
        return None
    north_m = (other.latitude_deg - one.latitude_deg) * METRES_PER_DEG
    east_m = (other.longitude_deg - one.longitude_deg) * METRES_PER_DEG
    return hypot(north_m, east_m * cos(radians(one.latitude_deg)))


def _check_new(what: str, name: str, known: Container[str]) -> None:
    if not name:
        raise WrongValueError(what, name, "a name")
    if name in known:
        raise WrongValueError(what, name, "a name used once: it stands there twice")


_NOT_NEGATIVE = (
    "length_m",
    "seconds",
    "wheelchair_length_m",
    "wheelchair_seconds",
    "min_width_m",
)


def _check_numbers(way: Way) -> None:
    for key in _NOT_NEGATIVE:
        value = getattr(way, key)
        if value is not None and not (isfinite(value) and value >= 0):
            raise WrongValueError(key, value, "0 or more")
    if way.slope is not None and not isfinite(way.slope):
        raise WrongValueError("slope", way.slope, "a number")


def _back(way: Way, sign: Name | None) -> Way:
    return msgspec.structs.replace(
        way,
        origin=way.destination,
        destination=way.origin,
        stairs=None if way.stairs is None else -way.stairs,
        slope=None if way.slope is None else -way.slope,
        sign=sign,
    )
