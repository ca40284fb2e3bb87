from itertools import pairwise

import pytest
from aerocast_hub.weather import ramp as judging
from aerocast_hub.weather.evidence import (
    MINUTE_US,
    Evidence,
    Hysteresis,
    Listening,
    LocalWind,
    RampReport,
    Sample,
    Strike,
    exceeding,
)
from aerocast_hub.weather.limits import AirportSettings, Equipment, LightningLimits, WindLimits
from aerocast_hub.weather.low_visibility import low_visibility
from aerocast_hub.weather.ramp import RampClosure
from aerocast_hub.weather.staleness import freshness
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000
HERE = AirportSettings(airport="LFBO")
DETECTOR = "lfbo/roof/tempest"


def ramp(reports, now_us, settings=HERE, **more):
    return judging.ramp(Evidence(reports=reports, **more), now_us, settings)


def closures(reports, now_us, settings=HERE, **more):
    return judging.closures(Evidence(reports=reports, **more), now_us, settings)


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
    limits = AirportSettings(airport="LFBO", wind=WindLimits(caution_kt=15, closing_kt=20))
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


def test_closures_last_until_it_has_been_better_and_thunder_for_its_all_clear_time():
    seen = [report(90, wind=40), report(70), report(50, "TSRA"), report(48), report(5, "TSRA")]
    assert closures(seen, NOW) == [
        RampClosure(from_us=NOW - 90 * MINUTE_US, until_us=NOW - 60 * MINUTE_US),
        RampClosure(from_us=NOW - 50 * MINUTE_US, until_us=NOW - 35 * MINUTE_US),
        RampClosure(from_us=NOW - 5 * MINUTE_US),
    ]


def listening(*ages_min, detector=DETECTOR, well=True):
    return [
        Listening(at_us=NOW - int(age * MINUTE_US), detector=detector, listening=well)
        for age in ages_min
    ]


def strike(age_min, km=3.0):
    return Strike(at_us=NOW - int(age_min * MINUTE_US), distance_km=km, source=DETECTOR)


WELL = listening(*range(20))
KNOWN = frozenset({DETECTOR})
FINE = [report()]


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        ({"listening": WELL}, "open", "fine"),
        ({"listening": WELL, "strikes": [strike(14.9)]}, "closed", "lightning"),
        ({"listening": WELL, "strikes": [strike(15)]}, "open", "fine"),
        ({"listening": WELL, "strikes": [strike(5, 12)]}, "caution", "lightning_near"),
        ({"listening": WELL, "strikes": [strike(5, 40)]}, "open", "fine"),
        ({"listening": WELL, "strikes": [strike(5, None)]}, "closed", "lightning"),
        ({"listening": WELL, "strikes": [strike(-600)]}, "closed", "lightning"),  # a clock ahead
        ({"listening": []}, "unknown", "lightning_silent"),
        ({"listening": listening(*range(4, 20))}, "unknown", "lightning_silent"),
        ({"listening": listening(*range(10))}, "unknown", "lightning_too_short"),
        ({"listening": listening(0, 1, 2, 9, *range(10, 20))}, "unknown", "lightning_too_short"),
        ({"listening": [*WELL, *listening(5, well=False)]}, "unknown", "lightning_too_short"),
        ({"listening": [*WELL, *listening(0, well=False)]}, "unknown", "lightning_silent"),
        ({"listening": listening(-30, -20, *range(4, 20))}, "unknown", "lightning_silent"),
        ({"listening": WELL, "clock_set_us": NOW - 5 * MINUTE_US}, "unknown", "clock_set"),
        ({"listening": WELL, "clock_set_us": NOW - 15 * MINUTE_US}, "open", "fine"),
        ({"listening": [], "strikes": [strike(1)]}, "closed", "lightning"),
    ],
)
def test_lightning_closes_and_only_a_detector_that_listened_all_along_clears(seen, state, reason):
    answer = ramp(FINE, NOW, detectors=KNOWN, **seen)
    assert (answer.state, answer.reason) == (state, reason)


def test_a_detector_that_listens_makes_up_for_reports_that_cannot_tell_thunder():
    seen = {"listening": WELL, "detectors": KNOWN}
    assert ramp([report(10, thunder_unseen=True)], NOW, **seen).state == "open"
    assert ramp([report(10, "TSRA")], NOW, **seen).reason == "thunder"
    wind = LocalWind(at_us=NOW, wind_kt=12, source="lfbo/roof/wxt")
    assert ramp([], NOW, **seen, winds=[wind]).state == "open"
    assert ramp([], NOW, **seen).reason == "no_report"  # nobody tells the wind


def test_a_detector_may_be_required_or_left_out_or_two_be_needed():
    def with_lightning(**limits):
        return AirportSettings(airport="LFBO", lightning=LightningLimits(**limits))

    assert ramp(FINE, NOW, with_lightning(detectors="required")).reason == "lightning_silent"
    assert ramp(FINE, NOW, with_lightning(detectors="none"), detectors=KNOWN).state == "open"
    two = with_lightning(needed=2)
    seen = {"detectors": KNOWN, "listening": WELL}
    assert ramp(FINE, NOW, two, **seen).reason == "lightning_silent"
    seen["listening"] = WELL + listening(*range(20), detector="other")
    assert ramp(FINE, NOW, two, **seen).state == "open"


def test_wind_reopens_only_after_it_was_clearly_less_for_a_while():
    rule = Hysteresis(35, 3, 10 * MINUTE_US, 60 * MINUTE_US)

    def spans(*samples, now=NOW):
        series = [Sample(NOW - age * MINUTE_US, value) for age, value in samples]
        return [
            tuple(None if end is None else (NOW - end) // MINUTE_US for end in span)
            for span in exceeding(series, rule, now)
        ]

    assert spans((50, 36), (40, 33), (30, 36), (5, 20)) == [(50, None)]
    assert spans((50, 36), (40, 31), (35, 31), (5, 20)) == [(50, 30)]
    assert spans((50, 36), (45, 31), (40, 34), (35, 31), (5, 20)) == [(50, 25)]
    assert spans((200, 36)) == [(200, 140)]  # nobody believes it any longer
    assert spans((50, 20), (40, 34)) == []


def test_local_wind_counts_and_equipment_has_limits_of_its_own():
    limits = AirportSettings(
        airport="LFBO",
        equipment=(Equipment(name="stairs", limit_kt=20), Equipment(name="loader", limit_kt=30)),
    )
    gust = LocalWind(at_us=NOW - MINUTE_US, wind_kt=26.0, source="lfbo/roof/wxt")
    answer = ramp([report(10, wind=12)], NOW, limits, winds=[gust])
    assert (answer.state, answer.reason, answer.wind_kt) == ("caution", "wind_caution", 26)
    assert [each.state for each in answer.equipment] == ["stopped", "usable"]
    old = LocalWind(at_us=NOW - 30 * MINUTE_US, wind_kt=26.0, source="lfbo/roof/wxt")
    assert ramp([report(10, wind=12)], NOW, limits, winds=[old]).state == "open"
    unknown = ramp([], NOW, limits)
    assert {each.state for each in unknown.equipment} == {"unknown"}


def test_heat_and_cold_ask_for_care():
    hot = ramp([report(10, temperature_c=38.0, dew_point_c=24.0)], NOW)
    assert (hot.state, hot.reason) == ("caution", "heat")
    cold = ramp([report(10, temperature_c=-25.0, dew_point_c=-28.0, wind=15)], NOW)
    assert (cold.state, cold.reason) == ("caution", "cold")


def test_every_rule_tells_its_inputs_and_whose_limits_they_are():
    answer = ramp(FINE, NOW, detectors=KNOWN, listening=WELL, strikes=[strike(2)])
    assert answer.rules[0].name == "lightning"
    assert answer.rules[0].inputs["nearest_km"] == 3
    assert {each.name for each in answer.rules} == {"lightning", "thunder", "wind"}
    assert all(each.source for each in answer.rules)


@pytest.mark.parametrize("order", [1, -1])
def test_a_strike_that_is_here_is_told_before_one_that_may_be(order):
    strikes = [Strike(at_us=NOW, distance_km=None), Strike(at_us=NOW, distance_km=0.0)][::order]
    seen = {"reports": [], "listening": [], "winds": [], "detectors": KNOWN}
    answer = judging.ramp(Evidence(**seen, strikes=strikes), NOW, HERE)
    assert answer.rules[0].inputs["nearest_km"] == 0.0


moments = st.integers(-5, 60).map(lambda minute: NOW - minute * MINUTE_US)
seen_of_lightning = st.fixed_dictionaries({
    "reports": reports,
    "strikes": st.lists(
        st.builds(Strike, at_us=moments, distance_km=st.none() | st.floats(0, 60)), max_size=4
    ),
    "listening": st.lists(
        st.builds(Listening, at_us=moments, detector=st.just(DETECTOR), listening=st.booleans()),
        max_size=30,
    ),
    "winds": st.lists(
        st.builds(LocalWind, at_us=moments, wind_kt=st.floats(0, 60), source=st.just("a")),
        max_size=4,
    ),
    "detectors": st.just(KNOWN),
})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(seen_of_lightning, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_what_was_seen_matters(seen, random):
    mixed = {
        name: value if isinstance(value, frozenset) else random.sample(value * 2, len(value) * 2)
        for name, value in seen.items()
    }
    evidence, again = Evidence(**seen), Evidence(**mixed)
    assert judging.ramp(evidence, NOW, HERE) == judging.ramp(again, NOW, HERE)
    assert judging.closures(evidence, NOW, HERE) == judging.closures(again, NOW, HERE)


@settings(max_examples=200, deadline=None)
@given(seen_of_lightning)
def test_it_is_never_called_clear_unless_a_detector_listened_all_along(seen):
    answer = judging.ramp(Evidence(**seen), NOW, HERE)
    if answer.state not in ("open", "caution"):
        return
    heard = sorted(each.at_us for each in seen["listening"] if each.listening)
    assert heard
    begins_us, silent_us = NOW - 15 * MINUTE_US, 3 * MINUTE_US
    edges = [max(each for each in heard if each <= begins_us)]
    edges += [each for each in heard if each > edges[0]] + [NOW]
    assert all(later - earlier <= silent_us for earlier, later in pairwise(edges))
    assert not any(
        NOW - each.at_us < 15 * MINUTE_US and (each.distance_km is None or each.distance_km <= 8)
        for each in seen["strikes"]
    )


@settings(max_examples=100, deadline=None)
@given(seen_of_lightning)
def test_with_lightning_too_the_ramp_is_closed_exactly_while_a_closure_lasts(seen):
    evidence = Evidence(**seen)
    lasting = [
        each
        for each in judging.closures(evidence, NOW, HERE)
        if each.until_us is None or each.until_us > NOW
    ]
    assert (judging.ramp(evidence, NOW, HERE).state == "closed") == bool(lasting)


@pytest.mark.parametrize(
    ("seen", "procedures"),
    [
        ([], "unknown"),
        ([report(10)], "unknown"),  # neither visibility nor visual range
        ([report(10, visibility_m=9999.0)], "normal"),
        ([report(10, visibility_m=600.0, rvr_m=900.0, ceiling_ft=250.0)], "prepare"),
        ([report(10, visibility_m=600.0)], "prepare"),
        ([report(10, visibility_m=600.0, rvr_m=400.0)], "in_force"),
        ([report(10, visibility_m=3000.0, ceiling_ft=100.0)], "in_force"),
        ([report(5, visibility_m=3000.0), report(35, visibility_m=300.0)], "in_force"),
        ([report(11, visibility_m=3000.0), report(35, visibility_m=300.0)], "normal"),
        ([report(90, visibility_m=3000.0)], "unknown"),
    ],
)
def test_low_visibility_is_worse_at_once_and_better_after_a_while(seen, procedures):
    assert low_visibility(seen, NOW, HERE.visibility).procedures == procedures
