import math

import pytest
from aerocast_hub.weather.aircraft_wind import heard_once, is_sound, km_between, latest, sound
from aerocast_hub.weather.buddy_check import agrees
from aerocast_hub.weather.heading_bias import HeadingBias
from aerocast_hub.weather.wind_field import heard, wind_at
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.hub.weather.winds_made import HERE, NOW, flown, wind


def at(winds, biases=None, *, place=HERE, altitude_ft=3500.0, now_us=NOW):
    return wind_at(heard(winds, biases or {}), place, altitude_ft, now_us)


winds = st.lists(
    st.builds(
        wind,
        icao=st.sampled_from(["393322", "4b1234", "a0b1c2"]),
        age_s=st.floats(-60, 1200),
        altitude_ft=st.floats(-100, 20_000),
        direction=st.floats(0, 359.9),
        speed=st.floats(0, 90),
        place=st.sampled_from([HERE, (43.9, 1.5), (45.0, 1.37)]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(winds, st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_wind(seen, random):
    mixed = seen + seen
    random.shuffle(mixed)
    assert at(seen) == at(mixed)
    assert latest(seen) == latest(mixed)


@settings(max_examples=60, deadline=None)
@given(winds)
def test_there_is_a_wind_exactly_where_two_aircraft_flew_near_by(seen):
    found = at(seen)
    assert (found.wind_speed_kt is None) == (found.aircraft < 2)
    if found.wind_direction_deg is not None:
        assert 0 <= found.wind_direction_deg < 360
        assert found.sigma_kt > 0
        assert math.isfinite(found.wind_speed_kt)


def test_one_aircraft_alone_gives_no_wind():
    assert at([wind(age_s=each) for each in range(5)]).wind_speed_kt is None
    assert at([]).observations == 0


def test_a_chatty_aircraft_does_not_outvote_a_quiet_one():
    chatty = [wind(age_s=60 + 10 * each, speed=10) for each in range(50)]
    found = at([*chatty, wind("4b1234", speed=14)])
    assert 10.25 < found.wind_speed_kt < 12.5  # the mean of all would be 10.1
    assert (found.observations, found.aircraft) == (51, 2)


def test_a_flight_that_several_gateways_heard_counts_once():
    flown_by = replace(flown("393322", 90.0), readings=5)
    better = replace(flown_by, wind_speed_kt=30.0, readings=20, seen_at_us=NOW + 2_000_000)
    other = wind("4b1234")
    assert heard_once([flown_by, better, other]) == sorted(
        [better, other], key=lambda each: each.seen_at_us
    )
    once = at([better, other], now_us=NOW + 5_000_000)
    assert at([flown_by, better, other], now_us=NOW + 5_000_000) == once


def test_directions_around_north_average_to_north():
    found = at([wind("393322", direction=350), wind("4b1234", direction=10)])
    assert math.cos(math.radians(found.wind_direction_deg)) == pytest.approx(1.0, abs=1e-4)


def test_a_steady_wind_comes_back_as_it_was_and_more_aircraft_make_it_surer():
    made = [
        wind(f"3933{each:02x}", altitude_ft=3300 + 50 * each, direction=230, speed=35)
        for each in range(8)
    ]
    few, many = at(made[:2]), at(made)
    assert many.wind_direction_deg == pytest.approx(230, abs=0.1)
    assert many.wind_speed_kt == pytest.approx(35, abs=0.1)
    assert many.sigma_kt < few.sigma_kt
    assert many.age_s == 60.0


def test_a_wind_that_rises_with_height_is_followed_between_the_aircraft():
    rising = [
        wind(f"3933{each:02x}", altitude_ft=2500 + 250 * each, speed=10.0 + 2.0 * each)
        for each in range(9)
    ]
    assert at(rising, altitude_ft=3250.0).wind_speed_kt == pytest.approx(16.0, abs=0.5)
    assert at(rising, altitude_ft=4250.0).wind_speed_kt == pytest.approx(24.0, abs=0.5)


def test_the_old_the_far_the_high_and_the_future_are_passed_over():
    near = [wind("393322"), wind("4b1234")]
    for other in (
        wind("ffffff", age_s=901, speed=90),
        wind("ffffff", age_s=-1, speed=90),
        wind("ffffff", place=(44.9, 1.37), speed=90),
        wind("ffffff", altitude_ft=6100.0, speed=90),
    ):
        assert at([*near, other]) == at(near)


def test_a_learned_heading_error_is_taken_out_and_what_is_left_of_it_makes_less_sure():
    seen = [flown("393322", 90.0, bias_deg=1.0), flown("4b1234", 90.0, bias_deg=-0.5)]
    known = {
        "393322": HeadingBias(bias_deg=1.0, sigma_deg=0.1, cells=40),
        "4b1234": HeadingBias(bias_deg=-0.5, sigma_deg=0.1, cells=40),
    }
    freed, plain = at(seen, known), at(seen)
    assert (freed.wind_east_kt, freed.wind_north_kt) == pytest.approx((20.0, -5.0), abs=0.1)
    assert abs(plain.wind_north_kt + 5.0) > 0.5
    # A heading's error works across it: the eastward component was sure before.
    assert plain.sigma_north_kt > plain.sigma_east_kt
    assert freed.sigma_north_kt < plain.sigma_north_kt


def test_temperatures_are_averaged_and_say_how_little_they_are_worth():
    warm = [replace(wind(f"3933{each:02x}"), temperature_c=10.0 + each) for each in range(4)]
    found = at(warm)
    assert found.temperature_c == pytest.approx(11.5, abs=0.1)
    assert found.temperature_sigma_k > 0.5
    assert at([warm[0], wind("4b1234")]).temperature_c is None


def test_one_wild_aircraft_among_three_is_refused_and_of_two_nobody_knows_which():
    good = [wind(f"39332{each}", speed=20 + each) for each in range(3)]
    wild = wind("ffffff", speed=90, direction=90)
    assert agrees(heard([*good, wild], {})).tolist() == [True, True, True, False]
    assert agrees(heard([good[0], wild], {})).all()
    chatty = [wind("ffffff", age_s=60 + 10 * each, speed=90, direction=90) for each in range(40)]
    fits = agrees(heard([*good, *chatty], {}))
    assert fits.sum() == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"wind_speed_kt": math.nan},
        {"wind_speed_kt": 300.0},
        {"roll_deg": 6.0},
        {"readings": 1},
        {"altitude_ft": math.inf},
        {"true_heading_deg": math.nan},
    ],
)
def test_what_no_aircraft_can_have_met_is_no_wind(changed):
    assert not is_sound(replace(flown("393322", 90.0), **changed))
    assert sound([replace(flown("393322", 90.0), **changed), wind()]) == [wind()]


def test_distances_are_kilometres():
    assert km_between((49.01, 2.55), (43.63, 1.36)) == pytest.approx(605, abs=5)
    assert km_between(HERE, HERE) == 0
    assert km_between((0, 0), (0, 1)) == pytest.approx(111.195, abs=0.01)
