from random import Random
from statistics import NormalDist

import pytest
from aerocast_hub.ground_times import Stage
from aerocast_hub.orientation.spread import (
    at_share,
    chance_over,
    exactly,
    of_cases,
    points,
    spread_of,
    total,
    when_over,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

stages = st.builds(Stage, st.floats(0, 60), st.floats(0, 20), st.floats(0, 30))


@settings(max_examples=100, deadline=None)
@given(stages, st.floats(-100, 200), st.floats(-100, 200))
@example(Stage(2.2250738585e-313, 2.2250738585e-313, 1.0), 0.0, 0.0)  # next to nothing between
def test_a_chance_never_grows_with_the_time_there_is(stage, one, other):
    spread = spread_of(stage)
    shorter, longer = sorted((one, other))
    assert 1 >= chance_over(spread, shorter) >= chance_over(spread, longer) >= 0


@settings(max_examples=100, deadline=None)
@given(stages, st.floats(-100, 300))
def test_what_has_not_happened_yet_does_not_lie_in_the_past(stage, now_min):
    later = when_over(spread_of(stage), now_min)
    assert list(later.minutes) == sorted(later.minutes)
    assert later.minutes[0] >= min(now_min, spread_of(stage).minutes[0]) - 1e-9
    if chance_over(spread_of(stage), now_min) < 0.99:
        assert later.minutes[0] >= now_min - 1e-9


@settings(max_examples=50, deadline=None)
@given(stages, stages)
def test_a_sum_is_the_same_either_way_round_and_known_times_only_shift(one, other):
    both = total(spread_of(one), spread_of(other))
    assert both.minutes == pytest.approx(total(spread_of(other), spread_of(one)).minutes)
    shifted = total(spread_of(one), exactly(7.0))
    assert at_share(shifted, 0.5) == pytest.approx(
        one.median_min + 7, abs=0.1 + (one.early_min + one.late_min) / 8
    )


def test_sums_of_normal_stages_are_as_wide_as_theory_says():
    both = total(spread_of(Stage(10, 3, 3)), spread_of(Stage(20, 4, 4)))
    truth = NormalDist(30, 5)
    for share in (0.1, 0.5, 0.9):
        assert at_share(both, share) == pytest.approx(truth.inv_cdf(share), abs=0.3)
    assert chance_over(both, 38) == pytest.approx(1 - truth.cdf(38), abs=0.01)


def test_cases_come_back_as_the_distribution_they_are_of():
    rng = Random(7)
    cases = [rng.lognormvariate(2.5, 0.5) for _ in range(4000)]
    spread = of_cases(cases)
    assert at_share(spread, 0.9) == pytest.approx(sorted(cases)[3600], rel=0.02)
    assert chance_over(spread, 20) == pytest.approx(sum(c > 20 for c in cases) / 4000, abs=0.02)
    assert len(points(spread, 12)) == 12


def test_tails_fall_steadily_and_never_end():
    spread = spread_of(Stage(10, 2, 4))
    far = [chance_over(spread, minutes) for minutes in (20, 25, 30, 60)]
    assert far == sorted(far, reverse=True)
    assert 0 < far[-1] < 1e-6 < far[0]
    assert chance_over(exactly(5.0), 5.0) == 0.0
    assert chance_over(exactly(5.0), 4.9) == pytest.approx(1.0)


def test_measured_tenths_are_taken_as_they_are():
    rng = Random(11)
    cases = sorted(rng.choice((rng.gammavariate(3, 2), rng.uniform(15, 25))) for _ in range(5000))
    tenths = tuple(cases[500 * n] for n in range(1, 10))
    spread = spread_of(tenths)
    assert list(spread.minutes) == sorted(spread.minutes)
    for number, minutes in enumerate(tenths, start=1):
        assert at_share(spread, number / 10) == pytest.approx(minutes)
    assert chance_over(spread, 12) == pytest.approx(sum(c > 12 for c in cases) / 5000, abs=0.03)


def test_what_comes_early_is_as_early_as_the_tenths_say():
    rng = Random(3)
    cases = sorted(rng.gauss(2.0, 8.0) for _ in range(20_000))
    spread = spread_of(tuple(cases[2000 * n] for n in range(1, 10)))
    assert list(spread.minutes) == sorted(spread.minutes)
    assert sum(points(spread, 1000)) / 1000 == pytest.approx(2.0, abs=0.3)
    assert at_share(spread, 0.05) == pytest.approx(cases[1000], abs=1.5)


def test_where_the_worst_in_a_hundred_was_measured_nothing_is_guessed_beyond_the_tenths():
    rng = Random(11)
    cases = sorted(
        rng.gammavariate(2, 2.2) if rng.random() < 0.88 else rng.uniform(15, 25)
        for _ in range(20_000)
    )
    tenths = tuple(cases[2000 * n] for n in range(1, 10))
    spread = spread_of((*tenths, cases[19_800]))
    assert sum(points(spread, 1000)) / 1000 == pytest.approx(sum(cases) / 20_000, rel=0.03)
    assert at_share(spread, 0.99) == pytest.approx(cases[19_800], rel=0.01)
    assert at_share(spread_of(tenths), 0.99) > 1.2 * cases[19_800]  # a guess, and too careful
