"""METAR and SPECI in XML: IWXXM of ICAO and WMO, 3.0 to 2025-2. Needs the extra ``iwxxm``.

Elements are told by their local names: every version has a namespace of its own. Only what has a
place in a report is read; a missing value, and one with a ``nilReason``, stays missing.
"""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar_report import Cloud, Metar, flight_category

from aerocast_hub.weather.derived import MPS_TO_KT
from aerocast_hub.weather.feeds.provider import instant_s
from aerocast_hub.weather.store import ReadReport

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_REPORTS = 10_000
_XLINK = "{http://www.w3.org/1999/xlink}href"
_KT = {"[kn_i]": 1.0, "m/s": MPS_TO_KT, "km/h": 1 / 1.852}
_FT = {"[ft_i]": 1.0, "m": 1 / 0.3048}
_M = {"m": 1.0, "km": 1000.0, "[mi_i]": 1609.344}


def decode_iwxxm(body: bytes, now_us: int) -> list[ReadReport]:
    """Read every METAR and SPECI of a document or bulletin.

    Raises
    ------
    ProtocolError
        It is no XML, holds what XML should not (entities), or no report; or the extra is not
        installed.
    """
    try:
        from defusedxml.ElementTree import fromstring  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ProtocolError("XML needs: pip install 'aerocast-hub[iwxxm]'") from error
    try:
        root: Element = fromstring(body)
    except (SyntaxError, ValueError) as error:  # defusedxml's refusals are ValueErrors
        raise ProtocolError(f"no IWXXM: {error}") from error
    found = [each for each in root.iter() if _name(each) in ("METAR", "SPECI")]
    read = [report for each in found[:MOST_REPORTS] if (report := _report(each)) is not None]
    if not read:
        raise ProtocolError("no METAR or SPECI in it")
    return [each for each in read if each.observed_at_us <= now_us + 3_600_000_000]


def _report(element: "Element") -> ReadReport | None:
    station = _text(element, "locationIndicatorICAO")
    observed = _text(_one(element, "observationTime"), "timePosition")
    observed_s = instant_s(observed)
    seen = next(_all(element, "MeteorologicalAerodromeObservation"), None)
    if station is None or observed_s is None or seen is None:
        return None
    wind, visibility = _one(seen, "surfaceWind"), _one(seen, "visibility")
    is_cavok = seen.get("cloudAndVisibilityOK") == "true"
    metres = 10_000.0 if is_cavok else _value(visibility, "prevailingVisibility", _M)
    clouds = tuple(_clouds(seen))
    ceiling = [
        each.base_ft
        for each in clouds
        if each.cover in ("BKN", "OVC", "VV") and each.base_ft is not None
    ]
    ceiling_ft = min(ceiling, default=None)
    direction = _value(wind, "meanWindDirection", {"deg": 1.0})
    report = Metar(
        station=station,
        raw=f"IWXXM {_name(element)} {station} {observed}",
        observed_at_us=round(observed_s) * 1_000_000,
        wind_direction_deg=_direction(wind, direction),
        wind_speed_kt=_value(wind, "meanWindSpeed", _KT),
        wind_gust_kt=_value(wind, "windGustSpeed", _KT),
        visibility_m=metres,
        visibility_qualifier=_operator(visibility),
        weather=tuple(_weather(seen)),
        clouds=clouds,
        ceiling_ft=ceiling_ft,
        temperature_c=_value(seen, "airTemperature", {"Cel": 1.0}),
        dew_point_c=_value(seen, "dewpointTemperature", {"Cel": 1.0}),
        altimeter_hpa=_value(seen, "qnh", {"hPa": 1.0, "Pa": 0.01}),
        flight_category=flight_category(metres, ceiling_ft),
        corrected=element.get("reportStatus") == "CORRECTION",
        auto=element.get("automatedStation") == "true",
    )
    digest = hashlib.sha256(repr(report).encode()).digest()[:16]
    return ReadReport(digest=digest, observed_at_us=round(observed_s) * 1_000_000, report=report)


def _direction(wind: "Element | None", degrees: float | None) -> int | Literal["VRB"] | None:
    holder = None if wind is None else next(_all(wind, "AerodromeSurfaceWind"), wind)
    if holder is not None and holder.get("variableWindDirection") == "true":
        return "VRB"
    return None if degrees is None else round(degrees) % 360


def _operator(visibility: "Element | None") -> Literal["M", "P"] | None:
    told = _text(visibility, "prevailingVisibilityOperator")
    return "P" if told == "ABOVE" else "M" if told == "BELOW" else None


def _clouds(seen: "Element") -> Iterator[Cloud]:
    for layer in _all(seen, "CloudLayer"):
        amount = next(_all(layer, "amount"), None)
        kind = next(_all(layer, "cloudType"), None)
        base_ft = _value(layer, "base", _FT)
        yield Cloud(
            cover=_code(amount),
            base_ft=None if base_ft is None else round(base_ft),
            type=_code(kind) if _code(kind) in ("CB", "TCU") else None,
        )
    vertical_ft = _value(seen, "verticalVisibility", _FT)
    if vertical_ft is not None:
        yield Cloud(cover="VV", base_ft=round(vertical_ft))


def _weather(seen: "Element") -> Iterator[str]:
    for each in _all(seen, "presentWeather"):
        code = _code(each)
        if code is not None:
            yield code


def _code(element: "Element | None") -> str | None:
    """Give a code's last part: ``http://codes.wmo.int/49-2/CloudAmount.../BKN`` says BKN."""
    href = None if element is None else element.get(_XLINK)
    return None if not href else href.rsplit("/", 1)[-1][:12] or None


def _value(within: "Element | None", name: str, units: dict[str, float]) -> float | None:
    element = None if within is None else next(_all(within, name), None)
    if element is None or not element.text or element.get("nilReason"):
        return None
    factor = units.get(element.get("uom", ""))
    try:
        return None if factor is None else round(float(element.text) * factor, 3)
    except ValueError:
        return None


def _text(within: "Element | None", name: str) -> str | None:
    element = None if within is None else next(_all(within, name), None)
    return None if element is None or not element.text else element.text.strip()[:64]


def _one(within: "Element", name: str) -> "Element | None":
    return next(_all(within, name), None)


def _all(within: "Element", name: str) -> "Iterator[Element]":
    return (each for each in within.iter() if _name(each) == name)


def _name(element: "Element") -> str:
    return str(element.tag).rpartition("}")[2]
