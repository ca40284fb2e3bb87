"""Gateways whose clocks stray, found from the bags that pass them. Pure.

A belt takes as long today as it took last week. When bags seem to take longer from A to B and less
from B to C, B's clock is late. Of all pairs of gateways that share bags the shifts are explained by
clock errors against the middle of all (least squares, weighted by what is known). Of two gateways
alone nobody can say which one strays: both are named.
"""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

FEWEST = 8  # bags between two places before their time is believed
STRAYS_S = 1.0
SPREAD_TO_SIGMA = 1.4826  # of the median absolute deviation, for a normal distribution
LEAST_SIGMA_S = 0.2
PRIOR_SIGMA_S = 3600.0  # a common error of all shows nowhere: something must hold them

Pair = tuple[str, str]
"""Two gateways, in the order bags meet them."""


class StrayClock(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's clock error, as the belts tell it.

    Attributes
    ----------
    error_s
        Seconds its clock is ahead (positive) or behind.
    sigma_s
        Standard error of that.
    bags
        How many spoke of it.
    """

    gateway: str
    error_s: float
    sigma_s: float
    bags: int
    is_stray: bool


def stray_clocks(
    before: Mapping[Pair, Sequence[float]], now: Mapping[Pair, Sequence[float]]
) -> list[StrayClock]:
    """Find clock errors from travel times, seconds.

    Parameters
    ----------
    before
        Pair of gateways -> travel times when the clocks were right.
    now
        The same of the time in question.
    """
    shifts: list[tuple[Pair, float, float, int]] = []
    for pair in sorted(now.keys() & before.keys()):
        if min(len(now[pair]), len(before[pair])) >= FEWEST and pair[0] != pair[1]:
            shift_s = median(now[pair]) - median(before[pair])
            sigma_s = (_variance(now[pair]) + _variance(before[pair])) ** 0.5
            shifts.append((pair, shift_s, sigma_s, len(now[pair])))
    gateways = sorted({gateway for pair, *_ in shifts for gateway in pair})
    if not gateways:
        return []
    errors = _least_squares(gateways, shifts)
    right = median(errors)  # only differences are seen: most clocks are right
    errors = [each - right for each in errors]
    sigmas = [
        sum(sigma_s**-2 for pair, _, sigma_s, _ in shifts if gateway in pair) ** -0.5
        for gateway in gateways
    ]
    return [
        StrayClock(
            gateway=gateway,
            error_s=round(errors[i], 3),
            sigma_s=round(sigmas[i], 3),
            bags=sum(bags for pair, _, _, bags in shifts if gateway in pair),
            is_stray=abs(errors[i]) > max(STRAYS_S, 3 * sigmas[i]),
        )
        for i, gateway in enumerate(gateways)
    ]


def _variance(times_s: Sequence[float]) -> float:
    middle = median(times_s)
    spread = SPREAD_TO_SIGMA * median([abs(each - middle) for each in times_s])
    return float(max(spread, LEAST_SIGMA_S) ** 2 / len(times_s))


def _least_squares(
    gateways: Sequence[str], shifts: Sequence[tuple[Pair, float, float, int]]
) -> list[float]:
    """Solve the normal equations of: shift of a pair = error of its second - of its first."""
    n = len(gateways)
    index = {gateway: i for i, gateway in enumerate(gateways)}
    normal = [[PRIOR_SIGMA_S**-2 if i == j else 0.0 for j in range(n)] for i in range(n)]
    right = [0.0] * n
    for (first, second), shift_s, sigma_s, _ in shifts:
        weight = sigma_s**-2
        a, b = index[first], index[second]
        normal[a][a] += weight
        normal[b][b] += weight
        normal[a][b] -= weight
        normal[b][a] -= weight
        right[a] -= weight * shift_s
        right[b] += weight * shift_s
    inverse = _inverse(normal)
    return [sum(inverse[i][j] * right[j] for j in range(n)) for i in range(n)]


def _inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Invert a symmetric positive definite matrix (Gauss and Jordan)."""
    n = len(matrix)
    rows = [[*row, *(1.0 if i == j else 0.0 for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = rows[i][i]
        rows[i] = [each / pivot for each in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [
                    each - factor * of_i for each, of_i in zip(rows[k], rows[i], strict=True)
                ]
    return [row[n:] for row in rows]
