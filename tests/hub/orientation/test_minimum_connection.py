import pytest
from aerocast_hub.ground_times import MinimumTime
from aerocast_hub.orientation.minimum_connection import Change, minimum_time, status_of
from hypothesis import given, settings
from hypothesis import strategies as st

FRANCE, INLAND, ABROAD = "FR", ("FR", "FR"), ("DE", "FR")
CHANGE = Change(
    status="ID",
    arriving_carrier="LH",
    departing_carrier="AF",
    arriving_terminal="2",
    departing_terminal="1",
    arriving_aircraft="A321",
    departing_aircraft="A359",
    arriving_from="MUC",
    departing_to="ORY",
)


def at_least(*times, change=CHANGE):
    return minimum_time(change, times).minutes


def test_without_own_times_the_status_decides():
    for status, minutes in (("DD", 45), ("DI", 60), ("ID", 60), ("II", 90), (None, 90)):
        assert minimum_time(Change(status=status)).minutes == minutes


def test_the_airports_own_time_goes_before_ours():
    assert at_least(MinimumTime(minutes=35)) == 35
    assert at_least(MinimumTime(minutes=35, status="DD")) == 60  # speaks of another status


def test_each_step_of_the_hierarchy_goes_before_all_below_it():
    ladder = [
        MinimumTime(minutes=90),
        MinimumTime(minutes=80, status="ID"),
        MinimumTime(minutes=70, arriving_from="MUC"),
        MinimumTime(minutes=65, departing_to="ORY", status="ID"),
        MinimumTime(minutes=60, departing_aircraft="A359"),
        MinimumTime(minutes=50, arriving_aircraft="A321", departing_aircraft="A359"),
        MinimumTime(minutes=40, departing_terminal="1"),
        MinimumTime(minutes=35, arriving_terminal="2", departing_terminal="1"),
        MinimumTime(minutes=30, arriving_carrier="LH"),
        MinimumTime(minutes=25, departing_carrier="AF"),
        MinimumTime(minutes=20, arriving_carrier="LH", departing_carrier="AF"),
        MinimumTime(minutes=10, arriving_carrier="LH", departing_carrier="AF", status="ID"),
    ]
    for count in range(1, len(ladder) + 1):
        assert at_least(*ladder[:count]) == ladder[count - 1].minutes


def test_what_speaks_of_others_does_not_count():
    strangers = [
        MinimumTime(minutes=1, departing_carrier="BA"),
        MinimumTime(minutes=2, arriving_terminal="3"),
        MinimumTime(minutes=3, departing_aircraft="B77W"),
        MinimumTime(minutes=4, status="DD"),
        MinimumTime(minutes=5, departing_to="NCE"),
    ]
    assert at_least(*strangers) == 60
    assert at_least(*strangers, change=Change(status="ID")) == 60  # nothing else is known of it


times = st.builds(
    MinimumTime,
    minutes=st.integers(0, 120),
    status=st.sampled_from(["ID", "DD", None]),
    arriving_carrier=st.sampled_from(["LH", "BA", None]),
    departing_carrier=st.sampled_from(["AF", None]),
    departing_terminal=st.sampled_from(["1", None]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(times, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_times_do_not_matter(some, random):
    mixed = some + some
    random.shuffle(mixed)
    assert minimum_time(CHANGE, mixed) == minimum_time(CHANGE, some)


def test_equally_specific_times_leave_the_longer_one():
    assert (
        at_least(MinimumTime(minutes=30, status="ID"), MinimumTime(minutes=55, status="ID")) == 55
    )


@pytest.mark.parametrize(
    ("arriving", "departing", "status"),
    [
        (INLAND, INLAND, "DD"),
        (INLAND, ("FR", "DE"), "DI"),
        (ABROAD, INLAND, "ID"),
        (ABROAD, ("FR", "US"), "II"),
        (None, INLAND, None),
        (ABROAD, None, None),
    ],
)
def test_the_countries_of_two_flights_say_the_status(arriving, departing, status):
    assert status_of(arriving, departing) == status
