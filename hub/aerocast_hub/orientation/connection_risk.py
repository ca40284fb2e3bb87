"""How likely a passenger, and each of their bags, misses the next flight, and why mostly.

Pure: no database, no clock. A passenger reaches the stand, leaves the aircraft and goes to the
gate before boarding closes; a bag is unloaded on the ramp, whose clock stands still while it is
closed, sorted and made up before its make-up closes. The distributions of the stages are added up
by fixed quadrature. The cause is the one thing without which the risk would shrink the most.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from aerocast_hub.ground_times import Handling, Stage, Tenths
from aerocast_hub.orientation.arrival_times import (
    MINUTE_US,
    Closure,
    Quantiles,
    finish_us,
    on_block_spread,
    ramp_spread,
)
from aerocast_hub.orientation.connection import (
    BagMiss,
    Cause,
    CauseKey,
    ChangingBag,
    Connecting,
    ConnectionRisk,
    Miss,
    Unknown,
)
from aerocast_hub.orientation.spread import (
    Spread,
    at_share,
    chance_over,
    exactly,
    of_cases,
    points,
    spread_of,
    total,
    when_over,
)

WORTH_TELLING = 0.05  # below this a risk needs no cause
SHORT_WAY_MIN = 8.0  # a way that is not to blame
LATE_MIN = 5.0
_COARSE = 12  # points of a quadrature with a closed ramp: three stages together


def connection_risk(known: Connecting, bags: Sequence[ChangingBag], now_us: int) -> ConnectionRisk:
    """Tell how likely a passenger and each bag miss their next flight.

    Parameters
    ----------
    bags
        The passenger's, in any order.
    now_us
        UTC microseconds.
    """
    planned_min = _planned_min(known)
    told = ConnectionRisk(
        inbound=known.inbound,
        outbound=known.outbound,
        departs_us=known.departs_us,
        minimum_min=known.minimum_min,
        planned_min=planned_min,
    )
    on_block = on_block_spread(known.progress, now_us, known.handling)
    unknown = _unknown(known, now_us, is_coming=on_block is not None)
    if on_block is None or known.departs_us is None:
        return msgspec.structs.replace(told, unknown=unknown)
    parts = _Parts(known, on_block, now_us, (known.departs_us - now_us) / MINUTE_US)
    ordered = sorted(bags, key=lambda each: each.licence_plate)
    return msgspec.structs.replace(
        told,
        passenger=_passenger(parts),
        bags=tuple(
            BagMiss(licence_plate=bag.licence_plate, miss=_bag(parts, bag)) for bag in ordered
        ),
        unknown=unknown,
    )


class _Parts(NamedTuple):
    """A connection in minutes from now."""

    known: Connecting
    on_block: Spread
    now_us: int
    departs_min: float

    def knowing(self, **changed: object) -> "_Parts":
        """Give the same connection with something else known of it."""
        return self._replace(known=msgspec.structs.replace(self.known, **changed))


class _Other(NamedTuple):
    """How it would be without something: how much that is, when all is ready, and the closing."""

    key: CauseKey
    minutes: float
    ready: Spread
    closes_min: float


def _unknown(known: Connecting, now_us: int, *, is_coming: bool) -> tuple[Unknown, ...]:
    due_us = known.progress.on_block_due_us
    told: list[Unknown] = []
    if not is_coming:
        told.append("arrival" if due_us is None or due_us > now_us else "never_came")
    if known.departs_us is None:
        told.append("departure")
    if not known.ramp_known:
        told.append("ramp")
    if known.way_min is None:
        told.append("way")
    return tuple(told)


def _passenger(parts: _Parts) -> Miss:
    closes_min = parts.departs_min - parts.known.changing.boarding_closes_min
    ready = _at_gate(parts)
    probability = chance_over(ready, closes_min)
    others: list[_Other] = []
    if probability >= WORTH_TELLING:
        others = [*_either(parts, ready, closes_min, _at_gate(_on_time(parts)))]
        way_min, queue_min = parts.known.way_min, parts.known.queue_min
        if way_min is not None:
            shorter = parts.knowing(way_min=min(way_min, SHORT_WAY_MIN + queue_min))
            others.append(_Other("long_way", way_min - queue_min, _at_gate(shorter), closes_min))
            if queue_min or parts.known.crosses_border:
                free = parts.knowing(
                    way_min=way_min - queue_min, queue_min=0.0, crosses_border=False
                )
                waited = queue_min or spread_of(parts.known.changing.border).median_min
                others.append(_Other("queues", waited, _at_gate(free), closes_min))
    return _miss(parts.now_us, ready, closes_min, probability, others)


def _bag(parts: _Parts, bag: ChangingBag) -> Miss:
    closes_min = parts.departs_min - parts.known.changing.make_up_closes_min
    if bag.at == "made_up":
        return Miss(probability=0.0, closes_us=_instant_us(parts.now_us, closes_min))
    ready, unseen = _made_up(parts, bag)
    probability = chance_over(ready, closes_min)
    probability += _astray(parts.known.changing.astray, unseen) * (1 - probability)
    others: list[_Other] = []
    if probability >= WORTH_TELLING:
        others = _others_of_bag(parts, bag, ready, closes_min)
    return _miss(parts.now_us, ready, closes_min, probability, others)


def _astray(share: float, unseen: float) -> float:
    """Give how likely a bag is stuck somewhere; ``unseen``: of others one in so many comes later.

    Bayes' rule: of those that are not stuck, few are not seen for so long.
    """
    known = share + (1 - share) * unseen
    return share / known if known else 0.0


def _others_of_bag(
    parts: _Parts, bag: ChangingBag, ready: Spread, closes_min: float
) -> list[_Other]:
    sorting = _sorting(parts)
    if bag.at == "inside" and bag.seen_us is not None:
        seen_min = (bag.seen_us - parts.now_us) / MINUTE_US
        swift = total(exactly(seen_min), sorting)
        others = [_Other("not_seen", -seen_min, swift, closes_min)]
        return [*others, *_either(parts, ready, closes_min, swift)]
    swift = total(_off_ramp(parts), sorting)
    others = [_Other("not_seen", -parts.on_block.median_min, swift, closes_min)]
    others += _either(parts, ready, closes_min, _made_up(_on_time(parts), bag)[0])
    if _closed_until(parts):
        free, _ = _made_up(parts.knowing(closures=()), bag)
        held_min = ready.median_min - free.median_min
        others.append(_Other("ramp_closed", held_min, free, closes_min))
    if parts.known.learned is not None:
        usual, _ = _made_up(parts.knowing(learned=None), bag)
        slower_min = ready.median_min - usual.median_min
        others.append(_Other("slow_unloading", slower_min, usual, closes_min))
    return others


def _either(parts: _Parts, ready: Spread, closes_min: float, on_time: Spread) -> Iterable[_Other]:
    """Give what may be to blame for passengers and bags alike."""
    late_min = _late_min(parts)
    if late_min >= LATE_MIN:
        yield _Other("late_inbound", late_min, on_time, closes_min)
    planned_min = _planned_min(parts.known)
    if planned_min is not None and planned_min < parts.known.minimum_min:
        missing_min = parts.known.minimum_min - planned_min
        yield _Other("short_connection", missing_min, ready, closes_min + missing_min)


def _miss(
    now_us: int, ready: Spread, closes_min: float, probability: float, others: Iterable[_Other]
) -> Miss:
    slack_min = round(closes_min - ready.median_min)
    cause = None
    if probability >= WORTH_TELLING:
        gains = [
            (probability - chance_over(each.ready, each.closes_min), each)
            for each in others
            if each.minutes > 0
        ]
        gain, best = max(gains, key=lambda each: each[0], default=(0.0, None))
        cause = Cause(key="little_time", minutes=slack_min)
        if best is not None and gain >= WORTH_TELLING / 2:
            cause = Cause(key=best.key, minutes=round(best.minutes))
    return Miss(
        probability=round(min(1.0, max(0.0, probability)), 4),
        closes_us=_instant_us(now_us, closes_min),
        ready=Quantiles(
            p10_us=_instant_us(now_us, at_share(ready, 0.1)),
            p50_us=_instant_us(now_us, ready.median_min),
            p90_us=_instant_us(now_us, at_share(ready, 0.9)),
        ),
        slack_min=slack_min,
        cause=cause,
    )


def _at_gate(parts: _Parts) -> Spread:
    known, changing = parts.known, parts.known.changing
    if known.way_min is None:
        return total(parts.on_block, _usual_change(known))
    queue_min = known.queue_min
    walk_min = max(0.0, known.way_min - queue_min)
    stages: list[Stage | Tenths] = [
        changing.leave_aircraft,
        Stage(walk_min, changing.walk_early * walk_min, changing.walk_late * walk_min),
    ]
    if queue_min:
        stages.append(Stage(queue_min, 0.4 * queue_min, 0.6 * queue_min))
    elif known.crosses_border:
        stages.append(changing.border)
    return total(parts.on_block, *(_not_negative(spread_of(each)) for each in stages))


def _usual_change(known: Connecting) -> Spread:
    """Give how long people take where no map shows it: 19 in 20 within the minimum time."""
    within_min = max(5.0, known.minimum_min - known.changing.boarding_closes_min)
    median_min = 0.65 * within_min
    late_min = (within_min - median_min) / 1.6449  # of a normal distribution: 95 % lies below
    return spread_of(Stage(median_min, 0.15 * within_min, late_min))


def _made_up(parts: _Parts, bag: ChangingBag) -> tuple[Spread, float]:
    """Give when a bag is made up for its next flight, and how many others come as late or later.

    It is not yet, so never in the past.
    """
    sorting = _sorting(parts)
    if bag.at == "inside" and bag.seen_us is not None:
        seen_min = min(0.0, (bag.seen_us - parts.now_us) / MINUTE_US)
        ready = total(exactly(seen_min), when_over(sorting, -seen_min))
        return ready, chance_over(sorting, -seen_min)
    off_ramp = _off_ramp(parts)
    if parts.known.changing.inlet_is_watched:
        return total(when_over(off_ramp, 0.0), sorting), chance_over(off_ramp, 0.0)
    ready = total(off_ramp, sorting)
    return when_over(ready, 0.0), chance_over(ready, 0.0)


def _sorting(parts: _Parts) -> Spread:
    return _not_negative(spread_of(parts.known.changing.sorting))


def _off_ramp(parts: _Parts) -> Spread:
    """Give when a bag leaves the ramp: its clock stands still while that is closed."""
    behind = _not_negative(spread_of(parts.known.changing.behind_first))
    work = total(ramp_spread(parts.known.handling, parts.known.learned), behind)
    if not _closed_until(parts):
        return total(parts.on_block, work)
    closing = _closing(parts.known.handling)
    open_ended = any(each.until_us is None for each in parts.known.closures)
    cases: list[float] = []
    for lasts_min in points(closing, _COARSE) if open_ended else (0.0,):
        closures = [_ended(each, parts.now_us, lasts_min) for each in parts.known.closures]
        for start_min in points(parts.on_block, _COARSE):
            start_us = _instant_us(parts.now_us, start_min)
            cases += [
                (finish_us(start_us, work_min, closures) - parts.now_us) / MINUTE_US
                for work_min in points(work, _COARSE)
            ]
    return of_cases(cases)


def _closed_until(parts: _Parts) -> bool:
    """Say whether a closure falls, or may fall, into the time on the ramp."""
    from_us = _instant_us(parts.now_us, parts.on_block.minutes[0])
    return any(each.until_us is None or each.until_us > from_us for each in parts.known.closures)


def _closing(handling: Handling) -> Spread:
    low, middle, high = handling.closure_min
    z90 = 1.2816  # of a normal distribution: 90 % lies below
    return _not_negative(spread_of(Stage(middle, (middle - low) / z90, (high - middle) / z90)))


def _ended(closure: Closure, now_us: int, lasts_min: float) -> Closure:
    if closure.until_us is not None:
        return closure
    until_us = max(closure.from_us, now_us) + round(lasts_min * MINUTE_US)
    return Closure(closure.from_us, until_us)


def _on_time(parts: _Parts) -> _Parts:
    late_min = max(0.0, _late_min(parts))
    earlier = Spread(tuple(each - late_min for each in parts.on_block.minutes))
    return parts._replace(on_block=earlier)


def _late_min(parts: _Parts) -> float:
    due_us = parts.known.progress.on_block_due_us
    if due_us is None:
        return 0.0
    return parts.on_block.median_min - (due_us - parts.now_us) / MINUTE_US


def _planned_min(known: Connecting) -> int | None:
    due_us = known.progress.on_block_due_us
    if due_us is None or known.departs_us is None:
        return None
    return round((known.departs_us - due_us) / MINUTE_US)


def _not_negative(spread: Spread) -> Spread:
    return Spread(tuple(max(0.0, each) for each in spread.minutes))


def _instant_us(now_us: int, minutes: float) -> int:
    return now_us + round(minutes * MINUTE_US)
