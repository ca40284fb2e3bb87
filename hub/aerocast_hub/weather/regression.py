"""Ridge and logistic regression in numpy, their strength chosen by cross-validation.

Inputs are scaled to mean 0 and spread 1; a value nobody knows (NaN) becomes 0, which is the mean.
The folds are the caller's: weather of one hour is that of the next, so that hours drawn at random
would let a model see what it is to foretell.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE_STRENGTHS = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
LOGIT_STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
MOST_STEPS = 15
SETTLED = 1e-4
FARTHEST = 6.0  # spreads from the mean: nothing is believed to be stranger than that


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A linear rule: ``intercept + sum(weights * (inputs - means) / spreads)``.

    Attributes
    ----------
    strength
        How much its weights were held back; chosen by cross-validation.
    """

    means: list[float]
    spreads: list[float]
    weights: list[float]
    intercept: float
    strength: float

    def of(self, inputs: Floats) -> Floats:
        """Give the rule's value for each row of inputs, float64, shape (n, inputs)."""
        scaled = _scaled(inputs, np.array(self.means), np.array(self.spreads))
        found: Floats = scaled @ np.array(self.weights) + self.intercept
        return found


def fit_ridge(
    inputs: Floats, targets: Floats, folds: Sequence[Floats]
) -> list[tuple[Line, Floats]]:
    """Fit a line to each target; give it and what it foretold of rows it had not seen.

    Parameters
    ----------
    inputs
        float64, shape (n, inputs); NaN is unknown.
    targets
        float64, shape (n, targets), all known.
    folds
        Of each fold, which rows to learn from and which to foretell: bool, shape (2, n).

    Returns
    -------
    Of each target the line, and float64, shape (n,): NaN for rows no fold foretold.
    """
    foretold = np.full((len(RIDGE_STRENGTHS), *targets.shape), np.nan)
    for learn, tell in folds:
        rows, others = learn.astype(bool), tell.astype(bool)
        for target, lines in enumerate(_ridges(inputs[rows], targets[rows])):
            for at, line in enumerate(lines):
                foretold[at, others, target] = line.of(inputs[others])
    best = np.argmin(np.nanmean((foretold - targets) ** 2, axis=1), axis=0).tolist()
    whole = _ridges(inputs, targets)
    return [(whole[each][at], foretold[at, :, each]) for each, at in enumerate(best)]


def fit_logit(inputs: Floats, happened: Floats, folds: Sequence[Floats]) -> tuple[Line, Floats]:
    """Fit a probability; as `fit_ridge`, with ``happened`` 0 or 1 and probabilities foretold."""
    foretold = np.full((len(LOGIT_STRENGTHS), len(happened)), np.nan)
    for learn, tell in folds:
        lines = _logits(inputs[learn.astype(bool)], happened[learn.astype(bool)])
        for at, line in enumerate(lines):
            foretold[at, tell.astype(bool)] = probability(line.of(inputs[tell.astype(bool)]))
    errors = np.nanmean((foretold - happened) ** 2, axis=1)
    best = int(np.argmin(errors))
    return _logits(inputs, happened, upto=best + 1)[best], foretold[best]


def probability(log_odds: Floats) -> Floats:
    """Turn log odds into probabilities."""
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
    return found


def _ridges(inputs: Floats, targets: Floats) -> list[list[Line]]:
    """Fit, to each target, one line for each strength: they share the decomposition."""
    means, spreads = _scale(inputs)
    scaled = _scaled(inputs, means, spreads)
    offset, middle = scaled.mean(axis=0), targets.mean(axis=0)
    centred = scaled - offset
    values, vectors = np.linalg.eigh(centred.T @ centred)
    turned = vectors.T @ (centred.T @ (targets - middle))
    fitted: list[list[Line]] = [[] for _ in middle]
    for strength in RIDGE_STRENGTHS:
        weights = vectors @ (turned / (np.maximum(values, 0.0) + strength)[:, None])
        intercepts = middle - offset @ weights
        for target, lines in enumerate(fitted):
            intercept = float(intercepts[target])
            lines.append(_line(means, spreads, weights[:, target], intercept, strength))
    return fitted


def _logits(inputs: Floats, happened: Floats, upto: int = len(LOGIT_STRENGTHS)) -> list[Line]:
    """Fit one probability for each strength, by iteratively reweighted least squares.

    The strongest comes first: each starts where the one before ended.
    """
    means, spreads = _scale(inputs)
    scaled = _scaled(inputs, means, spreads)
    rows = np.hstack([scaled, np.ones((len(scaled), 1))])
    rate = (float(happened.sum()) + 0.5) / (len(happened) + 1.0)
    weights = np.zeros(rows.shape[1])
    weights[-1] = np.log(rate / (1.0 - rate))
    lines: dict[float, Line] = {}
    for strength in sorted(LOGIT_STRENGTHS, reverse=True):
        weights = _reweighted(rows, happened, weights, strength)
        lines[strength] = _line(means, spreads, weights[:-1], float(weights[-1]), strength)
    return [lines[strength] for strength in LOGIT_STRENGTHS[:upto]]


def _reweighted(rows: Floats, happened: Floats, weights: Floats, strength: float) -> Floats:
    held = np.full(rows.shape[1], strength)
    held[-1] = 1e-6  # the intercept is free; a little, so that the matrix can be solved
    for _ in range(MOST_STEPS):
        told = probability(rows @ weights)
        slope = rows.T @ (happened - told) - held * weights
        curve = (rows.T * (told * (1.0 - told))) @ rows + np.diag(held)
        step = np.clip(np.linalg.solve(curve, slope), -5.0, 5.0)
        weights = weights + step
        if float(np.abs(step).max()) < SETTLED:
            break
    return weights


def _scale(inputs: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(inputs)
    count = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, inputs, 0.0).sum(axis=0) / count
    squares = np.where(known, (inputs - means) ** 2, 0.0).sum(axis=0) / count
    spreads = np.sqrt(squares)
    return means, np.where(spreads > 1e-9, spreads, np.inf)


def _scaled(inputs: Floats, means: Floats, spreads: Floats) -> Floats:
    scaled = np.nan_to_num((inputs - means) / spreads, nan=0.0)
    found: Floats = np.clip(scaled, -FARTHEST, FARTHEST)
    return found


def _line(
    means: Floats, spreads: Floats, weights: Floats, intercept: float, strength: float
) -> Line:
    # An input that never changes says nothing: its spread would be infinite, which JSON lacks.
    silent = ~np.isfinite(spreads)
    return Line(
        means=means.tolist(),
        spreads=np.where(silent, 1.0, spreads).tolist(),
        weights=np.where(silent, 0.0, weights).tolist(),
        intercept=intercept,
        strength=strength,
    )
