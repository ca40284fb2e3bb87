"""What is on its way: when it goes, when it goes again, and when it holds back."""

from aerocast_agent.lanes import Span
from aerocast_agent.spool_rows import Row
from aerocast_agent.window import MOST_BACKLOG, MOST_IN_FLIGHT, Window
from aerocast_protocols.batch import SLOW_DOWN, UNKNOWN_GATEWAY, Acknowledgement
from aerocast_protocols.observations.every import LIVE
from hypothesis import given, settings
from hypothesis import strategies as st


def row(first, held=1, size=100):
    return Row(LIVE, 7, first, held, 0, 1, b"x" * size)


def acknowledged(up_to, **more):
    return Acknowledgement(lane=LIVE, epoch=7, up_to_sequence=up_to, **more)


def test_a_slot_is_kept_for_the_backlog_and_half_for_what_is_live():
    window = Window()
    for first in range(1, 100):
        if window.room(0.0, backlog=False):
            window.sent(row(first), 0.0, backlog=False)
    assert len(window) == MOST_IN_FLIGHT - 1
    assert window.room(0.0, backlog=True) == 1
    other = Window()
    for first in range(1, 100):
        if other.room(0.0, backlog=True):
            other.sent(row(first), 0.0, backlog=True)
    assert len(other) == MOST_BACKLOG
    assert other.room(0.0, backlog=False) == MOST_IN_FLIGHT - MOST_BACKLOG


def test_backlog_is_paced_by_bytes():
    window = Window()
    sent = 0
    for tenth in range(100):
        now_s = tenth / 10
        while window.room(now_s, backlog=True):
            sent += 1
            window.sent(row(sent, size=60_000), now_s, backlog=True)
            window.acknowledge(acknowledged(sent), now_s)
    assert 19_000_000 < sent * 60_000 < 23_000_000  # 2 MB/s for 10 s, and the burst


def test_what_is_not_acknowledged_goes_again_and_waits_longer_each_time():
    window = Window()
    window.sent(row(1), 0.0, backlog=False)
    assert window.overdue(1.9) == []
    waits = []
    now_s = 0.0
    for _ in range(5):
        due_s = window.due_s(now_s)
        assert window.overdue(due_s) == [(LIVE, 7, 1)]
        waits.append(due_s - now_s)
        now_s = due_s
        window.sent(row(1), now_s, backlog=False)
    assert waits == [2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_silent_hub_is_asked_with_one_batch_only():
    window = Window()
    for first in (1, 2, 3):
        window.sent(row(first), 0.0, backlog=False)
    for key in window.overdue(2.0):
        window.sent(row(key[2]), 2.0, backlog=False)
    assert len(window.overdue(60.0)) == 1
    window.acknowledge(acknowledged(1), 60.0)
    assert len(window.overdue(62.0)) <= 2


def test_patience_follows_the_round_trip():
    window = Window()
    for first in range(1, 40):
        window.sent(row(first), float(first), backlog=False)
        window.acknowledge(acknowledged(first), first + 0.9)
    assert 0.8 < window.round_trip_s < 1.0
    window.sent(row(50), 100.0, backlog=False)
    assert 103.2 < window.due_s(100.0) < 104.0


def test_a_hub_that_asks_for_less_is_left_alone_until_its_time():
    window = Window()
    window.sent(row(1), 0.0, backlog=False)
    window.sent(row(2), 0.0, backlog=False)
    window.acknowledge(acknowledged(1, status=SLOW_DOWN, retry_after_ms=5000), 1.0)
    assert len(window) == 1
    assert window.room(5.9, backlog=False) == 0
    assert window.overdue(5.9) == []
    assert window.due_s(1.0) == 6.0
    assert 0 < window.room(6.1, backlog=False) < MOST_IN_FLIGHT


def test_a_hub_that_does_not_know_us_is_asked_each_minute_with_one_batch():
    window = Window()
    for first in (1, 2, 3):
        window.sent(row(first), 0.0, backlog=False)
    window.acknowledge(acknowledged(0, status=UNKNOWN_GATEWAY), 1.0)
    assert window.gateway_unknown
    assert len(window) == 3
    assert window.overdue(60.9) == []
    assert len(window.overdue(61.1)) == 1
    assert window.room(61.1, backlog=False) == 0
    window.acknowledge(acknowledged(1), 61.2)
    assert not window.gateway_unknown


def test_a_lost_link_forgets_what_was_on_its_way():
    window = Window()
    window.sent(row(1), 0.0, backlog=False)
    window.clear()
    assert len(window) == 0
    assert window.due_s(0.0) is None


acts = st.lists(
    st.tuples(
        st.sampled_from(["live", "backlog", "ack", "again", "unknown", "slow"]),
        st.integers(0, 60),
        st.floats(0.0, 20.0),
    ),
    max_size=80,
)


@settings(max_examples=200)
@given(acts)
def test_whatever_happens_the_window_is_never_overfull_and_nothing_is_forgotten(acts):
    window, now_s, first, waiting = Window(), 0.0, 0, set()
    for act, number, wait_s in acts:
        now_s += wait_s
        said = {
            "ack": acknowledged(number),
            "unknown": acknowledged(0, status=UNKNOWN_GATEWAY),
            "slow": acknowledged(0, status=SLOW_DOWN, retry_after_ms=1000),
        }.get(act)
        if said is not None:
            window.acknowledge(said, now_s)
            waiting -= set(range(1, said.up_to_sequence + 1))
        elif act == "again":
            for key in window.overdue(now_s):
                window.sent(row(key[2]), now_s, backlog=False)
        elif window.room(now_s, backlog=act == "backlog"):
            first += 1
            window.sent(row(first), now_s, backlog=act == "backlog")
            waiting.add(first)
        assert len(window) <= MOST_IN_FLIGHT
        assert {n for n in range(1, first + 1) if (LIVE, 7, n) in window} == waiting
    assert not waiting or window.due_s(now_s) is not None


def test_the_hub_steers_how_fast_the_backlog_comes():
    window = Window()
    full = window.backlog_bytes_per_s
    for now_s in (1.0, 1.001, 2.0, 3.0):  # the second within the first one's wait
        window.acknowledge(acknowledged(0, status=SLOW_DOWN, retry_after_ms=10), now_s)
    assert window.backlog_bytes_per_s == full / 8
    assert window.room(3.011, backlog=True) <= 1
    for now_s in range(4, 30):
        window.acknowledge(acknowledged(0, status=SLOW_DOWN, retry_after_ms=10), now_s)
    assert 0 < window.backlog_bytes_per_s < full / 50
    for first in range(1, 100):
        window.sent(row(first), 40.0, backlog=True)
        window.acknowledge(acknowledged(first), 40.0)
    assert window.backlog_bytes_per_s == full


def complain(window, times):
    aside = []
    for number in range(times):
        window.sent(row(1, held=5), number * 20.0, backlog=False, digest=100 + number)
        aside.append(window.cannot_be_read(100 + number))
    return aside


def test_what_the_hub_cannot_read_three_times_is_set_aside_once_it_reads_another():
    window = Window()
    window.sent(row(6), 0.0, backlog=False, digest=1)
    assert complain(window, 2) == [None, None]
    window.acknowledge(acknowledged(0, highest_sequence=6, missing_ranges=((1, 5),)), 30.0)
    assert complain(window, 1) == [Span(LIVE, 7, 1, 5, "unreadable")]
    assert len(window) == 0


def test_a_hub_that_reads_nothing_of_ours_takes_nothing_from_us():
    window = Window()
    window.sent(row(6), 0.0, backlog=False, digest=1)
    window.acknowledge(acknowledged(0, highest_sequence=6, missing_ranges=((1, 5),)), 1.0)
    assert complain(window, 50) == [None] * 50
    assert window.cannot_be_read(3) is None  # of a message long gone
