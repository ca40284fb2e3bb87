"""What strikes and detectors say about the ramp. Pure.

Silence is never taken for a clear sky: clear is only what a detector has listened to, without a
break, for the whole all-clear time. Everything is computed anew from what was told, so neither a
restart nor the order in which it arrives makes a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from aerocast_hub.weather.evidence import Evidence, Listening, Span, Strike, joined
from aerocast_hub.weather.limits import LightningLimits

FUTURE_US = 60_000_000  # by so much gateways' clocks may be ahead: a word from later proves nothing


class Watch(NamedTuple):
    """Whether detectors listen.

    Attributes
    ----------
    state
        ``listening``: enough of them have, all along; ``too_short``: enough of them do, not long
        enough; ``silent``: they do not.
    heard_us
        When one said last that it listens.
    trouble
        Why one says it cannot.
    """

    state: Literal["listening", "too_short", "silent"]
    heard_us: int | None
    trouble: str | None


def closing(strikes: Iterable[Strike], limits: LightningLimits, now_us: int) -> list[Span]:
    """Tell when lightning closed the ramp, earliest first."""
    reach_km = max((ring.within_km for ring in limits.rings if ring.ramp == "closed"), default=None)
    if reach_km is None:
        return []
    spans = []
    for strike in strikes:
        if is_within(strike, reach_km):
            from_us = min(strike.at_us, now_us)
            until_us = from_us + limits.all_clear_us
            spans.append(Span(from_us, until_us if until_us <= now_us else None))
    return joined(spans)


def nearest(strikes: Iterable[Strike], limits: LightningLimits, now_us: int) -> Strike | None:
    """Give the nearest strike of the all-clear time in any ring; the newest of equals.

    One nobody knows the distance of may be here: it comes after those that are.
    """
    reach_km = max(ring.within_km for ring in limits.rings)
    lately = [
        strike
        for strike in strikes
        if now_us - strike.at_us < limits.all_clear_us and is_within(strike, reach_km)
    ]
    return min(lately, key=_how_near, default=None)


def _how_near(strike: Strike) -> tuple[float, bool, int, str]:
    return strike.distance_km or 0.0, strike.distance_km is None, -strike.at_us, strike.source


def is_within(strike: Strike, reach_km: float) -> bool:
    """Say whether a strike lies so near; one nobody knows the distance of does."""
    return strike.distance_km is None or strike.distance_km <= reach_km


def is_expected(evidence: Evidence, limits: LightningLimits) -> bool:
    """Say whether a detector must listen before the sky may be called clear."""
    if limits.detectors == "none":
        return False
    return limits.detectors == "required" or bool(evidence.detectors)


def watch(evidence: Evidence, limits: LightningLimits, now_us: int) -> Watch:
    """Judge what the detectors say of themselves."""
    told: dict[str, list[Listening]] = defaultdict(list)
    for each in evidence.listening:
        if each.at_us <= now_us + FUTURE_US:
            told[each.detector].append(each)
    states = [_one(words, limits, now_us) for words in told.values()]
    heard_us = max(
        (each.at_us for words in told.values() for each in words if each.listening), default=None
    )
    trouble = next(
        (last.trouble for words in told.values() if (last := _last(words)).trouble is not None),
        None,
    )
    for state in ("listening", "too_short"):
        if sum(each in ("listening", state) for each in states) >= limits.needed:
            return Watch("listening" if state == "listening" else "too_short", heard_us, trouble)
    return Watch("silent", heard_us, trouble)


def _one(
    words: Sequence[Listening], limits: LightningLimits, now_us: int
) -> Literal["listening", "too_short", "silent"]:
    """Judge one detector: it must have spoken before the all-clear time began, and ever since."""
    last = _last(words)
    if not last.listening or now_us - last.at_us > limits.silent_after_us:
        return "silent"
    begins_us = now_us - limits.all_clear_us
    before = [each.at_us for each in words if each.at_us <= begins_us]
    if not before:
        return "too_short"
    since = sorted(
        (each for each in words if each.at_us >= max(before)), key=lambda each: each.at_us
    )
    unbroken = all(each.listening for each in since) and all(
        later.at_us - earlier.at_us <= limits.silent_after_us for earlier, later in pairwise(since)
    )
    return "listening" if unbroken else "too_short"


def _last(words: Sequence[Listening]) -> Listening:
    """Give the newest word; of two at one moment the worse one."""
    return max(words, key=lambda each: (each.at_us, not each.listening, each.trouble or ""))
