import pytest
from aerocast_hub.ground_times import Handling
from aerocast_hub.orientation.arrival_times import (
    MINUTE_US,
    BeltModel,
    Closure,
    Progress,
    belt_times,
    finish_us,
    never_came,
    on_block_spread,
    ramp_spread,
)
from aerocast_hub.orientation.spread import at_share, exactly
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000


def minutes(us):
    return (us - NOW) / MINUTE_US


def us(minute):
    return None if minute is None else NOW + int(minute * MINUTE_US)


def progress(**at_min):
    return Progress(**{name: us(minute) for name, minute in at_min.items()})


instants = st.none() | st.integers(-120, 180).map(us)
progresses = st.builds(
    Progress,
    off_block_due_us=instants,
    on_block_due_us=instants,
    airborne_us=instants,
    landed_us=instants,
    on_block_us=instants,
    on_block_sigma_s=st.floats(0, 60),
)
closures = st.lists(
    st.builds(
        Closure,
        from_us=st.integers(-60, 60).map(us),
        until_us=st.none() | st.integers(-30, 120).map(us),
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(progresses, st.none() | st.integers(0, 300), closures, st.randoms(use_true_random=False))
def test_quantiles_are_in_order_and_never_in_the_past(known, bags, closed, random):
    times = belt_times(known, bags, closed, NOW)
    mixed = closed + closed
    random.shuffle(mixed)
    assert belt_times(known, bags, mixed, NOW) == times
    if times is None:
        assert known.on_block_us is known.landed_us is known.on_block_due_us is None
        return
    for each in (times.first, times.last):
        if each is not None:
            assert NOW <= each.p10_us <= each.p50_us <= each.p90_us
    assert (times.last is None) == (not bags)
    if times.last is not None:
        assert times.first.p50_us <= times.last.p50_us
        assert times.first.p90_us <= times.last.p90_us


@settings(max_examples=200, deadline=None)
@given(progresses, closures)
def test_a_closure_never_brings_bags_sooner(known, closed):
    free, held = belt_times(known, 60, [], NOW), belt_times(known, 60, closed, NOW)
    if free is not None:
        assert held.first.p10_us >= free.first.p10_us
        assert held.first.p50_us >= free.first.p50_us
        assert held.last.p90_us >= free.last.p90_us


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), closures)
def test_work_done_is_the_open_time_that_has_passed(work_min, closed):
    ended = [each for each in closed if each.until_us is not None]
    end_us = finish_us(NOW, work_min, ended)
    open_min = sum(
        not any(each.from_us <= minute_us < each.until_us for each in ended)
        for minute_us in range(NOW, end_us, MINUTE_US)
    )
    assert open_min == work_min


def test_bags_come_thirteen_minutes_after_on_block_by_the_defaults():
    times = belt_times(progress(on_block_us=0), 120, [], NOW)
    assert times.basis == "on_block"
    assert minutes(times.first.p50_us) == pytest.approx(13)
    assert 9 < minutes(times.first.p10_us) < 13 < minutes(times.first.p90_us) < 20
    assert minutes(times.last.p50_us) == pytest.approx(21)
    assert not times.paused


def test_the_best_thing_known_is_the_start_of_the_estimate():
    known = {
        "off_block_due_us": -90,
        "on_block_due_us": 20,
        "airborne_us": -60,
        "landed_us": -2,
        "on_block_us": -1,
    }
    bases, first = [], []
    for name in ("on_block_us", "landed_us", "airborne_us", "on_block_due_us"):
        times = belt_times(progress(**known), None, [], NOW)
        bases.append(times.basis)
        first.append(round(minutes(times.first.p50_us), 1))
        del known[name]
    assert bases == ["on_block", "landed", "airborne", "schedule"]
    assert first == [12.0, 18.0, 49.0, 33.0]
    assert belt_times(progress(**known), None, [], NOW) is None


def test_the_spread_narrows_as_the_flight_comes_in():
    known = {"off_block_due_us": -90, "on_block_due_us": 20}
    spreads = []
    for name, minute in (("airborne_us", -76), ("landed_us", 0), ("on_block_us", 0)):
        times = belt_times(progress(**known), None, [], NOW)
        spreads.append(times.first.p90_us - times.first.p10_us)
        known[name] = minute
    assert spreads == sorted(spreads, reverse=True)


def test_an_open_ended_closure_pauses_the_work():
    free = belt_times(progress(on_block_us=-2), 60, [], NOW)
    held = belt_times(progress(on_block_us=-2), 60, [Closure(us(-5))], NOW)
    assert held.paused
    assert minutes(held.first.p50_us) == pytest.approx(33)  # 20 min expected, then all the work
    assert minutes(free.first.p50_us) == pytest.approx(11)


def test_a_closure_after_the_bags_have_left_the_ramp_changes_nothing():
    free = belt_times(progress(on_block_us=-30), 60, [], NOW)
    assert belt_times(progress(on_block_us=-30), 60, [Closure(us(-1))], NOW) == free


def test_a_flight_that_never_arrives_is_not_expected_for_ever():
    overdue = progress(off_block_due_us=-500, on_block_due_us=-361)
    assert never_came(overdue, NOW)
    assert belt_times(overdue, 60, [], NOW) is None
    assert on_block_spread(overdue, NOW) is None
    late = progress(off_block_due_us=-500, on_block_due_us=-359)
    assert not never_came(late, NOW)
    assert belt_times(late, 60, [], NOW).basis == "schedule"
    landed = progress(on_block_due_us=-500, landed_us=-20)
    assert not never_came(landed, NOW)
    assert belt_times(landed, 60, [], NOW).basis == "landed"
    there = progress(on_block_due_us=-900, on_block_us=-800)
    assert not never_came(there, NOW)


def test_when_a_flight_reaches_its_stand_is_as_sure_as_what_is_known():
    known = {"off_block_due_us": -90, "on_block_due_us": 20}
    widths = []
    for name, minute in (("airborne_us", -76), ("landed_us", 0), ("on_block_us", -3)):
        spread = on_block_spread(progress(**known), NOW)
        widths.append(spread.minutes[-1] - spread.minutes[0])
        assert min(spread.minutes) >= 0  # it is not there yet
        known[name] = minute
    assert widths == sorted(widths, reverse=True)
    assert on_block_spread(progress(**known), NOW).median_min == -3


LATE = (-6.0, -4.0, -2.0, 0.0, 1.0, 5.0, 10.0, 16.0, 26.0)


@pytest.mark.parametrize(
    ("stage", "known"),
    [
        ("in_the_air", {"off_block_due_us": -90, "on_block_due_us": 60, "airborne_us": -76}),
        ("schedule", {"on_block_due_us": 60}),
    ],
)
def test_how_late_flights_are_may_be_nine_measured_tenths(stage, known):
    handling = Handling(**{stage: LATE})
    spread = on_block_spread(progress(**known), NOW, handling)
    on_time = 60.0
    assert [at_share(spread, n / 10) for n in (1, 5, 9)] == pytest.approx(
        [on_time - 6, on_time + 1, on_time + 26]
    )
    told = belt_times(progress(**known), 60, [], NOW, BeltModel(handling=handling)).on_block
    assert [(each - NOW) / 60e6 for each in (told.p10_us, told.p50_us, told.p90_us)] == (
        pytest.approx([on_time - 6, on_time + 1, on_time + 26])
    )


def test_work_on_the_ramp_is_what_remains_without_the_belt():
    ours = ramp_spread(Handling())
    assert ours.median_min == pytest.approx(11)
    learned = ramp_spread(Handling(), exactly(20.0))
    assert learned.median_min == pytest.approx(18)
