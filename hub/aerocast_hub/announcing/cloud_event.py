"""An event as other systems get it: CloudEvents 1.0.2, JSON format, structured mode. Pure.

``source`` and ``id`` together name an event for ever (§3.1.1): who gets it twice knows it again.
``sequence`` is the extension of that name: text that sorts in the order of the events;
``traceparent`` that of Distributed Tracing: what the hub was doing when it made the event, and not
how the event came to whoever reads it. What names a person of the staff, or may hold a partner's
secret, stays inside.
"""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from aerocast_hub.events.every import Event, kind_of

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
TYPE_PREFIX = "aerocast.hub."
HUB_WITHOUT_NAME = "urn:aerocast:hub"
"""As source, of a hub that was not told its own address."""
DIGITS = 19  # of the greatest id: text of equal length sorts as numbers do

WITHHELD = frozenset({"by", "url"})
"""Fields nobody outside is told: an account's name, and where a partner's webhook is."""
_SUBJECTS = ("bag_id", "flight_id", "alert_id", "message_id", "webhook_id", "airport", "gateway")

KINDS = tuple(sorted(str(each.__struct_config__.tag) for each in get_args(Event)))
"""Every kind of event there is."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One event in its envelope.

    Attributes
    ----------
    id, sequence
        Its number in the outbox, as it is and with leading zeros.
    source
        The hub's own address.
    type
        ``aerocast.hub.`` and the kind of event.
    subject
        What it is about: the hub's id of a bag, flight or alert, an airport, a gateway.
    time
        When it happened, RFC 3339.
    traceparent
        The trace that made it (W3C Trace Context); left out where nobody kept one.
    data
        The event as the live stream tells it, but for its ``kind`` and what is withheld.
    """

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    sequence: str
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    datacontenttype: str = "application/json"
    data: dict[str, Any]


def cloud_event(
    number: int, event: Event, source: str, traceparent: str | None = None
) -> CloudEvent:
    """Put an event into its envelope; ``number`` is its id in the outbox."""
    told = msgspec.to_builtins(event)
    return CloudEvent(
        id=str(number),
        source=source,
        type=TYPE_PREFIX + kind_of(event),
        subject=subject_of(event),
        time=instant_text(event.at_us),
        sequence=str(number).zfill(DIGITS),
        traceparent=msgspec.UNSET if traceparent is None else traceparent,
        data={name: each for name, each in told.items() if name not in WITHHELD | {"kind"}},
    )


def routing_key(event: Event) -> str:
    """Give the exchange's routing key: ``bag_passed.lfbo``, the kind and where it happened.

    Where that is not known it is ``-``, so that every key has two words.
    """
    place = getattr(event, "site", None) or getattr(event, "airport", None) or "-"
    return f"{kind_of(event)}.{str(place).lower().replace('.', '-')[:32]}"


def subject_of(event: Event) -> str:
    """Say what an event is about."""
    for name in _SUBJECTS:
        value = getattr(event, name, None)
        if value is not None:
            site = getattr(event, "site", "")
            return f"{site}/{value}" if name == "gateway" else str(value)
    return str(getattr(event, "site", None) or "hub")


def instant_text(at_us: int) -> str:
    """Write UTC microseconds as RFC 3339 with all six digits and ``Z``."""
    at_us = min(max(at_us, 0), 253_402_300_799_999_999)  # year 9999 is the last with four digits
    whole = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_us % 1_000_000:06}Z"
