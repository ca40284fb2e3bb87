"""``aerocast-agent tail``: the newest observations on disk, with ``-f`` each one as it comes."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.asking import NotPermittedError, watch_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.observed import as_json, readable, shown
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.cli.spool.source import add_lane, lanes_of, opened
from aerocast_agent.spool_reading import (
    FIRST,
    Seen,
    Times,
    Unreadable,
    batches,
    newest_batches,
    observations,
    open_to_read,
)
from aerocast_agent.watching import Accepted

LOOK_EVERY_S = 0.5
MOST_BATCHES = 200
"""Looked through in each lane for the newest observations of a kind."""

Name = tuple[int, int, int]
Reached = dict[int, tuple[int, int]]


class _Shower:
    """Puts out what was asked for, each observation once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.lanes = lanes_of(options)
        self.refused = False
        self._kinds = frozenset(options.kind or ())
        self._as_json = options.json
        self._shown: set[Name] = set()

    def wants(self, seen: Seen) -> bool:
        if seen.lane not in self.lanes:
            return False
        if isinstance(seen.observation, Unreadable):
            return True
        return not self._kinds or seen.observation.__struct_config__.tag in self._kinds

    def show(self, seen: Seen, times: Times) -> None:
        name = (seen.lane, seen.epoch, seen.sequence)
        if not self.wants(seen) or name in self._shown:
            return
        line, refused = shown(seen, times)
        self.refused |= refused
        sys.stdout.write(as_json(line) if self._as_json else readable(line))

    def remember(self, seen: Sequence[Seen]) -> None:
        """Do not show these again."""
        self._shown = {(each.lane, each.epoch, each.sequence) for each in seen}


def run(arguments: Sequence[str]) -> int:
    """Show the newest observations; exit status 1 when some cannot be read."""
    options = _parser().parse_args(arguments)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    path = Path(settings.spool.path)
    shower = _Shower(options)
    try:
        watch = watch_daemon(settings.spool.path) if options.follow else None
    except NotPermittedError as error:
        sys.stderr.write(f"the daemon does not tell: {error}\n")
        sys.stderr.write("Next: try again with sudo.\n")
        return REFUSED
    db = opened(path)
    if db is None:
        return REFUSED
    with closing(db):
        held = _newest(db, shower, options.lines)
        times = Times(db)
        for seen in held:
            shower.show(seen, times)
    sys.stdout.flush()
    if options.follow:
        shower.remember(held)
        _follow(settings.spool.path, shower, watch)
    elif not held:
        sys.stderr.write("nothing of that waits on disk: the hub has acknowledged it\n")
        sys.stderr.write("Next: -f shows each observation as it comes.\n")
    return REFUSED if shower.refused else WELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aerocast-agent tail",
        description="The newest observations that wait on disk, oldest first. What the hub has "
        "acknowledged has left the disk; -f goes on with every observation as the daemon "
        "accepts it. Reads only.",
        epilog="Example: aerocast-agent tail -f --kind code_scan --kind bag_passage",
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until interrupted")
    parser.add_argument("-n", "--lines", type=int, default=10, help="how many; default 10")
    add_lane(parser)
    parser.add_argument("--kind", action="append", help="only this kind, as code_scan")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="JSON lines")
    return parser


def _newest(db: sqlite3.Connection, shower: _Shower, count: int) -> list[Seen]:
    if count <= 0:
        return []
    held: list[Seen] = []
    for lane in shower.lanes:
        of_lane: list[Seen] = []
        for row in reversed(newest_batches(db, lane, MOST_BATCHES)):
            of_lane += [seen for seen in reversed(list(observations(row))) if shower.wants(seen)]
            if len(of_lane) >= count:
                break
        held += of_lane[:count]
    held.sort(key=_when)
    return held[-count:]


def _when(seen: Seen) -> tuple[int, int, int]:
    at_ns = 0 if isinstance(seen.observation, Unreadable) else seen.observation.boot_ns
    return seen.epoch, at_ns, seen.sequence


def _follow(spool: str, shower: _Shower, watch: Iterator[Accepted] | None) -> None:
    """Show what the daemon tells; while it is down, what appears in its file."""
    path = Path(spool)
    reached = _reached(path)
    while True:
        if watch is not None:
            for accepted in watch:
                if accepted.missed:
                    sys.stderr.write(f"{accepted.missed} were not shown: too many at once\n")
                shower.show(_seen(accepted), Times(None))
                sys.stdout.flush()
            sys.stderr.write("the daemon has stopped; waiting for it\n")
            reached = _reached(path)
        time.sleep(LOOK_EVERY_S)
        watch = watch_daemon(spool)
        if watch is None:
            reached = _show_new(path, shower, reached)


def _show_new(path: Path, shower: _Shower, reached: Reached) -> Reached:
    try:
        with closing(open_to_read(path)) as db:
            times = Times(db)
            for row in batches(db, shower.lanes, reached):
                reached[row.lane] = (row.epoch, row.first)
                for seen in observations(row):
                    shower.show(seen, times)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{path}: {error}\n")
    sys.stdout.flush()
    return reached


def _reached(path: Path) -> Reached:
    try:
        with closing(open_to_read(path)) as db:
            found = db.execute("SELECT lane, epoch, max(first) FROM batch GROUP BY lane, epoch")
            reached: Reached = {}
            for lane, epoch, first in found:
                reached[lane] = max(reached.get(lane, FIRST), (epoch, first))
            return reached
    except (OSError, sqlite3.Error):
        return {}


def _seen(accepted: Accepted) -> Seen:
    try:
        decoded = batch.decode_observation(accepted.encoded)
    except ProtocolError as error:
        unreadable = Unreadable(str(error), accepted.encoded)
        return Seen(accepted.lane, accepted.epoch, accepted.sequence, accepted.boot_id, unreadable)
    return Seen(accepted.lane, accepted.epoch, accepted.sequence, accepted.boot_id, decoded)
