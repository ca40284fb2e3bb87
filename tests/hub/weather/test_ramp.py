from itertools import pairwise

import pytest
from aerocast_hub.weather.ramp import MINUTE_US, RampClosure, RampLimits, RampReport, closures, ramp
from aerocast_hub.weather.staleness import freshness
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000


def report(age_min=10.0, *weather, wind=8.0, **more):
    return RampReport(
        observed_at_us=NOW - int(age_min * MINUTE_US), weather=weather, wind_speed_kt=wind, **more
    )


reports = st.lists(
    st.builds(
        RampReport,
        observed_at_us=st.integers(-30, 300).map(lambda minute: NOW - minute * MINUTE_US),
        wind_speed_kt=st.none() | st.floats(0, 60),
        wind_gust_kt=st.none() | st.floats(0, 80),
        weather=st.sampled_from([(), ("TSRA",), ("VCTS",), ("-SN", "BR")]),
        storm_clouds=st.booleans(),
        thunder_unseen=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda each: each.observed_at_us,
)


@settings(max_examples=200, deadline=None)
@given(reports, st.randoms(use_true_random=False))
def test_the_order_of_reports_changes_nothing(seen, random):
    mixed = list(seen)
    random.shuffle(mixed)
    assert ramp(seen, NOW) == ramp(mixed, NOW)


@settings(max_examples=200, deadline=None)
@given(reports)
def test_it_is_never_open_while_thunder_may_go_unnoticed(seen):
    answer = ramp(seen, NOW)
    if answer.state == "open":
        newest = max(
            (each for each in seen if each.observed_at_us <= NOW + 10 * MINUTE_US),
            key=lambda each: each.observed_at_us,
        )
        assert freshness(newest.observed_at_us, NOW) == "fresh"
        assert not newest.thunder_unseen
        assert newest.wind_speed_kt is not None or newest.wind_gust_kt is not None
        assert not any("TS" in each for each in newest.weather)


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        ([], "unknown", "no_report"),
        ([report()], "open", "fine"),
        ([report(10, "+TSRA", "BR")], "closed", "thunder"),
        ([report(10, "TS")], "closed", "thunder"),
        ([report(10, "VCTS")], "caution", "thunder_near"),
        ([report(10, storm_clouds=True)], "caution", "storm_clouds"),
        ([report(10, wind=26)], "caution", "wind_caution"),
        ([report(10, wind=20, wind_gust_kt=38)], "closed", "wind_closed"),
        ([report(10, thunder_unseen=True)], "unknown", "thunder_not_reported"),
        ([report(10, wind=None)], "unknown", "wind_not_reported"),
        ([report(120)], "unknown", "report_old"),
        ([report(120, "TSRA")], "closed", "thunder"),
        ([report(200, "TSRA")], "unknown", "report_old"),
        ([report(2), report(12, "TSRA")], "closed", "thunder_lately"),
        ([report(2), report(16, "TSRA")], "open", "fine"),
    ],
)
def test_the_ramp_is_judged_as_the_rules_say(seen, state, reason):
    answer = ramp(seen, NOW)
    assert (answer.state, answer.reason) == (state, reason)


def test_a_closure_knows_when_it_began():
    seen = [report(5, "TSRA"), report(15, "TSRA"), report(35), report(65, "TSRA")]
    assert ramp(seen, NOW).since_us == NOW - 15 * MINUTE_US


def test_the_airport_sets_its_own_limits():
    limits = RampLimits(caution_wind_kt=15, closing_wind_kt=20)
    assert ramp([report(1, wind=21)], NOW, limits).state == "closed"


def test_reports_age_from_fresh_to_stale_to_expired():
    ages = [freshness(NOW - int(minutes * MINUTE_US), NOW) for minutes in (0, 75, 76, 180, 181)]
    assert ages == ["fresh", "fresh", "stale", "stale", "expired"]


@settings(max_examples=200, deadline=None)
@given(reports)
def test_the_ramp_is_closed_exactly_while_a_closure_lasts(seen):
    told = closures(seen, NOW)
    now_closed = any(
        each.from_us <= NOW and (each.until_us is None or each.until_us > NOW) for each in told
    )
    answer = ramp(seen, NOW)
    assert (answer.state == "closed") == now_closed
    assert (answer.since_us is not None) == now_closed
    for earlier, later in pairwise(told):
        assert earlier.until_us is not None
        assert earlier.until_us < later.from_us


def test_closures_last_to_the_next_report_and_thunder_for_its_all_clear_time():
    seen = [report(90, wind=40), report(70), report(50, "TSRA"), report(48), report(5, "TSRA")]
    assert closures(seen, NOW) == [
        RampClosure(from_us=NOW - 90 * MINUTE_US, until_us=NOW - 70 * MINUTE_US),
        RampClosure(from_us=NOW - 50 * MINUTE_US, until_us=NOW - 35 * MINUTE_US),
        RampClosure(from_us=NOW - 5 * MINUTE_US),
    ]
