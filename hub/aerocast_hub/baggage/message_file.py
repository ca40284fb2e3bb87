"""Baggage messages from a file: an archive, a test, a partner's export."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
from aerocast_protocols.baggage import MessageBuffer

from aerocast_hub.baggage.message_names import Names
from aerocast_hub.baggage.messages import Incoming, TakenIn, name_all, record_taken, take_in
from aerocast_hub.database.engine import Database, in_spite_of_others
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.schedule import instant_us

AT_ONCE = 500  # messages in a transaction
_PIECE = 65_536


class MessageLine(msgspec.Struct, frozen=True):
    """A line of a JSON lines file.

    Attributes
    ----------
    raw
        The message, its bytes as the first 256 characters.
    received_at
        ISO 8601, UTC: tells the year its dates mean. None: now.
    """

    raw: str
    received_at: str | None = None


_decoder = msgspec.json.Decoder(MessageLine)


async def import_messages(
    database: Database, file: Path, *, as_jsonl: bool = False
) -> list[TakenIn]:
    """Take in the messages of a file; the same file again changes nothing.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    now_us = time.time_ns() // 1000
    incoming = _of_lines(file, now_us) if as_jsonl else _of_text(file, now_us)
    names = Names()
    taken: list[TakenIn] = []
    while some := list(islice(incoming, AT_ONCE)):
        keep = partial(_keep, database, f"file:{file.name}", some, name_all(some, names))
        taken += await in_spite_of_others(keep)
    return taken


async def _keep(
    database: Database,
    sender: str,
    some: Sequence[Incoming],
    ids: Sequence[str],
    *,
    may_repeat: bool,
) -> list[TakenIn]:
    async with database.writing() as session:
        found, events = await take_in(session, some, ids, may_repeat=may_repeat)
        await write_events(session, events)
        await record_taken(session, sender, found)
    return found


def _of_text(file: Path, now_us: int) -> Iterator[Incoming]:
    buffer = MessageBuffer()
    sender = f"file:{file.name}"
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            buffer.feed(piece)
            for raw in buffer.messages():
                yield Incoming(raw, now_us, sender)
    for raw in buffer.flush():
        if raw.strip():
            yield Incoming(raw, now_us, sender)


def _of_lines(file: Path, now_us: int) -> Iterator[Incoming]:
    sender = f"file:{file.name}"
    with file.open("rb") as opened:
        for line in opened:
            if not line.strip():
                continue
            try:
                read = _decoder.decode(line)
                raw = read.raw.encode("latin-1")
                at_us = instant_us(read.received_at) if read.received_at else now_us
            except (msgspec.MsgspecError, ValueError):
                raw, at_us = line, now_us  # refused with the others
            yield Incoming(raw, at_us, sender)
