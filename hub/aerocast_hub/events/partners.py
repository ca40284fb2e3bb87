"""What happens between the hub and other systems: EPCIS events, webhooks."""

from aerocast_hub.events.happened import Happened


class EpcisEventsKept(Happened, frozen=True, kw_only=True, tag="epcis_events_kept"):
    """EPCIS events were captured, or made of journeys.

    Attributes
    ----------
    events
        How many.
    """

    events: int


class WebhookDied(Happened, frozen=True, kw_only=True, tag="webhook_died"):
    """A webhook was given up: nothing has reached its server for hours."""

    webhook_id: str
    url: str
    reason: str


class WebhookRevived(Happened, frozen=True, kw_only=True, tag="webhook_revived"):
    """A webhook is tried again, or there is none any more."""

    webhook_id: str
