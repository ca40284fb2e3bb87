"""Where a bag has been, and what that says about it.

Pure fold over the set of its sightings: gateways deliver late, twice and in any order, and the
journey is the same. IATA Resolution 753 asks for custody points passed, with their times.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

import msgspec

Evidence = Literal["passage", "scan"]
State = Literal[
    "expected", "accepted", "screened", "sorted", "made_up", "loaded", "transfer", "arrived",
    "delivered", "seen",
]  # fmt: skip

MINUTE_US = 60_000_000
RESOLVED_WITHIN_US = 30_000_000  # a sure passage on a candidate belt settles an unsure one nearby
FASTEST_BETWEEN_SITES_US = 20 * MINUTE_US
FASTEST_BETWEEN_BELTS_US = 1_000_000

POINTS = (
    "acceptance", "screening", "sortation", "makeup", "loading", "transfer", "arrival", "reclaim",
)  # fmt: skip
_STATES: dict[str, State] = {
    "acceptance": "accepted",
    "screening": "screened",
    "sortation": "sorted",
    "makeup": "made_up",
    "loading": "loaded",
    "transfer": "transfer",
    "arrival": "arrived",
    "reclaim": "delivered",
}


class Seen(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One sighting of a bag.

    Attributes
    ----------
    at_us
        UTC microseconds, as far as the gateway's clock is known.
    site
        The gateway's site.
    point, belt
        Custody point and belt, "" where a scanner does not say.
    evidence
        ``passage`` of its tag under antennas, or ``scan`` of its code.
    confidence
        0 to 1.
    candidates
        When ``ambiguous``: every belt that may have carried it.
    """

    at_us: int
    site: str
    point: str = ""
    belt: str = ""
    evidence: Evidence = "passage"
    gateway: str = ""
    sigma_ms: float = 0.0
    confidence: float = 1.0
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()
    day_of_year: int | None = None


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
    evidence: tuple[Evidence, ...]
    sightings: int
    confidence: float
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a journey is flagged, in words for an operator."""

    flag: Literal["ambiguous", "duplicate"]
    why: str
    at_us: int


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """A bag's journey.

    Attributes
    ----------
    state
        What its last custody point makes it; ``expected`` before any, ``seen`` when no sighting
        says where.
    passed
        Places it went past, earliest first.
    custody
        Custody point -> when it was first seen there, UTC microseconds.
    ambiguous
        Some sighting may have been on another belt.
    duplicate
        Two bags seem to carry this plate.
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


def journey_of(sightings: Iterable[Seen], *, contested: bool = False) -> Journey:
    """Fold the set of a bag's sightings into its journey.

    Parameters
    ----------
    sightings
        In any order, repeated or not.
    contested
        True when another bag of the same plate could as well own them.
    """
    ordered = in_order(sightings)
    if not ordered:
        return Journey()
    unsure = {seen for seen in ordered if seen.ambiguous and not _settled(seen, ordered)}
    reasons = [_ambiguity(seen) for seen in ordered if seen in unsure]
    reasons += _impossible(ordered)
    if contested:
        reasons.append(
            Reason(
                flag="duplicate",
                why="two announced bags carry this plate on the same day",
                at_us=ordered[0].at_us,
            )
        )
    last = ordered[-1]
    placed = [seen for seen in ordered if seen.point]
    custody: dict[str, int] = {}
    for seen in placed:
        custody.setdefault(seen.point, seen.at_us)
    return Journey(
        state=_STATES[placed[-1].point] if placed else "seen",
        passed=_places(ordered, unsure),
        custody=custody,
        last_seen_us=last.at_us,
        last_point=last.point or None,
        last_belt=last.belt or None,
        last_site=last.site,
        ambiguous=bool(unsure),
        duplicate=any(reason.flag == "duplicate" for reason in reasons),
        reasons=tuple(reasons),
    )


def in_order(sightings: Iterable[Seen]) -> list[Seen]:
    """Sort the set of sightings as they happened; at one instant, in the order bags meet points."""
    return sorted(set(sightings), key=_sort_key)


def newly_passed(before: Journey, after: Journey) -> list[PointPassed]:
    """Tell the places a later fold knows and an earlier one did not, earliest first."""
    known = {_place(each) for each in before.passed}
    return [each for each in after.passed if _place(each) not in known]


def is_in_motion(journey: Journey, now_us: int, quiet_us: int = 360 * MINUTE_US) -> bool:
    """Say whether a bag is on its way: seen lately and not yet at reclaim."""
    if journey.last_seen_us is None or journey.state == "delivered":
        return False
    return now_us - journey.last_seen_us <= quiet_us


def _sort_key(seen: Seen) -> tuple[int, int, str, str, str, Seen]:
    rank = POINTS.index(seen.point) if seen.point in POINTS else len(POINTS)
    return seen.at_us, rank, seen.site, seen.belt, seen.evidence, _comparable(seen)


def _comparable(seen: Seen) -> Seen:
    """Give a sighting that compares with any other: an unknown day sorts as day 0."""
    return msgspec.structs.replace(seen, day_of_year=seen.day_of_year or 0)


def _settled(unsure: Seen, ordered: list[Seen]) -> bool:
    belts = {*unsure.candidates, unsure.belt}
    return any(
        not seen.ambiguous
        and seen.site == unsure.site
        and seen.belt in belts
        and abs(seen.at_us - unsure.at_us) <= RESOLVED_WITHIN_US
        for seen in ordered
    )


def _ambiguity(seen: Seen) -> Reason:
    others = " or ".join(sorted({*seen.candidates, seen.belt} - {""})) or "several belts"
    return Reason(flag="ambiguous", why=f"seen at {others}: which is not sure", at_us=seen.at_us)


def _impossible(ordered: list[Seen]) -> list[Reason]:
    """Find pairs of neighbours too close in time for one bag."""
    found: list[Reason] = []
    for earlier, later in pairwise(ordered):
        gap_us = later.at_us - earlier.at_us
        if earlier.site != later.site:
            if gap_us < FASTEST_BETWEEN_SITES_US:
                found.append(_teleport(earlier.site, later.site, later.at_us, gap_us))
        elif _apart(earlier, later) and gap_us < FASTEST_BETWEEN_BELTS_US:
            found.append(_teleport(earlier.belt, later.belt, later.at_us, gap_us))
    return found


def _apart(earlier: Seen, later: Seen) -> bool:
    """Say whether two sightings are surely at two belts, neither overhearing the other."""
    if not earlier.belt or not later.belt or earlier.belt == later.belt:
        return False
    return earlier.belt not in later.candidates and later.belt not in earlier.candidates


def _teleport(from_place: str, to_place: str, at_us: int, gap_us: int) -> Reason:
    return Reason(
        flag="duplicate",
        why=f"seen at {from_place} and {to_place} within {gap_us / 1_000_000:.1f} s",
        at_us=at_us,
    )


def _places(ordered: list[Seen], unsure: set[Seen]) -> tuple[PointPassed, ...]:
    grouped: dict[tuple[str, str, str], list[Seen]] = {}
    for seen in ordered:
        grouped.setdefault((seen.site, seen.point, seen.belt), []).append(seen)
    return tuple(
        PointPassed(
            site=site,
            point=point or None,
            belt=belt or None,
            first_at_us=seen[0].at_us,
            last_at_us=seen[-1].at_us,
            evidence=tuple(sorted({each.evidence for each in seen})),
            sightings=len(seen),
            confidence=max(each.confidence for each in seen),
            ambiguous=all(each in unsure for each in seen),
            candidates=tuple(sorted({name for each in seen for name in each.candidates})),
        )
        for (site, point, belt), seen in grouped.items()
    )


def _place(passed: PointPassed) -> tuple[str, str | None, str | None]:
    return passed.site, passed.point, passed.belt
