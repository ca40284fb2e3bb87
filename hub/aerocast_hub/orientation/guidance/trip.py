"""Where a passenger stands in their journey: which flight they are on, and which comes next. Pure.

Their flights are what most of their bags are booked on. A bag on another flight follows.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

import msgspec

from aerocast_hub.orientation.arrival_times import MINUTE_US
from aerocast_hub.orientation.guidance.views import BagView, FlightKey, FlightView

# Where nobody hears flights leave, one is taken to have left so long after its schedule.
LEFT_AFTER_US = 15 * MINUTE_US
# Nobody gets faster than that from one aircraft into the next and away with it.
CHANGES_IN_US = 10 * MINUTE_US

Stage = Literal["nowhere", "before", "flying", "changing", "too_late", "there"]
Chain = tuple[FlightView, ...]


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A passenger's bags, by plate, and the flights they themselves are on, in order."""

    bags: tuple[BagView, ...]
    flights: Chain


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a passenger stands in their journey.

    Attributes
    ----------
    stage
        ``nowhere`` known; ``before`` their first flight; ``flying``; ``changing`` aircraft;
        ``too_late`` for the next one, which had left; ``there``.
    flight
        The one they leave with, fly on, or came with.
    onward
        The one they go on with.
    """

    stage: Stage
    flight: FlightView | None = None
    onward: FlightView | None = None

    @property
    def airport(self) -> str | None:
        """The airport that matters now: until departure that of departure, then of arrival."""
        if self.flight is None:
            return None
        return self.flight.origin if self.stage == "before" else self.flight.destination


def trip_of(bags: Iterable[BagView]) -> Trip:
    """Make out a passenger's journey from their bags, in any order, repeated or not."""
    by_plate = {bag.licence_plate: bag for bag in sorted(bags, key=_order)}
    ordered = tuple(by_plate[plate] for plate in sorted(by_plate))
    own = [bag.flights for bag in ordered if bag.flights and not bag.is_rush]
    chains = own or [bag.flights for bag in ordered if bag.flights]
    return Trip(bags=ordered, flights=_of_most(chains))


def whereabouts(trip: Trip, now_us: int) -> Whereabouts:
    """Say where a passenger is, by what their flights have done and where their bags were seen."""
    if not trip.flights:
        return Whereabouts(stage="nowhere")
    first = trip.flights[0]
    if not first.has_arrived and not has_left(first, now_us):
        return Whereabouts(stage="before", flight=first)
    last = trip.flights[-1]
    is_there = last.has_arrived or _has_brought_a_bag(last, trip.bags)
    for flight, onward in pairwise(trip.flights):
        goes_on = is_there or onward.has_arrived or onward.left_us is not None
        if _left_without(flight, onward):
            return Whereabouts(stage="too_late", flight=flight, onward=onward)
        if not flight.has_arrived and not goes_on:
            return Whereabouts(stage="flying", flight=flight, onward=onward)
        if not goes_on and _may_wait(flight, onward, now_us):
            return Whereabouts(stage="changing", flight=flight, onward=onward)
    return Whereabouts(stage="there" if is_there else "flying", flight=last)


def has_left(flight: FlightView, now_us: int) -> bool:
    """Say whether a flight is on its way: heard off its stand or flying, else by the schedule."""
    if flight.left_us is not None:
        return True
    due_us = flight.progress.off_block_due_us
    return due_us is None or now_us >= due_us + LEFT_AFTER_US


def _has_brought_a_bag(flight: FlightView, bags: Iterable[BagView]) -> bool:
    """Say whether a bag that ends with a flight was seen on a belt there: then it came, unheard."""
    left_us = flight.progress.off_block_due_us if flight.left_us is None else flight.left_us
    return any(
        bag.came_with == flight.key
        and not bag.is_rush
        and bag.last_seen_us is not None
        and bag.last_seen_us > (left_us or 0)
        for bag in bags
    )


def _left_without(flight: FlightView, onward: FlightView) -> bool:
    """Say whether the next flight left before anybody could change to it; unheard ones may come."""
    came_us = _came_us(flight)
    if onward.left_us is None:
        return False
    if came_us is None:
        return flight.left_us is not None
    return onward.left_us <= came_us + CHANGES_IN_US


def _may_wait(flight: FlightView, onward: FlightView, now_us: int) -> bool:
    """Say whether somebody who came is still to change to a flight that was not heard to leave.

    When the schedule says it left before they could, they are not on it: it waited, or is missed.
    """
    due_us, came_us = onward.progress.off_block_due_us, _came_us(flight)
    if due_us is None or not has_left(onward, now_us):
        return True
    return came_us is not None and due_us + LEFT_AFTER_US <= came_us + CHANGES_IN_US


def _came_us(flight: FlightView) -> int | None:
    known = flight.progress
    return known.on_block_us if known.on_block_us is not None else known.landed_us


def _of_most(chains: list[Chain]) -> Chain:
    """Choose the flights most bags are booked on; of as many, the longer ones, then the earlier."""
    by_keys = {_keys(chain): chain for chain in sorted(chains, key=repr)}
    if not by_keys:
        return ()
    votes = Counter(keys for keys in by_keys for chain in chains if _is_part(_keys(chain), of=keys))
    best = min(by_keys, key=lambda keys: (-votes[keys], -len(keys), _leaves(by_keys[keys]), keys))
    return by_keys[best]


def _keys(chain: Chain) -> tuple[FlightKey, ...]:
    return tuple(flight.key for flight in chain)


def _is_part(keys: tuple[FlightKey, ...], *, of: tuple[FlightKey, ...]) -> bool:
    """Say whether a bag of some flights may belong to somebody on these: it knows a part."""
    return any(of[i : i + len(keys)] == keys for i in range(len(of) - len(keys) + 1))


def _leaves(chain: Chain) -> tuple[str, int]:
    return chain[-1].date, chain[-1].progress.off_block_due_us or 0


def _order(bag: BagView) -> tuple[int, str]:
    return bag.last_seen_us or 0, repr(bag)
