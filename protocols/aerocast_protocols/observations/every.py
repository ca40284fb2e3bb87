"""Every kind of observation, and the lane each travels in."""

from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_protocols.observations.bags import (
    BagPassage,
    CodeScan,
    GpioEdge,
    NoRead,
    TagRead,
    UnreadBag,
)
from aerocast_protocols.observations.cards import BadgeShown, BeaconSeen, CardPresented, CardRemoved
from aerocast_protocols.observations.gateways import (
    ClockAnchor,
    DeviceEvent,
    Evicted,
    GatewayHealth,
    PositionFix,
)
from aerocast_protocols.observations.weather import LightningStrike, LightningWatch, WeatherMeasured

CRITICAL, LIVE, BULK = 0, 1, 2
LANE_NAMES = ("critical", "live", "bulk")

Observation = (
    TagRead
    | BagPassage
    | UnreadBag
    | CodeScan
    | NoRead
    | PositionFix
    | CardPresented
    | BadgeShown
    | CardRemoved
    | BeaconSeen
    | GpioEdge
    | AircraftState
    | AircraftGroundEvent
    | AircraftWeather
    | WeatherMeasured
    | LightningStrike
    | LightningWatch
    | DeviceEvent
    | GatewayHealth
    | Evicted
    | ClockAnchor
)

_CRITICAL = (
    BagPassage,
    UnreadBag,
    CodeScan,
    NoRead,
    CardPresented,
    BadgeShown,
    AircraftGroundEvent,
    LightningStrike,
    Evicted,
)
_BULK = (TagRead, BeaconSeen)


def lane_of(observation: Observation) -> int:
    """Say how urgently an observation travels: 0 critical, 1 live, 2 bulk."""
    if isinstance(observation, _CRITICAL):
        return CRITICAL
    if isinstance(observation, _BULK):
        return BULK
    return LIVE
