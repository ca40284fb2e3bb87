"""What must have happened though nobody saw it: a bag in the hold leaves with its aircraft. Pure.

Every inference names its rule and how sure it is; whatever is seen later overrides it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from aerocast_hub.baggage.evidence import Leg, Moved, Stowed
from aerocast_hub.baggage.journey import MINUTE_US, Inferred, Rule, State

BELIEVED = 0.6  # an inference at least this sure is the bag's state until something is seen
LOADED_HOURS = 12  # how long before a departure a read at the hold still speaks for it
MADE_UP_HOURS = 6


class Grounds(NamedTuple):
    """What inferences are made from.

    Attributes
    ----------
    custody
        Custody point -> when the bag was first seen there, UTC microseconds.
    stowed
        What it was last put into and not taken out of.
    moves
        Key and date of a flight -> what it did.
    """

    state: State
    custody: Mapping[str, int]
    legs: tuple[Leg, ...]
    stowed: Stowed | None
    moves: Mapping[tuple[str, str], Mapping[str, Moved]]
    is_screened: bool
    is_cancelled: bool


def infer(grounds: Grounds) -> tuple[Inferred, ...]:
    """Give what follows from what was seen, earliest first."""
    found: list[Inferred] = []
    custody = grounds.custody
    if not grounds.is_screened and custody and "screening" not in custody:
        beyond = [at for point in ("makeup", "loading") if (at := custody.get(point)) is not None]
        if beyond:
            found.append(_inferred("screened", min(beyond), "passed_beyond_screening", 0.5))
    if grounds.moves and grounds.state != "claimed":
        found += _flown(grounds)
        found.sort(key=lambda each: each.at_us)
    return tuple(found)


def _inferred(state: State, at_us: int, rule: Rule, confidence: float) -> Inferred:
    return Inferred(state=state, at_us=at_us, rule=rule, confidence=confidence)


def _flown(grounds: Grounds) -> list[Inferred]:
    found: list[Inferred] = []
    for leg in _flights(grounds):
        moves = grounds.moves.get((leg.key, leg.date), {})
        times = {what: each.at_us for what, each in moves.items() if not each.is_withdrawn}
        off_us = times.get("off_block") or times.get("airborne")
        on_us = times.get("on_block")
        aboard = _aboard(grounds, leg, off_us if off_us is not None else on_us)
        if off_us is not None and aboard is not None:
            found.append(_inferred("departed", off_us, *aboard))
        if on_us is None:
            continue
        if aboard is not None:
            found.append(_inferred("on_block", on_us, "in_the_hold_on_arrival", aboard[1]))
        elif not grounds.is_cancelled and grounds.state == "expected":
            found.append(_inferred("on_block", on_us, "announced_on_arrived_flight", 0.5))
    return found


def _flights(grounds: Grounds) -> tuple[Leg, ...]:
    leg = grounds.stowed.leg if grounds.stowed is not None else None
    if leg is None or any((each.key, each.date) == (leg.key, leg.date) for each in grounds.legs):
        return grounds.legs
    return (*grounds.legs, leg)


def _aboard(grounds: Grounds, leg: Leg, moved_us: int | None) -> tuple[Rule, float] | None:
    """Say how sure a bag was aboard when a flight moved; None when nothing says so."""
    stowed = grounds.stowed
    if moved_us is None or grounds.is_cancelled or grounds.state == "offloaded":
        return None
    if stowed is not None and stowed.leg is not None:
        same = (stowed.leg.key, stowed.leg.date) == (leg.key, leg.date)
        return ("in_the_hold_at_departure", 0.95) if same and stowed.at_us <= moved_us else None
    loading, makeup = grounds.custody.get("loading"), grounds.custody.get("makeup")
    if loading is not None and 0 <= moved_us - loading <= LOADED_HOURS * 60 * MINUTE_US:
        return "in_the_hold_at_departure", 0.9
    if makeup is not None and 0 <= moved_us - makeup <= MADE_UP_HOURS * 60 * MINUTE_US:
        return "made_up_at_departure", 0.6
    return None
