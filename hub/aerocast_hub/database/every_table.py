"""Every feature's tables, so that migrations and tests see the whole. A new one adds its line."""

from aerocast_hub.alerts import tables as alerts
from aerocast_hub.audit import tables as audit
from aerocast_hub.auth import tables as auth
from aerocast_hub.auth.api_keys import tables as api_keys
from aerocast_hub.auth.limiting import tables as attempts
from aerocast_hub.auth.oidc import tables as provider
from aerocast_hub.auth.second_factors import tables as second_factors
from aerocast_hub.auth.sessions import tables as sessions
from aerocast_hub.baggage import message_tables as bag_messages
from aerocast_hub.baggage import tables as baggage
from aerocast_hub.database import Base
from aerocast_hub.epcis import tables as epcis
from aerocast_hub.flights import tables as flights
from aerocast_hub.gateways import tables as gateways
from aerocast_hub.inbox import tables as inbox
from aerocast_hub.leases import tables as leases
from aerocast_hub.orientation import tables as orientation
from aerocast_hub.orientation.places import tables as places
from aerocast_hub.outbox import tables as outbox
from aerocast_hub.shared_keys import tables as shared_keys
from aerocast_hub.weather import nowcast_tables as nowcasts
from aerocast_hub.weather import ramp_tables as ramps
from aerocast_hub.weather import tables as weather
from aerocast_hub.weather import taf_tables as forecasts
from aerocast_hub.weather import wind_tables as winds
from aerocast_hub.weather.feeds import feed_tables as feeds
from aerocast_hub.webhooks import tables as webhooks

__all__ = [
    "METADATA",
    "alerts",
    "api_keys",
    "attempts",
    "audit",
    "auth",
    "bag_messages",
    "baggage",
    "epcis",
    "feeds",
    "flights",
    "forecasts",
    "gateways",
    "inbox",
    "leases",
    "nowcasts",
    "orientation",
    "outbox",
    "places",
    "provider",
    "ramps",
    "second_factors",
    "sessions",
    "shared_keys",
    "weather",
    "webhooks",
    "winds",
]

METADATA = Base.metadata
