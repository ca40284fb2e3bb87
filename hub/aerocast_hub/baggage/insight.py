"""Reports over the bags: compliance of a flight, reads of portals, time between points, clocks."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import msgspec
from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.clock_skew import Pair, StrayClock, stray_clocks
from aerocast_hub.baggage.compliance import CUSTODY, ComplianceReport, Read, compliance_of
from aerocast_hub.baggage.evidence import Evidence, Handled, Seen, Stowed, decode_evidence
from aerocast_hub.baggage.flight_bags import carried_on, due_of
from aerocast_hub.baggage.fold import in_order
from aerocast_hub.baggage.journey import POINTS
from aerocast_hub.baggage.journeys import decode_journey
from aerocast_hub.baggage.loss_reason import FlightTimes, LossReason, propose
from aerocast_hub.baggage.reconciliation import Carried
from aerocast_hub.baggage.tables import BagPlateRow, BagRow, EvidenceRow, UnreadRow
from aerocast_hub.flights.store import Booking, Flight, find_flight, flight_of
from aerocast_hub.schedule import flight_key
from aerocast_hub.weather.ramp_store import closures_at

PLATES_AT_ONCE = 500
MOST_JOURNEYS = 5000
MOST_READS = 100_000
HOUR_US = 3_600_000_000


class FlightCompliance(msgspec.Struct, frozen=True, kw_only=True):
    """A flight, its custody points and its inventory at departure."""

    flight: Flight
    report: ComplianceReport


class PortalReads(msgspec.Struct, frozen=True, kw_only=True):
    """What a place read.

    Attributes
    ----------
    automatic, manual
        Passages under antennas, and scans of codes.
    unread
        Bags that went past and nothing read.
    read_rate
        Bags read of those that passed, 0 to 1.
    """

    site: str
    point: str
    belt: str
    automatic: int
    manual: int
    unread: int
    read_rate: float | None


class Dwell(msgspec.Struct, frozen=True, kw_only=True):
    """How long bags take from one custody point to the next."""

    from_point: str
    to_point: str
    bags: int
    median_s: float
    p90_s: float


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a stretch of time went."""

    from_us: int
    until_us: int
    portals: tuple[PortalReads, ...]
    dwells: tuple[Dwell, ...]
    manual_share: float | None


async def flight_compliance(
    session: AsyncSession, flight_id: str, now_us: int
) -> FlightCompliance | None:
    """Report on a flight for Resolution 753; None when there is no such flight."""
    flight = await find_flight(session, flight_id)
    if flight is None:
        return None
    carried = await carried_on(session, flight_key(flight.flight), flight.date)
    reads = await _reads(session, carried)
    report = compliance_of(
        due_of(flight), carried, reads, airport_codes(flight.destination), now_us
    )
    return FlightCompliance(flight=flight, report=report)


async def loss_reason(session: AsyncSession, carried: Carried, flight: Flight) -> LossReason | None:
    """Propose why a bag missed a flight."""
    due = due_of(flight)
    legs = carried.journey.legs
    this = (due.leg.key, due.leg.date)
    before = next((one for one, leg in pairwise(legs) if (leg.key, leg.date) == this), None)
    inbound = None
    if before is not None:
        booking = Booking(before.flight, before.date, before.origin, before.destination)
        inbound = await flight_of(session, booking)
    arrived = None if inbound is None else inbound.actual.on_block
    closed_us = 0
    if due.off_block_us is not None:
        closed_us = await _ramp_closed_us(session, flight.origin, due.off_block_us)
    times = FlightTimes(
        inbound_on_block_us=None if arrived is None else arrived.at_us,
        off_block_us=due.off_block_us,
        ramp_closed_us=closed_us,
    )
    return propose(carried.journey, due.leg, due.origin_codes, times)


async def _ramp_closed_us(session: AsyncSession, airport: str, departed_us: int) -> int:
    """Say how long a ramp was closed in the two hours before a departure."""
    since_us = departed_us - 2 * HOUR_US
    closed_us = 0
    for each in await closures_at(session, airport, departed_us):
        until_us = departed_us if each.until_us is None else min(each.until_us, departed_us)
        closed_us += max(0, until_us - max(each.from_us, since_us))
    return closed_us


async def performance(session: AsyncSession, from_us: int, until_us: int) -> Performance:
    """Tell what portals read and how long bags took, between two instants."""
    rows = await session.execute(
        select(
            EvidenceRow.site, EvidenceRow.point, EvidenceRow.belt, EvidenceRow.kind, func.count()
        )
        .where(
            EvidenceRow.kind.in_(("passage", "scan")),
            EvidenceRow.at_us.between(from_us, until_us),
            EvidenceRow.form == 0,
        )
        .group_by(EvidenceRow.site, EvidenceRow.point, EvidenceRow.belt, EvidenceRow.kind)
    )
    counts: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for site, point, belt, kind, count in rows:
        counts[site, point, belt][kind] = count
    unread = await session.execute(
        select(UnreadRow.site, UnreadRow.point, UnreadRow.belt, func.count())
        .where(UnreadRow.at_us.between(from_us, until_us))
        .group_by(UnreadRow.site, UnreadRow.point, UnreadRow.belt)
    )
    for unread_site, at_point, at_belt, count in unread:
        counts[unread_site, at_point or "", at_belt or ""]["unread"] = count
    portals = tuple(_portal(*place, counts[place]) for place in sorted(counts))
    automatic = sum(each.automatic for each in portals)
    manual = sum(each.manual for each in portals)
    return Performance(
        from_us=from_us,
        until_us=until_us,
        portals=portals,
        dwells=await _dwells(session, from_us, until_us),
        manual_share=manual / (automatic + manual) if automatic + manual else None,
    )


async def gateway_clocks(
    session: AsyncSession, now_us: int, *, recent_us: int = 2 * HOUR_US, days: int = 7
) -> list[StrayClock]:
    """Diagnose the gateways' clocks: the last hours against the days before."""
    since_us = now_us - recent_us
    now = await _travel_times(session, since_us, now_us)
    before = await _travel_times(session, now_us - days * 24 * HOUR_US, since_us)
    return stray_clocks(before, now)


def _portal(site: str, point: str, belt: str, counts: dict[str, int]) -> PortalReads:
    automatic, manual = counts.get("passage", 0), counts.get("scan", 0)
    unread = counts.get("unread", 0)
    passed = automatic + manual + unread
    return PortalReads(
        site=site,
        point=point,
        belt=belt,
        automatic=automatic,
        manual=manual,
        unread=unread,
        read_rate=(automatic + manual) / passed if passed else None,
    )


async def _dwells(session: AsyncSession, from_us: int, until_us: int) -> tuple[Dwell, ...]:
    rows = await session.scalars(
        select(BagRow.journey)
        .where(BagRow.last_seen_us.between(from_us, until_us))
        .order_by(BagRow.last_seen_us.desc())
        .limit(MOST_JOURNEYS)
    )
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for journey in rows:
        custody = decode_journey(journey).custody
        passed = [(point, custody[point]) for point in POINTS if point in custody]
        for (one, one_us), (other, other_us) in pairwise(passed):
            if other_us >= one_us:
                taken[one, other].append((other_us - one_us) / 1e6)
    return tuple(
        Dwell(
            from_point=one,
            to_point=other,
            bags=len(times_s),
            median_s=round(median(times_s), 1),
            p90_s=round(sorted(times_s)[int(0.9 * (len(times_s) - 1))], 1),
        )
        for (one, other), times_s in sorted(taken.items())
    )


async def _reads(session: AsyncSession, carried: Sequence[Carried]) -> list[Read]:
    firsts = {each.bag_id: each.licence_plate for each in carried}
    ids = sorted(firsts)
    found: list[Read] = []
    by_hand = EvidenceRow.kind.in_(("handled", "stowed"))
    for at in range(0, len(ids), PLATES_AT_ONCE):
        rows = await session.execute(
            select(
                BagPlateRow.bag_id,
                EvidenceRow.kind,
                EvidenceRow.site,
                EvidenceRow.point,
                EvidenceRow.at_us,
                EvidenceRow.known_at_us,
                case((by_hand, EvidenceRow.body), else_=None),
            )
            .join(EvidenceRow, EvidenceRow.subject == BagPlateRow.licence_plate)
            .where(
                BagPlateRow.bag_id.in_(ids[at : at + PLATES_AT_ONCE]),
                EvidenceRow.form == 0,
                or_(EvidenceRow.point.in_(sorted(CUSTODY)), by_hand),
            )
        )
        found += [
            Read(firsts[bag_id], kind, site, point or _did(body), at_us, known_at_us)
            for bag_id, kind, site, point, at_us, known_at_us, body in rows
        ]
    return found


def _did(body: bytes | None) -> str:
    """Say what somebody did, where the kind alone does not tell: it may be no custody at all."""
    if body is None:
        return ""
    evidence = decode_evidence(body)
    if isinstance(evidence, Handled):
        return evidence.did
    return "" if isinstance(evidence, Stowed) and evidence.is_in and evidence.leg else "other"


async def _travel_times(
    session: AsyncSession, from_us: int, until_us: int
) -> dict[Pair, list[float]]:
    """Give how long bags took between neighbouring reads of two gateways of one site, seconds."""
    rows = await session.execute(
        select(EvidenceRow.subject, EvidenceRow.body)
        .where(EvidenceRow.kind == "passage", EvidenceRow.at_us.between(from_us, until_us))
        .order_by(EvidenceRow.at_us.desc())
        .limit(MOST_READS)
    )
    filed: dict[str, list[Evidence]] = defaultdict(list)
    for plate, body in rows:
        filed[plate].append(decode_evidence(body))
    times_s: dict[Pair, list[float]] = defaultdict(list)
    for evidence in filed.values():
        seen = [each for each in in_order(evidence) if isinstance(each, Seen)]
        for one, other in pairwise(seen):
            took_us = other.at_us - one.at_us
            if one.site == other.site and one.gateway != other.gateway and took_us < HOUR_US:
                times_s[_name(one), _name(other)].append(took_us / 1e6)
    return times_s


def _name(seen: Seen) -> str:
    return f"{seen.site}/{seen.gateway}"
