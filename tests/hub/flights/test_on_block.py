from aerocast_hub.events.flights import FlightLanded, FlightOnBlock, FlightTimeWithdrawn
from aerocast_hub.flights.matching import BY_CALLSIGN, BY_ICAO, BY_REGISTRATION, Heard, Plan, match
from aerocast_hub.flights.movements import Report, movements
from aerocast_hub.flights.on_block import ActualTimes, AircraftHeard, changes, fold
from hypothesis import given, settings
from hypothesis import strategies as st

MIN = 60_000_000
SIX = 1_720_224_000_000_000  # some day, 00:00 UTC
PARIS, TOULOUSE = (49.01, 2.55), (43.63, 1.37)


def at(clock):
    hours, minutes = clock.split(":")
    return SIX + (int(hours) * 60 + int(minutes)) * MIN


def report(event, clock, place=None, sigma_s=5.0, stand="", callsign=""):
    latitude, longitude = place or (None, None)
    return Report(
        at_us=at(clock),
        event=event,
        sigma_s=sigma_s,
        stand=stand,
        callsign=callsign,
        latitude_deg=latitude,
        longitude_deg=longitude,
    )


def plan(flight_id="AF1", off="06:40", on="08:05", icao="393322", **more):
    return Plan(
        flight_id=flight_id,
        icao=icao,
        off_block_due_us=off and at(off),
        on_block_due_us=on and at(on),
        **more,
    )


def heard(*reports, icao="393322", registration=None):
    return AircraftHeard(icao=icao, registration=registration, reports=reports)


OUT = (
    report("off_stand", "06:46", PARIS, stand="CDG-A"),
    report("airborne", "06:59", PARIS),
)
IN = (
    report("landed", "07:58", TOULOUSE),
    report("on_stand", "08:02", TOULOUSE, stand="TLS-B"),
)


def clocks(times):
    return {
        name: (moment.at_us - SIX) // MIN
        for name in ("off_block", "airborne", "landed", "on_block")
        if (moment := getattr(times, name)) is not None
    }


def minutes(clock):
    return (at(clock) - SIX) // MIN


def test_a_flight_heard_at_both_ends_gets_all_four_times():
    times = fold([heard(*OUT, *IN)], [plan()])["AF1"]
    assert clocks(times) == {
        "off_block": minutes("06:46"),
        "airborne": minutes("06:59"),
        "landed": minutes("07:58"),
        "on_block": minutes("08:02"),
    }
    assert times.icao == "393322"
    assert times.off_block.stand == "CDG-A"
    assert times.on_block.stand == "TLS-B"


def test_the_next_departure_of_the_aircraft_is_not_this_flights():
    next_out = (
        report("off_stand", "08:50", TOULOUSE, stand="TLS-B"),
        report("airborne", "09:00", TOULOUSE),
    )
    times = fold([heard(*IN, *next_out)], [plan()])["AF1"]
    assert clocks(times) == {"landed": minutes("07:58"), "on_block": minutes("08:02")}


def test_the_aircrafts_arrival_before_its_departure_is_not_this_flights():
    earlier_in = (report("landed", "05:50", PARIS), report("on_stand", "05:58", PARIS, stand="A"))
    times = fold([heard(*earlier_in, *OUT)], [plan()])["AF1"]
    assert clocks(times) == {"off_block": minutes("06:46"), "airborne": minutes("06:59")}


def test_out_on_one_flight_and_back_on_another_heard_from_home_alone():
    back = (report("landed", "10:20", PARIS), report("on_stand", "10:28", PARIS, stand="CDG-A"))
    found = fold(
        [heard(*OUT, *back)],
        [plan(), plan("AF2", off="08:50", on="10:25")],
    )
    assert set(clocks(found["AF1"])) == {"off_block", "airborne"}
    assert set(clocks(found["AF2"])) == {"landed", "on_block"}


def test_coming_home_is_not_the_arrival_of_the_flight_out_even_when_the_flight_back_is_unknown():
    back = (report("landed", "10:20", PARIS), report("on_stand", "10:28", PARIS, stand="CDG-A"))
    assert set(clocks(fold([heard(*OUT, *back)], [plan()])["AF1"])) == {"off_block", "airborne"}


def test_the_report_with_the_best_sigma_speaks_for_a_landing_two_gateways_heard():
    vague = Report(at_us=at("07:58") + 40_000_000, event="landed", sigma_s=30.0)
    times = fold([heard(vague, *IN)], [plan()])["AF1"]
    assert times.landed.at_us == at("07:58")
    assert times.landed.sigma_s == 5.0


def test_an_aircraft_found_parked_before_its_departure_has_not_arrived():
    parked = report("on_stand", "06:43", PARIS, stand="CDG-A")
    assert fold([heard(parked)], [plan()])["AF1"] == ActualTimes()
    late = report("on_stand", "08:10", TOULOUSE, stand="TLS-B")
    assert set(clocks(fold([heard(late)], [plan()])["AF1"])) == {"on_block"}


def test_a_go_around_counts_the_last_landing():
    tried = (report("landed", "07:40"), report("airborne", "07:41"))
    times = fold([heard(*tried, *IN)], [plan()])["AF1"]
    assert clocks(times) == {"landed": minutes("07:58"), "on_block": minutes("08:02")}


def test_back_to_the_stand_and_out_again_counts_the_last_time():
    first = (report("off_stand", "06:30"), report("on_stand", "06:38"))
    assert clocks(fold([heard(*first, *OUT)], [plan()])["AF1"]) == {
        "off_block": minutes("06:46"),
        "airborne": minutes("06:59"),
    }


def test_a_pause_on_a_stand_on_the_way_in_is_not_its_stand():
    on = (report("off_stand", "08:05"), report("on_stand", "08:09", stand="TLS-C"))
    times = fold([heard(*IN, *on)], [plan()])["AF1"]
    assert times.on_block.stand == "TLS-C"


def test_a_tow_long_after_arrival_changes_nothing():
    tow = (report("off_stand", "09:00"), report("on_stand", "09:10", stand="TLS-R"))
    times = fold([heard(*IN, *tow)], [plan()])["AF1"]
    assert times.on_block.stand == "TLS-B"


def test_the_strongest_key_wins_then_the_nearest_schedule():
    plans = [
        Plan(flight_id="by-callsign", callsign="AFR1", on_block_due_us=at("08:00")),
        Plan(flight_id="by-registration", registration="FGKXS", on_block_due_us=at("09:00")),
        Plan(flight_id="by-icao-later", icao="393322", on_block_due_us=at("10:30")),
        Plan(flight_id="by-icao", icao="393322", on_block_due_us=at("10:00")),
    ]
    aircraft = Heard(icao="393322", registration="FGKXS", callsigns=frozenset({"AFR1"}))
    order = []
    for _ in range(len(plans)):
        found = match(aircraft, "arrival", at("08:00"), plans)
        order.append((found.flight_id, found.key))
        plans = [each for each in plans if each.flight_id != found.flight_id]
    assert order == [
        ("by-icao", BY_ICAO),
        ("by-icao-later", BY_ICAO),
        ("by-registration", BY_REGISTRATION),
        ("by-callsign", BY_CALLSIGN),
    ]


def test_no_flight_is_further_than_three_hours_from_its_schedule():
    aircraft = Heard(icao="393322")
    assert match(aircraft, "arrival", at("11:05"), [plan()]) is not None
    assert match(aircraft, "arrival", at("11:06"), [plan()]) is None
    assert match(aircraft, "departure", at("11:05"), [plan()]) is None


def test_changes_tell_what_is_new_and_what_was_withdrawn():
    before = fold([heard(IN[0])], [plan()])["AF1"]
    after = fold([heard(*IN)], [plan()])["AF1"]
    assert changes("AF1", ActualTimes(), before) == [
        FlightLanded(flight_id="AF1", at_us=at("07:58"), sigma_s=5.0)
    ]
    assert changes("AF1", before, after) == [
        FlightOnBlock(flight_id="AF1", at_us=at("08:02"), sigma_s=5.0, stand="TLS-B")
    ]
    assert changes("AF1", after, before) == [
        FlightTimeWithdrawn(flight_id="AF1", what="on_block", at_us=at("08:02"))
    ]
    assert changes("AF1", after, after) == []


reports = st.lists(
    st.builds(
        Report,
        at_us=st.integers(0, 400).map(lambda minute: SIX + minute * MIN),
        event=st.sampled_from(["landed", "on_stand", "off_stand", "airborne"]),
        sigma_s=st.sampled_from([1.0, 5.0, 30.0]),
        stand=st.sampled_from(["", "A", "B"]),
        callsign=st.sampled_from(["", "AFR1"]),
        latitude_deg=st.sampled_from([None, 43.6, 49.0]),
        longitude_deg=st.sampled_from([None, 1.4]),
    ),
    max_size=12,
)
PLANS = [
    plan("out", off="01:00", on="02:10"),
    plan("back", off="03:00", on="04:10"),
    plan("swapped", off="01:30", on="02:30", icao=None, callsign="AFR1"),
    plan("arrival-only", off=None, on="05:00"),
]


@settings(max_examples=200, deadline=None)
@given(reports, reports, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(seen, others, random):
    def play(one, two, plans):
        return fold([heard(*one), heard(*two, icao="4b1234")], plans)

    mixed, mixed_others, plans = seen + seen, others + others, list(PLANS)
    random.shuffle(mixed)
    random.shuffle(mixed_others)
    random.shuffle(plans)
    assert play(seen, others, PLANS) == play(mixed, mixed_others, plans)


@settings(max_examples=200, deadline=None)
@given(reports)
def test_the_times_of_a_flight_are_in_the_order_it_flew(seen):
    for times in fold([heard(*seen)], PLANS).values():
        known = list(clocks(times).values())
        assert known == sorted(known)


@settings(max_examples=100, deadline=None)
@given(reports)
def test_no_report_serves_two_movements(seen):
    used = [each for movement in movements(seen) for each in movement.reports]
    assert len(used) == len(set(used))
