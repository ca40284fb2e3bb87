"""Maps from IMDF 1.0 (OGC 20-094): levels, units, openings, amenities and relationships.

A folder of GeoJSON files. People go through openings: those on the outline of a walkable unit
join in its middle. Relationships of category ``elevator``, ``stairs``, ``escalator``,
``movingwalkway`` and ``ramp`` join units, across levels too. Amenities, and occupants by their
anchors, are places in the unit they stand in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from statistics import fmean
from typing import Literal

import msgspec

from aerocast_hub.importing import RefusedRow, UnusableInputError, WrongValueError
from aerocast_hub.orientation.places.place_map import (
    METRES_PER_DEG,
    Facility,
    Level,
    MapBuilder,
    Mode,
    Place,
    PlaceMap,
    Way,
)
from aerocast_hub.orientation.wording import DEFAULT_LANGUAGE, Name

MOST_BYTES = 64_000_000
TOUCHES_M = 0.5  # an opening's middle lies on the outline of its units within this
CLOSED_UNITS = frozenset({"structure", "opentobelow", "brick", "column", "nonpublic"})
MODES: Mapping[str, Mode] = {
    "elevator": "lift",
    "stairs": "stairs",
    "escalator": "escalator",
    "movingwalkway": "travelator",
    "ramp": "walkway",
    "traversal": "walkway",
    "traversal.path": "walkway",
}
KINDS = {"baggagecarousel": "reclaim", "boardinggate": "gate", "arrivalgate": "stand"}
KINDS |= {"security": "security", "entry": "entrance"}

Point = tuple[float, float]
"""Longitude and latitude, degrees."""
Labels = dict[str, str]


class Reference(msgspec.Struct, frozen=True):
    """A feature another one speaks of."""

    id: str


class Geometry(msgspec.Struct, frozen=True):
    """A GeoJSON geometry, its coordinates not looked into yet."""

    type: str
    coordinates: msgspec.Raw


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What we ask of a feature; each kind has its own."""

    name: Labels | None = None
    category: str | None = None
    ordinal: float | None = None
    level_id: str | None = None
    unit_id: str | None = None
    unit_ids: list[str] | None = None
    anchor_id: str | None = None
    direction: Literal["directed", "undirected"] = "undirected"
    origin: Reference | None = None
    intermediary: list[Reference] | None = None
    destination: Reference | None = None


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A GeoJSON feature with an id, as IMDF's are."""

    id: str
    properties: Properties
    geometry: Geometry | None = None


class Features(msgspec.Struct, frozen=True):
    """A GeoJSON feature collection, its features not read yet."""

    type: Literal["FeatureCollection"]
    features: list[msgspec.Raw]


def read_imdf(folder: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    """Read a folder; features that cannot be taken in are named, the others are taken.

    Raises
    ------
    UnusableInputError
        ``level.geojson`` or ``unit.geojson`` is missing, or a file is no feature collection.
    OSError
        A file cannot be read.
    """
    for name in ("level", "unit"):
        if not (folder / f"{name}.geojson").is_file():
            raise UnusableInputError(f"{folder}: {name}.geojson is missing")
    reading = _Reading(folder)
    reading.each("level", reading.add_level)
    reading.each("unit", reading.add_unit)
    reading.each("opening", reading.add_opening)
    reading.each("anchor", reading.add_anchor)
    reading.each("amenity", reading.add_amenity)
    reading.each("occupant", reading.add_occupant)
    reading.each("relationship", reading.add_relationship)
    return reading.builder.build(), reading.refused


class _Unit(msgspec.Struct, frozen=True):
    """A room's level and outlines."""

    level: str
    rings: list[list[Point]]


class _Reading:
    """What has been read so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._units: dict[str, _Unit] = {}
        self._anchors: dict[str, Feature] = {}
        self.builder = MapBuilder("imdf")
        self.refused: list[RefusedRow] = []

    def each(self, name: str, add: Callable[[Feature], object]) -> None:
        """Read a file, when it is there."""
        for raw in _features(self._folder / f"{name}.geojson"):
            try:
                add(msgspec.json.decode(raw, type=Feature))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                shown = bytes(raw)[:300].decode(errors="replace")
                self.refused.append(RefusedRow(f"{name}: {error}".replace("`", ""), shown))

    def add_level(self, feature: Feature) -> None:
        """Take in a level."""
        ordinal = feature.properties.ordinal
        if ordinal is None:
            raise WrongValueError("ordinal", None, "a number")
        name = _name(feature)
        self.builder.add_level(Level(id=feature.id, index=ordinal, name=name))

    def add_unit(self, feature: Feature) -> None:
        """Take in a room people may cross; its place is its middle."""
        if feature.properties.category in CLOSED_UNITS:
            return
        rings = _rings(feature)
        self._add_place(feature, _middle(rings[0]), feature.properties.level_id)
        self._units[feature.id] = _Unit(feature.properties.level_id or "", rings)

    def add_opening(self, feature: Feature) -> None:
        """Take in a door, and join it with the middles of the rooms it touches."""
        ends = _points(feature)
        at = _middle([*ends, ends[0]])
        level = feature.properties.level_id
        self._add_place(feature, at, level)
        for name, unit in self._units.items():
            if unit.level == level and any(_touches(at, ring) for ring in unit.rings):
                self._join(feature.id, name)

    def add_anchor(self, feature: Feature) -> None:
        """Remember where occupants stand."""
        self._anchors[feature.id] = feature

    def add_amenity(self, feature: Feature) -> None:
        """Take in something people look for, in its rooms."""
        self._stand(feature, _points(feature)[0], feature.properties.unit_ids or [])

    def add_occupant(self, feature: Feature) -> None:
        """Take in who is in a room, at their anchor."""
        anchor = self._anchors.get(feature.properties.anchor_id or "")
        if anchor is None or anchor.properties.unit_id is None:
            raise WrongValueError("anchor_id", feature.properties.anchor_id, "an anchor in a unit")
        self._stand(feature, _points(anchor)[0], [anchor.properties.unit_id])

    def add_relationship(self, feature: Feature) -> None:
        """Join rooms and doors people pass between by lift, stairs or plainly."""
        about = feature.properties
        mode = MODES.get(about.category or "")
        if mode is None:
            return
        stops = [about.origin, *(about.intermediary or ()), about.destination]
        if mode == "lift":
            code = _code(_name(feature))  # "Lift C" is told as lift C
            name = None if code is None else Name(code)
            self.builder.add_facility(Facility(id=feature.id, kind="lift", name=name))
        for one, other in pairwise(stop.id for stop in stops if stop is not None):
            way = Way(
                id=f"{feature.id}: {one} - {other}",
                origin=one,
                destination=other,
                mode=mode,
                facility=feature.id if mode in ("lift", "escalator") else None,
            )
            self.builder.add_way(way, is_two_way=about.direction == "undirected")

    def _stand(self, feature: Feature, at: Point, units: Sequence[str]) -> None:
        for unit in units:
            if unit not in self._units:
                raise WrongValueError("unit", unit, "a unit people may cross")
        level = self._units[units[0]].level if units else None
        self._add_place(feature, at, level)
        for unit in units:
            self._join(feature.id, unit)

    def _add_place(self, feature: Feature, at: Point, level: str | None) -> None:
        category = feature.properties.category or ""
        name = _name(feature)
        place = Place(
            id=feature.id,
            kind=KINDS.get(category.partition(".")[0], "point"),
            name=name,
            code=_code(name),
            level=level,
            latitude_deg=at[1],
            longitude_deg=at[0],
        )
        self.builder.add_place(place)

    def _join(self, one: str, other: str) -> None:
        way = Way(id=f"{one} - {other}", origin=one, destination=other, mode="walkway")
        self.builder.add_way(way, is_two_way=True)


def _features(file: Path) -> Iterator[msgspec.Raw]:
    if not file.is_file():
        return
    if file.stat().st_size > MOST_BYTES:
        raise UnusableInputError(f"{file}: larger than {MOST_BYTES} bytes")
    try:
        yield from msgspec.json.decode(file.read_bytes(), type=Features).features
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UnusableInputError(f"{file}: no GeoJSON feature collection: {error}") from None


def _name(feature: Feature) -> Name | None:
    labels = feature.properties.name
    if not labels:
        return None
    short = {key.partition("-")[0].lower(): text for key, text in labels.items()}
    return Name(short.get(DEFAULT_LANGUAGE) or next(iter(labels.values())), short)


def _code(name: Name | None) -> str | None:
    """Give the number in a name such as ``Belt 4``, as the screens say it."""
    words = [] if name is None else name.text.split()
    return words[-1] if words and _is_code(words[-1]) else None


def _is_code(word: str) -> bool:
    return len(word) == 1 or any(each.isdigit() for each in word)


def _rings(feature: Feature) -> list[list[Point]]:
    """Give a polygon's or several polygons' outlines."""
    geometry = feature.geometry
    if geometry is not None and geometry.type == "Polygon":
        polygons = [msgspec.json.decode(geometry.coordinates, type=list[list[Point]])]
    elif geometry is not None and geometry.type == "MultiPolygon":
        polygons = msgspec.json.decode(geometry.coordinates, type=list[list[list[Point]]])
    else:
        raise WrongValueError("geometry", None, "a polygon")
    rings = [polygon[0] for polygon in polygons if polygon and len(polygon[0]) > 3]
    if not rings:
        raise WrongValueError("geometry", "[]", "a polygon with an outline")
    return rings


def _points(feature: Feature) -> list[Point]:
    """Give a point's or a line's positions."""
    geometry = feature.geometry
    if geometry is not None and geometry.type == "Point":
        return [msgspec.json.decode(geometry.coordinates, type=Point)]
    if geometry is not None and geometry.type == "LineString":
        points = msgspec.json.decode(geometry.coordinates, type=list[Point])
        if points:
            return points
    raise WrongValueError("geometry", None, "a point or a line")


def _middle(ring: Sequence[Point]) -> Point:
    corners = ring[:-1]
    return fmean(each[0] for each in corners), fmean(each[1] for each in corners)


def _touches(at: Point, ring: Sequence[Point]) -> bool:
    """Say whether a point lies on an outline, or within half a metre of it."""
    return any(_metres_to(at, one, other) <= TOUCHES_M for one, other in pairwise(ring))


def _metres_to(at: Point, one: Point, other: Point) -> float:
    """Give how far a point is from a stretch of wall."""
    east = METRES_PER_DEG * cos(radians(at[1]))
    x1, y1 = (one[0] - at[0]) * east, (one[1] - at[1]) * METRES_PER_DEG
    x2, y2 = (other[0] - at[0]) * east, (other[1] - at[1]) * METRES_PER_DEG
    long2 = (x2 - x1) ** 2 + (y2 - y1) ** 2
    part = 0.0 if long2 == 0 else -(x1 * (x2 - x1) + y1 * (y2 - y1)) / long2
    part = min(1.0, max(0.0, part))
    return hypot(x1 + part * (x2 - x1), y1 + part * (y2 - y1))
