"""Stands from GeoJSON (RFC 7946): one polygon each, named by its property ``stand``."""

from typing import Annotated, Literal

import msgspec

from aerocast_hub.importing import RefusedRow

Ring = Annotated[list[list[float]], msgspec.Meta(min_length=4, max_length=10_000)]


class Polygon(msgspec.Struct, frozen=True, tag_field="type", tag="Polygon"):
    """A GeoJSON polygon; the first ring is its outline (RFC 7946 §3.1.6)."""

    coordinates: Annotated[list[Ring], msgspec.Meta(min_length=1)]


class StandProperties(msgspec.Struct, frozen=True):
    """What we ask of a feature: its stand's name."""

    stand: str | int


class StandFeature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """A GeoJSON feature that is a stand."""

    properties: StandProperties
    geometry: Polygon


class Features(msgspec.Struct, frozen=True):
    """A GeoJSON feature collection, its features not read yet."""

    type: Literal["FeatureCollection"]
    features: list[msgspec.Raw]


class StandShape(msgspec.Struct, frozen=True):
    """A stand: its name and outline, (longitude, latitude) in degrees."""

    stand: str
    outline: list[list[float]]

    @property
    def centre(self) -> tuple[float, float]:
        """Give the middle of the outline's corners: latitude, longitude."""
        corners = self.outline[:-1]
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
        outline = feature.geometry.coordinates[0]
        _check(outline)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return RefusedRow(f"feature {number}: {error}".replace("`", ""), _shown(bytes(raw)))
    return StandShape(str(feature.properties.stand), outline)


def _check(outline: list[list[float]]) -> None:
    for corner in outline:
        if len(corner) not in (2, 3) or not (abs(corner[0]) <= 180 and abs(corner[1]) <= 90):
            raise ValueError(f"geometry {corner}: expected longitude and latitude in degrees")
    if outline[0] != outline[-1]:
        raise ValueError("geometry: the outline does not end where it begins")


def _shown(text: bytes) -> str:
    return text[:300].decode(errors="replace")
