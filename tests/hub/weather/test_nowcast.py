"""The next hours from a station's past: better than persistence, and never looking ahead."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from aerocast_hub.weather.nowcast import (
    LEAST_HOURS,
    StationModel,
    calibrated_persistence,
    folds,
    foretell,
    learn,
)
from aerocast_hub.weather.regression import fit_logit, fit_ridge, probability
from aerocast_hub.weather.station_history import (
    HOUR_US,
    LOW_VISIBILITY_M,
    MINUTE_US,
    Observed,
    Place,
    carried,
    history_of,
    inputs_at,
    nearest,
    sine_of_sun,
    visibility_inputs_at,
)
from aerocast_hub.weather.verification import brier, coverage, rmse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.weather.station_made import PLACE, START_US, observed

NYC = Path(__file__).parents[4] / "shared" / "data" / "weather" / "nyc_hourly_2013_day1-19.csv.gz"
NAMES = ("temperature_c", "wind_speed_kt", "wind_east_kt", "wind_north_kt", "low_visibility")


@pytest.fixture(scope="module")
def reports():
    return observed(80)


@pytest.fixture(scope="module")
def model(reports):
    return learn(history_of(reports[: 60 * 24]), PLACE, leads_h=(1, 6))


def test_a_line_is_found_again_under_noise_and_gaps():
    chance = np.random.default_rng(3)
    inputs = chance.normal(5.0, 2.0, (600, 3))
    targets = 2.0 * inputs[:, 0] - inputs[:, 1] + 4.0 + chance.normal(0, 0.1, 600)
    inputs[::50, 2] = np.nan
    at_us = np.arange(600) * 6 * HOUR_US
    both = np.stack([targets, -targets], axis=1)
    (line, foretold), (other, _) = fit_ridge(inputs, both, folds(at_us, 1))
    assert other.weights == pytest.approx([-each for each in line.weights])
    assert np.abs(line.of(inputs) - targets).max() < 0.5
    assert np.sqrt(np.nanmean((foretold - targets) ** 2)) == pytest.approx(0.1, abs=0.02)
    assert line.strength == 1.0


def test_a_probability_is_found_again():
    chance = np.random.default_rng(4)
    inputs = chance.normal(0.0, 1.0, (3000, 2))
    truth = probability(1.5 * inputs[:, 0] - 2.0)
    happened = (chance.random(3000) < truth).astype(float)
    line, _ = fit_logit(inputs, happened, folds(np.arange(3000) * HOUR_US, 1))
    assert np.abs(probability(line.of(inputs)) - truth).mean() < 0.03


def test_an_input_that_never_changes_says_nothing():
    inputs = np.stack([np.full(300, 7.0), np.arange(300.0)], axis=1)
    targets = np.arange(300.0)[:, None]
    ((line, _),) = fit_ridge(inputs, targets, folds(np.arange(300) * 6 * HOUR_US, 1))
    assert line.weights[0] == 0.0
    strange = np.array([[1e9, 100.0]])
    assert line.of(strange)[0] == pytest.approx(100.0, abs=1.0)


def test_folds_learn_from_nothing_whose_outcome_they_foretell():
    at_us = START_US + np.arange(40 * 24) * HOUR_US
    told = np.zeros(len(at_us))
    for learned, tell in folds(at_us, 6):
        told += tell
        learned_us = at_us[learned.astype(bool)]
        outcomes = {int(each) for each in at_us[tell.astype(bool)]}
        assert not outcomes & {int(each) + 6 * HOUR_US for each in learned_us}
        assert not outcomes & {int(each) for each in learned_us}
    assert (told == 1).all()


@given(st.randoms(), st.integers(0, 40))
@settings(max_examples=20)
def test_a_history_is_the_same_however_reports_come(random, repeated):
    reports = observed(3)
    mixed = reports + reports[:repeated]
    random.shuffle(mixed)
    for column, again in zip(history_of(reports), history_of(mixed), strict=True):
        assert np.array_equal(column, again)


@pytest.mark.parametrize("lead_h", [1, 6, 8])
def test_nothing_after_the_report_counts(lead_h):
    reports = observed(4)
    until = reports[: 3 * 24]
    base = np.array([len(until) - 1])
    whole, part = carried(history_of(reports)), carried(history_of(until))
    for known in (inputs_at, lambda history, at, *_: visibility_inputs_at(history, at)):
        ahead = known(whole, base, lead_h, PLACE)
        assert np.array_equal(ahead, known(part, base, lead_h, PLACE), equal_nan=True)


def test_a_missing_value_is_the_last_known_one_for_75_minutes():
    first = Observed(observed_at_us=START_US, temperature_c=5.0, wind_speed_kt=0.0)
    later = [Observed(observed_at_us=START_US + each * MINUTE_US) for each in (75, 76)]
    known = carried(history_of([first, *later]))
    assert known.temperature_c.tolist()[:2] == [5.0, 5.0]
    assert np.isnan(known.temperature_c[2])
    assert known.wind_east_kt[0] == 0.0
    assert np.isnan(known.visibility_m).all()


def test_a_report_stands_for_a_time_only_when_near():
    at_us = np.array([0, 60, 120]) * MINUTE_US
    wanted = np.array([-36, -35, 29, 31, 155, 156]) * MINUTE_US
    assert nearest(at_us, wanted).tolist() == [-1, 0, 0, 1, 2, -1]
    assert nearest(at_us[:0], wanted).tolist() == [-1] * 6


def test_the_sun_is_overhead_at_noon_on_the_equator_and_below_at_night():
    equinox = int(datetime.fromisoformat("2026-03-20T12:00:00+00:00").timestamp()) * 1_000_000
    noon, midnight = sine_of_sun(np.array([equinox, equinox + 12 * HOUR_US]), Place(0.0, 0.0))
    assert noon == pytest.approx(1.0, abs=0.01)
    assert midnight == pytest.approx(-1.0, abs=0.01)


def test_too_short_a_past_teaches_nothing(reports):
    assert learn(history_of(reports[: LEAST_HOURS - 1]), PLACE) is None
    assert learn(history_of([]), PLACE) is None


def test_a_station_without_visibility_or_position_is_learned_all_the_same(reports):
    blind = [msgspec.structs.replace(each, visibility_m=None) for each in reports[: 15 * 24]]
    model = learn(history_of(blind), None, leads_h=(1,))
    assert model.leads[0].low_visibility is None
    told = foretell(model, carried(history_of(blind)), np.array([300]), model.leads[0])
    assert np.isnan(told.low_visibility[0])
    assert abs(told.temperature_c[0] - blind[301].temperature_c) < 3.0


def test_without_fog_to_learn_from_its_rate_counts(reports):
    clear = [msgspec.structs.replace(each, visibility_m=9999.0) for each in reports[: 15 * 24]]
    model = learn(history_of(clear), PLACE, leads_h=(1,))
    assert model.leads[0].low_visibility.line is None
    told = foretell(model, carried(history_of(clear)), np.array([300]), model.leads[0])
    assert 0.0 < told.low_visibility[0] < 0.01


def test_what_is_learned_is_the_same_after_it_was_kept(model, reports):
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(model), type=StationModel)
    known = carried(history_of(reports))
    bases = np.arange(1500, 1600)
    for lead, kept in zip(model.leads, again.leads, strict=True):
        for name in NAMES:
            first = getattr(foretell(model, known, bases, lead), name)
            assert np.array_equal(first, getattr(foretell(again, known, bases, kept), name))


@pytest.mark.parametrize(("at", "best"), [(0, 0.9), (1, 0.5)])
def test_days_not_seen_are_foretold_better_than_if_they_stayed(model, reports, at, best):
    history = history_of(reports)
    known, lead = carried(history), model.leads[at]
    bases = np.arange(61 * 24, len(reports) - 6)
    then = bases + lead.lead_h
    told = foretell(model, known, bases, lead)
    came = history.temperature_c[then]
    assert rmse(told.temperature_c, came) < best * rmse(history.temperature_c[bases], came)
    low, _, high = lead.temperature.offsets
    assert 0.7 < coverage(told.temperature_c + low, told.temperature_c + high, came) < 0.9
    happened = (history.visibility_m[then] < LOW_VISIBILITY_M).astype(float)
    calm = calibrated_persistence(lead.low_visibility, history.visibility_m[bases])
    assert brier(told.low_visibility, happened) < brier(calm, happened)


@pytest.mark.skipif(not NYC.exists(), reason=f"{NYC.name} is not here")
def test_new_york_is_foretold_better_than_persistence_by_what_was_promised():
    reports = _new_york()
    model = learn(history_of([each for day, each in reports if day <= 14]), PLACE, leads_h=(1, 6))
    history = history_of([each for _, each in reports])
    known = carried(history)
    aside = {each.observed_at_us for day, each in reports if day >= 16}
    is_aside = np.array([each in aside for each in history.at_us.tolist()])
    for lead, bar in zip(model.leads, (0.85, 0.70), strict=True):
        bases = np.flatnonzero(is_aside)
        then = nearest(history.at_us, history.at_us[bases] + lead.lead_h * HOUR_US, 0)
        bases, then = bases[then >= 0], then[then >= 0]
        told, came = foretell(model, known, bases, lead), history.temperature_c[then]
        assert rmse(told.temperature_c, came) <= bar * rmse(known.temperature_c[bases], came)


def _new_york():
    def celsius(text):
        return (float(text) - 32.0) / 1.8 if text else None

    with gzip.open(NYC, "rt") as lines:
        return [
            (
                int(row["day"]),
                Observed(
                    observed_at_us=int(datetime.fromisoformat(row["time_hour"]).timestamp())
                    * 10**6,
                    temperature_c=celsius(row["temp"]),
                    dew_point_c=celsius(row["dewp"]),
                    pressure_hpa=float(row["pressure"]) if row["pressure"] else None,
                ),
            )
            for row in csv.DictReader(lines)
            if row["origin"] == "JFK"
        ]
