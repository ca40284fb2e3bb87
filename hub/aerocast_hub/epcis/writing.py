"""Events as documents."""

import time
from collections.abc import Sequence

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from aerocast_protocols.epcis.vocabulary import CONTEXT

from aerocast_hub.epcis.store import Found

SCHEMA_VERSION = "2.0"


def document(
    found: Sequence[Found], query: str = "SimpleEventQuery", subscription: str | None = None
) -> bytes:
    """Write events as a query document.

    Prefixes of all of them stand in its context; an event whose prefix means something else than
    an earlier one's brings its own.
    """
    prefixes: dict[str, object] = {}
    events: list[msgspec.Raw] = []
    for each in found:
        own: dict[str, object] = {}
        for part in msgspec.json.decode(each.context):
            own |= part
        if all(prefixes.get(name, value) == value for name, value in own.items()):
            prefixes |= own
            events.append(msgspec.Raw(each.body))
        else:
            body = msgspec.json.decode(each.body)
            events.append(msgspec.Raw(msgspec.json.encode({"@context": [CONTEXT, own], **body})))
    results: dict[str, object] = {"queryName": query, "resultsBody": {"eventList": events}}
    if subscription is not None:
        results["subscriptionID"] = subscription
    return msgspec.json.encode(
        {
            "@context": [CONTEXT, *([prefixes] if prefixes else [])],
            "type": "EPCISQueryDocument",
            "schemaVersion": SCHEMA_VERSION,
            "creationDate": time_text(time.time_ns() // 1000),
            "epcisBody": {"queryResults": results},
        }
    )


def alone(found: Found) -> bytes:
    """Write an event with its own context."""
    event = {"@context": [CONTEXT, *msgspec.json.decode(found.context)]}
    return msgspec.json.encode(event | msgspec.json.decode(found.body))
