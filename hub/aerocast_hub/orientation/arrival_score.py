"""How good foretold arrivals of bags were, measured by what came. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

SHARES = (0.1, 0.5, 0.9)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How good foretold times were.

    Attributes
    ----------
    cases
        Times foretold whose outcome is known.
    inside
        Of these, the share between P10 and P90: 0.8 is right, more is too careful.
    below_middle
        The share that came before P50: 0.5 is right.
    pinball_min
        Mean pinball loss over P10, P50 and P90, minutes: 0 is perfect.
    file_pinball_min
        The same for the airport's own file alone, without anything learned.
    """

    cases: int
    inside: float
    below_middle: float
    pinball_min: float
    file_pinball_min: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was foretold, with and without learning, and what came: minutes after one moment."""

    told: tuple[float, float, float]
    by_file: tuple[float, float, float]
    came: float


def pinball(told: Sequence[float], came: float) -> float:
    """Give the mean pinball loss of P10, P50 and P90, in their unit.

    A quantile that is passed costs its share of the distance, one that is not the rest: on average
    the true quantiles cost least (Koenker and Bassett, 1978).
    """
    losses = [
        share * (came - each) if came >= each else (1 - share) * (each - came)
        for share, each in zip(SHARES, told, strict=True)
    ]
    return sum(losses) / len(losses)


def score(outcomes: Iterable[Outcome]) -> Score | None:
    """Score outcomes, in any order; None when there are none."""
    found = list(outcomes)
    if not found:
        return None
    count = len(found)
    return Score(
        cases=count,
        inside=sum(each.told[0] <= each.came <= each.told[2] for each in found) / count,
        below_middle=sum(each.came <= each.told[1] for each in found) / count,
        pinball_min=sum(sorted(pinball(each.told, each.came) for each in found)) / count,
        file_pinball_min=sum(sorted(pinball(each.by_file, each.came) for each in found)) / count,
    )
