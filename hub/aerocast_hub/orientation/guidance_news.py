"""When a passenger's advice changes so much that an airline's app should say so. Pure.

Compared is what an app was told last with what would be told now. A time that moves by a few
minutes is no news; another belt, another gate or another thing to do is.
"""

import msgspec

from aerocast_hub.events.passengers import GuidanceChanged
from aerocast_hub.orientation.arrival_times import MINUTE_US, Quantiles
from aerocast_hub.orientation.guidance import Advice

MOVED_US = 5 * MINUTE_US

FINAL = frozenset({"done", "unknown"})
"""Phases that time alone does not end."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an app knows of an advice: what to do, where, and when bags come."""

    phase: str
    flight: str | None = None
    belt: str | None = None
    gate: str | None = None
    onward: str | None = None
    troubles: tuple[str, ...] = ()
    first_bag: Quantiles | None = None
    last_bag: Quantiles | None = None


def told_of(advice: Advice) -> Told:
    """Give what an app is told of an advice."""
    return Told(
        phase=advice.phase,
        flight=advice.flight,
        belt=advice.belt,
        gate=advice.gate,
        onward=advice.onward,
        troubles=tuple(sorted(bag.trouble for bag in advice.bags if bag.trouble is not None)),
        first_bag=advice.first_bag,
        last_bag=advice.last_bag,
    )


def what_changed(was: Told | None, now: Told) -> tuple[str, ...]:
    """Name what an app should say: ``phase``, ``belt``, ``first_bag`` ...; nothing: no news.

    Everything that is known is new to an app that was told nothing.
    """
    if was is None:
        return tuple(name for name in Told.__struct_fields__ if getattr(now, name))
    return tuple(
        name for name in Told.__struct_fields__ if _differs(getattr(was, name), getattr(now, name))
    )


def news(link_id: str, was: Told | None, now: Told, at_us: int) -> GuidanceChanged | None:
    """Give the event a change is, for one of the passenger's links; None when it is no news."""
    changed = what_changed(was, now)
    if not changed:
        return None
    first, last = now.first_bag, now.last_bag
    return GuidanceChanged(
        at_us=at_us,
        link_id=link_id,
        changed=changed,
        phase=now.phase,
        flight=now.flight,
        belt=now.belt,
        gate=now.gate,
        onward=now.onward,
        first_from_us=None if first is None else first.p10_us,
        first_to_us=None if first is None else first.p90_us,
        last_by_us=None if last is None else last.p90_us,
    )


def _differs(was: object, now: object) -> bool:
    if isinstance(was, Quantiles) and isinstance(now, Quantiles):
        return abs(was.p50_us - now.p50_us) > MOVED_US or abs(was.p90_us - now.p90_us) > MOVED_US
    return was != now
