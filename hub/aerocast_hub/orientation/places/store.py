"""The maps, closures and queues in the database."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from aerocast_hub.airports import airport as airport_of
from aerocast_hub.audit.bulk import few_or_digest
from aerocast_hub.audit.trail import record
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.orientation.conditions import Closure, Conditions, Queue
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.place_map import PlaceMap
from aerocast_hub.orientation.places.tables import PlaceMapRow, PlaceOutageRow, PlaceQueueRow
from aerocast_hub.outbox.publish import write_events

HOUR_US = 3_600_000_000
QUEUE_KNOWN_FOR_US = HOUR_US  # what was seen longer ago says nothing of now
QUEUE_KEPT_FOR_US = 24 * HOUR_US
MOST_READY = 8  # maps kept ready for finding ways


class MapVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an airport's map, without its content.

    Attributes
    ----------
    format
        What it was read from: ``gtfs``, ``drawn``, ``imdf`` or ``osm``.
    is_new
        False where the airport had just this map already.
    """

    airport: str
    version: int
    format: str
    imported_at_us: int
    levels: int
    places: int
    ways: int
    is_new: bool = False

    def __str__(self) -> str:
        what = f"{self.places} places, {self.ways} ways, {self.levels} levels"
        return f"{self.airport} version {self.version}: {what}"


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Something is closed.

    Attributes
    ----------
    subject
        The id of a facility, a way or a place of the map.
    until_us
        None while nobody knows.
    """

    id: str
    airport: str
    subject: str
    from_us: int
    until_us: int | None
    reason: str
    told_by: str


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How long people wait at a moment, seen or expected."""

    at_us: int
    wait_s: float


def map_code(asked: str) -> str:
    """Give the code an airport's map is kept by: IATA where there is one."""
    found = airport_of(asked)
    return asked[:16].replace("\x00", "?").strip().upper() if found is None else found.iata


async def keep_map(session: AsyncSession, airport: str, places: PlaceMap) -> MapVersion:
    """Keep a map as the airport's newest version, unless it is that already."""
    content = msgspec.msgpack.encode(places)
    digest = hashlib.sha256(content).hexdigest()
    newest = await session.scalar(_newest(airport))
    if newest is not None and newest.digest == digest:
        return _version(newest)
    now_us = time.time_ns() // 1000
    row = PlaceMapRow(
        airport=airport,
        version=1 if newest is None else newest.version + 1,
        format=places.format,
        digest=digest,
        imported_at_us=now_us,
        levels=len(places.levels),
        places=len(places.places),
        ways=len(places.ways),
        content=content,
    )
    session.add(row)
    await session.flush()
    kept = _version(row)
    before = None if newest is None else {"map": _version(newest), "sha256": newest.digest}
    after = {"map": kept, "sha256": digest}
    await record(session, "map_imported", subject=f"map {airport}", before=before, after=after)
    await write_events(session, [PlacesChanged(at_us=now_us, airport=airport, what="map")])
    return msgspec.structs.replace(kept, is_new=True)


async def newest_maps(session: AsyncSession) -> list[MapVersion]:
    """Give each airport's map in use."""
    newest = (
        select(PlaceMapRow.airport, func.max(PlaceMapRow.version).label("version"))
        .group_by(PlaceMapRow.airport)
        .subquery()
    )
    rows = await session.scalars(
        select(PlaceMapRow)
        .options(_WITHOUT_CONTENT)
        .join(
            newest,
            (PlaceMapRow.airport == newest.c.airport) & (PlaceMapRow.version == newest.c.version),
        )
        .order_by(PlaceMapRow.airport)
    )
    return [_version(row) for row in rows]


async def map_versions(session: AsyncSession, airport: str) -> list[MapVersion]:
    """Give every version of an airport's map, the newest first."""
    rows = await session.scalars(
        select(PlaceMapRow)
        .options(_WITHOUT_CONTENT)
        .where(PlaceMapRow.airport == airport)
        .order_by(PlaceMapRow.version.desc())
    )
    return [_version(row) for row in rows]


async def map_of(
    session: AsyncSession, airport: str, version: int | None = None
) -> tuple[MapVersion, PlaceMap] | None:
    """Give an airport's map, in use or of a version; None when there is none."""
    statement = _newest(airport)
    if version is not None:
        statement = statement.where(PlaceMapRow.version == version)
    row = await session.scalar(statement)
    if row is None:
        return None
    content = await session.scalar(
        select(PlaceMapRow.content).where(
            PlaceMapRow.airport == airport, PlaceMapRow.version == row.version
        )
    )
    return _version(row), msgspec.msgpack.decode(content or b"", type=PlaceMap)


_ready: OrderedDict[str, Network] = OrderedDict()  # by digest: the same bytes, the same network


async def network_of(session: AsyncSession, airport: str) -> Network | None:
    """Give an airport's map in use, ready for finding ways; None when there is none."""
    row = await session.scalar(_newest(airport))
    if row is None:
        return None
    network = _ready.get(row.digest)
    if network is None:
        found = await map_of(session, airport, row.version)
        if found is None:
            return None
        network = _ready[row.digest] = Network(found[1])
        while len(_ready) > MOST_READY:
            _ready.popitem(last=False)
    _ready.move_to_end(row.digest)
    return network


async def close(session: AsyncSession, outage: Outage, now_us: int) -> None:
    """Note that something is closed."""
    session.add(PlaceOutageRow(told_at_us=now_us, **msgspec.structs.asdict(outage)))
    await session.flush()
    await record(session, "outage_added", subject=f"outage {outage.id}", after=outage)
    closed = PlacesChanged(at_us=now_us, airport=outage.airport, what="closed")
    await write_events(session, [closed])


async def reopen(
    session: AsyncSession, airport: str, outage_id: str, by: str, now_us: int
) -> Outage | None:
    """Note that something is open again; None when it was not closed."""
    row = await session.scalar(
        select(PlaceOutageRow).where(
            PlaceOutageRow.airport == airport,
            PlaceOutageRow.id == outage_id.replace("\x00", "?"),
            PlaceOutageRow.lifted_at_us.is_(None),
        )
    )
    if row is None:
        return None
    before = _outage(row)
    row.lifted_at_us, row.lifted_by = now_us, by
    await session.flush()
    after = {"lifted_at_us": now_us}
    await record(session, "outage_removed", subject=f"outage {row.id}", before=before, after=after)
    await write_events(session, [PlacesChanged(at_us=now_us, airport=airport, what="reopened")])
    return _outage(row)


async def outages_of(session: AsyncSession, airport: str, at_us: int) -> list[Outage]:
    """Give what is closed, or will be, and has not been opened; the first first."""
    rows = await session.scalars(
        select(PlaceOutageRow)
        .where(
            PlaceOutageRow.airport == airport,
            PlaceOutageRow.lifted_at_us.is_(None),
            or_(PlaceOutageRow.until_us.is_(None), PlaceOutageRow.until_us > at_us),
        )
        .order_by(PlaceOutageRow.from_us, PlaceOutageRow.id)
    )
    return [_outage(row) for row in rows]


async def keep_queue(
    session: AsyncSession, airport: str, subject: str, waits: Sequence[Wait], now_us: int
) -> None:
    """Keep how long people wait at something; what was told of later moments is told anew."""
    first_us = min(wait.at_us for wait in waits)
    here = (PlaceQueueRow.airport == airport) & (PlaceQueueRow.subject == subject)
    told = select(PlaceQueueRow.at_us, PlaceQueueRow.wait_s).where(here)
    before = [
        Wait(at_us=at_us, wait_s=wait_s)
        for at_us, wait_s in await session.execute(
            told.where(PlaceQueueRow.at_us >= first_us).order_by(PlaceQueueRow.at_us)
        )
    ]
    await session.execute(delete(PlaceQueueRow).where(here, PlaceQueueRow.at_us > first_us))
    await session.execute(
        delete(PlaceQueueRow).where(PlaceQueueRow.at_us < now_us - QUEUE_KEPT_FOR_US)
    )
    rows = [
        {"airport": airport, "subject": subject, "at_us": each.at_us, "wait_s": each.wait_s}
        for each in {each.at_us: each for each in waits}.values()
    ]
    await insert_or_replace(session, PlaceQueueRow, rows)
    await record(
        session,
        "queue_told",
        subject=f"queue {airport} {subject}",
        before=few_or_digest(before),
        after=few_or_digest(waits),
    )


async def queues_of(session: AsyncSession, airport: str, at_us: int) -> dict[str, list[Wait]]:
    """Give how long people wait, as seen within the last hour and as expected from now."""
    rows = await session.scalars(
        select(PlaceQueueRow)
        .where(PlaceQueueRow.airport == airport, PlaceQueueRow.at_us > at_us - QUEUE_KNOWN_FOR_US)
        .order_by(PlaceQueueRow.subject, PlaceQueueRow.at_us)
    )
    found: dict[str, list[Wait]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(Wait(at_us=row.at_us, wait_s=row.wait_s))
    return found


async def conditions_at(
    session: AsyncSession, airport: str, network: Network, depart_us: int
) -> Conditions:
    """Give what is closed and where people queue, for somebody who sets out at a moment."""
    closures = [
        Closure(
            subject=each.subject,
            from_s=each.from_us / 1e6,
            until_s=None if each.until_us is None else each.until_us / 1e6,
        )
        for each in await outages_of(session, airport, depart_us)
    ]
    queues = [
        Queue(subject=subject, waits=tuple((each.at_us / 1e6, each.wait_s) for each in waits))
        for subject, waits in (await queues_of(session, airport, depart_us)).items()
    ]
    return Conditions(network, depart_us / 1e6, closures, queues)


_WITHOUT_CONTENT = defer(PlaceMapRow.content, raiseload=True)


def _newest(airport: str) -> Select[PlaceMapRow]:
    return (
        select(PlaceMapRow)
        .options(_WITHOUT_CONTENT)
        .where(PlaceMapRow.airport == airport)
        .order_by(PlaceMapRow.version.desc())
        .limit(1)
    )


def _version(row: PlaceMapRow) -> MapVersion:
    return MapVersion(
        airport=row.airport,
        version=row.version,
        format=row.format,
        imported_at_us=row.imported_at_us,
        levels=row.levels,
        places=row.places,
        ways=row.ways,
    )


def _outage(row: PlaceOutageRow) -> Outage:
    return Outage(
        id=row.id,
        airport=row.airport,
        subject=row.subject,
        from_us=row.from_us,
        until_us=row.until_us,
        reason=row.reason,
        told_by=row.told_by,
    )
