"""Every event there is, and how the outbox keeps it."""

import msgspec

from aerocast_hub.events.accounts import AccountLocked, AccountUnlocked
from aerocast_hub.events.alerts import AlertAcknowledged, AlertCleared, AlertRaised
from aerocast_hub.events.bags import (
    BagChanged,
    BagForgotten,
    BagMessageReceived,
    BagPassed,
    BagUnread,
)
from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightScheduled,
    FlightTimeWithdrawn,
)
from aerocast_hub.events.gateways import (
    GatewayClockCorrected,
    GatewayHealthReported,
    GatewayOrderAnswered,
    GatewayOrdered,
    GatewayStateChanged,
)
from aerocast_hub.events.partners import EpcisEventsKept, WebhookDied, WebhookRevived
from aerocast_hub.events.passengers import GuidanceChanged, PassengerLinkRevoked
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.events.ramp import (
    LowVisibility,
    RampCautioned,
    RampClosed,
    RampReopened,
    RampUnknown,
)

Event = (
    GatewayStateChanged
    | GatewayHealthReported
    | GatewayClockCorrected
    | GatewayOrdered
    | GatewayOrderAnswered
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
    | PlacesChanged
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
