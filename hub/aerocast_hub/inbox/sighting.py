"""One observation as the features meet it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.observations.every import Observation
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events.every import Event


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway saw, who it was and when.

    Unique for ever by (site, gateway, epoch, lane, sequence).

    Attributes
    ----------
    seen_at_us
        UTC microseconds since 1970-01-01, as far as known: the gateway's time since boot put on
        the best clock known of that boot.
    clock_quality
        How good that clock is: 0 the hub's own receipt, 1 saved at shutdown, 2 hardware clock,
        3 network time, 4 GPS.
    """

    site: str
    gateway: str
    epoch: int
    lane: int
    sequence: int
    seen_at_us: int
    clock_quality: int
    observation: Observation

    def key(self) -> dict[str, object]:
        """Give what names it for ever, as columns."""
        return {
            "site": self.site,
            "gateway": self.gateway,
            "epoch": self.epoch,
            "lane": self.lane,
            "sequence": self.sequence,
        }


Absorb = Callable[[AsyncSession, Sequence[Sighting]], Awaitable[list[Event]]]
"""A feature's share of the inbox's transaction.

Called with newly stored sightings only, in no order to rely on. It writes through the session it
is given (never commits) and gives the events to publish once the transaction is committed.
"""


def lives_on(*kinds: type[Observation]) -> Callable[[Absorb], Absorb]:
    """Say of an absorb function that it makes something of these kinds alone.

    The inbox calls it for no others: most of what gateways see (single tag reads) is of use to no
    feature, and costs none of them a look.
    """

    def note(absorb: Absorb) -> Absorb:
        _KINDS[absorb] = frozenset(kinds)
        return absorb

    return note


def kinds_of(absorb: Absorb) -> frozenset[type[Observation]] | None:
    """Give the kinds a feature lives on; None when it takes every kind."""
    return _KINDS.get(absorb)


_KINDS: dict[Absorb, frozenset[type[Observation]]] = {}


class Retimed(NamedTuple):
    """A stored sighting on a better clock, and when it was thought to have been before."""

    sighting: Sighting
    was_at_us: int


Retime = Callable[[AsyncSession, Sequence[Retimed]], Awaitable[list[Event]]]
"""A feature's share of a correction of times.

Called with sightings it was given before, now with other times, in no order to rely on. What it
made of them it makes again, and gives the events that tell what changed by it.
"""
