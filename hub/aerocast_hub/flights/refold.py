"""Folding flights again after new ground events or a new schedule, in the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events.every import Event
from aerocast_hub.flights.matching import WINDOW_US, Plan, plain_callsign
from aerocast_hub.flights.movements import EventKind, Report
from aerocast_hub.flights.on_block import ActualTimes, AircraftHeard, Moment, changes, fold
from aerocast_hub.flights.tables import FlightRow, GroundEventRow

HOUR_US = 3_600_000_000
MARGIN_US = 6 * HOUR_US  # a movement's two reports, and the ones around it, lie this close
NAMES_AT_ONCE = 500  # databases bound the parameters of a statement
_ORDER_LOCK = 7_301_451  # any number of ours

EVENT_KINDS: dict[str, EventKind] = {
    "landed": "landed",
    "on_stand": "on_stand",
    "off_stand": "off_stand",
    "airborne": "airborne",
}


class _Names(NamedTuple):
    """What aircraft and flights are known by."""

    icaos: frozenset[str]
    registrations: frozenset[str]
    callsigns: frozenset[str]


class _Span(NamedTuple):
    """From when to when, UTC microseconds."""

    from_us: int
    to_us: int

    def widened(self, by_us: int) -> "_Span":
        return _Span(self.from_us - by_us, self.to_us + by_us)


async def refold_aircraft(
    session: AsyncSession, icaos: Collection[str], from_us: int, to_us: int
) -> list[Event]:
    """Fold the flights that aircraft may be, after ground events between two instants.

    Gives what changed; the flights are written.
    """
    await _wait_for_others(session)
    span = _Span(from_us, to_us).widened(WINDOW_US)
    names = await _names_of_aircraft(session, icaos, span.widened(MARGIN_US))
    return await _refold(session, await _flights(session, names, span))


async def refold_flights(session: AsyncSession, ids: Sequence[str]) -> list[Event]:
    """Fold flights whose schedule is new, and those whose aircraft may now be theirs."""
    await _wait_for_others(session)
    rows: list[FlightRow] = []
    for some in _in_parts(ids):
        rows += await session.scalars(
            select(FlightRow)
            .where(FlightRow.id.in_(some))
            .execution_options(populate_existing=True)
        )
    span = _span(rows)
    if span is None:
        return []
    icaos = await _aircraft_of(session, rows, span.widened(WINDOW_US))
    names = await _names_of_aircraft(session, icaos, span.widened(WINDOW_US + MARGIN_US))
    return await _refold(session, await _flights(session, names, span.widened(WINDOW_US)))


async def _wait_for_others(session: AsyncSession) -> None:
    """Wait until others who fold flights have committed: who comes last sees everything.

    Ground events are few, and one flight's may come from two gateways over two hubs.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})


async def _refold(session: AsyncSession, rows: Sequence[FlightRow]) -> list[Event]:
    """Fold flights with every aircraft that may be theirs, and every flight those may be."""
    span = _span(rows)
    if span is None:
        return []
    heard_in = span.widened(WINDOW_US + MARGIN_US)
    icaos = await _aircraft_of(session, rows, heard_in)
    names = await _names_of_aircraft(session, icaos, heard_in)
    others = await _flights(session, names, heard_in.widened(WINDOW_US))
    registrations = await _registrations(session, icaos)
    plans = {each.id: _plan(each) for each in (*rows, *others)}
    folded = fold(await _heard(session, icaos, registrations, heard_in), plans.values())
    events: list[Event] = []
    for row in rows:
        before, after = times_of(row), folded[row.id]
        if before != after:
            await session.execute(
                update(FlightRow)
                .where(FlightRow.id == row.id)
                .values(**_columns(after))
                .execution_options(synchronize_session=False)
            )
            events += changes(row.id, before, after)
    return sorted(events, key=lambda event: event.at_us)


def times_of(row: FlightRow) -> ActualTimes:
    """Give the actual times as kept."""
    return ActualTimes(
        icao=row.heard_icao,
        off_block=_moment(row.off_block_us, row.off_block_sigma_s, row.off_block_stand),
        airborne=_moment(row.airborne_us, row.airborne_sigma_s, None),
        landed=_moment(row.landed_us, row.landed_sigma_s, None),
        on_block=_moment(row.on_block_us, row.on_block_sigma_s, row.on_block_stand),
    )


def _moment(at_us: int | None, sigma_s: float | None, stand: str | None) -> Moment | None:
    if at_us is None or sigma_s is None:
        return None
    return Moment(at_us=at_us, sigma_s=sigma_s, stand=stand)


def _columns(times: ActualTimes) -> dict[str, object]:
    columns: dict[str, object] = {"heard_icao": times.icao}
    for name in ("off_block", "airborne", "landed", "on_block"):
        moment: Moment | None = getattr(times, name)
        columns[f"{name}_us"] = moment and moment.at_us
        columns[f"{name}_sigma_s"] = None if moment is None else moment.sigma_s
        if name.endswith("block"):
            columns[f"{name}_stand"] = moment and moment.stand
    return columns


def _span(rows: Iterable[FlightRow]) -> _Span | None:
    due = [
        at_us
        for row in rows
        for at_us in (row.off_block_due_us, row.on_block_due_us)
        if at_us is not None
    ]
    return _Span(min(due), max(due)) if due else None


def _plan(row: FlightRow) -> Plan:
    return Plan(
        flight_id=row.id,
        icao=row.icao,
        registration=row.registration,
        callsign=row.callsign,
        off_block_due_us=row.off_block_due_us,
        on_block_due_us=row.on_block_due_us,
        same_airport=row.origin == row.destination,
    )


async def _flights(session: AsyncSession, names: _Names, span: _Span) -> list[FlightRow]:
    """Find the flights known by any of the names and due in the span."""
    found: dict[str, FlightRow] = {}
    due = or_(FlightRow.off_block_due_us.between(*span), FlightRow.on_block_due_us.between(*span))
    for column, wanted in (
        (FlightRow.icao, names.icaos),
        (FlightRow.registration, names.registrations),
        (FlightRow.callsign, names.callsigns),
    ):
        for some in _in_parts(wanted):
            rows = await session.scalars(
                select(FlightRow)
                .where(column.in_(some), due)
                .execution_options(populate_existing=True)
            )
            found |= {row.id: row for row in rows}
    return [found[flight_id] for flight_id in sorted(found)]


async def _names_of_aircraft(session: AsyncSession, icaos: Collection[str], span: _Span) -> _Names:
    """Find the registrations and callsigns of aircraft."""
    callsigns: set[str] = set()
    for some in _in_parts(icaos):
        callsigns |= {
            each
            for each in await session.scalars(
                select(GroundEventRow.callsign)
                .where(GroundEventRow.icao.in_(some), GroundEventRow.at_us.between(*span))
                .distinct()
            )
            if each
        }
    registrations = await _registrations(session, icaos)
    return _Names(frozenset(icaos), frozenset(registrations.values()), frozenset(callsigns))


async def _registrations(session: AsyncSession, icaos: Collection[str]) -> dict[str, str]:
    """Find the registrations of aircraft, as the newest schedule that has both knows them."""
    found: dict[str, str] = {}
    for some in _in_parts(icaos):
        rows = await session.execute(
            select(FlightRow.icao, FlightRow.registration)
            .where(FlightRow.icao.in_(some), FlightRow.registration.is_not(None))
            .order_by(FlightRow.date)
        )
        found |= {icao: registration for icao, registration in rows if icao and registration}
    return found


async def _aircraft_of(
    session: AsyncSession, rows: Iterable[FlightRow], span: _Span
) -> frozenset[str]:
    """Find the addresses of every aircraft that may fly one of the flights."""
    flights = list(rows)
    icaos = {row.icao for row in flights if row.icao}
    registrations = {row.registration for row in flights if row.registration}
    for some in _in_parts(registrations):
        icaos |= {
            each
            for each in await session.scalars(
                select(FlightRow.icao).where(FlightRow.registration.in_(some)).distinct()
            )
            if each
        }
    for some in _in_parts({row.callsign for row in flights if row.callsign}):
        icaos |= set(
            await session.scalars(
                select(GroundEventRow.icao)
                .where(GroundEventRow.callsign.in_(some), GroundEventRow.at_us.between(*span))
                .distinct()
            )
        )
    return frozenset(icaos)


async def _heard(
    session: AsyncSession,
    icaos: Collection[str],
    registrations: dict[str, str],
    span: _Span,
) -> list[AircraftHeard]:
    reports: dict[str, list[Report]] = {}
    for some in _in_parts(icaos):
        rows = await session.scalars(
            select(GroundEventRow).where(
                GroundEventRow.icao.in_(some), GroundEventRow.at_us.between(*span)
            )
        )
        for row in rows:
            reports.setdefault(row.icao, []).append(_report(row))
    return [
        AircraftHeard(icao=icao, registration=registrations.get(icao), reports=tuple(reports[icao]))
        for icao in sorted(reports)
    ]


def _report(row: GroundEventRow) -> Report:
    return Report(
        at_us=row.at_us,
        event=EVENT_KINDS[row.event],
        sigma_s=row.sigma_s,
        stand=row.stand or "",
        callsign=plain_callsign(row.callsign or ""),
        latitude_deg=row.latitude_deg,
        longitude_deg=row.longitude_deg,
    )


def _in_parts(wanted: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(wanted)
    return (ordered[at : at + NAMES_AT_ONCE] for at in range(0, len(ordered), NAMES_AT_ONCE))
