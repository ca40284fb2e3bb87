"""What baggage messages say of a bag: the counterpart of `Seen`, to be folded into its journey.

Pure: a message and the moment it was received go in, one `Said` for every plate comes out. Years
are resolved, local times are made UTC by the station's time zone, and nothing in it is a name:
whose bag it is stands apart (`Owner`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from aerocast_protocols.baggage import (
    BagMessage,
    Bags,
    Leg,
    Processing,
    Reconciliation,
    Screening,
)

from aerocast_hub.airports import airport
from aerocast_hub.schedule import flight_key

MINUTE_US = 60_000_000
EARLY_US = 60 * MINUTE_US  # a time further in the future than this is a wrong clock's
LATE_US = 36 * 60 * MINUTE_US


class SaidLeg(msgspec.Struct, frozen=True, order=True):
    """A flight a message names.

    Attributes
    ----------
    flight, key
        As sent, and as compared (`flight_key`).
    date
        ISO date, local at the airport of departure; "" where the message names none.
    airport
        Where it goes to (of an inbound flight: where it came from), three letters or "".
    """

    flight: str
    key: str
    date: str = ""
    airport: str = ""
    travel_class: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one message says of one bag. Unknown is None.

    Attributes
    ----------
    message_id
        The hub's id of the message: the same however often it comes.
    licence_plate
        Ten digits.
    at_us
        What time it speaks of, UTC microseconds: of its ``.J``, else when it was sent, else
        received.
    received_at_us
        When the hub first received it.
    type
        BSM source, BTM transfer, BPM processed, BUM unload, BNS not seen, BMM manifest, BRQ
        request. BCM control messages name no bags.
    status
        None new, CHG changed, DEL withdrawn.
    source
        L local, T transfer; R and X: see `aerocast_protocols.baggage.Version`.
    station
        The airport the message is for; the outbound flight leaves here.
    inbound, outbound, onward
        The flights it comes from, leaves with, and goes on with.
    authority_to_load, authority_to_transport
        Whether it may be loaded.
    passenger_status
        B boarded, C checked in, N not boarded, S standby.
    sequence
        Check-in sequence number; with the flight it tells passengers apart without a name.
    screening
        Result of the last screening it names: CLR cleared, REJ rejected, UCL not cleared.
    exceptions
        PRIO, RUSH, VIP, CREW, HEAV, ...
    processing
        R reconciliation, S sortation, G ground tracking, H hand scanned.
    places
        Where it was processed, in the sender's own names.
    container
        The container it is in.
    irregularities
        NAL loaded without authority, OFF offloaded, OND, ONA on hand without, with authority.
    """

    message_id: str
    licence_plate: str
    at_us: int
    received_at_us: int
    type: str
    status: str | None = None
    source: Literal["L", "T", "X", "R"] | None = None
    station: str | None = None
    inbound: SaidLeg | None = None
    outbound: SaidLeg | None = None
    onward: tuple[SaidLeg, ...] = ()
    authority_to_load: bool | None = None
    authority_to_transport: bool | None = None
    passenger_status: str | None = None
    seat: str | None = None
    sequence: str | None = None
    security: str | None = None
    tag_status: str | None = None
    pieces: int | None = None
    weight: int | None = None
    weight_unit: str | None = None
    screening: str | None = None
    screening_method: str | None = None
    exceptions: tuple[str, ...] = ()
    processing: str | None = None
    places: tuple[str, ...] = ()
    container: str | None = None
    compartment: str | None = None
    irregularities: tuple[str, ...] = ()


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bags a message speaks of. Personal data.

    Attributes
    ----------
    plates
        The bags.
    pnr
        Booking reference.
    """

    plates: tuple[str, ...]
    surname: str
    pnr: str | None = None

    def __repr__(self) -> str:
        """Tell no name."""
        return f"Owner(plates={self.plates!r})"


def said_of(
    message: BagMessage,
    message_id: str,
    received_at_us: int,
    groups: Sequence[Bags] | None = None,
) -> list[Said]:
    """Give what a message says, one value for each plate (and group) it names.

    Parameters
    ----------
    message
        As parsed.
    message_id
        The hub's id of it.
    received_at_us
        When it was first received, UTC microseconds.
    groups
        What it says of bags, where parts received before it say more; None: what it says itself.
    """
    sent_at_us = _sent_at_us(message, received_at_us)
    return [
        said
        for bags in (message.bags if groups is None else groups)
        for said in _of_group(message, bags, message_id, received_at_us, sent_at_us)
    ]


def owners_of(groups: Sequence[Bags]) -> list[Owner]:
    """Give whose bags they are, where a name is given."""
    return [
        Owner(plates=bags.plates, surname=bags.passengers[0].surname, pnr=bags.pnr)
        for bags in groups
        if bags.passengers and bags.plates
    ]


def _of_group(
    message: BagMessage, bags: Bags, message_id: str, received_at_us: int, sent_at_us: int | None
) -> list[Said]:
    if not bags.plates:
        return []
    day = _moment(received_at_us).date()
    version, weight, stowed = message.version, bags.weight, bags.stowage
    station = None if version is None else version.station
    whose = bags.reconciliation or Reconciliation()
    processed = bags.processing[-1] if bags.processing else Processing()
    screened = next((each for each in reversed(bags.screening) if each.result), Screening())
    first = Said(
        message_id=message_id,
        licence_plate=bags.plates[0],
        at_us=_processed_at_us(processed, station, received_at_us) or sent_at_us or received_at_us,
        received_at_us=received_at_us,
        type=message.kind,
        status=message.status,
        source=None if version is None else version.source,
        station=station,
        inbound=_leg(bags.inbound, day),
        outbound=_leg(bags.outbound, day),
        onward=tuple(said for leg in bags.onward if (said := _leg(leg, day)) is not None),
        authority_to_load=whose.authority_to_load,
        authority_to_transport=whose.authority_to_transport,
        passenger_status=whose.passenger_status,
        seat=whose.seat,
        sequence=whose.sequence,
        security=whose.security,
        tag_status=whose.tag_status,
        pieces=None if weight is None else weight.pieces,
        weight=None if weight is None else weight.checked,
        weight_unit=None if weight is None else weight.unit,
        screening=screened.result,
        screening_method=screened.method,
        exceptions=bags.exceptions,
        processing=processed.code,
        places=processed.locations,
        container=None if stowed is None else stowed.device,
        compartment=None if stowed is None else stowed.compartment,
        irregularities=tuple(each.code for each in bags.irregularities),
    )
    others = (msgspec.structs.replace(first, licence_plate=each) for each in bags.plates[1:])
    return [first, *others]


def _leg(leg: Leg | None, received: dt.date) -> SaidLeg | None:
    if leg is None:
        return None
    day = leg.on(received)
    return SaidLeg(
        leg.flight,
        flight_key(leg.flight),
        "" if day is None else day.isoformat(),
        leg.airport or "",
        leg.travel_class or "",
    )


def _processed_at_us(processed: Processing, station: str | None, received_at_us: int) -> int | None:
    """Give when a bag was processed, UTC; None when that is not said, or cannot be."""
    clock = processed.at(_moment(received_at_us).date())
    zone = dt.UTC if processed.zone == "Z" else _zone(station)
    if clock is None or zone is None:
        return None
    return _plausible_us(clock.replace(tzinfo=zone), received_at_us)


def _sent_at_us(message: BagMessage, received_at_us: int) -> int | None:
    """Give when the envelope says it was sent: a day of the month and a time, UTC."""
    sent = None if message.envelope is None else message.envelope.sent
    if sent is None:
        return None
    received = _moment(received_at_us)
    for days_before in range(-1, 3):
        day = received.date() - dt.timedelta(days=days_before)
        if day.day == int(sent[:2]):
            clock = dt.time(int(sent[2:4]), int(sent[4:6]), tzinfo=dt.UTC)
            return _plausible_us(dt.datetime.combine(day, clock), received_at_us)
    return None


def _plausible_us(moment: dt.datetime, received_at_us: int) -> int | None:
    at_us = int(moment.timestamp()) * 1_000_000
    return at_us if -LATE_US <= at_us - received_at_us <= EARLY_US else None


def _zone(station: str | None) -> ZoneInfo | None:
    found = None if station is None else airport(station)
    return None if found is None else ZoneInfo(found.time_zone)


def _moment(at_us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_us // 1_000_000, dt.UTC)
