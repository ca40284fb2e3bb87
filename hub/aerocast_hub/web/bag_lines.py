"""Bags as the operators' pages show them."""

from collections.abc import Sequence

from aerocast_hub.baggage.bags import Bag
from aerocast_hub.web.views import BagLine

SHOWN = 14


def bag_lines(in_motion: Sequence[Bag]) -> tuple[BagLine, ...]:
    """Give the bags last seen, the newest first."""
    return tuple(_line(bag) for bag in in_motion[:SHOWN])


def _line(bag: Bag) -> BagLine:
    journey = bag.journey
    flags = [name for name in ("ambiguous", "duplicate") if getattr(journey, name)]
    return BagLine(
        bag_id=bag.id,
        plate=bag.licence_plate,
        at_us=journey.last_seen_us,
        state=journey.state,
        flight=bag.flight,
        belt=journey.last_belt,
        flags=tuple(flags),
    )
