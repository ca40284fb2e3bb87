"""How old a report may be and still be believed; its age is shown always."""

from typing import Literal

Freshness = Literal["fresh", "stale", "expired"]

MINUTE_US = 60_000_000
FRESH_MIN = 75
STALE_MIN = 180


def freshness(observed_at_us: int, now_us: int) -> Freshness:
    """Judge a report by its age: fresh to 75 min, stale to 180, then expired."""
    age_min = (now_us - observed_at_us) / MINUTE_US
    if age_min <= FRESH_MIN:
        return "fresh"
    return "stale" if age_min <= STALE_MIN else "expired"
