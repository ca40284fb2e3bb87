"""How long something may take: a distribution of minutes, by its quantiles. Pure.

Everything is worked out by fixed quadrature: the same question has the same answer, always.
"""

from collections.abc import Iterable, Sequence
from math import exp, log
from statistics import NormalDist

import msgspec
import numpy as np

from aerocast_hub.ground_times import Stage, Tenths

PROBABILITIES = (0.01, *(round(0.05 * n, 2) for n in range(1, 20)), 0.99)
POINTS = 24  # of a quadrature; each stands for one in so many cases

_AT = np.array(PROBABILITIES)
_MIDDLES = (np.arange(POINTS) + 0.5) / POINTS
# An exponential half that has its 90 % where a normal one has it.
_EXPONENTIAL = tuple(1.2816 * log(0.5 / (1 - each)) / log(5) for each in PROBABILITIES)
_Z = tuple(NormalDist().inv_cdf(each) for each in PROBABILITIES)
_FEWEST = 1e-9
_DECIMALS = 9
_TENTHS = np.arange(11) / 10


class Spread(msgspec.Struct, frozen=True):
    """How long something takes, or when it happens: minutes at ``PROBABILITIES``, ascending."""

    minutes: tuple[float, ...]

    @property
    def median_min(self) -> float:
        """What half of all cases do not pass, minutes."""
        return self.minutes[PROBABILITIES.index(0.5)]


def spread_of(stage: Stage | Tenths) -> Spread:
    """Give the distribution of a stage: between two halves of normal ones and a long late tail.

    What was measured is taken as it is; below the first tenth it goes on as above it, early or not,
    beyond the last with a tail: through the 99 % where that was measured.
    """
    if not isinstance(stage, Stage):
        return _of_tenths(stage)
    lean = max(0.0, 1 - stage.early_min / stage.late_min) if stage.late_min else 0.0
    late = [(1 - lean) * z + lean * tail for z, tail in zip(_Z, _EXPONENTIAL, strict=True)]
    return _spread(
        stage.median_min + (z * stage.early_min if z < 0 else far * stage.late_min)
        for z, far in zip(_Z, late, strict=True)
    )


def _of_tenths(measured: Sequence[float]) -> Spread:
    tenths = measured[:9]
    early_min = 2 * tenths[0] - tenths[1]
    if len(measured) > len(tenths):
        scale_min = (measured[-1] - tenths[8]) / log(10)  # 10 % lie beyond the one, 1 % the other
    else:
        scale_min = (tenths[8] - tenths[7]) / log(2)
    inside = np.interp(PROBABILITIES, _TENTHS, [early_min, *tenths, tenths[8]])
    beyond = [tenths[8] + scale_min * log(0.1 / (1 - each)) for each in PROBABILITIES]
    return _spread(
        float(within) if share <= 0.9 else far
        for share, within, far in zip(PROBABILITIES, inside, beyond, strict=True)
    )


def exactly(minutes: float) -> Spread:
    """Give the distribution of what is known."""
    return Spread((minutes,) * len(PROBABILITIES))


def at_share(spread: Spread, share: float) -> float:
    """Give what a share of all cases does not pass, minutes; ``share`` between 0 and 1."""
    return float(np.interp(share, _AT, spread.minutes))


def points(spread: Spread, count: int = POINTS) -> list[float]:
    """Give equally likely cases, minutes, ascending."""
    middles = _MIDDLES if count == POINTS else (np.arange(count) + 0.5) / count
    return [float(each) for each in np.interp(middles, _AT, spread.minutes)]


def of_cases(minutes: Iterable[float]) -> Spread:
    """Give the distribution of equally likely cases, at least one, minutes, in any order."""
    found = np.sort(np.fromiter(minutes, dtype=np.float64))
    middles = (np.arange(len(found)) + 0.5) / len(found)
    return _spread(float(each) for each in np.interp(_AT, middles, found))


def total(one: Spread, *others: Spread) -> Spread:
    """Give the distribution of the sum of independent durations."""
    for other in others:
        sums = np.add.outer(_points(one), _points(other)).ravel()
        one = of_cases(sums)
    return one


def chance_over(spread: Spread, minutes: float) -> float:
    """Give the probability that it takes longer, 0 to 1; beyond 1 and 99 % it falls steadily."""
    known = spread.minutes
    if known[-1] - known[0] < _FEWEST:
        return 1.0 if minutes < known[0] else 0.0
    if minutes > known[-1]:
        return 0.01 * exp(-(minutes - known[-1]) / _tail(known[-2], known[-1]))
    if minutes < known[0]:
        return 1.0 - 0.01 * exp(-(known[0] - minutes) / _tail(known[0], known[1]))
    return 1.0 - float(np.interp(minutes, known, _AT))


def when_over(spread: Spread, minutes: float) -> Spread:
    """Give the distribution of the cases that take longer: it has not happened by then.

    What should have happened long ago is expected to take a little longer still.
    """
    over = chance_over(spread, minutes)
    if over >= 0.99:
        return spread
    known = spread.minutes
    if over <= 0.01:
        wait = max(1.0, (known[-1] - known[-2]) / log(5))
        return Spread(tuple(minutes - wait * log(1 - each) for each in PROBABILITIES))
    shares = 1.0 - over * (1.0 - _AT)
    tail = _tail(known[-2], known[-1])
    inside = np.interp(shares, _AT, known)
    beyond = known[-1] + tail * np.log(0.01 / np.maximum(1.0 - shares, _FEWEST))
    later = np.where(shares > PROBABILITIES[-1], beyond, inside)
    return Spread(tuple(float(max(minutes, each)) for each in later))


def _spread(minutes: Iterable[float]) -> Spread:
    """Round to what can be told apart: what is interpolated is divided by what lies between."""
    return Spread(tuple(round(each, _DECIMALS) for each in minutes))


def _points(spread: Spread) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.interp(_MIDDLES, _AT, spread.minutes)


def _tail(low: float, high: float) -> float:
    """Give the scale of an exponential tail through the outermost two quantiles, 5 and 1 %."""
    return max((high - low) / log(5), _FEWEST)
