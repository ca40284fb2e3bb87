"""How long bags really take to the belt at an airport: learned from the arrivals that are over.

Pure, and a function of the set of arrivals: their order and repetition change nothing. Durations
are minutes of an open ramp. An airport has its usual factor on the times its file gives; stands,
handlers and aircraft types have factors of their own, drawn towards 1 the more the less is known of
them and the less such things differ at the airport at all. The same is learned of how widely times
scatter. What is left over, each arrival foretold without itself, gives the quantiles. Old arrivals
count less than new ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import exp
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from aerocast_hub.ground_times import Handling
from aerocast_hub.orientation.arrival_times import ExpectedWork, first_work, last_work
from aerocast_hub.orientation.spread import PROBABILITIES, Spread, points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_US = 86_400_000_000
# An arrival counts half after so many newer ones, or after so many days: people and habits change.
HALF_LIFE_ARRIVALS, HALF_LIFE_DAYS = 400.0, 30.0
AS_MANY_AS = 15.0  # cases the airport's own file stands for, once arrivals speak too
FACTORS = ("stand", "handler", "aircraft_type")
# Shorter is a clock that is wrong; longer a mistake, or a night on the apron.
SHORTEST_MIN, LONGEST_MIN = 1.0, 360.0
SHORTEST_REST_MIN = 0.1  # bags that seem to come at once say nothing of their pace
TYPICAL_BAGS = 100

_USUAL_STRENGTH = 3.0
_STRENGTHS = (2.0, 100.0)  # cases at which a level's own word counts half, least and most
_ROUNDS = 8
_OUTLIER = 2.5  # robust sigmas: what lies farther out counts as if it lay there
_LEAST = 0.005  # a residual of half a percent is none
_FARTHEST = 3.0  # of a ratio's logarithm: twenty times
_WIDEST = 1.1  # three times as widely as others, or a third
_MOST_OWN = 0.7  # of an arrival's own share in what it is foretold by


class Kind(NamedTuple):
    """What an arrival's times may depend on; None is not known."""

    stand: str | None = None
    handler: str | None = None
    aircraft_type: str | None = None


class FinishedArrival(msgspec.Struct, frozen=True, kw_only=True):
    """An arrival whose bags are all on the belt.

    Attributes
    ----------
    first_min
        From the stand reached to the first bag on the belt, minutes of an open ramp.
    rest_min
        From the first bag to the last.
    bags
        How many came.
    """

    flight_id: str
    on_block_us: int
    first_min: float
    rest_min: float
    bags: int
    kind: Kind = Kind()


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """Logarithms of factors: the airport's usual one, and those of its stands, handlers, types."""

    usual: float = 0.0
    own: Mapping[str, Mapping[str, float]] = {}

    def of(self, kind: Kind) -> float:
        """Give the logarithm of the whole factor for a kind of arrival."""
        return self.usual + sum(
            self.own.get(name, {}).get(level, 0.0)
            for name, level in zip(FACTORS, kind, strict=True)
            if level is not None
        )

    def ratios(self) -> dict[str, dict[str, float]]:
        """Give each level's factor on the airport's usual time: 1.2 is a fifth longer."""
        return {
            name: {level: round(exp(logarithm), 3) for level, logarithm in levels.items()}
            for name, levels in self.own.items()
        }


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of an airport.

    Attributes
    ----------
    cases
        Arrivals learned from.
    first, pace, width
        Factors on how long the first bag takes, how long each further one, how widely it scatters.
    first_left, last_left
        What is left over at `PROBABILITIES`: logarithms of ratios.
    """

    cases: int
    first: Factors = Factors()
    pace: Factors = Factors()
    width: Factors = Factors()
    first_left: tuple[float, ...]
    last_left: tuple[float, ...]


def learn(finished: Iterable[FinishedArrival], handling: Handling) -> Learned:
    """Learn from arrivals of one airport, in any order, however often each is told."""
    by_flight = {each.flight_id: each for each in sorted(finished, key=_order)}
    cases = sorted((each for each in by_flight.values() if _is_credible(each)), key=_order)
    prior_first, prior_last = (
        _prior(first_work(handling)),
        _prior(last_work(handling, TYPICAL_BAGS)),
    )
    if not cases:
        return Learned(cases=0, first_left=prior_first, last_left=prior_last)
    weights = _weights(cases)
    levels = [_levels(cases, place) for place in range(len(FACTORS))]
    usual_min = first_work(handling).median_min
    first = _fit(np.log([each.first_min / usual_min for each in cases]), weights, levels)
    size = np.maximum(np.abs(first.alone), _LEAST) / _size(prior_first)
    width = _fit(np.log(size), weights, levels)
    scale = np.exp(np.clip(width.fitted, -_WIDEST, _WIDEST))
    many = [number for number, each in enumerate(cases) if _has_pace(each)]
    usual_bag_min = 1 / handling.bags_a_minute
    pace = _fit(
        np.log([cases[n].rest_min / (cases[n].bags - 1) / usual_bag_min for n in many]),
        weights[many],
        [level._replace(number=level.number[many]) for level in levels],
    ).factors(levels)
    paces = usual_bag_min * np.exp([pace.of(each.kind) for each in cases])
    centres = usual_min * np.exp(first.fitted) + paces * [each.bags - 1 for each in cases]
    left = np.log([each.first_min + each.rest_min for each in cases]) - np.log(centres)
    left += first.alone - first.left  # as if foretold without itself
    return Learned(
        cases=len(cases),
        first=first.factors(levels),
        pace=pace,
        width=width.factors(levels),
        first_left=_quantiles(first.alone / scale, weights, prior_first),
        last_left=_quantiles(left / scale, weights, prior_last),
    )


def expected_work(learned: Learned, kind: Kind, handling: Handling) -> ExpectedWork:
    """Give how long an arrival's bags are expected to take."""
    centre_min = first_work(handling).median_min * exp(learned.first.of(kind))
    scale = exp(min(max(learned.width.of(kind), -_WIDEST), _WIDEST))
    return ExpectedWork(
        first=Spread(tuple(centre_min * _ratio(scale * x) for x in learned.first_left)),
        centre_min=centre_min,
        bag_min=exp(learned.pace.of(kind)) / handling.bags_a_minute,
        last_ratios=tuple(_ratio(scale * x) for x in learned.last_left),
    )


def _ratio(logarithm: float) -> float:
    """Give a ratio of its logarithm, at most as far out as an arrival may be."""
    return exp(min(max(logarithm, -_FARTHEST), _FARTHEST))


def _weights(cases: Sequence[FinishedArrival]) -> Floats:
    """Give how much each arrival counts; they are in the order of time."""
    on_block_us = np.array([each.on_block_us for each in cases])
    newer = np.arange(len(cases) - 1, -1, -1)
    days = (on_block_us[-1] - on_block_us) / DAY_US
    halvings: Floats = np.maximum(newer / HALF_LIFE_ARRIVALS, days / HALF_LIFE_DAYS)
    return 0.5**halvings


class _Level(NamedTuple):
    """Which stand (handler, type) each arrival had: 0 is not known, else a place in ``names``."""

    names: tuple[str, ...]
    number: Ints


class _Fit(NamedTuple):
    """What was fitted: factors' logarithms, and what is left of each arrival with and without it.

    ``own`` are the effects of each factor's levels, the unknown one first.
    """

    usual: float
    own: list[Floats]
    fitted: Floats
    left: Floats
    alone: Floats

    def factors(self, levels: Sequence[_Level]) -> Factors:
        """Give the factors by the names of their levels."""
        return Factors(
            usual=self.usual,
            own={
                name: {
                    level_name: float(effect)
                    for level_name, effect in zip(level.names, own[1:], strict=True)
                }
                for name, level, own in zip(FACTORS, levels, self.own, strict=True)
            },
        )


def _fit(logs: Floats, weights: Floats, levels: Sequence[_Level]) -> _Fit:
    """Fit a usual value and one of each level, drawn towards 0; outliers count as far as others."""
    logs = np.asarray(logs, dtype=np.float64)
    known = float(weights.sum())
    own = [np.zeros(len(level.names) + 1) for level in levels]
    strengths = [_STRENGTHS[1]] * len(levels)
    usual, fitted = 0.0, np.zeros_like(logs)
    for _ in range(_ROUNDS if len(logs) else 0):
        left = logs - fitted
        sigma = max(_LEAST, 1.4826 * float(np.median(np.abs(left))))  # of a normal distribution
        tamed = fitted + np.clip(left, -_OUTLIER * sigma, _OUTLIER * sigma)
        was, usual = usual, float(weights @ (tamed - fitted + usual)) / (known + _USUAL_STRENGTH)
        fitted = fitted + usual - was
        for place, level in enumerate(levels):
            counts = _sums(level, weights)
            sums = _sums(level, weights * (tamed - fitted + own[place][level.number]))
            means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
            strengths[place] = _strength(means[1:], counts[1:], sigma)
            effects = means * counts / (counts + strengths[place])
            effects[0] = 0.0  # who is not known is like anybody
            fitted = fitted + (effects - own[place])[level.number]
            own[place] = effects
    left = logs - fitted
    share = weights / (known + _USUAL_STRENGTH)
    for level, strength in zip(levels, strengths, strict=True):
        counts = _sums(level, weights)
        share = share + np.where(level.number > 0, weights / (counts[level.number] + strength), 0.0)
    return _Fit(usual, own, fitted, left, left / (1 - np.minimum(share, _MOST_OWN)))


def _sums(level: _Level, values: Floats) -> Floats:
    """Add values up by level, the unknown one first."""
    return np.bincount(level.number, values, len(level.names) + 1).astype(np.float64)


def _strength(means: Floats, counts: Floats, sigma: float) -> float:
    """Give how many cases a level needs to count half: many where levels hardly differ."""
    seen = counts > 0
    if not seen.any():
        return _STRENGTHS[1]
    between = float(np.average(means[seen] ** 2 - sigma**2 / counts[seen], weights=counts[seen]))
    if between <= 0:
        return _STRENGTHS[1]
    return float(np.clip(sigma**2 / between, *_STRENGTHS))


def _levels(cases: Sequence[FinishedArrival], place: int) -> _Level:
    names = tuple(sorted({name for each in cases if (name := each.kind[place]) is not None}))
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return _Level(names, np.array([numbers.get(each.kind[place] or "", 0) for each in cases]))


def _quantiles(left: Floats, weights: Floats, prior: Sequence[float]) -> tuple[float, ...]:
    """Give the quantiles of what is left, with the airport's file as a few more cases."""
    few = points(Spread(tuple(prior)))
    values = np.concatenate([left, few])
    counts = np.concatenate([weights, np.full(len(few), AS_MANY_AS / len(few))])
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order]) - counts[order] / 2
    found = np.interp(PROBABILITIES, reached / counts.sum(), values[order])
    return tuple(float(each) for each in found)


def _prior(work: Spread) -> tuple[float, ...]:
    least_min = 0.05 * work.median_min
    return tuple(float(np.log(max(each, least_min) / work.median_min)) for each in work.minutes)


def _size(prior: Sequence[float]) -> float:
    """Give the typical size of what is left by the airport's file: the geometric mean."""
    sizes = np.maximum(np.abs(points(Spread(tuple(prior)))), _LEAST)
    return float(np.exp(np.log(sizes).mean()))


def _has_pace(arrival: FinishedArrival) -> bool:
    return arrival.bags >= 3 and arrival.rest_min >= SHORTEST_REST_MIN


def _is_credible(arrival: FinishedArrival) -> bool:
    return (
        SHORTEST_MIN <= arrival.first_min <= LONGEST_MIN
        and 0 <= arrival.rest_min <= LONGEST_MIN
        and arrival.bags > 0
    )


def _order(arrival: FinishedArrival) -> tuple[object, ...]:
    return (
        arrival.on_block_us,
        arrival.flight_id,
        arrival.first_min,
        arrival.rest_min,
        arrival.bags,
        tuple(each or "" for each in arrival.kind),
    )
