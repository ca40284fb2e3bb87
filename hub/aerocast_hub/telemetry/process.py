"""What this process is called in traces and logs.

Names follow OpenTelemetry's semantic conventions for services (1.34, `service.*`): a name is the
same for all processes that do the same, and an instance has an id of its own. A hub of every
service is ``aerocast-hub``; one of some says which: ``aerocast-hub-baggage``.
"""

import uuid
from collections.abc import Sequence
from importlib.metadata import version

from aerocast_hub.settings import SERVICES

NAMESPACE = "aerocast"
HUB, AGENT = "aerocast-hub", "aerocast-agent"
VERSION = version("aerocast-hub")
INSTANCE = str(uuid.uuid4())
"""This process and no other, until it ends."""


def name_of(services: Sequence[str]) -> str:
    """Name a hub by the services it runs, in whatever order they are given."""
    run = [name for name in SERVICES if name in services]
    return HUB if len(run) == len(SERVICES) else "-".join((HUB, *run))
