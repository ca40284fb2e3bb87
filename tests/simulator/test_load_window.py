"""How a gateway of the load test holds itself back: as an agent does."""

import pytest
from aerocast_protocols.batch import SLOW_DOWN, STORED, Acknowledgement
from aerocast_simulator.load_window import FIRST_PATIENCE_S, MOST_IN_FLIGHT, Waiting, Window
from hypothesis import given
from hypothesis import strategies as st


def told(up_to, status=STORED, retry_after_ms=0):
    return Acknowledgement(
        lane=1, epoch=1, up_to_sequence=up_to, missing_ranges=(), status=status,
        retry_after_ms=retry_after_ms,
    )  # fmt: skip


def window_of(batches):
    window = Window()
    window.waiting.extend(Waiting(number + 1, b"", 0.0) for number in range(batches))
    return window


def send(window, now_s):
    due = window.due(now_s)
    for index in due:
        window.sent(index, now_s)
    return due


def test_no_more_is_on_its_way_than_an_agent_would_send():
    window = window_of(100)
    assert send(window, 0.0) == list(range(MOST_IN_FLIGHT))
    assert send(window, 0.1) == []
    assert [each.last for each in window.acknowledge(told(3), 1.0)] == [1, 2, 3]
    assert send(window, 1.0) == [13, 14, 15]


def test_what_is_stored_waits_no_more_though_the_hub_asks_to_slow_down_and_the_rest_is_held():
    window = window_of(40)
    send(window, 0.0)
    assert len(window.acknowledge(told(10, SLOW_DOWN, 5000), 1.0)) == 10
    assert (send(window, 5.9), window.slowed_down) == ([], 1)
    # Two more words of the same time are one slowing down.
    window.acknowledge(told(10, SLOW_DOWN, 5000), 1.1)
    assert window.slowed_down == 1
    assert len(send(window, 7.0)) <= MOST_IN_FLIGHT // 2


def test_a_silent_hub_is_asked_with_one_batch_and_more_and_more_seldom():
    window, sent_at, now_s = window_of(10), [], 0.0
    send(window, now_s)
    assert len(send(window, 10.0)) == 10
    while now_s < 600.0:
        now_s += 1.0
        if due := send(window, now_s):
            assert len(due) == 1 or not sent_at
            sent_at.append(now_s)
    assert len(sent_at) < 200


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([STORED, SLOW_DOWN]))))
def test_words_in_any_order_and_again_and_again_let_each_batch_go_once(words):
    window, gone = window_of(50), []
    for number, (up_to, status) in enumerate(words):
        send(window, float(number))
        gone += [each.last for each in window.acknowledge(told(up_to, status), float(number))]
    stored = min(50, max((up_to for up_to, _ in words), default=0))
    assert gone == list(range(1, stored + 1))
    assert len(window.waiting) == 50 - stored


def test_after_a_lost_connection_everything_goes_again_at_once():
    window = window_of(4)
    send(window, 0.0)
    window.send_all_again()
    assert send(window, 0.1) == [0, 1, 2, 3]


@pytest.mark.parametrize("held_s", [0.0, 3600.0])
def test_what_waited_long_before_it_went_is_asked_for_as_soon_as_any_other(held_s):
    window = window_of(MOST_IN_FLIGHT + 1)
    send(window, held_s)
    window.acknowledge(told(MOST_IN_FLIGHT), held_s + 0.1)
    (last,) = send(window, held_s + 0.1)
    assert window.waiting[last].due_s == held_s + 0.1 + FIRST_PATIENCE_S


def test_a_hub_that_takes_its_time_is_asked_again_later():
    window = window_of(MOST_IN_FLIGHT + 1)
    send(window, 0.0)
    window.acknowledge(told(MOST_IN_FLIGHT), 10.0)
    (last,) = send(window, 10.0)
    assert window.waiting[last].due_s > 10.0 + 2 * FIRST_PATIENCE_S
