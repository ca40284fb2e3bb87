from typing import get_args

import pytest
from aerocast_hub.baggage.journey import State
from aerocast_hub.orientation.arrival_times import MINUTE_US, Closure, Progress
from aerocast_hub.orientation.guidance import BagView, FlightView, WeatherView, guide, masked
from aerocast_hub.orientation.wording import LANGUAGES, say
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_253_100_000_000
FINE = WeatherView(state="open", reason="fine", observed_at_us=NOW - 10 * MINUTE_US)
STORM = WeatherView(
    state="closed",
    reason="thunder",
    observed_at_us=NOW - 5 * MINUTE_US,
    closures=(Closure(NOW - 5 * MINUTE_US),),
)


def us(minute):
    return NOW + int(minute * MINUTE_US)


def flight(reclaim="4", gate=None, stand="TLS-B", bags=60, off_block=None, **at_min):
    due = {"off_block_due_us": -85, "on_block_due_us": 0} | at_min
    return FlightView(
        designator="AF1",
        origin="CDG",
        destination="TLS",
        progress=Progress(**{name: us(each) for name, each in due.items()}),
        off_block_us=None if off_block is None else us(off_block),
        stand=stand,
        reclaim=reclaim,
        gate=gate,
        bags=bags,
    )


def bag(state="loaded", plate="0220123456", seen=-60):
    return BagView(
        licence_plate=plate, state=state, last_seen_us=None if seen is None else us(seen)
    )


def headline(advice, language="en"):
    return say(language, advice.headline.key, advice.headline.values, "Europe/Paris")


def test_on_the_stand_the_belt_and_the_minutes_are_told_with_the_reason():
    advice = guide([bag()], flight(on_block_us=-5), FINE, NOW)
    assert headline(advice) == "Reclaim 4: first bags in about 8 minutes."
    assert [each.key for each in advice.reasons] == ["why_on_block_stand"]
    assert advice.reasons[0].values == {"stand": "TLS-B", "at_us": us(-5)}
    assert advice.belt == "4"
    assert advice.first_bag.p10_us < advice.first_bag.p50_us < advice.first_bag.p90_us
    assert advice.last_bag.p50_us > advice.first_bag.p50_us
    assert advice.weather.key == "ramp_fine"


def test_a_closed_ramp_is_told_and_pushes_the_bags_back():
    advice = guide([bag()], flight(on_block_us=-5), STORM, NOW)
    assert headline(advice).startswith("Reclaim 4: bags wait for the weather")
    assert [each.key for each in advice.reasons] == ["why_on_block_stand", "why_paused"]
    assert advice.weather.key == "ramp_thunder"
    fine = guide([bag()], flight(on_block_us=-5), FINE, NOW)
    assert advice.first_bag.p50_us > fine.first_bag.p50_us


@pytest.mark.parametrize(
    ("bags", "known", "key"),
    [
        ([bag()], None, "no_flight"),
        ([bag(seen=None)], flight(gate="B12", off_block_due_us=40), "go_to_gate"),
        ([bag()], flight(off_block_due_us=40), "go_to_departures"),
        ([bag()], flight(), "in_flight"),
        ([bag()], flight(reclaim=None, airborne_us=-70), "in_flight_no_belt"),
        ([bag()], flight(off_block_due_us=40, off_block=-3), "in_flight"),
        ([bag()], flight(landed_us=-3), "first_bags"),
        ([bag()], flight(reclaim=None, landed_us=-3), "first_bags_no_belt"),
        ([bag()], flight(on_block_us=-14), "bags_coming"),
        ([bag("arrived"), bag(plate="0220123457")], flight(on_block_us=-5), "bags_coming"),
        ([bag()], flight(on_block_us=-70), "go_to_desk"),
        ([bag("arrived"), bag(plate="0220123457")], flight(on_block_us=-70), "go_to_desk"),
        ([bag("arrived")], flight(on_block_us=-70), "bags_coming"),
        ([bag("delivered")], flight(on_block_us=-70), "bags_delivered"),
        ([bag("delivered"), bag("arrived")], flight(on_block_us=-30), "bags_coming"),
    ],
)
def test_each_moment_of_a_journey_has_its_one_thing_to_do(bags, known, key):
    assert guide(bags, known, FINE, NOW).headline.key == key


def test_nobody_is_sent_to_the_desk_while_the_ramp_is_closed_and_bags_wait():
    assert guide([bag()], flight(on_block_us=-5), STORM, NOW).phase == "arriving"


def test_a_storm_that_has_passed_still_counts_for_bags_that_had_to_wait():
    passed = WeatherView(
        state="open", reason="fine", closures=(Closure(us(-68), us(-8)),), observed_at_us=us(-8)
    )
    advice = guide([bag()], flight(on_block_us=-70), passed, NOW)
    assert advice.phase == "arriving"
    assert headline(advice) == "Reclaim 4: first bags in about 3 minutes."
    assert guide([bag()], flight(on_block_us=-70), FINE, NOW).phase == "desk"


def test_plates_are_hidden_but_for_four_digits():
    assert masked("0220123456") == "\u2022" * 6 + "3456"
    advice = guide([bag()], flight(on_block_us=-5), FINE, NOW)
    assert advice.bags[0].plate.endswith("3456")
    assert "0220123456" not in repr(advice)


instants = st.none() | st.integers(-200, 200).map(us)
flights = st.none() | st.builds(
    FlightView,
    designator=st.just("AF1"),
    origin=st.just("CDG"),
    destination=st.just("TLS"),
    progress=st.builds(
        Progress,
        off_block_due_us=instants,
        on_block_due_us=instants,
        airborne_us=instants,
        landed_us=instants,
        on_block_us=instants,
    ),
    off_block_us=instants,
    stand=st.sampled_from([None, "B2"]),
    reclaim=st.sampled_from([None, "4"]),
    gate=st.sampled_from([None, "B12"]),
    bags=st.none() | st.integers(0, 300),
)
states = st.sampled_from(get_args(State))
some_bags = st.lists(
    st.builds(
        BagView,
        licence_plate=st.sampled_from(["0220123456", "0220123457", "0220123458"]),
        state=states,
        last_seen_us=instants,
    ),
    max_size=3,
    unique_by=lambda each: each.licence_plate,
)
weathers = st.sampled_from([FINE, STORM, WeatherView()])


@settings(max_examples=200, deadline=None)
@given(some_bags, flights, weathers, st.randoms(use_true_random=False))
def test_every_advice_can_be_said_in_every_language_whatever_the_order_of_bags(
    bags, known, weather, random
):
    advice = guide(bags, known, weather, NOW)
    mixed = list(bags)
    random.shuffle(mixed)
    assert guide(mixed, known, weather, NOW) == advice
    phrases = [
        advice.headline,
        advice.weather,
        *advice.steps,
        *advice.reasons,
        *(each.phrase for each in advice.bags),
    ]
    for language in LANGUAGES:
        for phrase in phrases:
            sentence = say(language, phrase.key, phrase.values, "Europe/Paris")
            assert sentence
            assert "{" not in sentence
