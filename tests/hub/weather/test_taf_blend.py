"""A nowcast and a TAF of one hour: what the TAF says, and what both come to."""

import pytest
from aerocast_hub.weather.taf_blend import (
    USUAL_CHANCES,
    TafHour,
    TafTrust,
    Wind,
    blend_chance,
    blend_wind,
    direction_of,
    learn_trust,
    taf_hour,
)
from aerocast_protocols.weather.taf_report import Alternative, Conditions, TafPeriod
from hypothesis import given, settings
from hypothesis import strategies as st

FOG = Conditions(visibility_m=800.0)
CLEAR = Conditions(visibility_m=9999.0, wind_direction_deg=240, wind_speed_kt=12.0)
OWN = Wind(direction_deg=260.0, speed_kt=8.0, sigma_kt=3.0)
TRUST = TafTrust()


def period(prevailing, *alternatives):
    return TafPeriod(
        from_us=100, to_us=200, prevailing=prevailing, alternatives=alternatives,
        worst_credible=prevailing,
    )  # fmt: skip


def maybe(conditions, from_us=120, to_us=150, probability=30):
    return Alternative(
        kind="PROB", probability=probability, from_us=from_us, to_us=to_us, conditions=conditions
    )


def test_a_taf_tells_whether_low_visibility_prevails_or_may_come():
    assert taf_hour([period(FOG)], 100).low_visibility == "prevailing"
    assert taf_hour([period(CLEAR)], 100).low_visibility == "no"
    assert taf_hour([period(CLEAR, maybe(FOG))], 130).low_visibility == "possible"
    assert taf_hour([period(CLEAR, maybe(FOG))], 150).low_visibility == "no"
    assert taf_hour([period(Conditions())], 100).low_visibility is None
    assert taf_hour([period(CLEAR)], 200) is None


def test_a_variable_wind_has_no_direction():
    gusty = Conditions(wind_direction_deg="VRB", wind_speed_kt=3.0)
    assert taf_hour([period(gusty)], 100).wind_direction_deg is None
    assert direction_of(0.0, 0.5) is None
    assert direction_of(10.0, 0.0) == pytest.approx(270.0)


def test_the_better_wind_counts_for_more():
    hour = taf_hour([period(CLEAR)], 100)
    blended = blend_wind(OWN, hour, TRUST)
    assert 8.0 < blended.speed_kt < 10.0  # the nowcast's sigma is 3 kt, the TAF's 5
    assert 250.0 < blended.direction_deg < 260.0
    assert blended.sigma_kt < 3.5
    better = blend_wind(OWN, hour, TafTrust(wind_sigma_kt=1.0))
    assert better.speed_kt > 11.0
    assert blend_wind(OWN, None, TRUST) == OWN
    assert blend_wind(OWN, TafHour(wind_direction_deg=None, wind_speed_kt=None,
                                   low_visibility=None), TRUST) == OWN  # fmt: skip


def test_directions_meet_the_short_way_round_north():
    hour = TafHour(wind_direction_deg=20.0, wind_speed_kt=10.0, low_visibility=None)
    own = Wind(direction_deg=340.0, speed_kt=10.0, sigma_kt=5.0)
    met = blend_wind(own, hour, TRUST).direction_deg
    assert min(met, 360.0 - met) < 1.0


@given(st.floats(0, 1), st.floats(1e-6, 0.25), st.sampled_from(sorted(USUAL_CHANCES)))
@settings(max_examples=100)
def test_a_blended_chance_lies_between_both(own, own_brier, said):
    hour = TafHour(wind_direction_deg=None, wind_speed_kt=None, low_visibility=said)
    blended = blend_chance(own, own_brier, hour, TRUST)
    low, high = sorted((own, USUAL_CHANCES[said]))
    assert min(low, 0.9999) - 1e-9 <= blended <= max(high, 0.0001) + 1e-9
    assert blend_chance(own, own_brier, None, TRUST) == own


def test_trust_begins_with_what_is_usual_and_ends_with_what_was_verified():
    assert learn_trust([], []) == TRUST
    good = learn_trust([(10.0, 11.0)] * 2000, [("possible", False)] * 2000)
    assert good.wind_sigma_kt == pytest.approx(1.3, abs=0.2)
    assert good.chances["possible"] < 0.01
    assert good.chances["prevailing"] == USUAL_CHANCES["prevailing"]
    assert good.brier < 0.003
    assert good.cases == 2000
