"""What a passenger's change of aircraft is made of, and how likely it fails, them and bag by bag.

Pure. Passengers of one aircraft who change to the same next one share an answer for a while: most
of the work is the same for them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from aerocast_hub.airports import airport
from aerocast_hub.ground_times import MinimumTime
from aerocast_hub.orientation.connection import (
    BagMiss,
    ChangingBag,
    Connecting,
    ConnectionRisk,
)
from aerocast_hub.orientation.connection_risk import connection_risk
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    Trip,
    Whereabouts,
)
from aerocast_hub.orientation.minimum_connection import Change, minimum_time, status_of

KEPT_US = 15_000_000  # an answer serves everybody who asks within such a span

_CARRIER = re.compile(r"[A-Z]{3}(?=[0-9])|[A-Z0-9]{2}")
_INSIDE = frozenset({"transfer", "accepted", "screened", "sorted", "seen"})


def risk_of(
    trip: Trip,
    where: Whereabouts,
    here: Surrounding,
    connections: Sequence[MinimumTime],
    now_us: int,
) -> ConnectionRisk | None:
    """Tell how likely a passenger and each of their bags miss the next flight; None without one.

    Parameters
    ----------
    connections
        The airport's own minimum connection times.
    """
    flight, onward = where.flight, where.onward
    if flight is None or onward is None or where.stage not in ("flying", "changing"):
        return None
    way_min = here.way.minutes if here.way is not None else None
    minimum = minimum_time(change_of(flight, onward), connections)
    known = Connecting(
        inbound=flight.designator,
        outbound=onward.designator,
        progress=flight.progress,
        departs_us=onward.left_us or onward.progress.off_block_due_us,
        minimum_min=minimum.minutes,
        crosses_border=_crosses_border(flight) or _crosses_border(onward),
        way_min=way_min,
        queue_min=here.way.queue_min if here.way is not None else 0.0,
        closures=here.weather.closures,
        ramp_known=here.weather.state != "unknown",
        handling=here.model.handling,
        changing=here.changing,
        learned=None if here.model.learned is None else here.model.learned.first,
    )
    bags = {
        bag.licence_plate: _changing_bag(bag, flight, onward)
        for bag in trip.bags
        if onward.key in {each.key for each in bag.flights}
    }
    at_us = now_us - now_us % KEPT_US
    kinds = sorted({_kind(bag) for bag in bags.values()}, key=repr)
    shared = _shared_risk(known, tuple(kinds), at_us)
    by_kind = {each.licence_plate: each.miss for each in shared.bags}
    own = tuple(
        BagMiss(licence_plate=plate, miss=by_kind[_kind(bag).licence_plate])
        for plate, bag in sorted(bags.items())
        if _kind(bag).licence_plate in by_kind
    )
    return msgspec.structs.replace(shared, bags=own)


def change_of(flight: FlightView, onward: FlightView) -> Change:
    """Give a change as minimum connection times speak of it."""
    return Change(
        status=status_of(_countries(flight), _countries(onward)),
        arriving_carrier=_carrier(flight),
        departing_carrier=_carrier(onward),
        arriving_terminal=flight.arrival_terminal,
        departing_terminal=onward.departure_terminal,
        arriving_aircraft=flight.aircraft_type,
        departing_aircraft=onward.aircraft_type,
        arriving_from=flight.origin,
        departing_to=onward.destination,
    )


@lru_cache(maxsize=2048)
def _shared_risk(known: Connecting, bags: tuple[ChangingBag, ...], at_us: int) -> ConnectionRisk:
    return connection_risk(known, bags, at_us)


def _kind(bag: ChangingBag) -> ChangingBag:
    """Give a bag without its plate: all that come with an aircraft are alike."""
    return msgspec.structs.replace(bag, licence_plate=f"{bag.at} {bag.seen_us}")


def _changing_bag(bag: BagView, flight: FlightView, onward: FlightView) -> ChangingBag:
    known = flight.progress
    there_us = known.on_block_us if known.on_block_us is not None else known.landed_us
    is_seen_there = (
        there_us is not None and bag.last_seen_us is not None and bag.last_seen_us > there_us
    )
    if bag.aboard == onward.key or (bag.state == "made_up" and is_seen_there):
        return ChangingBag(licence_plate=bag.licence_plate, at="made_up")
    if bag.state in _INSIDE and is_seen_there:
        return ChangingBag(licence_plate=bag.licence_plate, at="inside", seen_us=bag.last_seen_us)
    return ChangingBag(licence_plate=bag.licence_plate)


def _countries(flight: FlightView) -> tuple[str, str] | None:
    origin, destination = airport(flight.origin), airport(flight.destination)
    if origin is None or destination is None:
        return None
    return origin.country, destination.country


def _crosses_border(flight: FlightView) -> bool:
    countries = _countries(flight)
    return countries is not None and countries[0] != countries[1]


def _carrier(flight: FlightView) -> str | None:
    found = _CARRIER.match(flight.designator)
    return None if found is None else found[0]
