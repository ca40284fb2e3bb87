"""Winds as BUFR (WMO FM 94 edition 4, template 3 11 010), written by ecCodes (extra ``bufr``).

A program of its own: ``python -m aerocast_hub.weather.bufr`` reads rows as JSON lines and writes
messages. ecCodes must never be loaded into the hub: it brings an older SQLite that would stand in
for the one the hub's database is opened with.
"""

import sys
import time
from collections.abc import Sequence
from types import ModuleType

import msgspec

from aerocast_hub.weather.wind_export import NOT_INSTALLED, Amdar

FT_IN_M = 0.3048
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


def main() -> int:
    """Read rows from standard input, write messages to standard output."""
    try:
        import eccodes  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; an extra
    except (ImportError, RuntimeError):
        return NOT_INSTALLED
    lines = sys.stdin.buffer.read().splitlines()
    rows = [msgspec.json.decode(line, type=Amdar) for line in lines]
    for at in range(0, len(rows), MOST_IN_A_MESSAGE):
        sys.stdout.buffer.write(_message(eccodes, rows[at : at + MOST_IN_A_MESSAGE]))
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
