"""``aerocast-agent replay``: have the daemon send again what is still on disk."""

import argparse
import re
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from aerocast_agent import clock
from aerocast_agent.asking import NotPermittedError, ask_daemon, order_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.observed import utc_text
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.cli.spool.source import add_lane, lanes_of, opened
from aerocast_agent.spool_reading import Times, Unreadable, batches, observations

LOOK_EVERY_S = 0.5
_AGO = re.compile(r"-(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Key = tuple[int, int, int]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What ``replay`` comes to.

    Attributes
    ----------
    observations, batches
        Of that time, on disk when it began.
    time_unknown
        Batches of earlier boots whose clock this machine does not know: sent with the others.
    acknowledged
        Batches of those that the hub has acknowledged since.
    waiting
        Batches of those that are still on disk.
    gone
        Observations acknowledged before, since the spool was made: they are at the hub, no longer
        on this disk, and cannot be sent again from here.
    """

    since_us: int
    until_us: int
    observations: int
    batches: int
    time_unknown: int
    acknowledged: int
    waiting: int
    gone: int
    daemon: bool


def run(arguments: Sequence[str]) -> int:
    """Send again; exit status 1 when something of that time still waits at the end."""
    given = [each if not _AGO.fullmatch(each) else f" {each}" for each in arguments]
    options = _parser().parse_args(given)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    since_us, until_us = options.since, options.until
    if since_us > until_us:
        sys.stderr.write("--from is after --to\nNext: give the earlier time first.\n")
        return WRONG_USAGE
    spool = settings.spool.path
    db = opened(Path(spool))
    if db is None:
        return REFUSED
    with closing(db):
        keys, held, unknown = _of_that_time(db, options)
        status = ask_daemon(spool)
        try:
            runs = bool(keys) and order_daemon(spool, "send_again")
        except NotPermittedError as error:
            sys.stderr.write(f"the daemon does not do it: {error}\nNext: try again with sudo.\n")
            return REFUSED
        waiting = _wait(db, keys, options.wait if runs else 0)
        gone = db.execute("SELECT value FROM meta WHERE key = 'acked'").fetchone()
    found = Found(
        since_us=since_us,
        until_us=until_us,
        observations=held,
        batches=len(keys),
        time_unknown=unknown,
        acknowledged=len(keys) - waiting,
        waiting=waiting,
        gone=0 if gone is None else int(gone[0]),
        daemon=status is not None,
    )
    sys.stdout.write(
        msgspec.json.encode(found).decode() + "\n" if options.json else _readable(found)
    )
    return REFUSED if waiting else WELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aerocast-agent replay",
        description="Have the running daemon connect now and send now what is on disk of a time, "
        "and all else on disk with it, whatever it was waiting for; then see it acknowledged. "
        "The hub counts everything once, however often it comes. What the hub has "
        "acknowledged has left the disk and cannot be sent again.",
        epilog="Example: aerocast-agent replay --from -2h --to -1h; times are ISO 8601 (UTC unless "
        "it says otherwise), seconds since 1970, 'now', or -30m, -2h, -1d ago",
    )
    parser.add_argument("--from", dest="since", type=_time_us, required=True, metavar="T")
    parser.add_argument(
        "--to", dest="until", type=_time_us, default="now", metavar="T", help="default: now"
    )
    add_lane(parser)
    parser.add_argument(
        "--wait", type=float, default=10.0, metavar="S", help="how long; default 10"
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    return parser


def _time_us(text: str) -> int:
    text = text.strip()
    if text == "now":
        return clock.wall_ns() // 1000
    ago = _AGO.fullmatch(text)
    if ago:
        return clock.wall_ns() // 1000 - round(float(ago[1]) * _SECONDS[ago[2]] * 1_000_000)
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return round(float(text) * 1_000_000)
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected as 2026-05-04T12:00, seconds since 1970, now, or -2h"
        ) from error


def _of_that_time(
    db: sqlite3.Connection, options: argparse.Namespace
) -> tuple[list[Key], int, int]:
    """Give the batches that hold something of that time or of one unknown, and count both."""
    times = Times(db)
    keys: list[Key] = []
    held = unknown = 0
    for row in batches(db, lanes_of(options)):
        at = [
            None if isinstance(seen.observation, Unreadable)
            else times.utc_us(seen.boot_id, seen.observation.boot_ns)
            for seen in observations(row)
        ]  # fmt: skip
        count = sum(1 for each in at if each is not None and options.since <= each <= options.until)
        held += count
        unknown += None in at
        if count or None in at:
            keys.append(row[:3])
    return keys, held, unknown


def _wait(db: sqlite3.Connection, keys: Sequence[Key], seconds: float) -> int:
    """Wait until none of the batches is on disk any more, and count those that still are."""
    ends_s = time.monotonic() + seconds
    left = list(keys)
    while True:
        left = [key for key in left if _is_held(db, key)]
        if not left or time.monotonic() >= ends_s:
            return len(left)
        time.sleep(LOOK_EVERY_S)


def _is_held(db: sqlite3.Connection, key: Key) -> bool:
    found = db.execute("SELECT 1 FROM batch WHERE lane = ? AND epoch = ? AND first = ?", key)
    return found.fetchone() is not None


def _readable(found: Found) -> str:
    span = f"between {utc_text(found.since_us)} and {utc_text(found.until_us)} UTC"
    lines = [f"{found.observations} observations {span} were on disk, in {found.batches} batches"]
    if found.time_unknown:
        lines.append(f"{found.time_unknown} of the batches are of boots whose clock is not known")
    if found.batches:
        lines.append(f"acknowledged by the hub since: {found.acknowledged} batches")
    lines.append(
        f"{found.gone} observations of any time were acknowledged: they are at the hub, "
        "have left the disk, and cannot be sent again from here"
    )
    if found.waiting and not found.daemon:
        lines.append("The daemon is down. Next: sudo systemctl start aerocast-agent; it sends all.")
    elif found.waiting:
        lines.append(f"{found.waiting} batches still wait. Next: aerocast-agent doctor")
    return "\n".join(lines) + "\n"
