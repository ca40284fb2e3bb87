"""What happened, for everyone who wants to know: frozen, past tense, one line in the outbox each.

A feature that needs another's news reads it here and never reaches into the other's tables.
"""

from typing import Literal

import msgspec


class _Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every event carries.

    Attributes
    ----------
    at_us
        When it happened, UTC microseconds since 1970-01-01, as far as known.
    """

    at_us: int


class GatewayStateChanged(_Happened, frozen=True, kw_only=True, tag="gateway_state_changed"):
    """A gateway came online, or is gone."""

    site: str
    gateway: str
    state: Literal["online", "gone"]


class GatewayHealthReported(_Happened, frozen=True, kw_only=True, tag="gateway_health_reported"):
    """A gateway told how it is."""

    site: str
    gateway: str


class GatewayClockCorrected(_Happened, frozen=True, kw_only=True, tag="gateway_clock_corrected"):
    """A gateway's time became known, or known better: what it saw in that boot has other times.

    Attributes
    ----------
    observations
        How many changed; journeys, flights and winds made of them have changed with them.
    """

    site: str
    gateway: str
    observations: int


class _FlightMoved(_Happened, frozen=True, kw_only=True):
    """A time of a flight became known, or known better.

    Attributes
    ----------
    flight_id
        The hub's own id of the flight.
    sigma_s
        Standard deviation of ``at_us``, seconds.
    stand
        The stand it left or reached, where there is one.
    """

    flight_id: str
    sigma_s: float
    stand: str | None = None


class FlightOffBlock(_FlightMoved, frozen=True, kw_only=True, tag="flight_off_block"):
    """A flight left its stand."""


class FlightAirborne(_FlightMoved, frozen=True, kw_only=True, tag="flight_airborne"):
    """A flight took off."""


class FlightLanded(_FlightMoved, frozen=True, kw_only=True, tag="flight_landed"):
    """A flight touched down."""


class FlightOnBlock(_FlightMoved, frozen=True, kw_only=True, tag="flight_on_block"):
    """A flight reached its stand."""


class FlightScheduled(_Happened, frozen=True, kw_only=True, tag="flight_scheduled"):
    """The schedule has a flight that is new, or tells something new of one: stand, gate, belt ...

    Attributes
    ----------
    at_us
        When the hub came to know.
    flight_id
        The hub's own id of the flight.
    """

    flight_id: str


class FlightTimeWithdrawn(_Happened, frozen=True, kw_only=True, tag="flight_time_withdrawn"):
    """A time told earlier, ``at_us``, turned out not to be this flight's."""

    flight_id: str
    what: Literal["off_block", "airborne", "landed", "on_block"]


class BagPassed(_Happened, frozen=True, kw_only=True, tag="bag_passed"):
    """A bag went past a place for the first time.

    Attributes
    ----------
    bag_id
        The hub's own id of the bag.
    point, belt
        Custody point and belt; None where a scanner does not say.
    """

    bag_id: str
    licence_plate: str
    site: str
    point: str | None = None
    belt: str | None = None
    ambiguous: bool = False


class BagChanged(_Happened, frozen=True, kw_only=True, tag="bag_changed"):
    """What is known of a bag changed.

    Attributes
    ----------
    at_us
        When the hub came to know.
    bag_id
        The hub's own id of the bag.
    state, was
        Its state now and before; ``was`` is None for a bag that is new.
    """

    bag_id: str
    licence_plate: str
    state: str
    was: str | None = None


class BagForgotten(_Happened, frozen=True, kw_only=True, tag="bag_forgotten"):
    """A bag turned out to be another one: nothing is kept under its id any more."""

    bag_id: str


class BagUnread(_Happened, frozen=True, kw_only=True, tag="bag_unread"):
    """A bag went past a place and neither tag nor code could be read."""

    site: str
    point: str | None = None
    belt: str | None = None


class BagMessageReceived(_Happened, frozen=True, kw_only=True, tag="bag_message_received"):
    """A baggage message (IATA RP1745) came in, and is one not seen before.

    Attributes
    ----------
    message_id
        The hub's own id of it.
    type
        BSM, BTM, BPM, BUM, BNS, BCM, BMM or BRQ.
    status
        CHG changed, DEL withdrawn; of a BCM what it controls (FOM flight open, ...).
    station
        The airport it is for.
    flights
        Outbound flights it names.
    bags
        How many licence plates it names.
    problems
        How many of its elements could not be read.
    """

    message_id: str
    type: str
    status: str | None = None
    station: str | None = None
    flights: tuple[str, ...] = ()
    bags: int = 0
    problems: int = 0


class _AlertEvent(_Happened, frozen=True, kw_only=True):
    """What became of an alert.

    Attributes
    ----------
    alert_id
        The hub's own id of the alert.
    alert_kind
        What sort of thing is wrong.
    subject
        ``bag <id>``, ``flight <id>``, ``belt <site> <belt>`` or ``ramp <airport>``.
    """

    alert_id: str
    alert_kind: str
    subject: str


class AlertRaised(_AlertEvent, frozen=True, kw_only=True, tag="alert_raised"):
    """Something is wrong."""

    severity: str
    reason: str


class AlertAcknowledged(_AlertEvent, frozen=True, kw_only=True, tag="alert_acknowledged"):
    """Somebody looks after it."""

    by: str


class AlertCleared(_AlertEvent, frozen=True, kw_only=True, tag="alert_cleared"):
    """It is wrong no more."""


class AccountLocked(_Happened, frozen=True, kw_only=True, tag="account_locked"):
    """So many wrong passwords or codes came for an account that nobody gets in with one now.

    Attributes
    ----------
    user_id
        The account's UUID: its name goes into no event.
    """

    user_id: str
    after_tries: int


class AccountUnlocked(_Happened, frozen=True, kw_only=True, tag="account_unlocked"):
    """An administrator opened a locked account again."""

    user_id: str


class EpcisEventsKept(_Happened, frozen=True, kw_only=True, tag="epcis_events_kept"):
    """EPCIS events were captured, or made of journeys.

    Attributes
    ----------
    events
        How many.
    """

    events: int


class WebhookDied(_Happened, frozen=True, kw_only=True, tag="webhook_died"):
    """A webhook was given up: nothing has reached its server for hours."""

    webhook_id: str
    url: str
    reason: str


class WebhookRevived(_Happened, frozen=True, kw_only=True, tag="webhook_revived"):
    """A webhook is tried again, or there is none any more."""

    webhook_id: str


class PassengerLinkRevoked(_Happened, frozen=True, kw_only=True, tag="passenger_link_revoked"):
    """A passenger's link opens nothing any more.

    Attributes
    ----------
    link_id
        What the link is called; it does not open it.
    """

    link_id: str


class GuidanceChanged(_Happened, frozen=True, kw_only=True, tag="guidance_changed"):
    """A passenger is advised otherwise than before: another thing to do, another place or time.

    Told of links that staff or an airline made, never with a name.

    Attributes
    ----------
    link_id
        What the passenger's link is called, as it was told when it was made.
    changed
        What is new: ``phase``, ``belt``, ``gate``, ``first_bag`` ...
    phase
        What there is to do, as ``GET /api/guidance/{token}`` names it.
    flight, onward
        The flight they come with or leave with, and the one they change to.
    first_from_us, first_to_us, last_by_us
        When the first bags come (10 and 90 %), and by when all (90 %), UTC microseconds.
    """

    link_id: str
    changed: tuple[str, ...]
    phase: str
    flight: str | None = None
    belt: str | None = None
    gate: str | None = None
    onward: str | None = None
    first_from_us: int | None = None
    first_to_us: int | None = None
    last_by_us: int | None = None


class _RampEvent(_Happened, frozen=True, kw_only=True, omit_defaults=False):
    """What became of an airport's ramp.

    Attributes
    ----------
    airport
        ICAO code.
    reason
        As `aerocast_hub.weather.ramp_rule` names it.
    """

    airport: str
    reason: str
    notice: str = "Not for flight operations. Ramp limits are the operator's own."


class RampClosed(_RampEvent, frozen=True, kw_only=True, tag="ramp_closed"):
    """Nobody may work on the ramp; ``since_us`` is when what closed it was observed."""

    since_us: int


class RampReopened(_RampEvent, frozen=True, kw_only=True, tag="ramp_reopened"):
    """The ramp is open again, or open with caution."""

    state: Literal["open", "caution"]


class RampCautioned(_RampEvent, frozen=True, kw_only=True, tag="ramp_cautioned"):
    """Work on the ramp needs care."""


class RampUnknown(_RampEvent, frozen=True, kw_only=True, tag="ramp_unknown"):
    """Nobody knows any more whether the ramp is safe: a sensor is silent, or a report missing."""


class LowVisibility(
    _Happened, frozen=True, kw_only=True, tag="low_visibility", omit_defaults=False
):
    """An airport's low-visibility procedures changed."""

    airport: str
    procedures: Literal["normal", "prepare", "in_force", "unknown"]
    notice: str = "Not for flight operations. Ramp limits are the operator's own."


Event = (
    GatewayStateChanged
    | GatewayHealthReported
    | GatewayClockCorrected
    | FlightOffBlock
    | FlightAirborne
    | FlightLanded
    | FlightOnBlock
    | FlightTimeWithdrawn
    | FlightScheduled
    | BagPassed
    | BagChanged
    | BagForgotten
    | AccountLocked
    | AccountUnlocked
    | AlertRaised
    | AlertAcknowledged
    | AlertCleared
    | BagUnread
    | BagMessageReceived
    | EpcisEventsKept
    | WebhookDied
    | WebhookRevived
    | PassengerLinkRevoked
    | GuidanceChanged
    | RampClosed
    | RampReopened
    | RampCautioned
    | RampUnknown
    | LowVisibility
)
"""Every event there is; a new one is added here, with its own ``tag``."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def kind_of(event: Event) -> str:
    """Name an event as the outbox and live pages do: ``bag_passed``."""
    return str(event.__struct_config__.tag)


def encode_event(event: Event) -> bytes:
    """Encode an event for the outbox."""
    return _encoder.encode(event)


def decode_event(encoded: bytes) -> Event:
    """Decode an event from the outbox.

    Raises
    ------
    msgspec.MsgspecError
        It is of a kind this version does not know.
    """
    return _decoder.decode(encoded)
