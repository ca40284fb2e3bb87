"""The gateway's clock: what is known of it, and how far it is trusted."""

import time

from aerocast_agent import clock

NOW_NS = 1_780_000_000_000_000_000


def test_a_clock_that_was_never_set_is_not_trusted():
    assert clock.judge(0, synchronised=True) == clock.UNSET
    assert clock.judge(1_000_000_000 * 10**9, synchronised=True) == clock.UNSET  # 2001


def test_network_time_is_trusted_and_a_free_running_clock_less():
    assert clock.judge(NOW_NS, synchronised=True) == clock.NETWORK
    assert clock.judge(NOW_NS, synchronised=False) in {clock.SAVED, clock.HARDWARE}


def test_time_since_boot_runs_on():
    before_ns = clock.boot_ns()
    time.sleep(0.01)
    assert 0.01e9 <= clock.boot_ns() - before_ns < 5e9


def test_the_boot_has_a_name_of_16_bytes():
    assert len(clock.boot_id()) == 16
    assert clock.boot_id() == clock.boot_id()


def test_quality_is_one_of_the_wires():
    assert 0 <= clock.quality() <= 4
    error_ns = clock.error_ns()
    assert error_ns is None or error_ns >= 0
