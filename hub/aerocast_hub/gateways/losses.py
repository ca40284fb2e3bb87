"""The loss account: what a gateway took in, what the hub has of it, where the rest went. Pure.

Every observation carries a number, each gateway says which numbers it still holds and which it
gave up. What has left the gateway, is not here and was not given up is an unexplained loss: in
normal life there is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from aerocast_hub.inbox.marks import Marks, Range, both, count, without

MOST_RANGES_TOLD = 100


class Eviction(NamedTuple):
    """A range a gateway gave up, and why."""

    first_sequence: int
    last_sequence: int
    reason: str


class Told(NamedTuple):
    """What a gateway last said of one of its lives: observations since that began."""

    accepted: int
    durable: int
    acknowledged: int
    evicted: int
    dead: int


class LaneAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one lane in one life of a gateway.

    Attributes
    ----------
    known
        Observations the hub knows were made: the highest number it has heard of.
    received
        Observations the hub has.
    refused
        Observations that arrived and could not be taken in: they are in quarantine here, and set
        aside at the gateway.
    awaited
        Observations the gateway holds and the hub asks for.
    explained
        Observations lost and accounted for, by the gateway's reason.
    unexplained
        Observations lost without a word; ``unexplained_ranges`` names the first hundred ranges.
    """

    epoch: int
    lane: int
    known: int
    received: int
    refused: int
    awaited: int
    explained: dict[str, int]
    unexplained: int
    unexplained_ranges: tuple[Range, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a gateway: sums over its lives, and the lanes in which something is missing.

    Attributes
    ----------
    accepted, durable
        Observations taken in, and committed to disk: as the gateway counts them every half minute,
        or as many as the hub knows of and has received, whichever is more.
    acknowledged, evicted, dead
        As the gateway counts them: known by it to be here, given up with a record, set aside
        because the hub refused them.
    received, refused, awaited, explained, unexplained
        As the hub counts them: see the lanes.
    """

    site: str
    gateway: str
    accepted: int
    durable: int
    acknowledged: int
    evicted: int
    dead: int
    received: int
    refused: int
    awaited: int
    explained: dict[str, int]
    unexplained: int
    lanes: tuple[LaneAccount, ...]


def account_of_lane(
    epoch: int, lane: int, marks: Marks, evictions: Iterable[Eviction]
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
        known=marks.known(),
        received=count(marks.received),
        refused=count(marks.turned_away()),
        awaited=count(without(marks.missing(), marks.refused)),
        explained=explained,
        unexplained=count(unexplained),
        unexplained_ranges=unexplained[:MOST_RANGES_TOLD],
    )


def account_of_gateway(
    site: str, gateway: str, lanes: Sequence[LaneAccount], told: Mapping[int, Told]
) -> Account:
    """Add up a gateway's lanes, and what it said itself of each life (by epoch)."""
    reasons = sorted({reason for lane in lanes for reason in lane.explained})
    known = dict.fromkeys(told, 0)
    held = dict.fromkeys(told, 0)
    for lane in lanes:
        known[lane.epoch] = known.get(lane.epoch, 0) + lane.known
        held[lane.epoch] = held.get(lane.epoch, 0) + lane.received + lane.refused
    nothing = Told(0, 0, 0, 0, 0)
    return Account(
        site=site,
        gateway=gateway,
        accepted=sum(max(told.get(each, nothing).accepted, some) for each, some in known.items()),
        durable=sum(max(told.get(each, nothing).durable, some) for each, some in held.items()),
        acknowledged=sum(each.acknowledged for each in told.values()),
        evicted=sum(each.evicted for each in told.values()),
        dead=sum(each.dead for each in told.values()),
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
