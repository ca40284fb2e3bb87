"""When bags reach the reclaim belt: quantiles, not one number.

Pure: no database, no clock. On block, chocks and belt loader, unloading, the drive, putting onto
the belt, then one bag after the other. The ramp stages' work clock stands still while the ramp is
closed. The durations are defaults for one airport to replace by its own; no standard gives them.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import hypot, sqrt
from typing import Literal, NamedTuple

import msgspec

from aerocast_hub.ground_times import Handling, Stage
from aerocast_hub.orientation.spread import Spread, at_share, spread_of

Basis = Literal["on_block", "landed", "airborne", "schedule"]

MINUTE_US = 60_000_000
_TOLD = (0.1, 0.5, 0.9)


class ExpectedWork(msgspec.Struct, frozen=True, kw_only=True):
    """How long bags take from the stand to the belt, minutes of an open ramp.

    Attributes
    ----------
    first
        The first bag.
    centre_min, bag_min
        What the last one's time is a ratio of: ``centre_min`` and ``bag_min`` for each further bag.
    last_ratios
        At `PROBABILITIES`.
    """

    first: Spread
    centre_min: float
    bag_min: float
    last_ratios: tuple[float, ...]

    def last(self, bags: int) -> Spread:
        """Give how long the last of so many bags takes; never less than the first."""
        centre_min = self.centre_min + self.bag_min * (bags - 1)
        alone = (centre_min * each for each in self.last_ratios)
        return Spread(tuple(map(max, self.first.minutes, alone)))


class BeltModel(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take at an airport: by its own file, and by experience where there is any."""

    handling: Handling = Handling()
    learned: ExpectedWork | None = None

    @property
    def first(self) -> Spread:
        """How long the first bag takes."""
        return first_work(self.handling) if self.learned is None else self.learned.first

    @property
    def told_first_min(self) -> tuple[float, float, float]:
        """How long the first bag takes at 10, 50 and 90 %, minutes."""
        low, middle, high = (at_share(self.first, each) for each in _TOLD)
        return low, middle, high

    def last(self, bags: int) -> Spread:
        """Give how long the last of so many bags takes."""
        return last_work(self.handling, bags) if self.learned is None else self.learned.last(bags)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a flight is; UTC microseconds, None where not known."""

    off_block_due_us: int | None = None
    on_block_due_us: int | None = None
    airborne_us: int | None = None
    landed_us: int | None = None
    on_block_us: int | None = None
    on_block_sigma_s: float = 0.0


class Closure(msgspec.Struct, frozen=True, order=True):
    """The ramp closed from ``from_us``; ``until_us`` is None while nobody knows."""

    from_us: int
    until_us: int | None = None


class Quantiles(msgspec.Struct, frozen=True, kw_only=True):
    """A time that 10, 50 and 90 % of cases do not pass, UTC microseconds."""

    p10_us: int
    p50_us: int
    p90_us: int


class BeltTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When a flight's first and last bags reach the belt.

    Attributes
    ----------
    basis
        What the estimate starts from.
    first
        When the first bag does.
    last
        None when nobody knows how many bags there are.
    paused
        The ramp is closed and bags wait for it.
    """

    basis: Basis
    on_block: Quantiles
    first: Quantiles
    last: Quantiles | None = None
    paused: bool = False


def belt_times(
    progress: Progress,
    bags: int | None,
    closures: Sequence[Closure],
    now_us: int,
    model: BeltModel | None = None,
) -> BeltTimes | None:
    """Estimate when a flight's bags reach the belt; None when its arrival cannot be told at all.

    Nobody tells when it is due, or it never came (`never_came`).

    Parameters
    ----------
    progress
        What is known of the flight.
    bags
        How many bags it carries; None or 0 is not known.
    closures
        Closures of the ramp, in any order.
    now_us
        UTC microseconds: what has not happened cannot lie in the past.
    """
    model = model or BeltModel()
    anchor = _anchor(progress, now_us, model.handling)
    if anchor is None:
        return None
    handling = model.handling
    indoors_min = min(handling.injection.median_min, model.first.median_min)
    ramp_min = model.first.median_min - indoors_min
    first = _quantiles(_Task(anchor, model.first, ramp_min), closures, now_us, handling)
    last = None
    if bags:
        last = _quantiles(_Task(anchor, model.last(bags), ramp_min), closures, now_us, handling)
    return BeltTimes(
        basis=anchor.basis,
        on_block=_on_block(anchor, now_us),
        first=first,
        last=last,
        paused=first.p50_us > now_us and any(_covers(each, now_us) for each in closures),
    )


@lru_cache(maxsize=256)
def first_work(handling: Handling) -> Spread:
    """Give how long the first bag takes to the belt by an airport's own file, minutes."""
    return spread_of(_together(*handling.ramp, handling.injection))


@lru_cache(maxsize=4096)
def last_work(handling: Handling, bags: int) -> Spread:
    """Give how long the last of so many bags takes by an airport's own file, minutes."""
    rank_min = bags / handling.bags_a_minute
    rank = Stage(handling.injection.median_min + rank_min, 0.5 + rank_min / 5, 1 + rank_min / 3)
    return spread_of(_together(*handling.ramp, rank))


def open_min(from_us: int, until_us: int, closures: Sequence[Closure]) -> float:
    """Give how long the ramp was open between two instants, minutes; closures may overlap."""
    closed_us, reached_us = 0, from_us
    for closure in sorted(closures, key=lambda each: each.from_us):
        end_us = until_us if closure.until_us is None else min(closure.until_us, until_us)
        start_us = max(closure.from_us, reached_us)
        if end_us > start_us:
            closed_us += end_us - start_us
            reached_us = end_us
    return (until_us - from_us - closed_us) / MINUTE_US


def never_came(progress: Progress, now_us: int, handling: Handling | None = None) -> bool:
    """Say whether a flight is so late, with no news of its arrival, that nobody expects it."""
    handling = handling or Handling()
    last_us = progress.on_block_due_us if progress.landed_us is None else progress.landed_us
    if progress.on_block_us is not None or last_us is None:
        return False
    return now_us > last_us + _us(handling.never_after_min)


def on_block_spread(
    progress: Progress, now_us: int, handling: Handling | None = None
) -> Spread | None:
    """Give when a flight reaches, or reached, its stand: minutes from now; None as `belt_times`."""
    anchor = _anchor(progress, now_us, handling or Handling())
    if anchor is None:
        return None
    from_now_min = (anchor.at_us - now_us) / MINUTE_US
    known = tuple(from_now_min + each for each in anchor.off.minutes)
    if anchor.basis == "on_block":
        return Spread(known)
    return Spread(tuple(max(0.0, each) for each in known))


def ramp_spread(handling: Handling, learned: Spread | None = None) -> Spread:
    """Give how long bags take from the stand off the ramp, minutes of an open ramp.

    Parameters
    ----------
    learned
        How long the first bag takes to the belt by experience; None: by the airport's own times.
    """
    if learned is not None:
        indoors_min = handling.injection.median_min
        return Spread(tuple(max(0.0, each - indoors_min) for each in learned.minutes))
    return spread_of(_together(*handling.ramp))


def _together(*stages: Stage) -> Stage:
    """Add stages up: medians, and the squares of their spreads."""
    return Stage(
        sum(each.median_min for each in stages),
        sqrt(sum(each.early_min**2 for each in stages)),
        sqrt(sum(each.late_min**2 for each in stages)),
    )


def finish_us(start_us: int, work_min: float, closures: Sequence[Closure]) -> int:
    """Give when work that starts at ``start_us`` is done, standing still during closures.

    A closure without an end is passed over: give it an expected one first.
    """
    at_us, left_us = start_us, round(work_min * MINUTE_US)
    for closure in sorted(each for each in closures if each.until_us is not None):
        until_us = closure.until_us or closure.from_us
        if until_us <= max(at_us, closure.from_us):
            continue
        if at_us + left_us <= closure.from_us:
            break
        left_us -= max(0, closure.from_us - at_us)
        at_us = until_us
    return at_us + left_us


class _Anchor(NamedTuple):
    """Where the estimate starts: when on block, and how far off that may be, around zero."""

    basis: Basis
    at_us: int
    off: Spread


def _anchor(progress: Progress, now_us: int, model: Handling) -> _Anchor | None:
    if progress.on_block_us is not None:
        sigma_min = progress.on_block_sigma_s / 60
        off = spread_of(Stage(0.0, sigma_min, sigma_min))
        return _Anchor("on_block", progress.on_block_us, off)
    if never_came(progress, now_us, model):
        return None
    if progress.landed_us is not None:
        late = spread_of(model.taxi_in)
        at_us = progress.landed_us + _us(late.median_min)
        return _Anchor("landed", max(at_us, now_us), _around_zero(late))
    due_us, off_due_us = progress.on_block_due_us, progress.off_block_due_us
    if progress.airborne_us is not None and due_us is not None and off_due_us is not None:
        at_us = progress.airborne_us - _us(model.take_off.median_min) + (due_us - off_due_us)
        late = spread_of(model.in_the_air)
        at_us += _us(late.median_min)
        return _Anchor("airborne", max(at_us, now_us), _around_zero(late))
    if due_us is not None:
        late = spread_of(model.schedule)
        at_us = due_us + _us(late.median_min)
        return _Anchor("schedule", max(at_us, now_us), _around_zero(late))
    return None


def _around_zero(spread: Spread) -> Spread:
    return Spread(tuple(each - spread.median_min for each in spread.minutes))


class _Task(NamedTuple):
    """Work from a start on, and how much of it, in the middle, is done on the ramp, minutes."""

    anchor: _Anchor
    work: Spread
    ramp_min: float


def _quantiles(
    task: _Task, closures: Sequence[Closure], now_us: int, handling: Handling
) -> Quantiles:
    """Give when work is done; what is early or late of it is so on the ramp."""
    anchor, work, ramp_min = task
    indoors_min = work.median_min - ramp_min
    times: list[int] = []
    for probability, closed_min in zip(_TOLD, handling.closure_min, strict=True):
        expected = [_with_end(each, now_us, closed_min) for each in closures]
        off_min = _off(anchor.off, work, probability)
        on_ramp_min = max(0.0, ramp_min + off_min)
        rest_min = indoors_min + min(0.0, ramp_min + off_min)
        done_us = finish_us(anchor.at_us, on_ramp_min, expected) + _us(rest_min)
        times.append(max(now_us, done_us))
    return Quantiles(p10_us=times[0], p50_us=times[1], p90_us=times[2])


def _off(arriving: Spread, work: Spread, probability: float) -> float:
    """Give how far from its middle the whole is, minutes: squares of spreads add up."""
    off_min = at_share(work, probability) - work.median_min
    if off_min == 0:
        return 0.0
    arrives_min = at_share(arriving, probability)
    return hypot(off_min, arrives_min) * (-1 if off_min < 0 else 1)


def _on_block(anchor: _Anchor, now_us: int) -> Quantiles:
    earliest_us = anchor.at_us + _us(at_share(anchor.off, 0.1))
    return Quantiles(
        p10_us=earliest_us if anchor.basis == "on_block" else max(now_us, earliest_us),
        p50_us=anchor.at_us,
        p90_us=anchor.at_us + _us(at_share(anchor.off, 0.9)),
    )


def _with_end(closure: Closure, now_us: int, closed_min: float) -> Closure:
    if closure.until_us is not None:
        return closure
    return Closure(closure.from_us, max(closure.from_us, now_us) + _us(closed_min))


def _covers(closure: Closure, now_us: int) -> bool:
    return closure.from_us <= now_us and (closure.until_us is None or now_us < closure.until_us)


def _us(minutes: float) -> int:
    return round(minutes * MINUTE_US)
