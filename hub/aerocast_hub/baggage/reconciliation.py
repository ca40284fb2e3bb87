"""Which bags may fly and which do: authority to load, offload lists, what is left behind. Pure.

The rule of baggage reconciliation (ICAO Annex 17, 4.5.3): no bag travels without its passenger,
unless somebody decided that it may. Nothing is assumed: what nobody said is a reason to ask, never
a yes.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from aerocast_hub.baggage.containment import Place
from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.journey import MINUTE_US, Journey

Decision = Literal["granted", "refused", "unsure"]
Status = Literal[
    "expected", "accepted", "screened", "sorted", "made_up", "loaded", "offloaded", "cancelled",
    "short", "unknown",
]  # fmt: skip

MADE_UP_BY_US = 35 * MINUTE_US  # before departure; a bag not made up then is likely to miss it
CONNECTION_US = 45 * MINUTE_US  # from the inbound stand to the outbound hold, unless configured
BEFORE_LOADING = frozenset({"expected", "accepted", "screened", "sorted", "seen", "transfer"})

_GONE = frozenset({"departed", "on_block", "arrived", "delivered", "claimed"})


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a bag may be loaded, and why.

    Attributes
    ----------
    reasons
        What refuses it; else what nobody said; empty when granted.
    """

    decision: Decision
    reasons: tuple[str, ...] = ()


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A flight's departure, as far as reconciliation needs it.

    Attributes
    ----------
    leg
        As bags name it.
    origin_codes
        Every code of the airport it leaves, lower case: gateways' sites are named after either.
    off_block_us
        When it left its stand, UTC microseconds; None while it stands.
    off_block_due_us
        When it is to leave.
    """

    leg: Leg
    origin_codes: frozenset[str] = frozenset()
    off_block_us: int | None = None
    off_block_due_us: int | None = None

    @property
    def departs_us(self) -> int | None:
        """When it left, or is to leave."""
        return self.off_block_us if self.off_block_us is not None else self.off_block_due_us


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A bag as reconciliation sees it."""

    bag_id: str
    licence_plate: str
    journey: Journey


class FlightBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag on a flight's list.

    Attributes
    ----------
    status
        How far it has come; after departure ``loaded``, ``short`` (seen, not loaded),
        ``offloaded``, ``cancelled`` or ``unknown`` (never seen).
    is_ours
        False for a bag that is aboard and not booked on the flight.
    order
        Load sequence in the container; 0 unknown.
    """

    bag_id: str
    licence_plate: str
    status: Status
    authority: Authority
    is_ours: bool
    container: str | None
    order: int
    place: Place | None
    last_seen_us: int | None
    exceptions: tuple[str, ...]


class Offload(msgspec.Struct, frozen=True, kw_only=True):
    """A bag to take off: where it stands in the hold, and why."""

    bag_id: str
    licence_plate: str
    container: str | None
    order: int
    reasons: tuple[str, ...]


class FlightBags(msgspec.Struct, frozen=True, kw_only=True):
    """A flight's bags, reconciled.

    Attributes
    ----------
    is_departed
        The statuses are the inventory at departure.
    counts
        Status -> bags booked on the flight; they add up to all of them.
    offload
        Aboard and may not be, in the order of containers and places in them.
    at_risk
        Booked, and likely to miss it: ids of bags.
    left_behind
        Booked, seen at the airport, and not aboard when it left: ids of bags.
    swapped
        Pairs of plates that look exchanged: each aboard the other's flight.
    """

    is_departed: bool
    bags: tuple[FlightBag, ...]
    counts: dict[str, int]
    offload: tuple[Offload, ...] = ()
    at_risk: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    swapped: tuple[tuple[str, str], ...] = ()


def authority_to_load(journey: Journey, leg: Leg) -> Authority:
    """Decide whether a bag may be loaded on a flight."""
    refused = [
        why
        for is_so, why in (
            (not _is_booked(journey, leg), "not booked on this flight"),
            (journey.is_cancelled, "cancelled by its airline"),
            (journey.is_held, "held back"),
            (journey.authority_to_load is False, "its airline gives no authority to load"),
            (
                journey.authority_to_transport is False,
                "its airline gives no authority to transport",
            ),
            (journey.passenger_status == "not_boarded", "its passenger did not board"),
            (journey.screening == "rejected", "rejected at screening"),
            (journey.screening == "unclear", "not cleared at screening"),
            (journey.duplicate, "another bag may carry its plate"),
        )
        if is_so
    ]
    if refused:
        return Authority(decision="refused", reasons=tuple(refused))
    has_word = journey.authority_to_load is True
    has_passenger = journey.passenger_status in ("checked_in", "boarded")
    unsaid = [
        why
        for is_so, why in (
            (not has_word and not has_passenger, "nobody said that it may be loaded"),
            (journey.screening is None, "no result of screening"),
        )
        if is_so
    ]
    return Authority(decision="unsure" if unsaid else "granted", reasons=tuple(unsaid))


def reconcile(due: Due, carried: Iterable[Carried], now_us: int) -> FlightBags:
    """Reconcile a flight's bags.

    Parameters
    ----------
    carried
        Every bag booked on the flight or stowed for it, in any order.
    """
    is_departed = due.off_block_us is not None and due.off_block_us <= now_us
    ordered = sorted(carried, key=lambda each: (each.licence_plate, each.bag_id))
    pairs = [(each, _flight_bag(each, due, is_departed=is_departed)) for each in ordered]
    counts: dict[str, int] = {}
    for _, bag in pairs:
        if bag.is_ours:
            counts[bag.status] = counts.get(bag.status, 0) + 1
    return FlightBags(
        is_departed=is_departed,
        bags=tuple(bag for _, bag in pairs),
        counts=counts,
        offload=() if is_departed else _offload(pairs),
        at_risk=() if is_departed else _at_risk(due, pairs, now_us),
        left_behind=tuple(
            bag.bag_id
            for each, bag in pairs
            if bag.is_ours and bag.status == "short" and each.journey.state not in _GONE
        ),
        swapped=_swapped(due, [each for each, _ in pairs]),
    )


def is_aboard(journey: Journey, leg: Leg, origin_codes: frozenset[str]) -> bool:
    """Say whether a bag is, or was at departure, in the hold of a flight.

    Parameters
    ----------
    origin_codes
        Every code of the airport the flight leaves, lower case.
    """
    stowed = journey.stowed_for
    if stowed is not None:
        return (stowed.key, stowed.date) == (leg.key, leg.date)
    return journey.loaded_at in origin_codes and _is_booked(journey, leg)


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A bag that changes aircraft.

    Attributes
    ----------
    arrives_us, departs_us
        When its inbound flight reached, or is due on, its stand, and its outbound one left, or is
        to leave; None unknown.
    time_left_us
        Until the outbound departure; None when that is unknown.
    is_short
        The time between the two is less than a connection takes, or the bag is late in it.
    """

    bag_id: str
    licence_plate: str
    inbound: Leg
    outbound: Leg
    state: str
    place: Place | None
    arrives_us: int | None
    departs_us: int | None
    time_left_us: int | None
    is_short: bool
    last_seen_us: int | None = None


def transfer_at(
    carried: Carried,
    airport_codes: frozenset[str],
    times: dict[tuple[str, str], tuple[int | None, int | None]],
    now_us: int,
    connection_us: int = CONNECTION_US,
) -> Transfer | None:
    """Tell of a bag's connection at an airport; None when it makes none there.

    Parameters
    ----------
    airport_codes
        Every code of the airport, lower case.
    times
        Key and date of a flight -> when it leaves its stand and when it reaches the next.
    """
    legs = carried.journey.legs
    connections = (pair for pair in pairwise(legs) if pair[1].origin.lower() in airport_codes)
    found = next(connections, None)
    if found is None:
        return None
    inbound, outbound = found
    arrives_us = times.get((inbound.key, inbound.date), (None, None))[1]
    departs_us = times.get((outbound.key, outbound.date), (None, None))[0]
    waits = carried.journey.state in BEFORE_LOADING | {"departed", "on_block", "loaded", "made_up"}
    left_us = None if departs_us is None else departs_us - now_us
    is_aboard_next = is_aboard(carried.journey, outbound, airport_codes)
    is_short = (
        waits
        and not is_aboard_next
        and departs_us is not None
        and (
            (arrives_us is not None and departs_us - arrives_us < connection_us)
            or departs_us - max(now_us, arrives_us or 0) < MADE_UP_BY_US
        )
    )
    return Transfer(
        bag_id=carried.bag_id,
        licence_plate=carried.licence_plate,
        inbound=inbound,
        outbound=outbound,
        state="loaded" if is_aboard_next else carried.journey.state,
        place=carried.journey.place,
        arrives_us=arrives_us,
        departs_us=departs_us,
        time_left_us=left_us,
        is_short=is_short,
        last_seen_us=carried.journey.last_seen_us,
    )


def _is_booked(journey: Journey, leg: Leg) -> bool:
    return any((each.key, each.date) == (leg.key, leg.date) for each in journey.legs)


def _flight_bag(carried: Carried, due: Due, *, is_departed: bool) -> FlightBag:
    journey = carried.journey
    return FlightBag(
        bag_id=carried.bag_id,
        licence_plate=carried.licence_plate,
        status=_status(journey, due, is_departed=is_departed),
        authority=authority_to_load(journey, due.leg),
        is_ours=_is_booked(journey, due.leg),
        container=journey.container,
        order=journey.order,
        place=journey.place,
        last_seen_us=journey.last_seen_us,
        exceptions=journey.exceptions,
    )


def _status(journey: Journey, due: Due, *, is_departed: bool) -> Status:
    if is_aboard(journey, due.leg, due.origin_codes):
        return "loaded"
    if journey.is_cancelled:
        return "cancelled"
    if journey.state == "offloaded" or journey.irregularity == "offloaded":
        return "offloaded"
    if is_departed:
        return "unknown" if journey.last_seen_us is None else "short"
    known: dict[str, Status] = {"screened": "screened", "sorted": "sorted", "made_up": "made_up"}
    otherwise: Status = "expected" if journey.last_seen_us is None else "accepted"
    return known.get(journey.state, otherwise)


def _offload(pairs: Sequence[tuple[Carried, FlightBag]]) -> tuple[Offload, ...]:
    found = [
        Offload(
            bag_id=bag.bag_id,
            licence_plate=bag.licence_plate,
            container=bag.container,
            order=bag.order,
            reasons=bag.authority.reasons,
        )
        for _, bag in pairs
        if bag.status == "loaded" and bag.authority.decision == "refused"
    ]
    return tuple(sorted(found, key=lambda each: (each.container or "", -each.order)))


def _at_risk(due: Due, pairs: Sequence[tuple[Carried, FlightBag]], now_us: int) -> tuple[str, ...]:
    departs_us = due.departs_us
    if departs_us is None or now_us < departs_us - MADE_UP_BY_US:
        return ()
    waiting = ("expected", "accepted", "screened", "sorted")
    return tuple(bag.bag_id for _, bag in pairs if bag.is_ours and bag.status in waiting)


def _swapped(due: Due, carried: Sequence[Carried]) -> tuple[tuple[str, str], ...]:
    """Find bags of this flight and strangers aboard it that are on each other's flights."""
    strangers = [
        each for each in carried if not _is_booked(each.journey, due.leg) and each.journey.legs
    ]
    away = [
        each
        for each in carried
        if _is_booked(each.journey, due.leg)
        and each.journey.stowed_for is not None
        and not is_aboard(each.journey, due.leg, due.origin_codes)
    ]
    return tuple(
        (stranger.licence_plate, other.licence_plate)
        for stranger in strangers
        for other in away
        if other.journey.stowed_for is not None
        and _is_booked(stranger.journey, other.journey.stowed_for)
    )
