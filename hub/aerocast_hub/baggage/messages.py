"""Taking in baggage messages: each is kept as it came, once, and heard by its bags' journeys.

What the journeys stumble over is kept all the same, with the reason: a message that was taken in is
never asked for again.
"""

import logging
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.baggage import (
    BagMessage,
    Bags,
    Problem,
    bags_of_parts,
    parse_message,
)
from aerocast_protocols.baggage.message import LONGEST_MESSAGE
from aerocast_protocols.baggage.parts import part_of
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.bulk import digest_of
from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.hearing import hear
from aerocast_hub.baggage.message_names import Names, content_of
from aerocast_hub.baggage.message_tables import BagMessagePlateRow, BagMessageRow
from aerocast_hub.baggage.said import Owner, Said, owners_of, said_of
from aerocast_hub.database.engine import is_conflict, is_unable_now
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events.bags import BagMessageReceived
from aerocast_hub.events.every import Event

log = logging.getLogger(__name__)

AT_ONCE = 500
MOST_REFUSED = 1000
PARTS_WITHIN_US = 15 * 60_000_000
LONGEST_SENDER = 64
_ORDER_LOCK = 7_301_745  # any number of ours
_HUB_IS_UNREADY = (OperationalError, InterfaceError, ProgrammingError, OSError)


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


class _Read(NamedTuple):
    came: Incoming
    content: str
    id: str
    message: BagMessage | None
    refused: str | None


async def take_in(
    session: AsyncSession,
    incoming: Sequence[Incoming],
    ids: Sequence[str] | None = None,
    *,
    may_repeat: bool = False,
) -> tuple[list[TakenIn], list[Event]]:
    """Keep messages and fold the journeys of their bags again, in the caller's transaction.

    Parameters
    ----------
    incoming
        In the order they were sent.
    ids
        Of messages of a file in which nothing outside has a part (`name_all`); None: repetitions
        are told by what is in the database.
    may_repeat
        The caller does it all again where only another transaction was in the way
        (`in_spite_of_others`); else journeys stumble over that too.

    Returns
    -------
    What became of each, in order, and what is new.
    """
    await _in_order(session)
    read = await _read(session, incoming, ids)
    known = await _known(session, (each.id for each in read))
    fresh: dict[str, _Read] = {}
    taken: list[TakenIn] = []
    for each in read:
        is_new = each.id not in known and each.id not in fresh
        if is_new:
            fresh[each.id] = each
        taken.append(_taken(each, is_new=is_new))
    events, unheard = await _keep(session, list(fresh.values()), may_repeat=may_repeat)
    taken = [
        msgspec.structs.replace(each, refused=unheard.get(each.id, each.refused)) for each in taken
    ]
    return taken, events


def name_all(incoming: Sequence[Incoming], names: Names) -> list[str]:
    """Give the ids of messages of a file, in the order they were sent."""
    return [
        names.name(content_of(each.raw, message), message) for each, message, _ in _parsed(incoming)
    ]


async def _in_order(session: AsyncSession) -> None:
    """Queue writers until they commit, so that messages are numbered in the order of commits."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})


async def _read(
    session: AsyncSession, incoming: Sequence[Incoming], ids: Sequence[str] | None
) -> list[_Read]:
    parsed = _parsed(incoming)
    contents = [content_of(each.raw, message) for each, message, _ in parsed]
    if ids is None:
        plates = {plate for _, message, _ in parsed if message for plate in message.plates}
        names = Names(await _last_said(session, plates), await _counts(session, set(contents)))
        ids = [
            names.name(content, message)
            for content, (_, message, _) in zip(contents, parsed, strict=True)
        ]
    return [
        _Read(came, content, message_id, message, refused)
        for content, message_id, (came, message, refused) in zip(contents, ids, parsed, strict=True)
    ]


def _parsed(incoming: Sequence[Incoming]) -> list[tuple[Incoming, BagMessage | None, str | None]]:
    parsed: list[tuple[Incoming, BagMessage | None, str | None]] = []
    for each in incoming:
        try:
            parsed.append((each, parse_message(each.raw), None))
        except ProtocolError as error:
            parsed.append((each, None, str(error)))
    return parsed


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


async def _keep(
    session: AsyncSession, fresh: Sequence[_Read], *, may_repeat: bool
) -> tuple[list[Event], dict[str, str]]:
    """Write new messages, and let the journeys hear them; gives what they stumbled over, by id."""
    if not fresh:
        return [], {}
    await insert_new(session, BagMessageRow, [_row(each) for each in fresh])
    read = [(each, each.message) for each in fresh if each.message is not None]
    plates = [
        {"licence_plate": plate, "message_id": each.id}
        for each, message in read
        for plate in message.plates
    ]
    await insert_new(session, BagMessagePlateRow, plates)
    unheard: dict[str, str] = {}
    events: list[Event] = [_received(each, message) for each, message in read]
    heard = [each for each, _ in read]
    events += await _heard(session, heard, unheard, may_repeat=may_repeat)
    for message_id, reason in unheard.items():
        row = update(BagMessageRow).where(BagMessageRow.id == message_id)
        await session.execute(row.values(refused=reason))
    if len(read) < len(fresh):
        await _forget_refused(session)
    return events, unheard


async def _heard(
    session: AsyncSession, fresh: Sequence[_Read], unheard: dict[str, str], *, may_repeat: bool
) -> list[Event]:
    """Let the journeys hear messages; one they stumble over costs the others nothing."""
    if not fresh:
        return []
    try:
        async with session.begin_nested():
            return await _hear(session, fresh)
    except Exception as error:
        if isinstance(error, _HUB_IS_UNREADY) or is_unable_now(error):
            raise
        if may_repeat and is_conflict(error):
            raise  # no message's fault: the whole transaction is repeated
        if len(fresh) > 1:
            events = []
            for each in fresh:
                events += await _heard(session, [each], unheard, may_repeat=may_repeat)
            return events
        # Not with its text: that may name a passenger.
        where = "".join(traceback.format_tb(error.__traceback__)[-4:])
        name = type(error).__name__
        log.error("message %s is kept, but no journey heard it: %s\n%s", fresh[0].id, name, where)  # noqa: TRY400  see above
        unheard[fresh[0].id] = f"kept, but its bags could not hear it: {name}"
        return []


async def _hear(session: AsyncSession, fresh: Sequence[_Read]) -> list[Event]:
    said: list[Said] = []
    owners: list[Owner] = []
    for each in fresh:
        for message_id, received_at_us, message, groups in await _with_parts(session, each):
            said += said_of(message, message_id, received_at_us, groups)
            owners += owners_of(groups)
    return await hear(session, said, owners)


async def _forget_refused(session: AsyncSession) -> None:
    """Keep the newest of what is no message alone: rubbish must not fill the disk."""
    is_rubbish = BagMessageRow.type.is_(None)
    newest = select(BagMessageRow.number).where(is_rubbish).order_by(BagMessageRow.number.desc())
    oldest = await session.scalar(newest.offset(MOST_REFUSED).limit(1))
    if oldest is not None:
        await session.execute(
            delete(BagMessageRow).where(is_rubbish, BagMessageRow.number <= oldest)
        )


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
            BagMessageRow.raw != b"",  # its passenger was erased
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
        problems=tuple(map(_told, read.message.problems)),
        is_new=is_new,
    )


def _told(problem: Problem) -> str:
    where = f".{problem.name}: " if problem.name and not problem.reason.startswith(".") else ""
    return where + problem.reason


def batched(many: Iterable[str]) -> Iterator[list[str]]:
    """Give a statement's worth at a time, in order."""
    ordered = sorted(set(many))
    for at in range(0, len(ordered), AT_ONCE):
        yield ordered[at : at + AT_ONCE]


async def record_taken(session: AsyncSession, sender: str, taken: Sequence[TakenIn]) -> None:
    """Add the line of the trail that tells what messages somebody brought."""
    new = sum(each.is_new for each in taken)
    refused = sum(each.refused is not None for each in taken)
    messages = digest_of([each.id for each in taken])
    after = {"messages": messages, "new": new, "refused": refused}
    await record(session, "bag_messages_taken", subject=f"messages {sender}", after=after)
