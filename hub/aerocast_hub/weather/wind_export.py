"""Winds that aircraft met, as meteorologists exchange them: CSV, JSON lines, or BUFR.

The columns are like those of EMADDC's open files, one line a wind. BUFR is WMO FM 94 edition 4 with
template 3 11 010 (aircraft reports); it takes ecCodes (extra ``bufr``). Not for flight operations.
"""

import csv
import io
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import atan2, degrees, hypot

import msgspec

from aerocast_hub.weather.aircraft_wind import AircraftWind, heard_once, sound
from aerocast_hub.weather.buddy_check import agrees
from aerocast_hub.weather.heading_bias import HeadingBias, block_of, corrected
from aerocast_hub.weather.wind_field import heard

KT_IN_MPS = 1852.0 / 3600.0
ZERO_C_IN_K = 273.15
MOST_ROWS = 50_000
NOT_INSTALLED = 3  # how the process that writes BUFR says so


class Amdar(msgspec.Struct, frozen=True, kw_only=True):
    """One wind as it is exchanged, freed of what is known of the aircraft's heading.

    Attributes
    ----------
    observed_at
        UTC, ISO 8601.
    flight_level
        Hundreds of feet.
    wind_speed_mps, wind_direction_deg
        Where it blows from, degrees true.
    source
        ``derived`` or ``bds44``.
    heading_corrected_deg
        By how much the heading was corrected; None where nothing is known of it.
    quality
        0 fits what others met beside it, or nobody flew there; 1 does not fit.
    """

    observed_at: str
    icao: str
    latitude_deg: float
    longitude_deg: float
    flight_level: float
    wind_speed_mps: float
    wind_direction_deg: float
    temperature_k: float | None
    roll_deg: float | None
    source: str
    heading_corrected_deg: float | None
    quality: int


class BufrMissing(Exception):  # noqa: N818  a state of the installation
    """ecCodes is not installed; the message says how to mend that."""


def amdar(winds: Iterable[AircraftWind], biases: Mapping[str, HeadingBias]) -> list[Amdar]:
    """Make rows of winds, oldest first; each is held against those of its quarter of an hour."""
    rows = []
    for _, group in groupby(heard_once(sound(winds)), lambda wind: block_of(wind.seen_at_us)):
        met = list(group)
        fits = agrees(heard(met, biases))
        for (wind, vector), fitting in zip(corrected(met, biases), fits, strict=True):
            rows.append(_row(wind, vector, biases.get(wind.icao), is_fitting=bool(fitting)))
    return rows


def to_csv(rows: Sequence[Amdar]) -> str:
    """Write rows under a line of names; empty where a value is unknown."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(Amdar.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in rows)
    return written.getvalue()


def _row(
    wind: AircraftWind, vector: tuple[float, float], bias: HeadingBias | None, *, is_fitting: bool
) -> Amdar:
    seconds, micros = divmod(wind.seen_at_us, 1_000_000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    outside_c, has_heading = wind.temperature_c, wind.true_heading_deg is not None
    return Amdar(
        observed_at=f"{moment}.{micros // 1000:03d}Z",
        icao=wind.icao,
        latitude_deg=round(wind.latitude_deg, 4),
        longitude_deg=round(wind.longitude_deg, 4),
        flight_level=round(wind.altitude_ft / 100.0, 1),
        wind_speed_mps=round(hypot(*vector) * KT_IN_MPS, 2),
        wind_direction_deg=round(degrees(atan2(-vector[0], -vector[1])) % 360.0, 1) % 360.0,
        temperature_k=None if outside_c is None else round(outside_c + ZERO_C_IN_K, 1),
        roll_deg=wind.roll_deg,
        source=wind.source,
        heading_corrected_deg=None if bias is None or not has_heading else -bias.bias_deg,
        quality=0 if is_fitting else 1,
    )


def to_json(rows: Sequence[Amdar]) -> bytes:
    """Write rows as JSON, one a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def to_bufr(rows: Sequence[Amdar]) -> bytes:
    """Write rows as BUFR messages of up to 2,000 winds each; nothing for none.

    In a process of its own: ecCodes brings an SQLite of its own, and two of them in one process
    get into each other's way.

    Raises
    ------
    BufrMissing
        ecCodes is not installed.
    """
    if not rows:
        return b""
    done = subprocess.run(
        [sys.executable, "-m", "aerocast_hub.weather.bufr"],
        input=to_json(rows),
        capture_output=True,
        check=False,
    )
    if done.returncode == NOT_INSTALLED:
        raise BufrMissing("ecCodes is not installed: pip install 'aerocast-hub[bufr]'")
    if done.returncode:
        raise RuntimeError(f"BUFR cannot be written: {done.stderr[-500:].decode(errors='replace')}")
    return done.stdout
