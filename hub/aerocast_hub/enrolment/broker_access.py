"""What a client may do at the broker, by who it is: decided from its name and the topic alone.

A gateway speaks under its own ``up`` and hears its own ``down``; the hub hears every ``up`` and
speaks on every ``down``. RabbitMQ writes topics with dots and keeps queues for its MQTT clients.
"""

import re
from typing import Literal, NamedTuple

from aerocast_hub.enrolment.certificates import HUB, parse_common_name

Action = Literal["publish", "subscribe"]
EXCHANGE = "amq.topic"
_GATEWAYS_UP = {"0", "1", "2", "status", "twin", "result"}
_NAME = r"[a-z0-9-]{1,32}"
_HUBS_DOWN = re.compile(rf"aerocast/1/{_NAME}/{_NAME}/down/(ack|desired|command)\Z")
_HUBS_UP = re.compile(
    rf"(\$share/[^/+#]{{1,64}}/)?aerocast/1/({_NAME}|\+)/({_NAME}|\+)/up/([0-2]|[a-z]+|\+|#)\Z"
)


class Resource(NamedTuple):
    """Something of RabbitMQ's: ``kind`` is exchange, queue or topic; ``wish`` what to do to it."""

    kind: str
    name: str
    wish: str


def may(username: str, action: Action, topic: str) -> bool:
    """Say whether a client of this name may publish to a topic, or subscribe to a filter."""
    if username == HUB:
        wanted = _HUBS_DOWN if action == "publish" else _HUBS_UP
        return wanted.match(topic) is not None
    who = parse_common_name(username)
    if who is None:
        return False
    root, _, kind = topic.rpartition("/")
    if action == "publish":
        return root == f"aerocast/1/{username}/up" and kind in _GATEWAYS_UP
    return root == f"aerocast/1/{username}/down" and kind in {"ack", "desired", "command"}


def may_use(username: str, resource: Resource, routing_key: str | None) -> bool:
    """Say whether a client may do this to something of RabbitMQ's.

    MQTT clients publish to and bind from one exchange, where the topic is looked at beside
    (``routing_key``), and have a queue each, named by their client id.
    """
    if username != HUB and parse_common_name(username) is None:
        return False
    if resource.kind == "topic":
        return routing_key is not None and _may_by_key(username, resource, routing_key)
    if resource.kind == "exchange":
        return resource.name == EXCHANGE and resource.wish in {"read", "write"}
    return resource.kind == "queue" and _is_own_queue(username, resource.name)


def _may_by_key(username: str, resource: Resource, routing_key: str) -> bool:
    topic = routing_key.replace(".", "/").replace("*", "+")
    return resource.name == EXCHANGE and may(
        username, "publish" if resource.wish == "write" else "subscribe", topic
    )


def _is_own_queue(username: str, queue: str) -> bool:
    """Say whether a queue is one RabbitMQ keeps for this client's ids.

    A gateway's are ``site.gateway`` and, for its doctor, ``site.gateway.doctor``; a hub's begin
    with its name.
    """
    ids = rf"{HUB}-[0-9a-f]+" if username == HUB else _client_ids(username)
    return re.fullmatch(rf"mqtt-subscription-{ids}qos[01]", queue) is not None


def _client_ids(username: str) -> str:
    return re.escape(username.replace("/", ".")) + r"(\.doctor)?"
