"""The bags that change aircraft at an airport, and how likely they or their people are late."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.reconciliation import Transfer
from aerocast_hub.flights.store import Booking
from aerocast_hub.orientation.changing import risk_of
from aerocast_hub.orientation.connection import ConnectionRisk, Miss, Unknown
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    Trip,
    Whereabouts,
)
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.surroundings import RememberedSurroundings
from aerocast_hub.orientation.way_there import way_there


class ConnectionAtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A bag that changes aircraft, its own risk and its passenger's.

    Attributes
    ----------
    bag, passenger
        None where nobody can tell: a flight is not in the schedule, or one of them is over.
    minimum_min, planned_min
        What the connection needs at least, and what its flights' times give it.
    unknown
        What nobody knows and the rest does without.
    """

    transfer: Transfer
    bag: Miss | None = None
    passenger: Miss | None = None
    minimum_min: int | None = None
    planned_min: int | None = None
    unknown: tuple[Unknown, ...] = ()


async def connections_at(
    session: AsyncSession,
    airport: str,
    now_us: int,
    *,
    ahead_us: int,
    others: Others = IN_PROCESS,
) -> list[ConnectionAtRisk]:
    """Give the bags that change aircraft at an airport soon, the likeliest to miss it first."""
    by_flights: dict[tuple[Leg, Leg], list[Transfer]] = defaultdict(list)
    for each in await others.baggage.transfers(session, airport, now_us, ahead_us):
        by_flights[each.inbound, each.outbound].append(each)
    around = RememberedSurroundings(session, now_us, others)
    await around.expect(_booking_of(leg) for legs in by_flights for leg in legs)
    here = _Here(around, airport, now_us)
    found: list[ConnectionAtRisk] = []
    for (inbound, outbound), some in by_flights.items():
        found += _at_risk(some, await here.risk(inbound, outbound, some))
    return sorted(found, key=_urgency)


class _Here:
    """An airport at an instant: what all its connections share is asked for once."""

    def __init__(self, around: RememberedSurroundings, airport: str, now_us: int) -> None:
        self._around = around
        self._airport = airport
        self._now_us = now_us

    async def risk(
        self, inbound: Leg, outbound: Leg, bags: Sequence[Transfer]
    ) -> ConnectionRisk | None:
        """Tell the risk of a change between two flights; None where one is not known."""
        flight, onward = await self._flight(inbound), await self._flight(outbound)
        if flight is None or onward is None:
            return None
        where = Whereabouts(
            stage="changing" if flight.has_arrived else "flying", flight=flight, onward=onward
        )
        times = await self._around.times(self._airport)
        ground = await self._around.ground(self._airport)
        way = None
        if ground is not None:
            way = way_there(ground.network, ground.conditions, where, "default")
        here = Surrounding(
            weather=await self._around.weather(self._airport),
            way=way,
            model=times.belt_model(flight.kind),
            changing=times.changing,
        )
        trip = Trip(bags=tuple(_bag_view(each, flight, onward) for each in bags), flights=())
        return risk_of(trip, where, here, times.connections, self._now_us)

    async def _flight(self, leg: Leg) -> FlightView | None:
        found = await self._around.flight(_booking_of(leg))
        return None if found is None else found.view


def _booking_of(leg: Leg) -> Booking:
    return Booking(leg.flight, leg.date, leg.origin, leg.destination)


def _bag_view(transfer: Transfer, flight: FlightView, onward: FlightView) -> BagView:
    return BagView(
        licence_plate=transfer.licence_plate,
        state=transfer.state,
        last_seen_us=transfer.last_seen_us,
        flights=(flight, onward),
        aboard=onward.key if transfer.state == "loaded" else None,
    )


def _at_risk(bags: Sequence[Transfer], risk: ConnectionRisk | None) -> list[ConnectionAtRisk]:
    if risk is None:
        return [ConnectionAtRisk(transfer=each) for each in bags]
    own = {each.licence_plate: each.miss for each in risk.bags}
    return [
        ConnectionAtRisk(
            transfer=each,
            bag=own.get(each.licence_plate),
            passenger=risk.passenger,
            minimum_min=risk.minimum_min,
            planned_min=risk.planned_min,
            unknown=risk.unknown,
        )
        for each in bags
    ]


def _urgency(each: ConnectionAtRisk) -> tuple[float, int, str]:
    """Rank what nobody can tell among the risky ones: somebody has to look."""
    chance = 0.5 if each.bag is None else each.bag.probability
    return -chance, each.transfer.departs_us or 0, each.transfer.licence_plate
