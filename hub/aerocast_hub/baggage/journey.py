"""A bag's journey: where it has been, where it is, and what is doubtful about it.

`aerocast_hub.baggage.fold.journey_of` makes it of everything known of the bag.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from aerocast_hub.baggage.containment import Place
from aerocast_hub.baggage.evidence import Leg, PassengerStatus, Witness

State = Literal[
    "expected", "accepted", "screened", "sorted", "made_up", "loaded", "departed", "on_block",
    "transfer", "arrived", "delivered", "claimed", "offloaded", "seen",
]  # fmt: skip
Rule = Literal[
    "in_the_hold_at_departure",
    "made_up_at_departure",
    "in_the_hold_on_arrival",
    "announced_on_arrived_flight",
    "passed_beyond_screening",
]
Screening = Literal["cleared", "rejected", "unclear"]

MINUTE_US = 60_000_000
AT_REST = frozenset({"delivered", "claimed"})
POINTS = (
    "acceptance", "screening", "sortation", "makeup", "loading", "transfer", "arrival", "reclaim",
)  # fmt: skip


class PointPassed(msgspec.Struct, frozen=True, kw_only=True):
    """A place a bag went past.

    Attributes
    ----------
    first_at_us, last_at_us
        When it was first and last seen there, UTC microseconds.
    point, belt
        None where a scanner does not say.
    ambiguous
        True when a sibling belt may have carried it and nothing settled which.
    """

    site: str
    point: str | None
    belt: str | None
    first_at_us: int
    last_at_us: int
    evidence: tuple[Witness, ...]
    sightings: int
    confidence: float
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """What must have happened though nobody saw it.

    Attributes
    ----------
    rule
        Name of the rule that says so.
    confidence
        0 to 1.
    """

    state: State
    at_us: int
    rule: Rule
    confidence: float


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a journey is flagged, in words for an operator."""

    flag: Literal["ambiguous", "duplicate"]
    why: str
    at_us: int


class Journey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A bag's journey.

    Attributes
    ----------
    state
        What the last thing seen of it makes it, or a sure inference after that; ``expected``
        before any, ``seen`` when no sighting says where.
    passed
        Places it went past, earliest first.
    custody
        Custody point -> when it was first seen there, UTC microseconds.
    ambiguous
        Some sighting may have been on another belt.
    duplicate
        Two bags seem to carry this plate.
    inferred
        What follows without having been seen, earliest first.
    legs
        Its flights in the order of travel, as last announced.
    station
        The airport the last announcement was for.
    authority_to_load, authority_to_transport
        As last announced; None where nobody said.
    screening
        The last result, None before any.
    container
        What it is in now, the innermost; ``place`` says where that is.
    stowed_for
        The flight it was last stowed for.
    loaded_at
        The site where it was last seen going into a hold; "" never, or taken out since.
    is_held
        Somebody holds it back.
    is_cancelled
        Its airline cancelled it.
    irregularity
        The last one reported and not overtaken by loading or a claim.
    """

    state: State = "expected"
    passed: tuple[PointPassed, ...] = ()
    custody: dict[str, int] = {}
    last_seen_us: int | None = None
    last_point: str | None = None
    last_belt: str | None = None
    last_site: str | None = None
    ambiguous: bool = False
    duplicate: bool = False
    reasons: tuple[Reason, ...] = ()
    inferred: tuple[Inferred, ...] = ()
    legs: tuple[Leg, ...] = ()
    station: str = ""
    authority_to_load: bool | None = None
    authority_to_transport: bool | None = None
    passenger_status: PassengerStatus | None = None
    exceptions: tuple[str, ...] = ()
    screening: Screening | None = None
    container: str | None = None
    order: int = 0
    place: Place | None = None
    stowed_for: Leg | None = None
    stowed_at_us: int | None = None
    loaded_at: str = ""
    is_held: bool = False
    is_cancelled: bool = False
    irregularity: str | None = None


def newly_passed(before: Journey, after: Journey) -> list[PointPassed]:
    """Tell the places a later fold knows and an earlier one did not, earliest first."""
    known = {_place(each) for each in before.passed}
    return [each for each in after.passed if _place(each) not in known]


def leg_here(journey: Journey, codes: Callable[[str], frozenset[str]]) -> Leg | None:
    """Give the flight a bag waits for or travels on; the last one, once all are flown.

    Parameters
    ----------
    codes
        Gives every code of an airport, lower case: sites are named after either.
    """
    legs = journey.legs
    if len(legs) < 2:
        return legs[0] if legs else journey.stowed_for
    here = [sum(1 for each in journey.inferred if each.state == "on_block")]
    here += [i for i, leg in enumerate(legs) if leg.origin and leg.origin == journey.station]
    if journey.last_site:
        here += [i for i, leg in enumerate(legs) if journey.last_site in codes(leg.origin)]
    return legs[min(max(here), len(legs) - 1)]


def is_in_motion(journey: Journey, now_us: int, quiet_us: int = 360 * MINUTE_US) -> bool:
    """Say whether a bag is on its way: seen lately and not yet at reclaim."""
    if journey.last_seen_us is None or journey.state in AT_REST:
        return False
    return now_us - journey.last_seen_us <= quiet_us


def _place(passed: PointPassed) -> tuple[str, str | None, str | None]:
    return passed.site, passed.point, passed.belt
