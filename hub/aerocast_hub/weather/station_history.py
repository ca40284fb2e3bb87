"""What a station reported, as columns of numbers, and what a nowcast is made from at an instant.

Nothing here looks ahead: what is given for an instant was observed at that instant or before.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
LOW_VISIBILITY_M = 4828.0
"""Three miles: below, an airport is IFR."""
HAZY_M = 9000.0
NEAR_US = 35 * MINUTE_US  # a report that far from the time meant still stands for it
CARRIED_US = 75 * MINUTE_US  # a value missing from a report is the last one, if no older
FARTHEST_SEEN_M = 16_100.0  # ten miles; stations that stop at 9999 stop earlier, and always there
SUN_STEP_US = HOUR_US // 2


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What one report says that a nowcast is made from.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from; None when variable or not reported.
    """

    observed_at_us: int
    temperature_c: float | None = None
    dew_point_c: float | None = None
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    visibility_m: float | None = None
    pressure_hpa: float | None = None


class Place(NamedTuple):
    """Where a station stands, degrees on WGS 84."""

    latitude_deg: float
    longitude_deg: float


class History(NamedTuple):
    """A station's reports, oldest first: arrays of shape (n,), NaN where nothing is known.

    Attributes
    ----------
    wind_east_kt, wind_north_kt
        Where the air moves to; 0 when calm or variable.
    """

    at_us: Ints
    temperature_c: Floats
    dew_point_c: Floats
    wind_east_kt: Floats
    wind_north_kt: Floats
    wind_speed_kt: Floats
    visibility_m: Floats
    pressure_hpa: Floats


def history_of(reports: Sequence[Observed]) -> History:
    """Set reports in columns; of two of one time the last given counts."""
    ordered = sorted({each.observed_at_us: each for each in reports}.items())
    rows = [each for _, each in ordered]
    speed = _column([row.wind_speed_kt for row in rows])
    towards = np.radians(_column([row.wind_direction_deg for row in rows]) + 180.0)
    # Without a direction the wind is variable or calm: on the whole the air goes nowhere.
    still = np.isnan(towards) & ~np.isnan(speed)
    return History(
        at_us=np.array([at for at, _ in ordered], dtype=np.int64),
        temperature_c=_column([row.temperature_c for row in rows]),
        dew_point_c=_column([row.dew_point_c for row in rows]),
        wind_east_kt=np.where(still, 0.0, speed * np.sin(towards)),
        wind_north_kt=np.where(still, 0.0, speed * np.cos(towards)),
        wind_speed_kt=speed,
        visibility_m=np.minimum(_column([row.visibility_m for row in rows]), FARTHEST_SEEN_M),
        pressure_hpa=_column([row.pressure_hpa for row in rows]),
    )


def carried(history: History) -> History:
    """Fill what a report does not say with what was last known, up to 75 minutes old."""
    return History(history.at_us, *(_carry(history.at_us, column) for column in history[1:]))


def nearest(at_us: Ints, wanted_us: Ints, within_us: int = NEAR_US) -> Ints:
    """Find the report nearest to each instant wanted: its index, or -1 with none that near."""
    if not len(at_us):
        return np.full(len(wanted_us), -1, dtype=np.int64)
    after = np.clip(np.searchsorted(at_us, wanted_us), 0, len(at_us) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(at_us[before] - wanted_us) <= np.abs(at_us[after] - wanted_us)
    found = np.where(closer, before, after)
    return np.where(np.abs(at_us[found] - wanted_us) <= within_us, found, -1)


def taken(column: Floats, at: Ints) -> Floats:
    """Give a column's values at indexes; NaN at index -1."""
    if not len(column):
        return np.full(len(at), np.nan)
    return np.where(at >= 0, column[at], np.nan)


def inputs_at(history: History, bases: Ints, lead_h: int, place: Place | None) -> Floats:
    """Give what a nowcast from each of some reports is made from.

    Parameters
    ----------
    history
        As `carried` gives it.
    bases
        Indexes of the newest report each nowcast may know.
    lead_h
        How far ahead it will look.
    place
        Where the station stands: how high the sun will be; None is not known.

    Returns
    -------
    float64, shape (bases, inputs); NaN is unknown.
    """
    at_us = history.at_us[bases]
    spread = history.temperature_c - history.dew_point_c
    seen = np.log(np.maximum(history.visibility_m, 50.0))
    back = {hours: _before(history.at_us, at_us, hours, bases) for hours in (1, 2, 3, 6, 24)}
    # What the same hours of yesterday did.
    yesterday_h = 24 - lead_h
    ahead_then = _before(history.at_us, at_us, yesterday_h, bases)

    def change(column: Floats, hours: int) -> Floats:
        return column[bases] - taken(column, back[hours])

    columns = [
        history.temperature_c[bases],
        spread[bases],
        history.wind_east_kt[bases],
        history.wind_north_kt[bases],
        history.wind_speed_kt[bases],
        history.pressure_hpa[bases],
        seen[bases],
        *(change(history.temperature_c, hours) for hours in (1, 2, 3, 6, 24)),
        *(change(spread, hours) for hours in (1, 3, 24)),
        *(change(history.wind_speed_kt, hours) for hours in (1, 3)),
        *(change(history.wind_east_kt, hours) for hours in (1, 3)),
        *(change(history.wind_north_kt, hours) for hours in (1, 3)),
        *(change(history.pressure_hpa, hours) for hours in (1, 3, 6)),
        *(change(seen, hours) for hours in (1, 3)),
        *(
            taken(column, ahead_then) - taken(column, back[24])
            for column in (history.temperature_c, spread, history.wind_speed_kt)
        ),
        *_calendar(at_us),
        *_sun(at_us, lead_h, place),
    ]
    return np.stack(columns, axis=1)


def visibility_inputs_at(history: History, bases: Ints) -> Floats:
    """Give what the chance of low visibility is told from, for each of some reports.

    Few: fog is rare, and with forty inputs a regression learns a year's fogs by heart. Of a dozen
    such lists this is the shortest within one standard error of the best in cross-validation one
    and six hours ahead. Arguments and result as of `inputs_at`.
    """
    at_us = history.at_us[bases]
    seen = np.log(np.maximum(history.visibility_m, 50.0))
    spread = history.temperature_c - history.dew_point_c
    unknown = np.isnan(history.visibility_m)
    low = np.where(unknown, np.nan, history.visibility_m < LOW_VISIBILITY_M)
    hazy = np.where(unknown, np.nan, history.visibility_m < HAZY_M)
    before = {hours: _before(history.at_us, at_us, hours, bases) for hours in (1, 3)}
    columns = [
        low[bases],
        hazy[bases],
        seen[bases],
        seen[bases] - taken(seen, before[1]),
        taken(low, before[1]),
        np.log1p(np.clip(spread[bases], 0.0, 20.0)),
        spread[bases] - taken(spread, before[1]),
        history.wind_speed_kt[bases],
        history.pressure_hpa[bases],
        history.pressure_hpa[bases] - taken(history.pressure_hpa, before[3]),
    ]
    return np.stack(columns, axis=1)


def _before(at_us: Ints, now_us: Ints, hours: int, bases: Ints) -> Ints:
    """Find the report some hours before, never one after the base."""
    found = nearest(at_us, now_us - hours * HOUR_US)
    return np.where(found <= bases, found, -1)


def _calendar(at_us: Ints) -> list[Floats]:
    """Give the hour of the day and the day of the year as circles."""
    hour = 2.0 * np.pi * (at_us % DAY_US) / DAY_US
    season = 2.0 * np.pi * (at_us % round(365.2425 * DAY_US)) / (365.2425 * DAY_US)
    circles = [np.sin(hour), np.cos(hour), np.sin(2 * hour), np.cos(2 * hour)]
    return [*circles, np.sin(season), np.cos(season)]


def _sun(at_us: Ints, lead_h: int, place: Place | None) -> list[Floats]:
    """Give how much sun there was in the last three hours, and will be until the time foretold."""
    if place is None:
        return [np.full(len(at_us), np.nan)] * 2
    past = np.arange(-3 * HOUR_US, 1, SUN_STEP_US)
    ahead = np.arange(0, lead_h * HOUR_US + 1, SUN_STEP_US)
    return [
        np.maximum(sine_of_sun(at_us[:, None] + steps, place), 0.0).mean(axis=1)
        for steps in (past, ahead)
    ]


def sine_of_sun(at_us: Ints, place: Place) -> Floats:
    """Give the sine of the sun's elevation, to about a degree: the equation of time is left out."""
    day = (at_us / DAY_US) % 365.2425
    declination = -0.4093 * np.cos(2.0 * np.pi * (day + 10.0) / 365.2425)
    hour = 2.0 * np.pi * (at_us % DAY_US) / DAY_US - np.pi + np.radians(place.longitude_deg)
    latitude = np.radians(place.latitude_deg)
    found: Floats = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(
        declination
    ) * np.cos(hour)
    return found


def _column(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _carry(at_us: Ints, column: Floats) -> Floats:
    if not len(column):
        return column
    last = np.maximum.accumulate(np.where(np.isnan(column), -1, np.arange(len(column))))
    young = (last >= 0) & (at_us - at_us[last] <= CARRIED_US)
    return np.where(young, column[last], np.nan)
