"""``aerocast-agent spool salvage``: get what is whole out of a damaged spool file."""

import argparse
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from aerocast_agent.asking import NotPermittedError, order_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.observed import as_json, shown
from aerocast_agent.cli.settings import settings_of
from aerocast_agent.cli.spool.source import parser_of
from aerocast_agent.config import Config
from aerocast_agent.spool_adding import Added, add_batches
from aerocast_agent.spool_reading import Times, observations, set_aside
from aerocast_agent.spool_rows import Row
from aerocast_agent.spool_salvage import Damaged, salvage


class _Counted:
    """Passes whole batches on and remembers what was met."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches = self.held = 0
        self.damaged: list[Damaged] = []

    def whole(self) -> Iterator[Row]:
        for each in salvage(self.path):
            if isinstance(each, Damaged):
                self.damaged.append(each)
            else:
                self.batches += 1
                self.held += each.held
                yield each


def run(arguments: Sequence[str]) -> int:
    """Salvage; exit status 1 when something was damaged or could not be put back."""
    parser = parser_of(
        "salvage",
        "Read a spool file that SQLite no longer reads, or that the daemon moved aside, and give "
        "every observation that is still what was written, as JSON lines. The file is only read. "
        "Without FILE: the ones lying beside the spool of agent.toml. What the hub had "
        "already may be among them: it counts each once.",
        "/var/lib/aerocast/spool.corrupt-1a2b3c4d.db --into-spool",
    )
    parser.add_argument(
        "--into-spool",
        action="store_true",
        help="put them into the spool of agent.toml instead, for the hub; the daemon may run",
    )
    options = parser.parse_args(arguments)
    settings = settings_of(options) if options.into_spool or options.file is None else None
    if settings is None and (options.into_spool or options.file is None):
        return WRONG_USAGE
    if settings and options.into_spool and not Path(settings.spool.path).exists():
        sys.stderr.write(f"{settings.spool.path}: there is no such file\n")
        sys.stderr.write("Next: start the daemon, which makes it, and run this again.\n")
        return REFUSED
    files = _files(options, settings)
    if files is None:
        return WRONG_USAGE
    status = WELL
    for file in files:
        try:
            well = (
                _into_spool(file, settings, options)
                if settings and options.into_spool
                else (_as_lines(file))
            )
        except FileNotFoundError:
            sys.stderr.write(f"{file}: there is no such file\n")
            sys.stderr.write("Next: 'ls' its folder; the daemon calls them *.corrupt-*.db.\n")
            return REFUSED
        except (OSError, sqlite3.Error) as error:
            sys.stderr.write(f"{file}: {error}\n")
            sys.stderr.write("Next: try again with sudo, or as the user the daemon runs as.\n")
            return REFUSED
        status = status if well else REFUSED
    return status


def _files(options: argparse.Namespace, settings: Config | None) -> list[Path] | None:
    if options.file is not None:
        file = Path(options.file)
        if settings and file.absolute() == Path(settings.spool.path).absolute():
            sys.stderr.write(f"{file}: it is the spool in use: nothing can be put into itself\n")
            sys.stderr.write("Next: start the daemon: it moves a damaged spool aside by itself.\n")
            return None
        return [file]
    spool = Path(settings.spool.path) if settings else Path()
    files = set_aside(spool)
    if not files:
        sys.stderr.write(f"no damaged spool lies beside {spool}: there is nothing to salvage\n")
    return files


def _as_lines(file: Path) -> bool:
    counted = _Counted(file)
    well = True
    times = Times(None)
    for row in counted.whole():
        for seen in observations(row):
            line, refused = shown(seen, times)
            well &= not refused
            sys.stdout.write(as_json(line))
    for damaged in counted.damaged:
        sys.stdout.write(as_json({"error": "damaged", "input": str(damaged)}))
    sys.stderr.write(_summary(counted))
    return well and not counted.damaged


def _into_spool(file: Path, settings: Config, options: argparse.Namespace) -> bool:
    counted = _Counted(file)
    spool = Path(settings.spool.path)
    done = add_batches(spool, settings.spool.budget_mb * 1024 * 1024, counted.whole())
    if options.json:
        told = {
            "file": str(file),
            "batches": counted.batches,
            "observations": counted.held,
            "damaged": len(counted.damaged),
            **done._asdict(),
        }
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    with suppress(NotPermittedError):  # then it finds them by itself, when it has little to do
        order_daemon(settings.spool.path, "send_again")
    sys.stderr.write(_summary(counted) + _outcome(done, file, spool))
    return not counted.damaged and not done.no_room


def _summary(counted: _Counted) -> str:
    told = (
        f"{counted.path}: {counted.batches} batches with {counted.held} observations are whole, "
        f"{len(counted.damaged)} batches are damaged\n"
    )
    return told + "".join(f"  {each}\n" for each in counted.damaged)


def _outcome(done: Added, file: Path, spool: Path) -> str:
    told = f"{done.added} batches put into {spool}, {done.there_already} were there already\n"
    if done.no_room:
        return told + (
            f"{done.no_room} found no room.\n"
            "Next: wait until the hub has taken what waits ('status'), then run this again.\n"
        )
    return told + (
        f"Next: when 'aerocast-agent status' shows nothing waiting, {file} may be removed.\n"
    )
