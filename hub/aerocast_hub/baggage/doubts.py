"""What casts doubt on a bag's journey: a belt that is not sure, one plate in two places. Pure."""

from collections.abc import Iterable

from aerocast_hub.baggage.evidence import Seen
from aerocast_hub.baggage.journey import MINUTE_US, Reason

RESOLVED_WITHIN_US = 30_000_000  # a sure passage on a candidate belt settles an unsure one nearby
FASTEST_BETWEEN_SITES_US = 20 * MINUTE_US
FASTEST_BETWEEN_BELTS_US = 1_000_000


def is_settled(unsure: Seen, seen: Iterable[Seen]) -> bool:
    """Say whether some other sighting shows which belt it was."""
    belts = {*unsure.candidates, unsure.belt}
    return any(
        not each.ambiguous
        and each.site == unsure.site
        and each.belt in belts
        and abs(each.at_us - unsure.at_us) <= RESOLVED_WITHIN_US
        for each in seen
    )


def unsure_belt(seen: Seen) -> Reason:
    """Say between which belts a sighting leaves the choice."""
    others = " or ".join(sorted({*seen.candidates, seen.belt} - {""})) or "several belts"
    return Reason(flag="ambiguous", why=f"seen at {others}: which is not sure", at_us=seen.at_us)


def too_fast(earlier: Seen, later: Seen) -> tuple[Reason, ...]:
    """Flag neighbours that one bag cannot have passed so soon one after the other."""
    gap_us = later.at_us - earlier.at_us
    if earlier.site != later.site:
        if gap_us >= FASTEST_BETWEEN_SITES_US:
            return ()
        places = f"{earlier.site} and {later.site}"
    elif gap_us < FASTEST_BETWEEN_BELTS_US and _are_apart(earlier, later):
        places = f"{earlier.belt} and {later.belt}"
    else:
        return ()
    why = f"seen at {places} within {gap_us / 1_000_000:.1f} s"
    return (Reason(flag="duplicate", why=why, at_us=later.at_us),)


def contest(at_us: int) -> Reason:
    """Flag a bag whose evidence could as well be another's."""
    why = "two announced bags carry this plate on the same day"
    return Reason(flag="duplicate", why=why, at_us=at_us)


def _are_apart(earlier: Seen, later: Seen) -> bool:
    """Say whether two sightings are surely at two belts, neither overhearing the other."""
    if not earlier.belt or not later.belt or earlier.belt == later.belt:
        return False
    return earlier.belt not in later.candidates and later.belt not in earlier.candidates
