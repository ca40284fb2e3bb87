"""What is known of an airport's weather of the last hours, from every source. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

MINUTE_US = 60_000_000
AHEAD_US = 10 * MINUTE_US  # stations' clocks, and reports ahead of the full hour


class RampReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an airport report says that matters to the ramp.

    Attributes
    ----------
    weather
        Present weather as reported: ``+TSRA``, ``VCTS``, ``BR``.
    storm_clouds
        Cumulonimbus or towering cumulus reported.
    thunder_unseen
        The station says its thunder sensor is out (``TSNO``).
    rvr_m
        The lowest runway visual range.
    clear_sky
        It reports no broken or overcast layer; None: it says nothing of clouds.
    """

    observed_at_us: int
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    weather: tuple[str, ...] = ()
    storm_clouds: bool = False
    thunder_unseen: bool = False
    temperature_c: float | None = None
    dew_point_c: float | None = None
    visibility_m: float | None = None
    ceiling_ft: float | None = None
    rvr_m: float | None = None
    clear_sky: bool | None = None


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """A lightning strike; without a distance it may have been anywhere."""

    at_us: int
    distance_km: float | None = None
    source: str = ""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's word that it listened at that moment, or could not."""

    at_us: int
    detector: str
    listening: bool
    trouble: str | None = None


class LocalWind(msgspec.Struct, frozen=True, kw_only=True):
    """A local sensor's wind, the gust where it tells one; not certified."""

    at_us: int
    wind_kt: float
    source: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, each in any order and any number of times.

    Attributes
    ----------
    detectors
        Names of the lightning detectors that are known.
    clock_set_us
        When the hub's clock was set last, as far as noticed: ages across it mean nothing.
    """

    reports: Sequence[RampReport] = ()
    strikes: Sequence[Strike] = ()
    listening: Sequence[Listening] = ()
    winds: Sequence[LocalWind] = ()
    detectors: frozenset[str] = frozenset()
    clock_set_us: int | None = None


class Sample(NamedTuple):
    """A number at a moment."""

    at_us: int
    value: float


class Span(NamedTuple):
    """From when to when something was so; ``until_us`` is None while nobody knows."""

    from_us: int
    until_us: int | None


def in_order(reports: Iterable[RampReport], now_us: int) -> list[RampReport]:
    """Sort the reports by time; those from the future, beyond what clocks differ, are left out."""
    known = {each for each in reports if each.observed_at_us <= now_us + AHEAD_US}
    return sorted(known, key=lambda each: (each.observed_at_us, msgspec.json.encode(each)))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Write spans that touch as one, earliest first."""
    told: list[Span] = []
    for span in sorted(spans, key=lambda each: each.from_us):
        last = told[-1] if told else None
        if last is None or (last.until_us is not None and span.from_us > last.until_us):
            told.append(span)
        elif last.until_us is not None:
            until = None if span.until_us is None else max(last.until_us, span.until_us)
            told[-1] = Span(last.from_us, until)
    return told


def lasts(spans: Iterable[Span], now_us: int) -> bool:
    """Say whether one of them lasts now."""
    return any(
        span.from_us <= now_us and (span.until_us is None or span.until_us > now_us)
        for span in spans
    )


class Hysteresis(NamedTuple):
    """When a value counts as at a limit.

    Attributes
    ----------
    limit, margin, hold_us
        It begins with the first sample at the limit, and ends once the value has been below it by
        the margin, without a break, for so long.
    believed_us
        How long a sample is believed when no other follows.
    """

    limit: float
    margin: float
    hold_us: int
    believed_us: int


def exceeding(samples: Sequence[Sample], rule: Hysteresis, now_us: int) -> list[Span]:
    """Tell when a value of one source was at a limit; ``samples`` are in order."""
    told: list[Span] = []
    since_us: int | None = None
    better_us: int | None = None
    believed_us = now_us
    for sample in [*samples, Sample(now_us, math.nan)]:
        at_us = min(sample.at_us, now_us)
        if since_us is not None:
            over_us = min(believed_us, at_us + 1 if better_us is None else better_us + rule.hold_us)
            if over_us <= at_us:
                told.append(Span(since_us, over_us))
                since_us = better_us = None
        believed_us = at_us + rule.believed_us
        if sample.value >= rule.limit:
            since_us, better_us = at_us if since_us is None else since_us, None
        elif sample.value < rule.limit - rule.margin:
            better_us = at_us if better_us is None else better_us
        elif not math.isnan(sample.value):
            better_us = None
    return told if since_us is None else [*told, Span(since_us, None)]
