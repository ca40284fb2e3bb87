"""What other systems may subscribe to, as an AsyncAPI 3.0 document made from the events. Pure."""

import inspect
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from aerocast_hub.announcing.cloud_event import (
    MEDIA_TYPE,
    TYPE_PREFIX,
    WITHHELD,
    CloudEvent,
)
from aerocast_hub.events.every import Event

EXCHANGE = "aerocast.events"
_SCHEMAS = "#/components/schemas"


def asyncapi(version: str) -> dict[str, Any]:
    """Give the document for a version of the hub."""
    kinds = {str(each.__struct_config__.tag): each for each in get_args(Event)}
    _, schemas = msgspec.json.schema_components(
        [CloudEvent, *kinds.values()], ref_template=_SCHEMAS + "/{name}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "AeroCast hub: what happens at an airport",
            "version": version,
            "description": (
                "Every event is sent once it is committed, in order, at least once: `source` and"
                " `id` together name it for ever. Nothing names a passenger or one of the staff."
                " Where the hub keeps traces, `traceparent` (CloudEvents' extension of Distributed"
                " Tracing) names the one that made the event."
                " What was missed is asked for at `GET /api/events?after=ID`, for a day."
            ),
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": {
            "rabbitmq": {
                "host": "{host}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "The RabbitMQ of the setting AMQP_URL.",
                "variables": {"host": {"default": "localhost:5672"}},
            }
        },
        "channels": {kind: _channel(kind, each) for kind, each in kinds.items()},
        "operations": {
            f"send_{kind}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{kind}"},
                "summary": _first_line(each),
                "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": "0.3.0"}},
            }
            for kind, each in kinds.items()
        },
        "components": {
            "messages": {kind: _message(kind, each) for kind, each in kinds.items()},
            "schemas": {name: _outside(name, each) for name, each in sorted(schemas.items())},
        },
    }


def _channel(kind: str, event: type[Any]) -> dict[str, Any]:
    return {
        "address": f"{kind}.{{place}}",
        "description": f"{_first_line(event)} Routing keys of the topic exchange `{EXCHANGE}`.",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "parameters": {
            "place": {"description": "Site or airport in lower case; `-` where none is told."}
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": EXCHANGE, "type": "topic", "durable": True},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _message(kind: str, event: type[Any]) -> dict[str, Any]:
    typed = {"type": {"const": TYPE_PREFIX + kind}}
    data = {"data": {"$ref": f"{_SCHEMAS}/{event.__name__}"}}
    return {
        "name": kind,
        "title": event.__name__,
        "summary": _first_line(event),
        "contentType": MEDIA_TYPE,
        "payload": {"allOf": [{"$ref": f"{_SCHEMAS}/CloudEvent"}, {"properties": typed | data}]},
    }


def _outside(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema without what nobody outside is told."""
    hidden = set() if name == "CloudEvent" else WITHHELD | {"kind"}
    told = dict(schema)
    told["description"] = inspect.cleandoc(schema.get("description", ""))
    told["properties"] = {
        key: each for key, each in schema.get("properties", {}).items() if key not in hidden
    }
    told["required"] = [each for each in schema.get("required", ()) if each not in hidden]
    return told


def _first_line(event: type[Any]) -> str:
    return inspect.getdoc(event).splitlines()[0]  # type: ignore[union-attr]  # every event has one
