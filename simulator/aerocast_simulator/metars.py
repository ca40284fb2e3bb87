"""METARs of the simulated airport, and the files airports' reports are published in."""

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

_COLUMNS = (
    *("raw_text", "station_id", "observation_time", "latitude", "longitude", "temp_c"),
    *("dewpoint_c", "wind_dir_degrees", "wind_speed_kt", "wind_gust_kt"),
    *("visibility_statute_mi", "altim_in_hg", "sky_cover", "cloud_base_ft_agl", "sky_cover"),
    *("cloud_base_ft_agl", "flight_category", "metar_type", "elevation_m"),
)
_REPORTED = {"raw_text": 0, "station_id": 1, "observation_time": 2}


class Conditions(NamedTuple):
    """Weather at an airport; the defaults are a fair day with a breeze."""

    wind_direction_deg: int = 300
    wind_speed_kt: int = 12
    wind_gust_kt: int | None = None
    visibility_m: int = 9999
    weather: str = ""
    clouds: str = "FEW025 SCT040"
    temperature_c: int = 14
    dew_point_c: int = 8
    qnh_hpa: int = 1016


class Report(NamedTuple):
    """A METAR as published."""

    station: str
    observed_at: datetime
    raw: str


def report_of(station: str, at: datetime, conditions: Conditions | None = None) -> Report:
    """Give the METAR in force at a moment: observed at the half hour before.

    Without ``conditions`` they are plausible ones that differ between stations and hours, and are
    the same each time they are asked for.
    """
    at = at.astimezone(UTC)
    observed_at = at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)
    seen = conditions or typical_conditions(station, observed_at)
    gust = f"G{seen.wind_gust_kt:02d}" if seen.wind_gust_kt is not None else ""
    groups = (
        "METAR",
        station,
        f"{observed_at:%d%H%M}Z",
        f"{seen.wind_direction_deg:03d}{seen.wind_speed_kt:02d}{gust}KT",
        f"{seen.visibility_m:04d}",
        seen.weather,
        seen.clouds,
        f"{_signed(seen.temperature_c)}/{_signed(seen.dew_point_c)}",
        f"Q{seen.qnh_hpa:04d}",
        "NOSIG",
    )
    return Report(station, observed_at, " ".join(group for group in groups if group))


def typical_conditions(station: str, at: datetime) -> Conditions:
    """Give weather that fits a temperate airport at this hour; the station's name is the seed."""
    seed = sum(ord(letter) * 31**place for place, letter in enumerate(station))
    hour = at.hour + at.minute / 60
    warmth = math.cos((hour - 15) / 24 * math.tau)  # warmest at three in the afternoon
    temperature_c = round(13 + seed % 5 + 5 * warmth)
    return Conditions(
        wind_direction_deg=(seed * 10 + 10 * round(2 * warmth)) % 360 or 360,
        wind_speed_kt=6 + seed % 9 + round(3 * warmth),
        clouds=("FEW025 SCT040", "SCT030", "FEW020 BKN045", "BKN035")[(seed + at.day) % 4],
        temperature_c=temperature_c,
        dew_point_c=temperature_c - 4 - seed % 4,
        qnh_hpa=1008 + (seed + at.day) % 17,
    )


def write_cache(path: Path, reports: Sequence[Report]) -> None:
    """Write reports as AWC's ``metars.cache.csv.gz``: five lines of preamble, a header, rows.

    The file is replaced whole: who reads it meanwhile sees the old or the new one.
    """
    text = io.StringIO()
    text.write(f"No errors\nNo warnings\n1 ms\ndata source=metars\n{len(reports)} results\n")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for report in reports:
        observed = f"{report.observed_at:%Y-%m-%dT%H:%M:%SZ}"
        known = (report.raw.removeprefix("METAR "), report.station, observed)
        rows.writerow(known[_REPORTED[name]] if name in _REPORTED else "" for name in _COLUMNS)
    _replace(path, gzip.compress(text.getvalue().encode(), mtime=0))


def write_text(path: Path, reports: Iterable[Report]) -> None:
    """Write reports as NOAA's station files: the date on one line, the report on the next."""
    blocks = (
        f"{report.observed_at:%Y/%m/%d %H:%M}\n{report.raw.removeprefix('METAR ')}\n"
        for report in reports
    )
    _replace(path, "\n".join(blocks).encode())


def recent_reports(station: str, until: datetime, count: int = 6) -> list[Report]:
    """Give the latest reports of a station, newest first, half an hour apart."""
    return [report_of(station, until - timedelta(minutes=30 * back)) for back in range(count)]


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _signed(degrees: int) -> str:
    return f"M{-degrees:02d}" if degrees < 0 else f"{degrees:02d}"
