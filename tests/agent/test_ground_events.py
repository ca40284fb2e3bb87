"""What an aircraft's reports on the ground mean, one report at a time."""

import msgspec
import pytest
from aerocast_agent.aircraft_positions import Fix
from aerocast_agent.ground_events import GroundState, GroundWatch, Report
from aerocast_agent.stands import Stands
from aerocast_protocols.modes.cpr import Position

NS = 1_000_000_000
STANDS = Stands.from_geojson(
    b'{"features": [{"properties": {"stand": "A1"}, "geometry": {"type": "Polygon",'
    b'"coordinates": [[[1.0, 43.0], [1.001, 43.0], [1.001, 43.001], [1.0, 43.001],'
    b"[1.0, 43.0]]]}}]}"
)
ON_STAND, OUTSIDE = Position(43.0005, 1.0005), Position(43.0005, 1.002)


def ground(second, speed_kt, where=ON_STAND):
    ns = round(second * NS)
    return Report(ns, True, Fix(where, ns, on_surface=True), speed_kt)  # noqa: FBT003 - a frame's bit


def air(second):
    ns = round(second * NS)
    return Report(ns, False, Fix(OUTSIDE, ns, on_surface=False))  # noqa: FBT003 - a frame's bit


def play(reports, until_s=None, after_s=60.0):
    watch = GroundWatch(STANDS, after_s)
    changes = [change for report in reports for change in watch.add(report)]
    if until_s is not None:
        for second in range(int(reports[-1].boot_ns / NS) + 1, until_s + 1):
            changes += watch.advance(second * NS)
    return [
        (c.event, c.stand, round(c.happened_ns / NS, 1), round(c.known_ns / NS, 1)) for c in changes
    ]


ARRIVAL = [air(0), air(0.5), ground(1.5, 140, OUTSIDE), ground(2, 138, OUTSIDE)]
TAXI = [ground(second, 12, OUTSIDE) for second in range(3, 60)]


def test_an_arrival_lands_and_is_on_its_stand_once_it_stood_there_long_enough():
    standing = [ground(60 + second, 0.2) for second in range(0, 100, 5)]

    assert play(ARRIVAL + TAXI + standing) == [
        ("landed", None, 1.0, 2.0),
        ("on_stand", "A1", 59.5, 120.0),
    ]


def test_silence_after_stopping_on_a_stand_means_parked_too():
    assert play(ARRIVAL + TAXI + [ground(60, 0.2)], until_s=200) == [
        ("landed", None, 1.0, 2.0),
        ("on_stand", "A1", 59.5, 120.0),
    ]
    slow = [ground(60, 3.0)]
    assert play(ARRIVAL + TAXI + slow, until_s=200)[1:] == [("on_stand", "A1", 60.0, 120.0)]


def test_silence_elsewhere_or_at_speed_means_nothing():
    assert len(play(ARRIVAL + TAXI + [ground(60, 0.2, OUTSIDE)], until_s=300)) == 1
    assert len(play(ARRIVAL + TAXI + [ground(60, 12)], until_s=300)) == 1


def test_a_hold_shorter_than_the_rule_is_no_stand():
    hold = [ground(60 + second, 0.0) for second in range(0, 50, 5)]
    away = [ground(110 + second, 8.0, OUTSIDE) for second in range(10)]

    assert len(play(ARRIVAL + TAXI + hold + away, until_s=400)) == 1


def test_a_twitch_of_the_receiver_while_standing_changes_nothing():
    standing = [ground(60 + second, 1.4 if second == 25 else 0.2) for second in range(0, 100, 5)]

    assert play(ARRIVAL + TAXI + standing)[1:] == [("on_stand", "A1", 59.5, 120.0)]


def test_an_aircraft_first_heard_standing_is_parked_unannounced_and_announces_its_leaving():
    standing = [ground(second, 0.3) for second in range(0, 200, 5)]
    pushed = [ground(200 + half / 2, 2.75) for half in range(12)]

    assert play(standing + pushed) == [("off_stand", "A1", 197.5, 202.0)]


def test_leaving_after_a_silent_turnaround_is_timed_by_how_far_it_was_pushed():
    standing = [ground(60 + second, 0.0) for second in range(0, 70, 5)]
    at_once = Position(ON_STAND[0], ON_STAND[1] + 0.00022)  # 18 m on
    pushed = [ground(2400 + half / 2, 3.0, at_once) for half in range(12)]

    events = play(ARRIVAL + TAXI + standing + pushed)

    assert [event[:2] for event in events[1:]] == [("on_stand", "A1"), ("off_stand", "A1")]
    assert 2380 < events[2][2] < 2395


def test_a_whole_turnaround_and_departure_gives_each_event_once():
    standing = [ground(60 + second, 0.0) for second in range(0, 600, 5)]
    pushed = [ground(660 + half / 2, 3.0) for half in range(12)]
    roll = [ground(700 + second, 40.0, OUTSIDE) for second in range(30)]
    gone = [air(730.5), air(731), air(731.5)]

    events = play(ARRIVAL + TAXI + standing + pushed + roll + gone, until_s=1000)

    assert [event[:2] for event in events] == [
        ("landed", None),
        ("on_stand", "A1"),
        ("off_stand", "A1"),
        ("airborne", None),
    ]


def test_one_stray_frame_is_no_landing_and_a_long_silence_hides_it():
    assert play([air(0), air(1), ground(2, 0.0, OUTSIDE), air(3), air(4)]) == []
    assert play([air(0), ground(1000, 3, OUTSIDE), ground(1001, 3, OUTSIDE)]) == []


def test_repeated_reports_change_nothing():
    once = ARRIVAL + TAXI + [ground(60 + second, 0.2) for second in range(0, 100, 5)]
    twice = [report for report in once for _ in range(2)]

    assert [e[:3] for e in play(twice)] == [e[:3] for e in play(once)]


def play_with_restart(reports, restart_s, back_s, until_s=None):
    """Play with a watch that is stopped, and another that goes on where it was."""
    watch = GroundWatch(STANDS, 60.0)
    changes = []
    for report in reports:
        if report.boot_ns < restart_s * NS:
            changes += watch.add(report)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(watch.state()), type=GroundState)
    watch = GroundWatch(STANDS, 60.0)
    watch.recall(kept)
    for report in reports:
        if report.boot_ns >= back_s * NS:
            changes += watch.add(report)
    for second in range(int(reports[-1].boot_ns / NS) + 1, until_s or 0):
        changes += watch.advance(second * NS)
    return [(c.event, c.stand, round(c.happened_ns / NS, 1), c.sigma_s) for c in changes]


STANDING = [ground(60 + second, 0.2) for second in range(0, 100, 5)]


@pytest.mark.parametrize(
    ("restart_s", "back_s", "happened_s", "at_most_s"),
    [
        (80, 85, 59.5, 2.1),  # it stood already
        (50, 75, 62.0, 8.0),  # it came to stand meanwhile: somewhere between
        (5, 50, 59.5, 2.1),
    ],
)
def test_a_restart_while_it_comes_to_its_stand_loses_no_event(
    restart_s, back_s, happened_s, at_most_s
):
    told = play_with_restart(ARRIVAL + TAXI + STANDING, restart_s, back_s)

    assert [each[:2] for each in told] == [("landed", None), ("on_stand", "A1")]
    assert told[1][2] == pytest.approx(happened_s, abs=0.1)
    assert told[1][3] < at_most_s


def test_a_restart_while_it_is_parked_or_lands_loses_no_event():
    told = play_with_restart(ARRIVAL + TAXI + STANDING, 0.8, 1.2)
    assert [each[0] for each in told] == ["landed", "on_stand"]
    pushed = [ground(400 + second, 4.0, OUTSIDE) for second in range(4)]
    told = play_with_restart(ARRIVAL + TAXI + STANDING + pushed, 300, 380)
    assert [each[0] for each in told] == ["landed", "on_stand", "off_stand"]
    silent = play_with_restart([*ARRIVAL, *TAXI, ground(60, 0.2)], 62, 65, until_s=200)
    assert silent[1][:3] == ("on_stand", "A1", 59.5)
