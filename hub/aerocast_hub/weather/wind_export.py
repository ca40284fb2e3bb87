"""Winds that aircraft met, as meteorologists exchange them: CSV, JSON lines, or BUFR.

The columns are like those of EMADDC's open files, one line a wind. BUFR is WMO FM 94 edition 4 with
template 3 11 010 (aircraft reports); it takes ecCodes (extra ``bufr``). Not for flight operations.
"""

import csv
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import atan2, degrees, hypot
from types import ModuleType

import msgspec

from aerocast_hub.weather.aircraft_wind import AircraftWind, heard_once, sound
from aerocast_hub.weather.buddy_check import agrees
from aerocast_hub.weather.heading_bias import HeadingBias, block_of, corrected
from aerocast_hub.weather.wind_field import heard

KT_IN_MPS = 1852.0 / 3600.0
ZERO_C_IN_K = 273.15
FT_IN_M = 0.3048
MOST_ROWS = 50_000
MOST_IN_A_MESSAGE = 2000
TEMPLATE = 311010
_TIMES = ("year", "month", "day", "hour", "minute", "second")
# Edition 4, single-level upper-air data (not satellite), observed.
_HEAD = (
    ("edition", 4),
    ("masterTableNumber", 0),
    ("masterTablesVersionNumber", 40),
    ("dataCategory", 4),
    ("observedData", 1),
)


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

    Raises
    ------
    BufrMissing
        ecCodes is not installed.
    """
    try:
        import eccodes  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; an extra
    except (ImportError, RuntimeError) as error:
        raise BufrMissing("ecCodes is not installed: pip install 'aerocast-hub[bufr]'") from error
    starts = range(0, len(rows), MOST_IN_A_MESSAGE)
    return b"".join(_message(eccodes, rows[at : at + MOST_IN_A_MESSAGE]) for at in starts)


def _message(eccodes: ModuleType, rows: Sequence[Amdar]) -> bytes:
    message = eccodes.codes_bufr_new_from_samples("BUFR4")
    try:
        eccodes.codes_set_array(message, "inputDelayedDescriptorReplicationFactor", [0, 0])
        eccodes.codes_set_array(message, "inputShortDelayedDescriptorReplicationFactor", [0] * 6)
        typical = dict(zip(_TIMES, _moment(rows[-1]), strict=True))
        for key, value in (*_HEAD, *((f"typical{k.title()}", v) for k, v in typical.items())):
            eccodes.codes_set(message, key, value)
        eccodes.codes_set(message, "numberOfSubsets", len(rows))
        eccodes.codes_set(message, "compressedData", 1)
        eccodes.codes_set(message, "unexpandedDescriptors", TEMPLATE)
        missing = eccodes.CODES_MISSING_DOUBLE
        for key, values in _columns(rows).items():
            told = [missing if value is None else value for value in values]
            eccodes.codes_set_array(message, f"#1#{key}", told)
        name = "#1#aircraftRegistrationNumberOrOtherIdentification"
        eccodes.codes_set_array(message, name, [row.icao.upper() for row in rows])
        eccodes.codes_set(message, "pack", 1)
        packed: bytes = eccodes.codes_get_message(message)
        return packed
    finally:
        eccodes.codes_release(message)


def _columns(rows: Sequence[Amdar]) -> dict[str, list[float | None]]:
    """Give what BUFR calls the columns, in its units."""
    moments = [_moment(row) for row in rows]
    columns: dict[str, list[float | None]] = {
        name: [moment[place] for moment in moments] for place, name in enumerate(_TIMES)
    }
    columns["latitude"] = [row.latitude_deg for row in rows]
    columns["longitude"] = [row.longitude_deg for row in rows]
    columns["flightLevel"] = [row.flight_level * 100.0 * FT_IN_M for row in rows]
    columns["windDirection"] = [row.wind_direction_deg for row in rows]
    columns["windSpeed"] = [row.wind_speed_mps for row in rows]
    columns["airTemperature"] = [row.temperature_k for row in rows]
    columns["aircraftRollAngleQuality"] = [None if row.roll_deg is None else 0.0 for row in rows]
    return columns


def _moment(row: Amdar) -> tuple[int, ...]:
    return time.strptime(row.observed_at[:19], "%Y-%m-%dT%H:%M:%S")[:6]
