"""Where an airport's stands are: named polygons on the ground, from GeoJSON (RFC 7946)."""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

import msgspec
from aerocast_protocols.modes.cpr import Position

EARTH_RADIUS_M = 6_371_008.8

_Coordinate = Annotated[list[float], msgspec.Meta(min_length=2, max_length=4)]
_Ring = Annotated[list[_Coordinate], msgspec.Meta(min_length=4, max_length=10_000)]
_Rings = Annotated[list[_Ring], msgspec.Meta(min_length=1)]


class _Polygon(msgspec.Struct, tag_field="type", tag="Polygon"):
    coordinates: _Rings


class _MultiPolygon(msgspec.Struct, tag_field="type", tag="MultiPolygon"):
    coordinates: list[_Rings]


class _Properties(msgspec.Struct):
    stand: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Feature(msgspec.Struct):
    geometry: _Polygon | _MultiPolygon
    properties: _Properties


class _Collection(msgspec.Struct):
    features: Annotated[list[_Feature], msgspec.Meta(max_length=10_000)]


class _Area(NamedTuple):
    stand: str
    south: float
    north: float
    west: float
    east: float
    rings: Sequence[Sequence[Sequence[float]]]


class Stands:
    """Answers which stand a place is on."""

    def __init__(self, areas: Iterable[_Area] = ()) -> None:
        self._areas = tuple(areas)

    @classmethod
    def from_geojson(cls, geojson: bytes) -> "Stands":
        """Read a FeatureCollection of polygons, each named by its property ``stand``.

        Raises
        ------
        ValueError
            It is no such collection; the message says where.
        """
        try:
            read = msgspec.json.decode(geojson, type=_Collection)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ValueError(f"stands are no GeoJSON polygons with a stand each: {error}") from None
        return cls(_areas_of(read))

    def __len__(self) -> int:
        return len(self._areas)

    def at(self, position: Position) -> str | None:
        """Name the stand a place is on; None when it is on none."""
        latitude, longitude = position
        for area in self._areas:
            if not (area.south <= latitude <= area.north and area.west <= longitude <= area.east):
                continue
            # Inside an odd number of rings: the outer one and no hole.
            if sum(_is_inside(ring, latitude, longitude) for ring in area.rings) % 2:
                return area.stand
        return None


def distance_m(one: Position, other: Position) -> float:
    """Give the distance of two places along the ground, metres."""
    north, south = math.radians(one[0]), math.radians(other[0])
    east = math.radians(other[1] - one[1])
    half = math.sin((south - north) / 2) ** 2
    half += math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def _areas_of(read: _Collection) -> Iterable[_Area]:
    for feature in read.features:
        shape = feature.geometry
        for rings in [shape.coordinates] if isinstance(shape, _Polygon) else shape.coordinates:
            latitudes = [corner[1] for corner in rings[0]]
            longitudes = [corner[0] for corner in rings[0]]
            yield _Area(
                feature.properties.stand,
                min(latitudes),
                max(latitudes),
                min(longitudes),
                max(longitudes),
                rings,
            )


def _is_inside(ring: Sequence[Sequence[float]], latitude: float, longitude: float) -> bool:
    inside = False
    previous = ring[-1]
    for corner in ring:
        (x1, y1), (x2, y2) = previous[:2], corner[:2]
        crosses = (y1 > latitude) != (y2 > latitude)
        if crosses and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
            inside = not inside
        previous = corner
    return inside
