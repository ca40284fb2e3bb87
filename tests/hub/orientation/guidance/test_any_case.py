"""Whatever is known of a passenger, and however it came: one advice, sayable everywhere."""

from typing import get_args

from aerocast_hub.baggage.journey import State
from aerocast_hub.orientation.arrival_times import MINUTE_US, Progress
from aerocast_hub.orientation.changing import risk_of
from aerocast_hub.orientation.connection import Cause, CauseKey
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    Trouble,
    WeatherView,
    guide,
    trip_of,
    whereabouts,
)
from aerocast_hub.orientation.guidance.bags import cause_phrase
from aerocast_hub.orientation.wording import LANGUAGES, say
from aerocast_hub.web.labels import LABELS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.orientation.guidance.cases import FINE, NOW, STORM, phrases, us, way

instants = st.none() | st.integers(-200, 200).map(us)


def flights(designator, origin, destination):
    return st.builds(
        FlightView,
        designator=st.just(designator),
        origin=st.just(origin),
        destination=st.just(destination),
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


@st.composite
def passengers(draw):
    """Draw bags on none, one or two flights, or on a later one."""
    one, two = draw(flights("AF1", "CDG", "TLS")), draw(flights("BA2", "TLS", "LHR"))
    later = draw(flights("AF3", "CDG", "TLS"))
    chains = st.sampled_from([(), (one,), (one, two), (two,), (later,)])
    return draw(
        st.lists(
            st.builds(
                BagView,
                licence_plate=st.sampled_from(["0220123456", "0220123457", "0220123458"]),
                state=st.sampled_from(get_args(State)),
                last_seen_us=instants,
                flights=chains,
                aboard=st.sampled_from([None, one.key, two.key]),
                came_with=st.sampled_from([None, one.key, two.key]),
                is_rush=st.booleans(),
            ),
            max_size=3,
            unique_by=lambda each: each.licence_plate,
        )
    )


surroundings = st.builds(
    Surrounding,
    weather=st.sampled_from([FINE, STORM, WeatherView()]),
    way=st.sampled_from([None, way(9), way(None), way(70, lift="C", queue_min=12.0)]),
)


def advise(bags, here):
    trip = trip_of(bags)
    risk = risk_of(trip, whereabouts(trip, NOW), here, (), NOW)
    return guide(trip, Surrounding(weather=here.weather, way=here.way, risk=risk), NOW)


@settings(max_examples=100, deadline=None)
@given(passengers(), surroundings, st.randoms(use_true_random=False))
def test_order_and_repetition_of_bags_change_nothing(bags, here, random):
    mixed = [*bags, *random.choices(bags, k=2)] if bags else []
    random.shuffle(mixed)
    assert advise(mixed, here) == advise(bags, here)


@settings(max_examples=100, deadline=None)
@given(passengers(), surroundings)
def test_every_advice_can_be_said_in_every_language_and_tells_no_more_than_is_known(bags, here):
    advice = advise(bags, here)
    for language in LANGUAGES:
        for phrase in phrases(advice):
            sentence = say(language, phrase.key, phrase.values, "Europe/Paris", NOW)
            assert sentence
            assert "{" not in sentence
            assert "None" not in sentence
    assert len(advice.bags) == len(bags)
    if advice.phase == "no_news":
        assert (advice.first_bag, advice.slack_min) == (None, None)
        assert all(each.expected is None for each in advice.bags if each.trouble is None)
    if advice.slack_min is not None and advice.slack_min > 0 and advice.phase != "arriving":
        assert NOW + advice.slack_min * MINUTE_US <= advice.boarding_closes_us
    if here.weather.state == "unknown" and advice.first_bag is not None:
        assert "unknown_weather" in [each.key for each in advice.unknown]
    for each in advice.bags:
        if each.expected is not None:
            assert NOW <= each.expected.p10_us <= each.expected.p50_us <= each.expected.p90_us


def test_nobody_is_told_minutes_to_spare_of_a_change_from_a_flight_without_news():
    came = FlightView(
        designator="AF1",
        origin="CDG",
        destination="TLS",
        progress=Progress(on_block_due_us=us(-50)),
    )
    next_one = FlightView(
        designator="BA2",
        origin="TLS",
        destination="LHR",
        progress=Progress(off_block_due_us=us(10)),
    )
    bag = BagView(licence_plate="0220123456", state="expected", flights=(came, next_one))
    advice = advise([bag], Surrounding(weather=FINE))
    assert (advice.phase, advice.onward, advice.slack_min) == ("no_news", "BA2", None)


def test_every_cause_and_every_trouble_has_its_words_in_every_language():
    for language in LANGUAGES:
        for key in get_args(CauseKey):
            (phrase,) = cause_phrase(Cause(key=key, minutes=3))
            assert say(language, phrase.key, phrase.values)
        assert set(get_args(Trouble)) < set(LABELS[language].states)
