"""Which spool file a command reads, and what to say when it cannot be read."""

import argparse
import sqlite3
import sys
from pathlib import Path

from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.lanes import EVERY_LANE
from aerocast_agent.spool_reading import lane_number, open_to_read, set_aside


def parser_of(action: str, description: str, example: str) -> argparse.ArgumentParser:
    """Begin a parser with what all the actions take."""
    parser = argparse.ArgumentParser(
        prog=f"aerocast-agent spool {action}",
        description=description,
        epilog=f"Example: aerocast-agent spool {action} {example}",
    )
    parser.add_argument("file", nargs="?", help="a spool file; default: the one of agent.toml")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="JSON lines")
    return parser


def add_lane(parser: argparse.ArgumentParser) -> None:
    """Add ``--lane``, which may be given several times."""
    parser.add_argument(
        "--lane",
        type=_lane,
        action="append",
        metavar="critical|live|bulk",
        help="only this lane",
    )


def lanes_of(options: argparse.Namespace) -> tuple[int, ...]:
    """Give the lanes asked for: all of them when none is named."""
    return tuple(dict.fromkeys(options.lane)) if options.lane else EVERY_LANE


def path_of(options: argparse.Namespace) -> Path | None:
    """Give the spool file meant; None after saying what is wrong with agent.toml."""
    if options.file is not None:
        return Path(options.file)
    settings = settings_of(options)
    return None if settings is None else Path(settings.spool.path)


def opened(path: Path) -> sqlite3.Connection | None:
    """Open a spool for reading; None after saying why not and what to try."""
    try:
        db = open_to_read(path)
    except FileNotFoundError:
        sys.stderr.write(f"{path}: there is no such file\n")
        sys.stderr.write("Next: the daemon makes it when it first runs; or name a spool file.\n")
        return None
    except PermissionError:
        sys.stderr.write(f"{path}: you may not read it\n")
        sys.stderr.write("Next: try again with sudo, or as the user the daemon runs as.\n")
        return None
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{path}: cannot be read as a spool: {error}\n")
        sys.stderr.write(f"Next: 'aerocast-agent spool salvage {path}' gets out what is whole.\n")
        return None
    for aside in set_aside(path):
        sys.stderr.write(
            f"note: {aside.name} lies beside it: a spool that could not be used. "
            f"'aerocast-agent spool salvage {aside}' reads it.\n"
        )
    return db


def _lane(name: str) -> int:
    try:
        return lane_number(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
