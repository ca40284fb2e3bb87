"""SIGMETs, AIRMETs and pilots' reports: of AWC's GeoJSON, and of its cache files. Pure."""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_hub.weather.feeds.provider import instant_s

HazardKind = Literal["sigmet", "airmet", "pirep"]
LONGEST_RAW = 4000
MOST_POINTS = 1000
PIREP_LASTS_US = 2 * 3_600_000_000
_decoder = msgspec.json.Decoder(dict[str, object])


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """Something dangerous somewhere; for display, not for flight operations.

    Attributes
    ----------
    points
        Longitude and latitude in degrees: the corners of an area, or the one place of a report.
    hazard, severity
        In the provider's words: ``TURB``, ``CONVECTIVE``, ``IFR``.
    """

    kind: HazardKind
    digest: bytes
    from_us: int
    until_us: int
    points: tuple[tuple[float, float], ...]
    raw: str
    hazard: str | None = None
    severity: str | None = None
    base_ft: float | None = None
    top_ft: float | None = None


def decode_hazards(body: bytes, kind: HazardKind) -> tuple[list[Hazard], int]:
    """Read GeoJSON or a cache file (CSV); also say how many items could not be read.

    Raises
    ------
    ProtocolError
        It is neither.
    """
    if body.lstrip()[:1] == b"{":
        return _geojson(body, kind)
    return _csv(body, kind)


def _geojson(body: bytes, kind: HazardKind) -> tuple[list[Hazard], int]:
    try:
        features = _decoder.decode(body).get("features")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"no GeoJSON: {error}") from error
    if not isinstance(features, list):
        raise ProtocolError("GeoJSON without features")
    found: list[Hazard] = []
    refused = 0
    for feature in features:
        read = list(_feature(feature, kind)) if isinstance(feature, dict) else []
        found += read
        refused += not read
    return found, refused


def _feature(feature: Mapping[str, object], kind: HazardKind) -> Iterator[Hazard]:
    said, shape = feature.get("properties"), feature.get("geometry")
    if not isinstance(said, dict) or not isinstance(shape, dict):
        return
    raw = _first(said, "rawAirSigmet", "rawSigmet", "rawOb", "rawText")
    from_s = instant_s(_first(said, "validTimeFrom", "obsTime", "receiptTime"))
    if not isinstance(raw, str) or from_s is None:
        return
    until_s = instant_s(said.get("validTimeTo"))
    named = str(_first(said, "airSigmetType", "airsigmetType") or "").lower()
    for points in _rings(shape):
        yield _hazard(
            "airmet" if "airmet" in named and kind == "sigmet" else kind,
            (from_s, until_s),
            points,
            raw,
            {
                "hazard": _text(said.get("hazard")),
                "severity": _text(_first(said, "severity", "qualifier", "tbInt1", "icgInt1")),
                "base_ft": _number(_first(said, "altitudeLow1", "base", "fltLvl")),
                "top_ft": _number(_first(said, "altitudeHi1", "top", "fltLvl")),
            },
        )


def _rings(shape: Mapping[str, object]) -> Iterator[tuple[tuple[float, float], ...]]:
    """Give the outer rings of an area, or a point; what is no place on earth is left out."""
    coordinates = shape.get("coordinates")
    if not isinstance(coordinates, list) or not coordinates:
        return
    rings: list[object] = []
    if shape.get("type") == "Point":
        rings = [[coordinates]]
    elif shape.get("type") == "LineString":
        rings = [coordinates]
    elif shape.get("type") == "Polygon":
        rings = coordinates[:1]
    elif shape.get("type") == "MultiPolygon":
        rings = [each[0] for each in coordinates if isinstance(each, list) and each]
    for ring in rings:
        points = _points(ring)
        if points:
            yield points


def _points(ring: object) -> tuple[tuple[float, float], ...]:
    if not isinstance(ring, list) or len(ring) > MOST_POINTS:
        return ()
    points = []
    for pair in ring:
        if not isinstance(pair, list) or len(pair) < 2:
            return ()
        longitude, latitude = _number(pair[0]), _number(pair[1])
        if longitude is None or latitude is None:
            return ()
        if not (-360 <= longitude <= 360 and -90 <= latitude <= 90):
            return ()
        points.append((longitude, latitude))
    return tuple(points)


def _csv(body: bytes, kind: HazardKind) -> tuple[list[Hazard], int]:
    rows = csv.reader(body.decode(errors="replace").splitlines())
    found: list[Hazard] = []
    refused = 0
    try:
        header = next(
            (row for _, row in zip(range(10), rows, strict=False) if "raw_text" in row), None
        )
        if header is None:
            raise ProtocolError("cache file has no header with raw_text")
        for row in rows:
            said: dict[str, str] = {}
            for name, value in zip(header, row, strict=False):
                said.setdefault(name, value.strip())  # columns repeat: the first counts
            read = _row(said, kind)
            if read is None:
                refused += 1
            else:
                found.append(read)
    except csv.Error as error:
        raise ProtocolError(f"cache file is no CSV: {error}") from error
    return found, refused


def _row(said: Mapping[str, str], kind: HazardKind) -> Hazard | None:
    is_pirep = kind == "pirep"
    from_s = instant_s(said.get("observation_time" if is_pirep else "valid_time_from"))
    if is_pirep:
        points = _points([[_float(said.get("longitude")), _float(said.get("latitude"))]])
    else:
        pairs = (said.get("lon:lat points") or "").split(";")
        points = _points([[_float(part) for part in pair.split(":")] for pair in pairs])
    if from_s is None or not points or not said.get("raw_text"):
        return None
    named = (said.get("airsigmet_type") or "").lower()
    return _hazard(
        "airmet" if "airmet" in named else kind,
        (from_s, instant_s(said.get("valid_time_to"))),
        points,
        said["raw_text"],
        {
            "hazard": _text(said.get("hazard") or _reported(said)),
            "severity": _text(
                said.get("severity")
                or said.get("turbulence_intensity")
                or said.get("icing_intensity")
            ),
            "base_ft": _float(said.get("min_ft_msl") or said.get("altitude_ft_msl")),
            "top_ft": _float(said.get("max_ft_msl") or said.get("altitude_ft_msl")),
        },
    )


def _reported(said: Mapping[str, str]) -> str | None:
    """Say what a pilot's report is about."""
    if said.get("turbulence_intensity"):
        return "TURB"
    return "ICE" if said.get("icing_intensity") else None


def _hazard(
    kind: HazardKind,
    span_s: tuple[float, float | None],
    points: tuple[tuple[float, float], ...],
    raw: str,
    more: Mapping[str, object],
) -> Hazard:
    raw = " ".join(raw.replace("\x00", " ").split())[:LONGEST_RAW]
    from_us = round(span_s[0]) * 1_000_000
    until_us = from_us + PIREP_LASTS_US if span_s[1] is None else round(span_s[1]) * 1_000_000
    digest = hashlib.sha256(msgspec.msgpack.encode((kind, from_us, until_us, points, raw)))
    told = {"digest": digest.digest()[:16], "from_us": from_us, "until_us": until_us}
    return msgspec.convert({"kind": kind, "points": points, "raw": raw, **told, **more}, Hazard)


def _first(said: Mapping[str, object], *names: str) -> object:
    return next((said[name] for name in names if said.get(name) is not None), None)


def _text(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return value[:40] if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _float(text: str | None) -> float | None:
    try:
        return None if not text else float(text)
    except ValueError:
        return None


def bounds(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Give the box around some points: west, south, east, north."""
    return (
        min(each[0] for each in points),
        min(each[1] for each in points),
        max(each[0] for each in points),
        max(each[1] for each in points),
    )
