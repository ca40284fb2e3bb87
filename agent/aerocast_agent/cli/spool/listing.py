"""``aerocast-agent spool ls``: the batches that wait, and those set aside as dead."""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec
from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import LANE_NAMES

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.observed import utc_text
from aerocast_agent.cli.spool.source import add_lane, lanes_of, opened, parser_of, path_of
from aerocast_agent.spool_reading import Times, batches
from aerocast_agent.spool_rows import Row

CODECS = {batch.PLAIN: "plain", batch.ZSTD: "zstd", batch.ZLIB: "zlib"}
HEADS = f"{'lane':<9}{'epoch':>20}{'first':>9}{'last':>9}{'count':>7}{'bytes':>8}  "


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``spool ls``.

    Attributes
    ----------
    accepted_at_us
        UTC when its oldest observation was accepted, microseconds; None when this machine does not
        know that boot's clock.
    state
        ``waiting`` for the hub, or ``dead``: the hub refused it for good, ``reason`` says why.
    """

    lane: str
    epoch: int
    first_sequence: int
    last_sequence: int
    count: int
    bytes: int
    codec: str | None
    accepted_at_us: int | None
    state: str = "waiting"
    reason: str | None = None


def run(arguments: Sequence[str]) -> int:
    """List batches; exit status 1 when there is no spool to be read."""
    parser = parser_of(
        "ls",
        "The batches that wait on disk for the hub, oldest first in each lane.",
        "--lane critical",
    )
    add_lane(parser)
    parser.add_argument("--dead", action="store_true", help="what the hub refused for good instead")
    options = parser.parse_args(arguments)
    path = path_of(options)
    if path is None:
        return WRONG_USAGE
    db = opened(path)
    if db is None:
        return REFUSED
    count = held = 0
    with closing(db):
        lanes = lanes_of(options)
        for line in _dead(db, lanes) if options.dead else _waiting(db, lanes):
            if not options.json and not count:
                sys.stdout.write(HEADS + ("refused\n" if options.dead else "accepted (UTC)\n"))
            count += 1
            held += line.count
            sys.stdout.write(
                msgspec.json.encode(line).decode() + "\n" if options.json else _readable(line)
            )
    if not options.json:
        kind = "dead" if options.dead else "waiting"
        sys.stdout.write(f"{count} batches, {held} observations {kind} in {path}\n")
    return WELL


def _waiting(db: sqlite3.Connection, lanes: Sequence[int]) -> Iterator[Listed]:
    times = Times(db)
    for row in batches(db, lanes):
        yield Listed(
            lane=LANE_NAMES[row.lane],
            epoch=row.epoch,
            first_sequence=row.first,
            last_sequence=row.last,
            count=row.held,
            bytes=len(row.body),
            codec=CODECS.get(row.codec),
            accepted_at_us=times.utc_us(_boot_id(row), row.boot_ns),
        )


def _boot_id(row: Row) -> bytes | None:
    try:
        return batch.decode_body(row.body, row.codec).boot_id
    except ProtocolError:
        return None


def _dead(db: sqlite3.Connection, lanes: Sequence[int]) -> Iterator[Listed]:
    for lane, epoch, first, last, reason, size in db.execute(
        "SELECT lane, epoch, first, last, reason, length(encoded) FROM dead ORDER BY id"
    ).fetchall():
        if lane in lanes:
            yield Listed(
                lane=LANE_NAMES[lane],
                epoch=epoch,
                first_sequence=first,
                last_sequence=last,
                count=last - first + 1,
                bytes=size,
                codec=None,
                accepted_at_us=None,
                state="dead",
                reason=reason,
            )


def _readable(line: Listed) -> str:
    when = "unknown" if line.accepted_at_us is None else utc_text(line.accepted_at_us)
    return (
        f"{line.lane:<9}{line.epoch:>20}{line.first_sequence:>9}{line.last_sequence:>9}"
        f"{line.count:>7}{line.bytes:>8}  {line.reason or when}\n"
    )
