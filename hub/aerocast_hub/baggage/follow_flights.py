"""Bags fly with their flights: what aircraft do is evidence of the bags aboard."""

import time
from collections.abc import Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import Moved
from aerocast_hub.baggage.evidence_store import keep_of_flights
from aerocast_hub.baggage.journeys import refold_flight
from aerocast_hub.events.every import Event, kind_of
from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightTimeWithdrawn,
)
from aerocast_hub.flights.store import find_flight
from aerocast_hub.schedule import flight_key

What = Literal["off_block", "airborne", "landed", "on_block"]

_WHAT: dict[type, What] = {
    FlightOffBlock: "off_block",
    FlightAirborne: "airborne",
    FlightLanded: "landed",
    FlightOnBlock: "on_block",
}
FOLLOWED = (
    *(kind_of(each(at_us=0, flight_id="", sigma_s=0.0)) for each in _WHAT),
    "flight_time_withdrawn",
)


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Keep movements of flights, and fold the bags that are to travel on them again."""
    now_us = time.time_ns() // 1000
    moved: list[Moved] = []
    for event in events:
        what = event.what if isinstance(event, FlightTimeWithdrawn) else _WHAT.get(type(event))
        flight_id = getattr(event, "flight_id", None)
        flight = None if flight_id is None else await find_flight(session, flight_id)
        if flight is None or what is None:
            continue
        withdrawn = isinstance(event, FlightTimeWithdrawn)
        moved.append(
            Moved(
                id=f"{flight.id} {what} {event.at_us} {now_us}",
                at_us=event.at_us,
                known_at_us=now_us,
                flight_key=flight_key(flight.flight),
                flight_date=flight.date,
                what=what,
                is_withdrawn=withdrawn,
                stand=getattr(event, "stand", None) or "",
            )
        )
    await keep_of_flights(session, moved)
    told: list[Event] = []
    for key, date in sorted({(each.flight_key, each.flight_date) for each in moved}):
        told += await refold_flight(session, key, date)
    return told
