"""Names of the MQTT topics between gateways and hub.

``aerocast/1/<site>/<gateway>/up/<lane>`` and its siblings. Names are ``[a-z0-9-]{1,32}``: no ``$``
(brokers keep it), no ``.`` (NATS maps it), no wildcard.
"""

import re
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

ROOT = "aerocast/1"
NAME = re.compile(r"[a-z0-9-]{1,32}\Z")
EVERY_UP = f"{ROOT}/+/+/up/#"
_KINDS = frozenset({"0", "1", "2", "status", "twin", "result"})


class UpTopic(NamedTuple):
    """Who speaks, and of what: a lane's number or ``status``, ``twin``, ``result``."""

    site: str
    gateway: str
    kind: str


def is_name(name: str) -> bool:
    """Say whether a site or gateway may be called this."""
    return NAME.match(name) is not None


def up(site: str, gateway: str, kind: str | int) -> str:
    """Name a topic a gateway publishes: a lane's number, ``status``, ``twin`` or ``result``."""
    return f"{ROOT}/{site}/{gateway}/up/{kind}"


def down(site: str, gateway: str, kind: str) -> str:
    """Name a topic the hub publishes: ``ack``, ``desired`` or ``command``."""
    return f"{ROOT}/{site}/{gateway}/down/{kind}"


def parse_up(topic: str) -> UpTopic:
    """Read a gateway's topic.

    Raises
    ------
    ProtocolError
        It is none of ours.
    """
    parts = topic.split("/")
    if len(parts) != 6 or parts[0:2] != ["aerocast", "1"] or parts[4] != "up":
        raise ProtocolError(f"topic {topic[:200]!r} is not a gateway's")
    site, gateway, kind = parts[2], parts[3], parts[5]
    if not is_name(site) or not is_name(gateway) or kind not in _KINDS:
        raise ProtocolError(f"topic {topic[:200]!r} is not a gateway's")
    return UpTopic(site, gateway, kind)
