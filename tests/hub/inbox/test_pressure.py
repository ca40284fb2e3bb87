from aerocast_hub.inbox.pressure import (
    FAST_FROM_S,
    LONGEST_WAIT_MS,
    SHORTEST_WAIT_MS,
    SLOW_FROM_BYTES,
    SLOW_FROM_S,
    Pressure,
)
from hypothesis import given
from hypothesis import strategies as st


def test_an_inbox_that_keeps_up_asks_for_nothing():
    assert Pressure().observe(0.1, 10_000) == 0


def test_asking_starts_with_lag_and_ends_only_well_below_where_it_started():
    pressure = Pressure()
    between_s = (SLOW_FROM_S + FAST_FROM_S) / 2
    assert pressure.observe(between_s, 0) == 0
    assert pressure.observe(SLOW_FROM_S, 0) == 2000
    assert pressure.observe(between_s, 0) == 1250
    assert pressure.observe(FAST_FROM_S, 0) == 0
    assert pressure.observe(between_s, 0) == 0


def test_bytes_count_too_and_both_must_be_low_again():
    pressure = Pressure()
    assert pressure.observe(0.0, SLOW_FROM_BYTES) == SHORTEST_WAIT_MS
    assert pressure.observe(0.0, SLOW_FROM_BYTES // 2) == SHORTEST_WAIT_MS
    assert pressure.observe(0.0, 0) == 0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**9))))
def test_a_wait_is_none_or_within_bounds(measures):
    pressure = Pressure()
    for lag_s, waiting_bytes in measures:
        wait_ms = pressure.observe(lag_s, waiting_bytes)
        assert wait_ms == 0 or SHORTEST_WAIT_MS <= wait_ms <= LONGEST_WAIT_MS
        assert (wait_ms > 0) == pressure.is_high
