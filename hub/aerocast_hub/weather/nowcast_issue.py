"""A nowcast as it is issued: hour by hour, with the TAF, and with what it will be measured against.

Hours are counted from the issue, what was learned from the newest report: in between, the nearest
two hours learned are drawn together.
"""

from collections.abc import Callable, Sequence
from math import isnan

import msgspec
import numpy as np
from aerocast_protocols.weather.taf_report import TafPeriod

from aerocast_hub.weather.nowcast import (
    Amount,
    Foretold,
    LeadModel,
    StationModel,
    calibrated_persistence,
    foretell,
)
from aerocast_hub.weather.station_history import (
    CARRIED_US,
    HOUR_US,
    LOW_VISIBILITY_M,
    History,
    carried,
)
from aerocast_hub.weather.taf_blend import (
    Said,
    TafHour,
    TafTrust,
    Wind,
    blend_chance,
    blend_wind,
    direction_of,
    taf_hour,
)

HOURS_AHEAD = (1, 2, 3, 4, 5, 6)
TEN_PERCENT = 1.2816  # of a normal distribution: so many sigma from the middle


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one forecaster says; None is nothing.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true; None also when variable or calm.
    low_visibility
        Probability of less than three miles (4,828 m), 0 to 1.
    """

    temperature_c: float | None = None
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    low_visibility: float | None = None


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """How sure an amount is: its error's size, and the 10th, 50th and 90th percentile."""

    sigma: float
    low: float
    middle: float
    high: float


class NowcastHour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour ahead.

    Attributes
    ----------
    forecast
        The answer: what the station's past says, blended with the TAF.
    temperature_range, wind_speed_range
        How sure it is.
    nowcast, taf
        What it was blended of.
    taf_said
        The TAF's own word about low visibility.
    persistence, climatology
        What needs no skill: it stays; it is as usual at this hour of the day.
    calibrated_persistence
        How likely low visibility is by whether it is low now.
    """

    lead_h: int
    valid_at_us: int
    forecast: Told
    temperature_range: Range | None
    wind_speed_range: Range | None
    nowcast: Told
    taf: Told | None
    taf_said: Said | None
    persistence: Told
    calibrated_persistence: float | None
    climatology: Told


class _Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned, drawn together for one moment; nan where unknown."""

    told: Told
    temperature: tuple[float, float, float, float]
    wind_speed: tuple[float, float, float, float]
    brier: float
    calibrated: float


class _Simple(msgspec.Struct, frozen=True, kw_only=True):
    """What needs no skill."""

    persistence: Told
    climatology: Told


def issue(
    model: StationModel | None,
    history: History,
    issued_at_us: int,
    periods: Sequence[TafPeriod],
    trust: TafTrust,
) -> list[NowcastHour]:
    """Foretell the next six hours at a station.

    Parameters
    ----------
    model
        What was learned of it; None when its past is too short: then the TAF alone speaks.
    history
        The last day and a half or more; nothing after the issue counts.
    periods
        The timeline of the TAF in force; empty without one.

    Returns
    -------
    Nothing when the newest report is over 75 minutes old, or there is nobody to ask.
    """
    base = int(np.searchsorted(history.at_us, issued_at_us, side="right")) - 1
    if base < 0 or issued_at_us - int(history.at_us[base]) > CARRIED_US:
        return []
    if model is None and not periods:
        return []
    known = carried(history)
    bases = np.array([base])
    told = [] if model is None else [(e, foretell(model, known, bases, e)) for e in model.leads]
    now = _now(known, base)
    hours = []
    for lead_h in HOURS_AHEAD:
        valid_at_us = issued_at_us + lead_h * HOUR_US
        since_h = (valid_at_us - int(history.at_us[base])) / HOUR_US
        drawn = _draw(told, since_h, float(known.visibility_m[base]))
        hour = taf_hour(periods, valid_at_us)
        simple = _Simple(persistence=now, climatology=_usual(model, valid_at_us))
        hours.append(_hour((lead_h, valid_at_us), drawn, hour, trust, simple))
    return hours


def _hour(
    when: tuple[int, int], drawn: _Drawn, hour: TafHour | None, trust: TafTrust, simple: _Simple
) -> NowcastHour:
    lead_h, valid_at_us = when
    wind = _wind(drawn, hour, trust)
    chance = _chance(drawn, hour, trust)
    own = drawn.told
    return NowcastHour(
        lead_h=lead_h,
        valid_at_us=valid_at_us,
        forecast=Told(
            temperature_c=own.temperature_c,
            wind_direction_deg=None if wind is None else wind.direction_deg,
            wind_speed_kt=None if wind is None else wind.speed_kt,
            low_visibility=chance,
        ),
        temperature_range=_range(own.temperature_c, drawn.temperature),
        wind_speed_range=_wind_range(wind, drawn.wind_speed),
        nowcast=own,
        taf=None if hour is None else _taf_told(hour, trust),
        taf_said=None if hour is None else hour.low_visibility,
        persistence=simple.persistence,
        calibrated_persistence=_known(drawn.calibrated),
        climatology=simple.climatology,
    )


def _wind(drawn: _Drawn, hour: TafHour | None, trust: TafTrust) -> Wind | None:
    speed_kt = drawn.told.wind_speed_kt
    if speed_kt is not None:
        own = Wind(
            direction_deg=drawn.told.wind_direction_deg,
            speed_kt=speed_kt,
            sigma_kt=drawn.wind_speed[0],
        )
        return blend_wind(own, hour, trust)
    if hour is None or hour.wind_speed_kt is None:
        return None
    return Wind(
        direction_deg=hour.wind_direction_deg,
        speed_kt=hour.wind_speed_kt,
        sigma_kt=trust.wind_sigma_kt,
    )


def _chance(drawn: _Drawn, hour: TafHour | None, trust: TafTrust) -> float | None:
    own = drawn.told.low_visibility
    if own is not None:
        return blend_chance(own, drawn.brier, hour, trust)
    if hour is None or hour.low_visibility is None:
        return None
    return trust.chances[hour.low_visibility]


def _draw(told: Sequence[tuple[LeadModel, Foretold]], since_h: float, seen_m: float) -> _Drawn:
    """Draw the two nearest hours learned together."""

    def drawn(value: Callable[[LeadModel, Foretold], float]) -> float:
        if not told:
            return float("nan")
        hours = [lead.lead_h for lead, _ in told]
        return float(np.interp(since_h, hours, [value(*each) for each in told]))

    def spread(amount: Callable[[LeadModel], Amount | None]) -> tuple[float, float, float, float]:
        def part(number: int) -> float:
            return drawn(lambda lead, _: _parts(amount(lead))[number])

        return part(0), part(1), part(2), part(3)

    def calibrated(lead: LeadModel, _: Foretold) -> float:
        if lead.low_visibility is None:
            return float("nan")
        return float(calibrated_persistence(lead.low_visibility, np.array([seen_m]))[0])

    return _Drawn(
        told=Told(
            temperature_c=_known(drawn(lambda _, each: each.temperature_c[0])),
            wind_direction_deg=direction_of(
                drawn(lambda _, each: each.wind_east_kt[0]),
                drawn(lambda _, each: each.wind_north_kt[0]),
            ),
            wind_speed_kt=_known(drawn(lambda _, each: each.wind_speed_kt[0])),
            low_visibility=_known(drawn(lambda _, each: each.low_visibility[0])),
        ),
        temperature=spread(lambda lead: lead.temperature),
        wind_speed=spread(lambda lead: lead.wind_speed),
        brier=drawn(lambda lead, _: lead.low_visibility.brier if lead.low_visibility else np.nan),
        calibrated=drawn(calibrated),
    )


def _parts(amount: Amount | None) -> tuple[float, float, float, float]:
    nan = float("nan")
    return (nan, nan, nan, nan) if amount is None else (amount.sigma, *amount.offsets)


def _range(middle: float | None, parts: tuple[float, float, float, float]) -> Range | None:
    if middle is None or isnan(parts[0]):
        return None
    return Range(
        sigma=parts[0], low=middle + parts[1], middle=middle + parts[2], high=middle + parts[3]
    )


def _wind_range(wind: Wind | None, learned: tuple[float, float, float, float]) -> Range | None:
    """Give how sure a wind is: the shape of the errors learned, at the size of the blend's."""
    if wind is None:
        return None
    low, middle, high = -TEN_PERCENT * wind.sigma_kt, 0.0, TEN_PERCENT * wind.sigma_kt
    if learned[0] > 0.0:
        low, middle, high = (part * wind.sigma_kt / learned[0] for part in learned[1:])
    return Range(
        sigma=wind.sigma_kt,
        low=max(0.0, wind.speed_kt + low),
        middle=max(0.0, wind.speed_kt + middle),
        high=max(0.0, wind.speed_kt + high),
    )


def _now(known: History, base: int) -> Told:
    seen = _known(float(known.visibility_m[base]))
    return Told(
        temperature_c=_known(float(known.temperature_c[base])),
        wind_direction_deg=direction_of(
            float(known.wind_east_kt[base]), float(known.wind_north_kt[base])
        ),
        wind_speed_kt=_known(float(known.wind_speed_kt[base])),
        low_visibility=None if seen is None else float(seen < LOW_VISIBILITY_M),
    )


def _usual(model: StationModel | None, at_us: int) -> Told:
    if model is None:
        return Told()
    usual = model.climate[at_us // HOUR_US % 24]
    return Told(
        temperature_c=usual.temperature_c,
        wind_speed_kt=usual.wind_speed_kt,
        low_visibility=usual.low_visibility,
    )


def _taf_told(hour: TafHour, trust: TafTrust) -> Told:
    said = hour.low_visibility
    return Told(
        wind_direction_deg=hour.wind_direction_deg,
        wind_speed_kt=hour.wind_speed_kt,
        low_visibility=None if said is None else trust.chances[said],
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)
