"""Taking in baggage messages: kept as they came, once, and what they say of each bag.

A message is known by what it says and by its sender's reference (who sent it, when, its number):
the same message changes nothing, however often and from wherever it comes. Senders without an
envelope give no reference; then a message is new again once another one spoke of its bags.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.baggage import (
    BagMessage,
    Bags,
    MessageBuffer,
    bags_of_parts,
    parse_message,
)
from aerocast_protocols.baggage.message import LONGEST_MESSAGE
from aerocast_protocols.baggage.parts import part_of
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.hearing import hear
from aerocast_hub.baggage.messages_tables import BagMessagePlateRow, BagMessageRow
from aerocast_hub.baggage.said import Owner, Said, owners_of, said_of
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events import BagMessageReceived, Event
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.telemetry.metrics import Metrics

AT_ONCE = 500
PARTS_WITHIN_US = 15 * 60_000_000
LONGEST_SENDER = 64
_ORDER_LOCK = 7_301_745  # any number of ours


class Incoming(NamedTuple):
    """A message as it came.

    Attributes
    ----------
    received_at_us
        UTC microseconds.
    sender
        Who delivered it: a link's name, an account, a file. Nothing personal.
    """

    raw: bytes
    received_at_us: int
    sender: str


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message.

    Attributes
    ----------
    id
        The hub's id of it.
    type
        BSM, BTM, ...; None when it was refused.
    bags
        How many plates it names.
    problems
        Elements that could not be read, each with the reason.
    refused
        Why nothing could be made of it.
    is_new
        False when it was there already.
    """

    id: str
    type: str | None = None
    bags: int = 0
    problems: tuple[str, ...] = ()
    refused: str | None = None
    is_new: bool = True


class Storage:
    """Takes in messages, each call a transaction of its own, and tells the hub's listeners."""

    def __init__(self, database: Database, wake: Callable[[], None], metrics: Metrics) -> None:
        self._database = database
        self._wake = wake
        self._metrics = metrics

    async def store(self, payloads: Sequence[bytes], sender: str) -> list[TakenIn]:
        """Take in what a partner sent; a payload holds a message, seldom several.

        Raises
        ------
        SQLAlchemyError, OSError
            The database does not answer: nothing is stored.
        """
        now_us = time.time_ns() // 1000
        incoming = [Incoming(raw, now_us, sender) for payload in payloads for raw in split(payload)]
        async with self._database.writing() as session:
            taken, events = await take_in(session, incoming)
            await write_events(session, events)
        self._wake()
        for each in taken:
            outcome = "refused" if each.refused else "new" if each.is_new else "known"
            self._metrics.bag_messages.labels(outcome).inc()
        return taken


def split(payload: bytes) -> list[bytes]:
    """Give the messages in a text; one that holds none is one that will be refused."""
    buffer = MessageBuffer()
    buffer.feed(payload)
    return [raw for raw in buffer.flush() if raw.strip()] or [payload]


class _Read(NamedTuple):
    came: Incoming
    content: str
    id: str
    message: BagMessage | None
    refused: str | None


async def take_in(
    session: AsyncSession, incoming: Sequence[Incoming], *, from_the_start: bool = False
) -> tuple[list[TakenIn], list[Event]]:
    """Keep messages and fold the journeys of their bags again, in the caller's transaction.

    Parameters
    ----------
    incoming
        In the order they were sent.
    from_the_start
        A file of messages: what was said before has no part in telling repetitions.

    Returns
    -------
    What became of each, in order, and what is new.
    """
    await _in_order(session)
    read = await _read(session, incoming, from_the_start=from_the_start)
    known = await _known(session, (each.id for each in read))
    fresh: dict[str, _Read] = {}
    taken: list[TakenIn] = []
    for each in read:
        is_new = each.id not in known and each.id not in fresh
        if is_new:
            fresh[each.id] = each
        taken.append(_taken(each, is_new=is_new))
    events = await _keep(session, list(fresh.values()))
    return taken, events


async def _in_order(session: AsyncSession) -> None:
    """Queue writers until they commit, so that messages are numbered in the order of commits."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})


async def _read(
    session: AsyncSession, incoming: Sequence[Incoming], *, from_the_start: bool
) -> list[_Read]:
    parsed: list[tuple[Incoming, BagMessage | None, str | None]] = []
    for each in incoming:
        try:
            parsed.append((each, parse_message(each.raw), None))
        except ProtocolError as error:
            parsed.append((each, None, str(error)))
    contents = [_content(each.raw, message) for each, message, _ in parsed]
    names = _Names()
    if not from_the_start:
        plates = {plate for _, message, _ in parsed if message for plate in message.plates}
        names = _Names(await _last_said(session, plates), await _counts(session, set(contents)))
    return [
        _Read(came, content, names.name(content, message), message, refused)
        for content, (came, message, refused) in zip(contents, parsed, strict=True)
    ]


class _Names:
    """Gives messages their ids; remembers which content spoke of a plate last."""

    def __init__(
        self, last: Mapping[str, str] | None = None, counts: Mapping[str, int] | None = None
    ) -> None:
        self._last = dict(last or {})
        self._counts = Counter(counts or {})

    def name(self, content: str, message: BagMessage | None) -> str:
        reference = None if message is None else _reference(message)
        plates = () if message is None else message.plates
        if reference is None:
            is_repeated = all(self._last.get(plate) == content for plate in plates)
            if not self._counts[content] or not is_repeated:
                self._counts[content] += 1
            number = self._counts[content]
            name = content if number == 1 else f"{content}.{number}"
        else:
            name = f"{content}-{reference}"
        self._last.update(dict.fromkeys(plates, content))
        return name


def _content(raw: bytes, message: BagMessage | None) -> str:
    """Hash what a message says, without its envelope and whatever else is around it."""
    said = raw
    if message is not None:
        lines = [message.kind, message.secondary or "", *map(str, message.elements)]
        said = "\n".join([*lines, message.ending or ""]).encode()
    return hashlib.sha256(said).hexdigest()[:32]


def _reference(message: BagMessage) -> str | None:
    """Hash who sent it, when, and under which number; None where the sender does not say."""
    envelope = message.envelope
    if envelope is None or envelope.sender is None or envelope.sent is None:
        return None
    said = " ".join((envelope.sender, envelope.sent, *envelope.remarks))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


async def _last_said(session: AsyncSession, plates: Iterable[str]) -> dict[str, str]:
    """Give the content that spoke of each plate last."""
    last: dict[str, str] = {}
    for some in batched(plates):
        rows = await session.execute(
            select(BagMessagePlateRow.licence_plate, BagMessageRow.content)
            .join(BagMessageRow, BagMessageRow.id == BagMessagePlateRow.message_id)
            .where(BagMessagePlateRow.licence_plate.in_(some))
            .order_by(BagMessageRow.number)
        )
        last.update((plate, content) for plate, content in rows)
    return last


async def _counts(session: AsyncSession, contents: Iterable[str]) -> dict[str, int]:
    """Count the messages of each content whose sender gave no reference."""
    counts: dict[str, int] = {}
    for some in batched(contents):
        rows = await session.execute(
            select(BagMessageRow.content, func.count())
            .where(BagMessageRow.content.in_(some), BagMessageRow.id.not_like("%-%"))
            .group_by(BagMessageRow.content)
        )
        counts.update((content, count) for content, count in rows)
    return counts


async def _known(session: AsyncSession, ids: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for some in batched(ids):
        known.update(
            await session.scalars(select(BagMessageRow.id).where(BagMessageRow.id.in_(some)))
        )
    return known


async def _keep(session: AsyncSession, fresh: Sequence[_Read]) -> list[Event]:
    """Write new messages, and let the journeys hear what they say."""
    if not fresh:
        return []
    await insert_new(session, BagMessageRow, [_row(each) for each in fresh])
    plates = [
        {"licence_plate": plate, "message_id": each.id}
        for each in fresh
        if each.message is not None
        for plate in each.message.plates
    ]
    await insert_new(session, BagMessagePlateRow, plates)
    said: list[Said] = []
    owners: list[Owner] = []
    events: list[Event] = []
    for each in fresh:
        if each.message is None:
            continue
        for message_id, received_at_us, message, groups in await _with_parts(session, each):
            said += said_of(message, message_id, received_at_us, groups)
            owners += owners_of(groups)
        events.append(_received(each, each.message))
    return events + await hear(session, said, owners)


async def _with_parts(
    session: AsyncSession, read: _Read
) -> list[tuple[str, int, BagMessage, tuple[Bags, ...]]]:
    """Give a message with what it says; of one in parts this part and those after it."""
    message, key = read.message, None if read.message is None else _parts_key(read.message)
    if message is None:
        return []
    if key is None:
        return [(read.id, read.came.received_at_us, message, message.bags)]
    at_us = read.came.received_at_us
    rows = await session.scalars(
        select(BagMessageRow)
        .where(
            BagMessageRow.parts_key == key,
            BagMessageRow.received_at_us.between(at_us - PARTS_WITHIN_US, at_us + PARTS_WITHIN_US),
        )
        .order_by(BagMessageRow.number)
    )
    parts = {
        part_of(found) or 0: (row, found) for row in rows for found in [parse_message(row.raw)]
    }
    ordered = [parts[number] for number in sorted(parts)]
    groups = bags_of_parts([each for _, each in ordered])
    return [
        (row.id, row.received_at_us, each, bags)
        for (row, each), bags in zip(ordered, groups, strict=True)
        if (part_of(each) or 0) >= (part_of(message) or 0)
    ]


def _parts_key(message: BagMessage) -> str | None:
    """Name a message that comes in parts: who sends what kind of message, under which number."""
    version, envelope = message.version, message.envelope
    if version is None or version.part is None:
        return None
    sender = "" if envelope is None else envelope.sender or ""
    named = (message.kind, message.secondary or "", version.source, version.station)
    return " ".join((*named, version.reference or "", sender))


def _row(read: _Read) -> dict[str, object]:
    message = read.message
    version = None if message is None else message.version
    return {
        "id": read.id,
        "content": read.content,
        "received_at_us": read.came.received_at_us,
        "sender": read.came.sender.replace("\x00", "?")[:LONGEST_SENDER],
        "type": None if message is None else message.kind,
        "station": None if version is None else version.station,
        "problems": 0 if message is None else len(message.problems),
        "refused": read.refused,
        "parts_key": None if message is None else _parts_key(message),
        "raw": read.came.raw[:LONGEST_MESSAGE],
    }


def _received(read: _Read, message: BagMessage) -> BagMessageReceived:
    version = message.version
    flights = {bags.outbound.flight for bags in message.bags if bags.outbound is not None}
    return BagMessageReceived(
        at_us=read.came.received_at_us,
        message_id=read.id,
        type=message.kind,
        status=message.status or message.control,
        station=None if version is None else version.station,
        flights=tuple(sorted(flights)),
        bags=len(message.plates),
        problems=len(message.problems),
    )


def _taken(read: _Read, *, is_new: bool) -> TakenIn:
    if read.message is None:
        return TakenIn(id=read.id, refused=read.refused, is_new=is_new)
    return TakenIn(
        id=read.id,
        type=read.message.kind,
        bags=len(read.message.plates),
        problems=tuple(f".{each.name}: {each.reason}" for each in read.message.problems),
        is_new=is_new,
    )


def batched(many: Iterable[str]) -> Iterator[list[str]]:
    """Give a statement's worth at a time, in order."""
    ordered = sorted(set(many))
    for at in range(0, len(ordered), AT_ONCE):
        yield ordered[at : at + AT_ONCE]
