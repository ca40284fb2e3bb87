"""How good forecasts were, measured by what came, beside what needs no skill at all.

A forecast earns its place only where it beats persistence (it stays as it is) and climatology (it
is as usual). Scores as in WWRP/WGNE's "Forecast Verification" pages; they are compared on the same
cases only.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10


class AmountScores(msgspec.Struct, frozen=True, kw_only=True):
    """How far off an amount was, in its own unit.

    Attributes
    ----------
    cases
        Forecasts whose outcome is known.
    bias
        Mean of forecast minus observed.
    skill_persistence, skill_climatology
        1 - (rmse / the other's rmse)^2 on the cases both foretold: 1 is perfect, 0 no better,
        negative worse. None without such cases, or where the other was never wrong.
    """

    cases: int
    rmse: float
    mae: float
    bias: float
    skill_persistence: float | None = None
    skill_climatology: float | None = None


class ChanceScores(msgspec.Struct, frozen=True, kw_only=True):
    """How good probabilities were.

    Attributes
    ----------
    brier
        Mean of (probability - what happened)^2: 0 is perfect.
    happened
        Times it did.
    skill_persistence, skill_climatology
        1 - brier / the other's brier on the cases both foretold; see `AmountScores`.
    """

    cases: int
    happened: int
    brier: float
    skill_persistence: float | None = None
    skill_climatology: float | None = None


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Of the probabilities from ``low`` to ``high``: their mean, and how often it happened."""

    low: float
    high: float
    cases: int
    told: float
    rate: float


def rmse(told: Floats, observed: Floats) -> float | None:
    """Give the root of the mean square error of the cases known on both sides."""
    square = _mean_square(told, observed)
    return None if square is None else float(np.sqrt(square))


def mae(told: Floats, observed: Floats) -> float | None:
    """Give the mean size of the error."""
    errors = _errors(told, observed)
    return float(np.abs(errors).mean()) if len(errors) else None


def brier(told: Floats, happened: Floats) -> float | None:
    """Give the Brier score; ``happened`` is 0, 1 or NaN."""
    return _mean_square(told, happened)


def skill(told: Floats, reference: Floats, observed: Floats) -> float | None:
    """Give 1 - mean square error / that of a reference, on the cases both foretold."""
    both = ~(np.isnan(told) | np.isnan(reference))
    own = _mean_square(told[both], observed[both])
    other = _mean_square(reference[both], observed[both])
    return None if own is None or not other else 1.0 - own / other


def score_amounts(told: Mapping[str, Floats], observed: Floats) -> dict[str, AmountScores]:
    """Score every forecaster of an amount that foretold any of it.

    ``told`` by forecaster's name, shape (n,) each, NaN where it said nothing; the references are
    those named ``persistence`` and ``climatology``.
    """
    scored = {}
    for name, each in told.items():
        errors = _errors(each, observed)
        if len(errors):
            scored[name] = AmountScores(
                cases=len(errors),
                rmse=float(np.sqrt((errors**2).mean())),
                mae=float(np.abs(errors).mean()),
                bias=float(errors.mean()),
                skill_persistence=_against("persistence", name, told, observed),
                skill_climatology=_against("climatology", name, told, observed),
            )
    return scored


def score_chances(told: Mapping[str, Floats], happened: Floats) -> dict[str, ChanceScores]:
    """Score every forecaster of a probability; arguments as of `score_amounts`.

    Persistence here is the one that knows how often it stayed so (calibrated), the harder to beat.
    """
    scored = {}
    for name, each in told.items():
        errors = _errors(each, happened)
        if len(errors):
            known = ~(np.isnan(each) | np.isnan(happened))
            scored[name] = ChanceScores(
                cases=len(errors),
                happened=int(happened[known].sum()),
                brier=float((errors**2).mean()),
                skill_persistence=_against("calibrated_persistence", name, told, happened),
                skill_climatology=_against("climatology", name, told, happened),
            )
    return scored


def reliability(told: Floats, happened: Floats, bins: int = BINS) -> list[ReliabilityBin]:
    """Sort probabilities into bins of one width, and say how often it happened in each."""
    known = ~(np.isnan(told) | np.isnan(happened))
    told, happened = told[known], happened[known]
    place = np.minimum((told * bins).astype(np.int64), bins - 1)
    return [
        ReliabilityBin(
            low=each / bins,
            high=(each + 1) / bins,
            cases=int((place == each).sum()),
            told=float(told[place == each].mean()),
            rate=float(happened[place == each].mean()),
        )
        for each in range(bins)
        if (place == each).any()
    ]


def coverage(low: Floats, high: Floats, observed: Floats) -> float | None:
    """Give the share of outcomes that fell between two bounds."""
    known = ~(np.isnan(low) | np.isnan(high) | np.isnan(observed))
    if not known.any():
        return None
    inside = (low[known] <= observed[known]) & (observed[known] <= high[known])
    return float(inside.mean())


def _against(
    reference: str, name: str, told: Mapping[str, Floats], observed: Floats
) -> float | None:
    if name == reference or reference not in told:
        return None
    return skill(told[name], told[reference], observed)


def _mean_square(told: Floats, observed: Floats) -> float | None:
    errors = _errors(told, observed)
    return float((errors**2).mean()) if len(errors) else None


def _errors(told: Floats, observed: Floats) -> Floats:
    errors: Floats = told - observed
    return errors[~np.isnan(errors)]
