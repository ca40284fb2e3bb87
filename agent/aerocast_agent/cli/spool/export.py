"""``aerocast-agent spool export``: every stored observation, as JSON lines or into a database."""

import argparse
import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.observed import Shown, as_json, shown, utc_text
from aerocast_agent.cli.spool.source import add_lane, lanes_of, opened, parser_of, path_of
from aerocast_agent.spool_reading import Times, batches, observations

AT_ONCE = 1000


def run(arguments: Sequence[str]) -> int:
    """Export; exit status 1 when something could not be read."""
    parser = parser_of(
        "export",
        "Every stored observation as a JSON line on standard output, or with --database into a "
        "new SQLite file of one table a kind, for any tool that reads SQLite.",
        "--database seen.db",
    )
    add_lane(parser)
    parser.add_argument("--kind", action="append", help="only this kind, as code_scan")
    parser.add_argument("--database", type=Path, metavar="FILE", help="a file to be made")
    options = parser.parse_args(arguments)
    path = path_of(options)
    if path is None:
        return WRONG_USAGE
    if options.database is not None and options.database.exists():
        sys.stderr.write(f"{options.database}: it is there already and would be changed\n")
        sys.stderr.write("Next: name a new file, or remove this one first.\n")
        return WRONG_USAGE
    db = opened(path)
    if db is None:
        return REFUSED
    with closing(db):
        lines = _wanted(db, options)
        if options.database is None:
            return write_lines(lines)
        try:
            return _into_database(lines, options.database, as_json=options.json)
        except (OSError, sqlite3.Error) as error:
            sys.stderr.write(f"{options.database}: {error}\n")
            sys.stderr.write("Next: name a file in a folder with room that you may write to.\n")
            return REFUSED


def write_lines(lines: Iterator[Shown], write: Callable[[str], object] | None = None) -> int:
    """Put out lines as JSON and give the exit status."""
    status = WELL
    put = sys.stdout.write if write is None else write
    for line, refused in lines:
        put(as_json(line))
        status = REFUSED if refused else status
    return status


def _wanted(db: sqlite3.Connection, options: argparse.Namespace) -> Iterator[Shown]:
    times = Times(db)
    for row in batches(db, lanes_of(options)):
        for seen in observations(row):
            one = shown(seen, times)
            if one.refused or not options.kind or one.line["kind"] in options.kind:
                yield one


def _into_database(lines: Iterator[Shown], file: Path, *, as_json: bool) -> int:
    """Write one table a kind; what cannot be read goes into ``refused``."""
    from sqlite_utils import Database  # noqa: PLC0415  a tenth of a second that JSON need not wait

    waiting: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    database = Database(sqlite3.connect(file), execute_plugins=False)
    with closing(database.conn):

        def write(table: str) -> None:
            counts[table] += len(waiting[table])
            database.table(table).insert_all(waiting.pop(table), alter=True)

        for line, refused in lines:
            table = "refused" if refused else str(line["kind"])
            waiting[table].append(_columns(line))
            if len(waiting[table]) >= AT_ONCE:
                write(table)
        for table in list(waiting):
            write(table)
    for table, count in sorted(counts.items()):
        sys.stdout.write(
            json.dumps({"table": table, "rows": count}) + "\n"
            if as_json
            else f"{table:<24}{count:>9} rows\n"
        )
    sys.stderr.write(f"written to {file}\n")
    return REFUSED if counts["refused"] else WELL


def _columns(line: dict[str, object]) -> dict[str, object]:
    """Give what a table of SQLite can hold: a time people can read, lists as JSON."""
    at_us = line.get("seen_at_us")
    columns: dict[str, object] = {}
    for name, each in line.items():
        plain = each is None or isinstance(each, str | int | float)
        columns[name] = each if plain else json.dumps(each)
    if "seen_at_us" in line:
        columns["seen_at_utc"] = utc_text(at_us) if isinstance(at_us, int) else None
    return columns
