"""What an airline's departure control system tells of the bags it checks in."""

from datetime import datetime
from itertools import groupby

from aerocast_protocols.baggage import (
    Bags,
    Envelope,
    Leg,
    Passenger,
    Reconciliation,
    TagRange,
    Version,
    Weight,
    compose_message,
    encode_message,
)
from aerocast_protocols.baggage.elements import write_day

from aerocast_simulator.timetable import AIRPORT, Bag, PlannedFlight, departs_on


def bags_by_passenger(flight: PlannedFlight) -> list[tuple[Bag, ...]]:
    """Give a flight's bags, those of one passenger together."""
    return [tuple(bags) for _, bags in groupby(flight.bags, key=lambda bag: bag.passenger)]


def source_message(
    flight: PlannedFlight, bags: tuple[Bag, ...], number: int, now: datetime
) -> bytes:
    """Write the message (BSM) about the bags of one passenger who has just checked in.

    Parameters
    ----------
    number
        Check-in sequence number of the passenger.
    now
        UTC.
    """
    surname, _, given = bags[0].passenger.partition("/")
    airline, digits = flight.flight[:2], flight.flight[2:]
    said = Bags(
        outbound=Leg(
            airline, digits, write_day(departs_on(flight, now)), flight.other_airport, "Y"
        ),
        tags=tuple(TagRange(bag.licence_plate) for bag in bags),
        reconciliation=Reconciliation(
            authority_to_load=True, passenger_status="C", sequence=f"{number:03d}"
        ),
        weight=Weight("K", len(bags), 18 * len(bags)),
        passengers=(Passenger(surname, (given,)),),
    )
    envelope = Envelope(
        "QU",
        (f"{AIRPORT}BM{airline}",),
        f"{AIRPORT}KM{airline}",
        now.strftime("%d%H%M"),
        (f"{number}",),
    )
    message = compose_message("BSM", Version("L", AIRPORT), [said], envelope=envelope)
    return encode_message(message)
