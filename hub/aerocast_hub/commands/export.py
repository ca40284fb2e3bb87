"""`aerocast-hub export winds SITE`: what aircraft met around a site, for meteorologists."""

import argparse
import sys
import time
from pathlib import Path

from aerocast_hub.commands.output import complain
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.weather.wind_export import (
    MOST_ROWS,
    Amdar,
    BufrMissing,
    amdar,
    to_bufr,
    to_csv,
    to_json,
)
from aerocast_hub.weather.winds import winds_between

EXAMPLE = "example: aerocast-hub export winds lfbo --hours 24 --format bufr --to winds.bufr"
HOUR_US = 3_600_000_000
LONGEST_HOURS = 192.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("what", choices=["winds"], help="what to export")
    parser.add_argument("site", help="whose gateways heard it")
    parser.add_argument("--hours", type=_hours, default=24.0, help="how far back (up to 192)")
    parser.add_argument(
        "--format", choices=["csv", "json", "bufr"], default="csv", help="bufr takes the extra bufr"
    )
    parser.add_argument("--to", type=Path, help="a file, in place of standard output")
    parser.add_argument("--json", action="store_true", help="the same as --format json")


def run(arguments: argparse.Namespace) -> int:
    """Write the winds; 2 when the format or the file cannot be had."""
    now_us = time.time_ns() // 1000

    async def find(database: Database) -> list[Amdar]:
        async with database.reading() as session:
            found = await winds_between(
                session,
                arguments.site,
                now_us - round(arguments.hours * HOUR_US),
                now_us,
                MOST_ROWS,
            )
        return amdar(*found)

    rows = with_database(find)
    try:
        written = _written(rows, "json" if arguments.json else arguments.format)
    except BufrMissing as error:
        complain(str(error))
        return 2
    try:
        if arguments.to is None:
            sys.stdout.buffer.write(written)
        else:
            arguments.to.write_bytes(written)
    except OSError as error:
        complain(f"{arguments.to} cannot be written: {error.strerror}")
        return 2
    return 0


def _written(rows: list[Amdar], file_format: str) -> bytes:
    if file_format == "bufr":
        return to_bufr(rows)
    return to_csv(rows).encode() if file_format == "csv" else to_json(rows)


def _hours(text: str) -> float:
    hours = float(text)
    if not 0.0 < hours <= LONGEST_HOURS:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LONGEST_HOURS:.0f}")
    return hours
