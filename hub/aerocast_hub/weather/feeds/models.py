"""Model forecasts of a place: met.no's Locationforecast and Open-Meteo. Pure."""

from collections.abc import Mapping

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_hub.weather.derived import MPS_TO_KT
from aerocast_hub.weather.feeds.provider import instant_s

MOST_HOURS = 400
_decoder = msgspec.json.Decoder(dict[str, object])


class ModelHour(msgspec.Struct, frozen=True, kw_only=True):
    """What a model expects at an instant.

    Attributes
    ----------
    precipitation_mm
        In the hour that begins then.
    visibility_m
        Only where the model gives one.
    """

    at_us: int
    temperature_c: float | None = None
    dew_point_c: float | None = None
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    visibility_m: float | None = None
    pressure_hpa: float | None = None
    precipitation_mm: float | None = None


def decode_metno(body: bytes) -> list[ModelHour]:
    """Read a Locationforecast 2.0, compact or complete.

    Raises
    ------
    ProtocolError
        It is none.
    """
    series = _at(_document(body), "properties", "timeseries")
    if not isinstance(series, list):
        raise ProtocolError("no timeseries")
    hours = []
    for each in series[:MOST_HOURS]:
        if not isinstance(each, dict):
            continue
        at_s = instant_s(each.get("time"))
        now = _at(each, "data", "instant", "details")
        if at_s is None or not isinstance(now, dict):
            continue
        next_hour = _at(each, "data", "next_1_hours", "details")
        rain = next_hour.get("precipitation_amount") if isinstance(next_hour, dict) else None
        hours.append(
            ModelHour(
                at_us=round(at_s) * 1_000_000,
                temperature_c=_number(now.get("air_temperature")),
                dew_point_c=_number(now.get("dew_point_temperature")),
                wind_direction_deg=_number(now.get("wind_from_direction")),
                wind_speed_kt=_kt(now.get("wind_speed")),
                wind_gust_kt=_kt(now.get("wind_speed_of_gust")),
                pressure_hpa=_number(now.get("air_pressure_at_sea_level")),
                precipitation_mm=_number(rain),
            )
        )
    return hours


OPEN_METEO_HOURLY = (
    "temperature_2m,dew_point_2m,wind_speed_10m,wind_direction_10m,wind_gusts_10m,visibility,"
    "precipitation,pressure_msl"
)


def decode_open_meteo(body: bytes) -> list[ModelHour]:
    """Read an Open-Meteo forecast asked with ``timeformat=unixtime`` and ``wind_speed_unit=kn``.

    Raises
    ------
    ProtocolError
        It is none, or in other units.
    """
    document = _document(body)
    hourly, units = document.get("hourly"), document.get("hourly_units")
    if not isinstance(hourly, dict) or not isinstance(hourly.get("time"), list):
        raise ProtocolError("no hourly values")
    if not isinstance(units, dict) or units.get("wind_speed_10m") not in (None, "kn"):
        raise ProtocolError("its wind is not in knots")
    times: list[object] = hourly["time"]

    def column(name: str) -> list[object]:
        values = hourly.get(name)
        is_whole = isinstance(values, list) and len(values) == len(times)
        return list(values) if isinstance(values, list) and is_whole else [None] * len(times)

    names = {
        "temperature_c": "temperature_2m",
        "dew_point_c": "dew_point_2m",
        "wind_direction_deg": "wind_direction_10m",
        "wind_speed_kt": "wind_speed_10m",
        "wind_gust_kt": "wind_gusts_10m",
        "visibility_m": "visibility",
        "pressure_hpa": "pressure_msl",
        "precipitation_mm": "precipitation",
    }
    columns = {ours: column(theirs) for ours, theirs in names.items()}
    hours = []
    for number, instant in enumerate(times[:MOST_HOURS]):
        at_s = instant_s(instant)
        if at_s is not None:
            values = {ours: _number(column[number]) for ours, column in columns.items()}
            hours.append(ModelHour(at_us=round(at_s) * 1_000_000, **values))
    return hours


def _document(body: bytes) -> dict[str, object]:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"no JSON object: {error}") from error


def _at(document: Mapping[str, object], *path: str) -> object:
    found: object = document
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _kt(value: object) -> float | None:
    number = _number(value)
    return None if number is None else round(number * MPS_TO_KT, 2)
