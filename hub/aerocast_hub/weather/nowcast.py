"""The next hours at a station, foretold from its own past: temperature, wind, low visibility.

Ridge regression foretells how temperature and wind change from the newest report, logistic
regression how likely low visibility is; one of each for every hour ahead. How sure that is was
measured on hours the regressions had not seen. Not for flight operations.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from aerocast_hub.weather.regression import Line, fit_logit, fit_ridge, probability
from aerocast_hub.weather.station_history import (
    DAY_US,
    HOUR_US,
    LOW_VISIBILITY_M,
    Floats,
    History,
    Ints,
    Place,
    carried,
    inputs_at,
    nearest,
    taken,
    visibility_inputs_at,
)

LEADS_H = (1, 2, 3, 4, 5, 6, 7, 8)
"""Seven and eight, for a report is up to 75 minutes old when six hours ahead are asked for."""
LEAST_HOURS = 10 * 24  # fewer reports, an hour each, teach nothing that could be believed
LEAST_LOW = 12  # hours of low visibility, without which its probability is only their rate
FOLDS = 5
USUAL_DAYS = 30
BLOCK_US = 5 * DAY_US  # what is foretold in cross-validation: five days on end
QUANTILES = (0.1, 0.5, 0.9)
_AMOUNTS = ("temperature_c", "wind_speed_kt", "wind_east_kt", "wind_north_kt")


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How one amount changes until then.

    Attributes
    ----------
    sigma
        Root mean square of the error in cross-validation.
    offsets
        The 10th, 50th and 90th percentile of what was observed minus what was foretold.
    """

    line: Line
    sigma: float
    offsets: tuple[float, float, float]


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """How likely low visibility is then.

    Attributes
    ----------
    line
        None when there was too little of it to learn from: then the rates alone count.
    brier
        Mean square error in cross-validation.
    rate, rate_if_low, rate_if_not
        How often it was low then: of all, and by whether it was low at the time of the report.
    """

    line: Line | None
    brier: float
    rate: float
    rate_if_low: float
    rate_if_not: float


class LeadModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned for one hour ahead."""

    lead_h: int
    temperature: Amount | None
    wind_speed: Amount | None
    wind_east: Amount | None
    wind_north: Amount | None
    low_visibility: Chance | None


class Usual(msgspec.Struct, frozen=True, kw_only=True):
    """What was usual at an hour of the day: means, and how often visibility was low."""

    temperature_c: float | None
    wind_speed_kt: float | None
    low_visibility: float | None


class StationModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of a station.

    Attributes
    ----------
    hours
        Hours learned from.
    from_us, to_us
        From the first to the last of them.
    climate
        What was usual at each hour of the day (UTC) in the last thirty days of them.
    """

    hours: int
    from_us: int
    to_us: int
    place: Place | None
    leads: list[LeadModel]
    climate: list[Usual]


class Foretold(NamedTuple):
    """What is foretold, one row for each report foretold from: shape (n,), NaN is unknown.

    Attributes
    ----------
    wind_east_kt, wind_north_kt
        Where the air will move to.
    low_visibility
        Probability, 0 to 1.
    """

    temperature_c: Floats
    wind_speed_kt: Floats
    wind_east_kt: Floats
    wind_north_kt: Floats
    low_visibility: Floats


class Study(NamedTuple):
    """A station's past, ready to be learned from.

    Attributes
    ----------
    bases
        Which reports to learn from: the first of every hour.
    """

    history: History
    known: History
    bases: Ints
    place: Place | None


def study(history: History, place: Place | None) -> Study | None:
    """Prepare a station's past; None when it is too short to learn from."""
    bases = hourly(history.at_us)
    if len(bases) < LEAST_HOURS:
        return None
    return Study(history, carried(history), bases, place)


def learned(past: Study, leads: Sequence[LeadModel]) -> StationModel:
    """Put together what was learned of a past, hour by hour ahead."""
    return StationModel(
        hours=len(past.bases),
        from_us=int(past.history.at_us[0]),
        to_us=int(past.history.at_us[-1]),
        place=past.place,
        leads=list(leads),
        climate=_climate(past.history),
    )


def learn(
    history: History, place: Place | None, leads_h: Sequence[int] = LEADS_H
) -> StationModel | None:
    """Learn a station's ways from its past; None when that is too short."""
    past = study(history, place)
    return None if past is None else learned(past, [learn_lead(past, each) for each in leads_h])


def foretell(model: StationModel, known: History, bases: Ints, lead: LeadModel) -> Foretold:
    """Foretell one hour ahead from each of some reports.

    ``known`` is a history as `carried` gives it, ``bases`` indexes into it, ``lead`` one of the
    model's.
    """
    inputs = inputs_at(known, bases, lead.lead_h, model.place)

    def amount(learned: Amount | None, column: Floats) -> Floats:
        if learned is None:
            return np.full(len(bases), np.nan)
        return column[bases] + learned.line.of(inputs)

    return Foretold(
        temperature_c=amount(lead.temperature, known.temperature_c),
        wind_speed_kt=np.maximum(amount(lead.wind_speed, known.wind_speed_kt), 0.0),
        wind_east_kt=amount(lead.wind_east, known.wind_east_kt),
        wind_north_kt=amount(lead.wind_north, known.wind_north_kt),
        low_visibility=_chance(
            lead.low_visibility, visibility_inputs_at(known, bases), known.visibility_m[bases]
        ),
    )


def calibrated_persistence(chance: Chance, visibility_m: Floats) -> Floats:
    """Give how likely low visibility is, by whether it is low now, as the past says."""
    by_now = np.where(visibility_m < LOW_VISIBILITY_M, chance.rate_if_low, chance.rate_if_not)
    return np.where(np.isnan(visibility_m), chance.rate, by_now)


def hourly(at_us: Ints) -> Ints:
    """Choose the first report of every hour: its index."""
    _, first = np.unique(at_us // HOUR_US, return_index=True)
    return first.astype(np.int64)


def learn_lead(past: Study, lead_h: int) -> LeadModel:
    """Learn one hour ahead: a second or so of work for a year's hours."""
    history, known, bases, place = past
    inputs = inputs_at(known, bases, lead_h, place)
    at_us = history.at_us[bases]
    then = nearest(history.at_us, at_us + lead_h * HOUR_US)
    then = np.where(then > bases, then, -1)

    changes = [
        taken(getattr(history, name), then) - getattr(known, name)[bases] for name in _AMOUNTS
    ]
    amounts = dict(zip(_AMOUNTS, _learn_amounts(inputs, changes, at_us, lead_h), strict=True))
    return LeadModel(
        lead_h=lead_h,
        temperature=amounts["temperature_c"],
        wind_speed=amounts["wind_speed_kt"],
        wind_east=amounts["wind_east_kt"],
        wind_north=amounts["wind_north_kt"],
        low_visibility=_learn_chance(
            visibility_inputs_at(known, bases),
            known.visibility_m[bases],
            taken(history.visibility_m, then),
            at_us,
            lead_h,
        ),
    )


def _learn_amounts(
    inputs: Floats, changes: Sequence[Floats], at_us: Ints, lead_h: int
) -> list[Amount | None]:
    """Learn every amount that was reported often enough, from the hours that have all of them."""
    often = [int((~np.isnan(change)).sum()) >= LEAST_HOURS // 2 for change in changes]
    told = [change for change, is_often in zip(changes, often, strict=True) if is_often]
    if not told:
        return [None] * len(changes)
    targets = np.stack(told, axis=1)
    usable = ~np.isnan(targets).any(axis=1)
    if usable.sum() < LEAST_HOURS // 2:
        return [None] * len(changes)
    targets = targets[usable]
    fitted = fit_ridge(inputs[usable], targets, folds(at_us[usable], lead_h))
    amounts = [
        _amount(line, targets[:, target] - foretold)
        for target, (line, foretold) in enumerate(fitted)
    ]
    rest = iter(amounts)
    return [next(rest) if is_often else None for is_often in often]


def _amount(line: Line, errors: Floats) -> Amount:
    known = errors[~np.isnan(errors)]
    low, middle, high = np.quantile(known, QUANTILES)
    return Amount(
        line=line,
        sigma=float(np.sqrt((known**2).mean())),
        offsets=(float(low), float(middle), float(high)),
    )


def _learn_chance(
    inputs: Floats, now_m: Floats, then_m: Floats, at_us: Ints, lead_h: int
) -> Chance | None:
    usable = ~np.isnan(then_m)
    if usable.sum() < LEAST_HOURS // 2:
        return None
    low = (then_m[usable] < LOW_VISIBILITY_M).astype(np.float64)
    was_low = now_m[usable] < LOW_VISIBILITY_M
    rate = float((low.sum() + 0.5) / (len(low) + 1.0))
    chance = Chance(
        line=None,
        brier=rate * (1.0 - rate),
        rate=rate,
        rate_if_low=_rate(low[was_low], rate),
        rate_if_not=_rate(low[~was_low], rate),
    )
    if low.sum() < LEAST_LOW:
        return chance
    line, foretold = fit_logit(inputs[usable], low, folds(at_us[usable], lead_h))
    return msgspec.structs.replace(
        chance, line=line, brier=float(np.nanmean((foretold - low) ** 2))
    )


def _climate(history: History) -> list[Usual]:
    young = history.at_us > history.at_us[-1] - USUAL_DAYS * DAY_US
    hour = history.at_us // HOUR_US % 24
    low = np.where(np.isnan(history.visibility_m), np.nan, history.visibility_m < LOW_VISIBILITY_M)
    return [
        Usual(
            temperature_c=_mean(history.temperature_c[young & (hour == each)]),
            wind_speed_kt=_mean(history.wind_speed_kt[young & (hour == each)]),
            low_visibility=_mean(low[young & (hour == each)]),
        )
        for each in range(24)
    ]


def _mean(column: Floats) -> float | None:
    known = column[~np.isnan(column)]
    return float(known.mean()) if len(known) else None


def _chance(chance: Chance | None, inputs: Floats, visibility_m: Floats) -> Floats:
    if chance is None:
        return np.full(len(inputs), np.nan)
    if chance.line is None:
        return calibrated_persistence(chance, visibility_m)
    return probability(chance.line.of(inputs))


def _rate(happened: Floats, of_all: float) -> float:
    """Give a rate, drawn a little to that of all hours: of no hours it is that."""
    return float((happened.sum() + of_all) / (len(happened) + 1.0))


def folds(at_us: Ints, lead_h: int) -> Sequence[Floats]:
    """Part times into folds: each foretells every fifth block of five days from the rest.

    Hours whose outcome falls into a block foretold are not learned from, nor those from which a
    block's first hours could be read.
    """
    block = at_us // BLOCK_US
    later = (at_us + lead_h * HOUR_US) // BLOCK_US
    earlier = (at_us - lead_h * HOUR_US) // BLOCK_US
    parted = []
    for fold in range(FOLDS):
        tell = block % FOLDS == fold
        touched = tell | (later % FOLDS == fold) | (earlier % FOLDS == fold)
        if tell.any() and not touched.all():
            parted.append(np.stack([~touched, tell]).astype(np.float64))
    return parted
