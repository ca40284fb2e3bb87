"""Stands from GeoJSON (RFC 7946): one polygon each, named by its property ``stand``."""

from typing import Annotated, Literal

import msgspec

from aerocast_hub.importing import RefusedRow

Ring = Annotated[list[list[float]], msgspec.Meta(min_length=4, max_length=10_000)]


class Polygon(msgspec.Struct, frozen=True, tag_field="type", tag="Polygon"):
    """A GeoJSON polygon; the first ring is its outline (RFC 7946 §3.1.6)."""

    coordinates: Annotated[list[Ring], msgspec.Meta(min_length=1)]


class MultiPolygon(msgspec.Struct, frozen=True, tag_field="type", tag="MultiPolygon"):
    """Several GeoJSON polygons that are one stand."""

    coordinates: Annotated[
        list[Annotated[list[Ring], msgspec.Meta(min_length=1)]], msgspec.Meta(min_length=1)
    ]


class StandProperties(msgspec.Struct, frozen=True):
    """What we ask of a feature: its stand's name."""

    stand: str | int


class StandFeature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """A GeoJSON feature that is a stand."""

    properties: StandProperties
    geometry: Polygon | MultiPolygon


class Features(msgspec.Struct, frozen=True):
    """A GeoJSON feature collection, its features not read yet."""

    type: Literal["FeatureCollection"]
    features: list[msgspec.Raw]


class StandShape(msgspec.Struct, frozen=True):
    """A stand: its name and the outlines of its parts, (longitude, latitude) in degrees."""

    stand: str
    outlines: list[list[list[float]]]

    @property
    def centre(self) -> tuple[float, float]:
        """Give the middle of the corners: latitude, longitude."""
        corners = [corner for outline in self.outlines for corner in outline[:-1]]
        return (
            sum(corner[1] for corner in corners) / len(corners),
            sum(corner[0] for corner in corners) / len(corners),
        )


def read_stands(geojson: bytes) -> list[StandShape | RefusedRow]:
    """Read stands; a feature that is none is refused and named, the others are taken."""
    try:
        features = msgspec.json.decode(geojson, type=Features).features
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return [RefusedRow(f"no GeoJSON feature collection: {error}", _shown(geojson))]
    return [_stand(number, raw) for number, raw in enumerate(features, start=1)]


def _stand(number: int, raw: msgspec.Raw) -> StandShape | RefusedRow:
    try:
        feature = msgspec.json.decode(raw, type=StandFeature)
        outlines = _outlines(feature.geometry)
        for outline in outlines:
            _check(outline)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return RefusedRow(f"feature {number}: {error}".replace("`", ""), _shown(bytes(raw)))
    return StandShape(str(feature.properties.stand).replace("\x00", ""), outlines)


def _outlines(geometry: Polygon | MultiPolygon) -> list[list[list[float]]]:
    if isinstance(geometry, Polygon):
        return [geometry.coordinates[0]]
    return [polygon[0] for polygon in geometry.coordinates]


def _check(outline: list[list[float]]) -> None:
    for corner in outline:
        if not 2 <= len(corner) <= 4 or not (abs(corner[0]) <= 180 and abs(corner[1]) <= 90):
            raise ValueError(f"geometry {corner}: expected longitude and latitude in degrees")
    if outline[0] != outline[-1]:
        raise ValueError("geometry: the outline does not end where it begins")


def _shown(text: bytes) -> str:
    return text[:300].decode(errors="replace")
