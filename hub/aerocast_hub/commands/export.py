"""`aerocast-hub export winds|compliance`: what others are given, to a file or the store."""

import argparse
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import BinaryIO

import msgspec

from aerocast_hub.airports import airport_codes
from aerocast_hub.commands.destination import DestinationError, add_destination, put_to
from aerocast_hub.commands.output import complain
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

EXAMPLE = """examples:
  aerocast-hub export winds lfbo --hours 24 --format bufr --to winds.bufr
  aerocast-hub export compliance 2026-10-01 --until 2026-10-31 --to store:exports/753-2026-10.csv"""
HOUR_US = 3_600_000_000
LONGEST_HOURS = 192.0
MOST_DAYS = 366


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    asked_what = parser.add_subparsers(dest="what", required=True)
    winds = asked_what.add_parser("winds", help="what aircraft met around a site")
    winds.add_argument("site", help="whose gateways heard it")
    winds.add_argument("--hours", type=_hours, default=24.0, help="how far back (up to 192)")
    winds.add_argument(
        "--format", choices=["csv", "json", "bufr"], default="csv", help="bufr takes the extra bufr"
    )
    compliance = asked_what.add_parser(
        "compliance", help="custody points of flights, for IATA Resolution 753"
    )
    compliance.add_argument("day", type=_day, help="date of the flights, like 2026-10-01")
    compliance.add_argument("--until", type=_day, metavar="DAY", help="the last day (up to a year)")
    compliance.add_argument("--airport", help="only flights from or to it")
    compliance.add_argument("--format", choices=["csv", "json"], default="csv")
    for each in asked_what.choices.values():
        add_destination(each)
        each.add_argument("--json", action="store_true", help="the same as --format json")


def run(arguments: argparse.Namespace) -> int:
    """Write what is asked; 2 when the format or the place cannot be had."""
    if arguments.json:
        arguments.format = "json"
    if arguments.what == "winds":
        return _winds(arguments)
    days = [arguments.day]
    while arguments.until is not None and days[-1] < arguments.until and len(days) <= MOST_DAYS:
        days.append(days[-1] + timedelta(days=1))
    if len(days) > MOST_DAYS or days[-1] != (arguments.until or arguments.day):
        complain(f"--until {arguments.until}: the last of at most {MOST_DAYS} days")
        return 2
    try:
        with put_to(arguments.to) as out:
            with_database(_compliance(arguments, days, out))
    except DestinationError as error:
        complain(str(error))
        return 2
    return 0


def _compliance(
    arguments: argparse.Namespace, days: list[date], out: BinaryIO
) -> Callable[[Database], Awaitable[None]]:
    """Give the work that writes the reports of flights, one after the other."""
    from aerocast_hub.baggage.compliance_table import as_csv  # noqa: PLC0415  quick --help
    from aerocast_hub.baggage.insight import flight_compliance  # noqa: PLC0415  likewise
    from aerocast_hub.flights.store import flights_of_day  # noqa: PLC0415  likewise

    codes = None if arguments.airport is None else airport_codes(arguments.airport)
    now_us = time.time_ns() // 1000

    async def write(database: Database) -> None:
        if arguments.format == "csv":
            out.write(as_csv([]).encode())
        for day in days:
            async with database.reading() as session:
                flights = await flights_of_day(session, day.isoformat())
            for flight in flights:
                if codes and not codes & {flight.origin.lower(), flight.destination.lower()}:
                    continue
                async with database.reading() as session:
                    found = await flight_compliance(session, flight.id, now_us)
                if found is None:  # forgotten meanwhile
                    continue
                if arguments.format == "csv":
                    out.write(as_csv([found], headed=False).encode())
                else:
                    out.write(msgspec.json.encode(found) + b"\n")

    return write


def _winds(arguments: argparse.Namespace) -> int:
    from aerocast_hub.weather.wind_export import (  # noqa: PLC0415  quick --help
        MOST_ROWS,
        Amdar,
        BufrMissing,
        amdar,
        to_bufr,
        to_csv,
        to_json,
    )
    from aerocast_hub.weather.winds import winds_between  # noqa: PLC0415  likewise

    now_us = time.time_ns() // 1000
    since_us = now_us - round(arguments.hours * HOUR_US)

    async def find(database: Database) -> list[Amdar]:
        async with database.reading() as session:
            return amdar(*await winds_between(session, arguments.site, since_us, now_us, MOST_ROWS))

    try:
        with put_to(arguments.to) as out:
            rows = with_database(find)
            if arguments.format == "bufr":
                out.write(to_bufr(rows))
            else:
                out.write(to_csv(rows).encode() if arguments.format == "csv" else to_json(rows))
    except (BufrMissing, DestinationError) as error:
        complain(str(error))
        return 2
    return 0


def _hours(text: str) -> float:
    hours = float(text)
    if not 0.0 < hours <= LONGEST_HOURS:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LONGEST_HOURS:.0f}")
    return hours


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: it is written 2026-10-01") from None
