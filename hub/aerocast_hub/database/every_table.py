"""Every feature's tables, so that migrations and tests see the whole. A new one adds its line."""

from aerocast_hub.database import Base
from aerocast_hub.gateways import tables as gateways
from aerocast_hub.inbox import tables as inbox
from aerocast_hub.outbox import tables as outbox

__all__ = ["METADATA", "gateways", "inbox", "outbox"]

METADATA = Base.metadata
