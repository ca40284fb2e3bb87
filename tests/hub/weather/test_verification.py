"""Scores, on cases counted by hand."""

import numpy as np
import pytest
from aerocast_hub.weather.verification import (
    brier,
    coverage,
    mae,
    reliability,
    rmse,
    score_amounts,
    score_chances,
    skill,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NAN = float("nan")
TOLD = np.array([1.0, 2.0, 3.0, NAN])
CAME = np.array([2.0, 2.0, 1.0, 5.0])


def test_errors_are_measured_where_both_are_known():
    assert rmse(TOLD, CAME) == pytest.approx((5 / 3) ** 0.5)
    assert mae(TOLD, CAME) == pytest.approx(1.0)
    assert rmse(TOLD[3:], CAME[3:]) is None
    assert mae(TOLD[3:], CAME[3:]) is None


def test_skill_compares_on_the_same_cases_only():
    persistence = np.array([0.0, 4.0, NAN, 5.0])
    # Both foretold the first two: 1 + 0 against 4 + 4.
    assert skill(TOLD, persistence, CAME) == pytest.approx(1 - 1 / 8)
    assert skill(TOLD, np.full(4, NAN), CAME) is None
    assert skill(TOLD, CAME, CAME) is None  # the reference is never wrong


def test_forecasters_are_scored_beside_each_other():
    told = {"forecast": TOLD, "persistence": np.array([0.0, 4.0, NAN, 5.0]), "taf": np.full(4, NAN)}
    scores = score_amounts(told, CAME)
    assert set(scores) == {"forecast", "persistence"}
    assert scores["forecast"].cases == 3
    assert scores["forecast"].bias == pytest.approx(1 / 3)
    assert scores["forecast"].skill_persistence == pytest.approx(7 / 8)
    assert scores["forecast"].skill_climatology is None
    assert scores["persistence"].skill_persistence is None


def test_chances_are_scored_by_brier_against_persistence_that_knows_how_often_it_stays():
    happened = np.array([1.0, 0.0, 0.0, NAN])
    told = {
        "forecast": np.array([0.8, 0.1, 0.1, 0.5]),
        "persistence": np.array([1.0, 1.0, 0.0, 0.0]),
        "calibrated_persistence": np.array([0.6, 0.6, 0.1, 0.1]),
        "climatology": np.full(4, 1 / 3),
    }
    scores = score_chances(told, happened)
    assert scores["forecast"].brier == pytest.approx(0.06 / 3)
    assert scores["forecast"].happened == 1
    assert scores["forecast"].skill_persistence == pytest.approx(1 - 0.06 / 0.53)
    assert scores["forecast"].skill_climatology == pytest.approx(1 - 0.06 / (6 / 9))
    assert brier(told["persistence"], happened) == pytest.approx(1 / 3)


def test_reliability_counts_each_chance_once_even_certainty():
    told = np.array([0.0, 0.04, 0.95, 1.0, NAN])
    bins = reliability(told, np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    assert [(each.low, each.cases, each.rate) for each in bins] == [(0.0, 2, 0.5), (0.9, 2, 1.0)]
    assert bins[0].told == pytest.approx(0.02)


def test_coverage_is_the_share_between_the_bounds():
    low, high = np.array([0.0, 0.0, NAN]), np.array([1.0, 1.0, 1.0])
    assert coverage(low, high, np.array([0.5, 2.0, 0.5])) == 0.5
    assert coverage(low[2:], high[2:], np.array([0.5])) is None


@given(st.randoms(), st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
@settings(max_examples=50)
def test_scores_do_not_depend_on_order(random, cases):
    def scored(pairs):
        told = np.array([each for each, _ in pairs])
        came = np.array([float(each) for _, each in pairs])
        return brier(told, came), sum(each.cases for each in reliability(told, came))

    mixed = random.sample(cases, len(cases))
    assert scored(mixed)[0] == pytest.approx(scored(cases)[0])
    assert scored(mixed)[1] == len(cases)
