"""The bags that change aircraft at an airport, and how likely they or their people are late."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.flight_bags import transfers
from aerocast_hub.baggage.reconciliation import Transfer
from aerocast_hub.flights.store import Booking, flight_of
from aerocast_hub.orientation.changing import risk_of
from aerocast_hub.orientation.connection import ConnectionRisk, Miss, Unknown
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    Trip,
    Whereabouts,
)
from aerocast_hub.orientation.surroundings import Surroundings, flight_view
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
    session: AsyncSession, airport: str, now_us: int, *, ahead_us: int
) -> list[ConnectionAtRisk]:
    """Give the bags that change aircraft at an airport soon, the likeliest to miss it first."""
    by_flights: dict[tuple[Leg, Leg], list[Transfer]] = defaultdict(list)
    for each in await transfers(session, airport, now_us, ahead_us=ahead_us):
        by_flights[each.inbound, each.outbound].append(each)
    here = _Here(session, airport, now_us)
    found: list[ConnectionAtRisk] = []
    for (inbound, outbound), some in by_flights.items():
        found += _at_risk(some, await here.risk(inbound, outbound, some))
    return sorted(found, key=_urgency)


class _Here:
    """An airport at an instant: what all its connections share is asked for once."""

    def __init__(self, session: AsyncSession, airport: str, now_us: int) -> None:
        self._session = session
        self._airport = airport
        self._now_us = now_us
        self._around = Surroundings(session, now_us)
        self._flights: dict[Leg, FlightView | None] = {}

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
        if leg not in self._flights:
            booking = Booking(leg.flight, leg.date, leg.origin, leg.destination)
            found = await flight_of(self._session, booking)
            self._flights[leg] = None if found is None else flight_view(found, None)
        return self._flights[leg]


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
