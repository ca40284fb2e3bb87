"""The loss account: what a gateway saw, what the hub has of it, and where the rest went. Pure.

Every observation carries a number, each gateway says which numbers it still holds and which it
gave up. What has left the gateway, is not here and was not given up is an unexplained loss: in
normal life there is none.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from aerocast_hub.inbox.marks import Marks, Range, both, count, without

MOST_RANGES_TOLD = 100


class Eviction(NamedTuple):
    """A range a gateway gave up, and why."""

    first_sequence: int
    last_sequence: int
    reason: str


class LaneAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one lane in one life of a gateway.

    Attributes
    ----------
    received
        Observations the hub has, ``refused`` ones included.
    refused
        Observations that arrived and could not be read.
    awaited
        Observations the gateway holds and the hub asks for.
    explained
        Observations lost and accounted for, by the gateway's reason.
    unexplained
        Observations lost without a word; ``unexplained_ranges`` names the first hundred ranges.
    """

    epoch: int
    lane: int
    received: int
    refused: int
    awaited: int
    explained: dict[str, int]
    unexplained: int
    unexplained_ranges: tuple[Range, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a gateway: sums, and the lanes in which something is missing."""

    site: str
    gateway: str
    received: int
    refused: int
    awaited: int
    explained: dict[str, int]
    unexplained: int
    lanes: tuple[LaneAccount, ...]


def account_of_lane(
    epoch: int, lane: int, marks: Marks, refused: int, evictions: Iterable[Eviction]
) -> LaneAccount:
    """Settle one lane. Evictions that overlap count once, under the reason first in the alphabet.

    A range given up of which no eviction is kept any more counts under ``unknown``.
    """
    explained: dict[str, int] = {}
    left = marks.explained()
    for eviction in sorted(evictions, key=lambda each: (each.reason, *each)):
        given_up = ((eviction.first_sequence, eviction.last_sequence),)
        if numbers := count(both(left, given_up)):
            explained[eviction.reason] = explained.get(eviction.reason, 0) + numbers
            left = without(left, given_up)
    if left:
        explained["unknown"] = count(left)
    unexplained = marks.unexplained()
    return LaneAccount(
        epoch=epoch,
        lane=lane,
        received=count(marks.received),
        refused=refused,
        awaited=count(marks.missing()),
        explained=explained,
        unexplained=count(unexplained),
        unexplained_ranges=unexplained[:MOST_RANGES_TOLD],
    )


def account_of_gateway(site: str, gateway: str, lanes: Sequence[LaneAccount]) -> Account:
    """Add up a gateway's lanes."""
    reasons = sorted({reason for lane in lanes for reason in lane.explained})
    return Account(
        site=site,
        gateway=gateway,
        received=sum(lane.received for lane in lanes),
        refused=sum(lane.refused for lane in lanes),
        awaited=sum(lane.awaited for lane in lanes),
        explained={
            reason: sum(lane.explained.get(reason, 0) for lane in lanes) for reason in reasons
        },
        unexplained=sum(lane.unexplained for lane in lanes),
        lanes=tuple(
            lane
            for lane in lanes
            if lane.refused or lane.awaited or lane.explained or lane.unexplained
        ),
    )
