import pytest
from aerocast_hub.orientation.arrival_times import Closure
from aerocast_hub.orientation.guidance import WeatherView, masked

from tests.hub.orientation.guidance.cases import (
    NOW,
    STORM,
    advise,
    bag,
    flight,
    keys,
    onward,
    text,
    us,
    way,
)

LANDED = flight(on_block_us=-5)
CAME = flight(on_block_us=-5, airborne_us=-80)
OTHER = "0220123457"


def test_on_the_stand_the_belt_and_the_minutes_are_told_with_the_reason():
    advice = advise([bag()], LANDED)
    assert text(advice.headline) == "Reclaim 4: first bags in about 8 minutes."
    assert keys(advice.reasons) == ["why_on_block_stand"]
    assert advice.reasons[0].values == {"stand": "TLS-B", "at_us": us(-5)}
    assert advice.belt == "4"
    assert advice.first_bag.p10_us < advice.first_bag.p50_us < advice.first_bag.p90_us
    assert advice.last_bag.p50_us > advice.first_bag.p50_us
    assert advice.weather.key == "ramp_fine"
    assert advice.unknown == ()


def test_a_closed_ramp_is_told_and_pushes_the_bags_back():
    advice = advise([bag()], LANDED, STORM)
    assert advice.phase == "ramp_closed"
    assert text(advice.headline).startswith("Reclaim 4: bags wait for the weather")
    assert keys(advice.reasons) == ["why_on_block_stand", "why_paused"]
    assert advice.steps[0].key == "step_no_hurry"
    assert advice.weather.key == "ramp_thunder"
    assert advice.first_bag.p50_us > advise([bag()], LANDED).first_bag.p50_us


@pytest.mark.parametrize(
    ("bags", "flights", "phase", "key"),
    [
        ([bag()], None, "unknown", "no_flight"),
        ([bag(seen=None)], flight(gate="B12", off_block_due_us=40), "departure", "go_to_gate"),
        ([bag()], flight(off_block_due_us=40), "departure", "go_to_departures"),
        ([bag()], flight(off_block_due_us=-5), "departure", "go_to_departures"),
        ([bag()], flight(), "in_flight", "due"),
        ([bag()], flight(reclaim=None), "in_flight", "due_no_belt"),
        ([bag()], flight(airborne_us=-70), "in_flight", "in_flight"),
        ([bag()], flight(reclaim=None, airborne_us=-70), "in_flight", "in_flight_no_belt"),
        ([bag()], flight(off_block_due_us=40, off_block=-3), "in_flight", "in_flight"),
        ([bag()], flight(on_block_due_us=None), "in_flight", "due_no_time"),
        ([bag()], flight(on_block_due_us=None, off_block=-70), "in_flight", "in_flight_no_time"),
        ([bag()], flight(landed_us=-3), "arriving", "first_bags"),
        ([bag()], flight(reclaim=None, landed_us=-3), "arriving", "first_bags_no_belt"),
        ([bag()], flight(on_block_us=-14), "at_belt", "bags_coming"),
        ([bag("arrived"), bag(plate=OTHER)], LANDED, "at_belt", "bags_coming"),
        ([bag()], flight(on_block_us=-70), "desk", "go_to_desk"),
        ([bag("arrived"), bag(plate=OTHER)], flight(on_block_us=-70), "desk", "go_to_desk_some"),
        ([bag("arrived")], flight(on_block_us=-70), "at_belt", "bags_there"),
        ([bag("arrived")], flight(on_block_us=-70, reclaim=None), "at_belt", "bags_there_no_belt"),
        ([bag("delivered")], flight(on_block_us=-70), "done", "bags_delivered"),
        ([bag("delivered"), bag("arrived", OTHER)], flight(on_block_us=-30), "at_belt", None),
        ([bag()], flight(on_block_due_us=-50), "no_news", "no_news"),
        ([bag()], flight(on_block_due_us=-1000, airborne_us=-1100), "no_news", "no_news"),
        ([bag()], flight(landed_us=-46), "no_news", "no_news_landed"),
        ([bag("arrived")], flight(landed_us=-100), "at_belt", "bags_coming"),
        ([bag()], [CAME, onward()], "connecting", "connect"),
        ([bag()], [CAME, onward(gate=None)], "connecting", "connect_no_gate"),
        ([bag()], [flight(airborne_us=-70), onward()], "in_flight", "in_flight_connecting"),
        ([bag()], [flight(), onward()], "in_flight", "due_connecting"),
        ([bag()], [CAME, onward(leaves=-30, off_block=-10)], "missed_connection", "missed_left"),
        ([bag()], [CAME, onward(leaves=10)], "missed_connection", "missed_likely"),
        ([bag()], [CAME, onward(leaves=-3, off_block=-1)], "missed_connection", "missed_left"),
        ([bag()], [CAME, onward(leaves=-20)], "missed_connection", "missed_likely"),
        (
            [bag()],
            [flight(on_block_us=-40), onward(off_block=-1)],
            "in_flight",
            "in_flight_no_belt",
        ),
        ([bag("sorted", seen=-60)], flight(off_block=-80, on_block_us=-5), "delayed_bag", None),
        ([bag(is_rush=True)], flight("AF9"), "delayed_bag", "follows"),
    ],
)
def test_each_moment_of_a_journey_has_its_one_thing_to_do(bags, flights, phase, key):
    advice = advise(bags, flights)
    assert (advice.phase, key or advice.headline.key) == (phase, advice.headline.key)


def test_nobody_is_sent_to_the_desk_while_the_ramp_is_closed_and_bags_wait():
    assert advise([bag()], LANDED, STORM).phase == "ramp_closed"


def test_a_storm_that_has_passed_still_counts_for_bags_that_had_to_wait():
    passed = WeatherView(
        state="open", reason="fine", closures=(Closure(us(-68), us(-8)),), observed_at_us=us(-8)
    )
    advice = advise([bag()], flight(on_block_us=-70), passed)
    assert advice.phase == "arriving"
    assert text(advice.headline) == "Reclaim 4: first bags in about 3 minutes."
    assert advise([bag()], flight(on_block_us=-70)).phase == "desk"


def test_how_many_bags_are_missing_is_told():
    bags = [bag("arrived"), bag(plate=OTHER), bag(plate="0220123458", seen=None)]
    advice = advise(bags, flight(on_block_us=-70))
    assert text(advice.headline) == (
        "We have not seen 2 of your bags reach the belt. "
        "If you do not find them there, please go to the baggage desk."
    )
    assert keys(advice.steps) == ["step_go_to_belt", "step_bring_tag", "step_ask_desk"]
    alone = advise(bags[1:2], flight(on_block_us=-70))
    assert text(alone.headline) == (
        "We have not seen your bag reach the belt. "
        "If you do not find it there, please go to the baggage desk."
    )
    assert [each.trouble for each in advice.bags] == [None, "missing", "missing"]
    assert keys(each.phrase for each in advice.bags) == [
        "bag_arrived",
        "bag_missing",
        "bag_missing_unseen",
    ]


def test_a_way_leaves_time_to_spare_or_none_before_departure():
    leaving = flight(gate="B12", off_block_due_us=40)
    advice = advise([bag(seen=None)], leaving, way=way(9))
    assert advice.boarding_closes_us == us(25)
    assert advice.slack_min == 16
    assert text(advice.steps[2]) == "You have about 16 minutes to spare."
    late = advise([bag(seen=None)], leaving, way=way(31))
    assert (late.slack_min, late.steps[2].key) == (-6, "step_hurry")
    assert advise([bag(seen=None)], leaving).slack_min is None


def test_who_changes_is_sent_straight_to_the_gate_with_time_risk_and_the_bags_way():
    advice = advise([bag("on_block")], [CAME, onward(leaves=62)], way=way(9, lift="C"))
    assert text(advice.headline) == (
        "Go straight to gate B12, level 1, for flight BA2: 9 minutes from the aircraft, by lift C."
    )
    assert (advice.gate, advice.onward, advice.boarding_closes_us) == ("B12", "BA2", us(47))
    assert advice.slack_min > 20
    assert keys(advice.steps) == ["step_boarding_closes", "step_spare", "step_through"]
    assert 0 <= advice.miss < 0.05
    assert advice.bags[0].phrase.key in ("bag_connects", "bag_may_miss")
    assert advice.belt is None
    assert advice.first_bag is None


def test_a_passenger_and_each_bag_have_their_own_risk_with_its_cause():
    bags = [bag("on_block"), bag("loaded", OTHER, seen=-1, aboard=("BA2", "2024-07-06", "TLS"))]
    advice = advise(bags, [CAME, onward(leaves=40)], STORM, way=way(4))
    assert advice.phase == "connecting"
    waiting, aboard = advice.bags
    assert waiting.miss > 0.9 > advice.miss
    assert (waiting.phrase.key, waiting.cause.key) == ("bag_will_miss", "cause_ramp_closed")
    assert aboard.phrase.key == "bag_connected"
    assert "step_bag_report" in keys(advice.steps)


def test_who_cannot_reach_the_next_flight_is_sent_to_who_can_help():
    advice = advise([bag()], [CAME, onward(leaves=-30, off_block=-10)])
    assert text(advice.headline) == (
        "Flight BA2 left at 09:55, too early for you. Please go to your airline’s transfer desk."
    )
    assert keys(advice.steps) == ["step_bags_after_rebooking", "step_ask_airline"]
    assert advise([bag()], [CAME, onward(leaves=10)]).miss > 0.9


def test_a_bag_that_was_left_behind_is_told_and_the_others_are_not_forgotten():
    gone = flight(off_block=-80, on_block_us=-5)
    bags = [bag("departed"), bag("sorted", OTHER, seen=-60)]
    advice = advise(bags, gone)
    assert text(advice.headline).startswith("One of your bags did not travel with you.")
    assert text(advice.steps[0]) == "Your other bags come to reclaim belt 4."
    assert [each.trouble for each in advice.bags] == [None, "left_behind"]
    alone = advise(bags[1:], gone)
    assert text(alone.headline).startswith("Your bag did not travel with you.")
    flying = advise(bags, flight(off_block=-80, airborne_us=-70))
    assert (flying.phase, flying.steps[0].key) == ("in_flight", "delayed_before")


def test_nobody_whose_every_bag_stayed_behind_is_sent_to_a_belt():
    flown = flight(off_block=-80, airborne_us=-70)
    advice = advise([bag("sorted", seen=-60)], flown)
    assert text(advice.headline) == "Your flight is on its way."
    assert [text(each) for each in advice.steps] == [
        "Your bag is not on your flight. After landing, please ask at the baggage desk."
    ]
    assert (advice.belt, advice.first_bag, advice.last_bag) == (None, None, None)


def test_a_flight_nobody_heard_leave_is_on_its_way_by_the_schedule_alone():
    advice = advise([bag("made_up")], flight(off_block_due_us=-20, on_block_due_us=65))
    assert text(advice.headline).startswith("By the schedule your flight is on its way:")
    assert "unknown_left" in keys(advice.unknown)
    heard = advise([bag("made_up")], flight(off_block_due_us=-20, off_block=-18))
    assert text(heard.headline).startswith("Your flight is on its way:")
    assert "unknown_left" not in keys(heard.unknown)


def test_what_should_have_happened_is_not_told_as_what_will():
    advice = advise([bag("accepted")], flight(gate="B12", off_block_due_us=-5), way=way(9))
    assert [text(each) for each in advice.steps] == [
        "Your flight was to leave its stand at 10:00; we have not heard it leave.",
        "By the schedule boarding closed at 09:45: please ask the staff at the gate.",
    ]
    no_time = advise([bag("accepted")], flight(gate="B12", off_block_due_us=24), way=way(9))
    assert text(no_time.steps[2]) == "Please hurry: you have no time to spare."


def test_bags_of_a_ramp_that_closes_while_the_first_come_are_said_to_wait():
    closing = WeatherView(
        state="closed", reason="lightning", observed_at_us=us(-2), closures=(Closure(us(-3)),)
    )
    advice = advise([bag()], flight(on_block_us=-17), closing)
    assert (advice.phase, keys(advice.reasons)[-1]) == ("at_belt", "why_rest_waits")


def test_once_all_bags_should_be_there_none_is_said_to_come():
    over = advise([bag("arrived")], flight(on_block_us=-200))
    assert text(over.headline) == "All bags of your flight should be on reclaim belt 4 by now."
    assert (keys(over.steps), over.last_bag) == (["step_go_to_belt"], None)
    uncounted = advise([bag("arrived")], flight(on_block_us=-200, bags=None))
    assert (uncounted.headline.key, uncounted.unknown) == ("bags_there", ())


def test_who_sits_in_an_aircraft_is_not_told_to_hurry():
    late = flight(off_block_due_us=-120, on_block_due_us=-35, airborne_us=-50)
    told = keys(advise([bag()], [late, onward(leaves=62)], way=way(9)).steps)
    assert "step_tell_crew" in told
    assert not {"step_hurry", "step_tell_staff", "step_spare"} & set(told)


def test_only_bags_booked_through_are_said_to_go_on():
    bags = [bag("on_block"), bag("on_block", OTHER, flights=(CAME,))]
    advice = advise(bags, [CAME, onward()], way=way(9))
    assert "step_ask_through" in keys(advice.steps)
    assert "step_through" not in keys(advice.steps)


def test_no_more_time_to_spare_is_told_than_the_clock_leaves():
    came = flight(on_block_us=-31)
    advice = advise([bag("on_block")], [came, onward(leaves=30)], way=way(7))
    assert (advice.boarding_closes_us, advice.slack_min) == (us(15), 8)
    late = advise([bag("on_block")], [came, onward(leaves=20)], way=way(7))
    assert (late.slack_min, text(late.steps[1])) == (
        0,
        "Please hurry: you have no time to spare.",
    )


def test_without_a_way_no_minutes_to_spare_are_told():
    advice = advise([bag("on_block")], [CAME, onward()])
    assert (advice.slack_min, keys(advice.unknown)) == (None, ["unknown_way"])
    assert advice.miss is not None


def test_of_a_change_from_a_flight_without_news_no_chance_is_told():
    advice = advise([bag()], [flight(on_block_due_us=-50), onward()])
    assert (advice.phase, advice.miss, advice.reasons) == ("no_news", None, ())
    assert keys(advice.steps) == ["step_ask_airline", "step_watch_screens_gate"]


def test_a_bag_on_a_later_flight_has_its_own_time_and_belt():
    later = flight("AF3", off_block_due_us=30, on_block_due_us=110, reclaim="6")
    advice = advise([bag("departed"), bag("sorted", OTHER, flights=(later,))], LANDED)
    follows = advice.bags[1]
    assert (follows.trouble, follows.belt) == ("follows", "6")
    assert us(110) < follows.expected.p50_us < us(140)
    assert "follows on flight AF3: expected on belt 6 between" in text(follows.phrase)
    assert advice.flight == "AF1"


@pytest.mark.parametrize(
    ("state", "seen", "trouble"),
    [
        ("sorted", -60, "left_behind"),  # seen at the airport after the flight had left it
        ("sorted", -90, None),  # seen before: it may be aboard, where nobody read it
        ("sorted", -4, None),  # seen once the flight was there: it came with it
        ("offloaded", -90, "left_behind"),
        ("offloaded", -4, None),  # taken off where it should be
        ("departed", -60, None),
        ("expected", None, None),
    ],
)
def test_only_what_was_seen_makes_a_bag_left_behind(state, seen, trouble):
    gone = flight(off_block=-80, on_block_us=-5)
    advice = advise([bag(state, seen=seen)], gone)
    assert advice.bags[0].trouble == trouble


def test_each_bag_has_its_own_line():
    bags = [bag("departed"), bag(plate=OTHER, seen=None), bag("arrived", "0220123458", -1)]
    advice = advise(bags, LANDED)
    coming, unseen, there = advice.bags
    assert text(coming.phrase).startswith(
        "Bag ending in 3456 is aboard: expected on belt 4 between"
    )
    assert coming.expected.p10_us < coming.expected.p50_us < coming.expected.p90_us
    assert (unseen.phrase.key, unseen.expected) == ("bag_coming_belt", coming.expected)
    assert (there.phrase.key, there.belt, there.expected) == ("bag_arrived", "4", None)


@pytest.mark.parametrize("weather", [WeatherView(), WeatherView(reason="report_old")])
def test_weather_that_is_unknown_or_stale_is_said_to_be(weather):
    weather = weather if weather.reason == "no_report" else _old()
    advice = advise([bag()], LANDED, weather)
    assert "unknown_weather" in keys(advice.unknown)
    assert advice.weather.key == f"ramp_{weather.reason}"
    assert advice.first_bag is not None
    connecting = advise([bag()], [CAME, onward()], weather)
    assert "unknown_weather" in keys(connecting.unknown)


def _old():
    return WeatherView(reason="report_old", observed_at_us=us(-300))


def test_what_nobody_knows_is_said_and_not_guessed():
    bare = flight(reclaim=None, bags=None, on_block_us=-5)
    assert keys(advise([bag()], bare).unknown) == ["unknown_belt", "unknown_last"]
    no_time = advise([bag()], flight(on_block_due_us=None))
    assert keys(no_time.unknown) == ["unknown_left", "unknown_times"]
    assert no_time.first_bag is None
    connecting = advise([bag()], [CAME, onward(leaves=None, gate=None)])
    assert keys(connecting.unknown) == ["unknown_gate", "unknown_departure", "unknown_chance"]
    assert (connecting.miss, connecting.slack_min) == (None, None)
    without_map = advise([bag()], [CAME, onward()])
    assert keys(without_map.unknown) == ["unknown_way"]


def test_of_a_flight_that_never_arrives_no_time_is_told():
    advice = advise([bag()], flight(on_block_due_us=-50))
    assert text(advice.headline) == (
        "Flight AF1 was due at 09:15, and we have no news of its arrival."
    )
    assert keys(advice.steps)[0] == "step_ask_airline"
    assert keys(advice.unknown) == ["unknown_arrival"]
    assert (advice.first_bag, advice.last_bag, advice.slack_min) == (None, None, None)
    assert advice.bags[0].expected is None
    never = advise([bag()], [flight(on_block_due_us=-600), onward(leaves=-300)])
    assert never.phase == "no_news"


def test_of_a_flight_nobody_heard_land_a_bag_on_the_belt_is_believed_and_no_time_is_told():
    unheard = flight(on_block_due_us=-50)
    one = bag("arrived", seen=-2, came_with=unheard.key)
    alone = advise([one], unheard)
    assert (alone.phase, alone.belt, alone.last_bag) == ("at_belt", "4", None)
    assert [each.key for each in alone.reasons] == ["why_bag_there"]
    assert alone.unknown == ()
    both = advise([one, bag(plate="0220123457")], unheard)
    assert both.phase == "at_belt"
    assert [each.key for each in both.unknown] == ["unknown_times"]
    assert [each.trouble for each in both.bags] == [None, None]


def test_plates_are_hidden_but_for_four_digits():
    assert masked("0220123456") == "•" * 6 + "3456"
    advice = advise([bag()], LANDED)
    assert advice.bags[0].plate.endswith("3456")
    assert "0220123456" not in repr(advice)
    assert advice.at_us == NOW
