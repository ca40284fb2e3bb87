"""Which events somebody is told of who does not see everything."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import alerts, bag_messages, baggage, flights
from aerocast_hub.database.sight import Sight, current_sight
from aerocast_hub.events.alerts import AlertAcknowledged, AlertCleared, AlertRaised
from aerocast_hub.events.bags import BagChanged, BagMessageReceived, BagPassed, BagUnread
from aerocast_hub.events.every import Event
from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightScheduled,
    FlightTimeWithdrawn,
)
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.events.ramp import (
    LowVisibility,
    RampCautioned,
    RampClosed,
    RampReopened,
    RampUnknown,
)


async def may_hear(database: Database, event: Event) -> bool:
    """Say whether the work at hand may be told of an event: of rows it sees, of ramps and maps.

    Everything else (gateways, webhooks, what others sent) is told to those alone who see all.
    """
    sight = current_sight()
    if sight.is_whole:
        return True
    async with database.reading() as session:
        return await _sees(session, sight, event)


async def _sees(session: AsyncSession, sight: Sight, event: Event) -> bool:
    match event:
        case BagPassed() | BagChanged():
            asked = select(baggage.BagRow.id).where(baggage.BagRow.id == event.bag_id)
        case (
            FlightOffBlock()
            | FlightAirborne()
            | FlightLanded()
            | FlightOnBlock()
            | FlightTimeWithdrawn()
            | FlightScheduled()
        ):
            asked = select(flights.FlightRow.id).where(flights.FlightRow.id == event.flight_id)
        case AlertRaised() | AlertAcknowledged() | AlertCleared():
            asked = select(alerts.AlertRow.id).where(alerts.AlertRow.id == event.alert_id)
        case BagMessageReceived():
            row = bag_messages.BagMessageRow
            asked = select(row.id).where(row.id == event.message_id)
        case BagUnread():
            return sight.airlines is None and _is_at(event.site, sight)
        case (
            RampClosed()
            | RampReopened()
            | RampCautioned()
            | RampUnknown()
            | LowVisibility()
            | PlacesChanged()
        ):
            return sight.stations is None or _is_at(event.airport, sight)
        case _:
            return False
    return await session.scalar(asked.limit(1)) is not None


def _is_at(place: str, sight: Sight) -> bool:
    return any(place.lower() in airport_codes(each) for each in sight.stations or ())
