from datetime import UTC, datetime
from pathlib import Path

import pytest
from aerocast_hub.inbox.clock import (
    FARTHEST_FROM_RECEIPT_NS,
    JUMP_NS,
    BootClock,
    Claim,
    after_claim,
    after_receipt,
    is_believable,
    seen_at_us,
)
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000
NOW_US = 1_800_000_000_000_000
NOW_NS = NOW_US * 1000
ROLLOVER_NS = 1024 * 7 * 86_400 * SECOND
GPS_CAPTURES = Path(__file__).parents[3].parent / "shared" / "data" / "devices" / "gps"

received_now = after_receipt(None, 100 * SECOND, NOW_US, is_live=True)


def play(receipts):
    known = None
    for boot_ns, received_at_us in receipts:
        known = after_receipt(known, boot_ns, received_at_us, is_live=True)
    return known


def test_a_believable_pair_puts_an_observation_on_utc():
    claim = Claim(100 * SECOND, NOW_NS - SECOND, 3)
    assert is_believable(received_now, claim, NOW_US)
    clock = after_claim(received_now, claim)
    assert seen_at_us(clock, 90 * SECOND, 0) == (NOW_US - 11_000_000, 3)


def test_a_gateway_that_thinks_it_is_1970_is_timed_by_its_receipt():
    for quality in range(5):
        assert not is_believable(received_now, Claim(100 * SECOND, 60 * SECOND, quality), NOW_US)
    assert seen_at_us(received_now, 90 * SECOND, 0) == (NOW_US - 10_000_000, 0)


def test_a_boot_nobody_knows_is_timed_by_its_receipt():
    assert seen_at_us(None, 2 * SECOND, 77) == (77, 0)


@pytest.mark.parametrize("weeks", [-1024, 1024])
def test_a_gps_week_rollover_is_not_believed_whatever_its_quality(weeks):
    wall_ns = NOW_NS + weeks * 7 * 86_400 * SECOND
    assert not is_believable(received_now, Claim(100 * SECOND, wall_ns, 4), NOW_US)
    assert not is_believable(None, Claim(5 * SECOND, wall_ns, 4), NOW_US)


def test_the_recorded_rollover_is_not_believed():
    capture = GPS_CAPTURES / "bu353s4.log"
    if not capture.exists():
        pytest.skip("no ../shared/data/devices/gps/bu353s4.log, a recorded week rollover")
    fields = [
        line.split(",")
        for line in capture.read_text(errors="replace").splitlines()
        if line.startswith("$GPRMC,")
    ]
    days = {each[9] for each in fields if len(each) > 9 and len(each[9]) == 6}
    told = {datetime.strptime(day, "%d%m%y").replace(tzinfo=UTC) for day in days}
    assert told
    for day in told:
        claim = Claim(100 * SECOND, int(day.timestamp()) * SECOND, 4)
        assert not is_believable(received_now, claim, NOW_US)


def test_a_hardware_clock_in_local_time_is_not_believed_and_a_network_clock_an_hour_off_is():
    an_hour_off = NOW_NS - 3600 * SECOND
    assert not is_believable(received_now, Claim(100 * SECOND, an_hour_off, 2), NOW_US)
    assert is_believable(received_now, Claim(100 * SECOND, an_hour_off, 3), NOW_US)


def test_a_hub_that_does_not_know_the_time_itself_believes_its_gateways():
    lost = after_receipt(None, 100 * SECOND, 5_000_000, is_live=True)
    claim = Claim(100 * SECOND, NOW_NS, 3)
    assert is_believable(lost, claim, NOW_US)
    assert (
        after_receipt(after_claim(lost, claim), 101 * SECOND, 6_000_000, is_live=True).quality == 3
    )


def test_a_better_clock_replaces_a_worse_one_and_never_the_other_way():
    hardware = after_claim(received_now, Claim(100 * SECOND, NOW_NS - 9 * SECOND, 2))
    gps = after_claim(hardware, Claim(100 * SECOND, NOW_NS - SECOND, 4))
    assert (hardware.quality, gps.quality) == (2, 4)
    assert after_claim(gps, Claim(100 * SECOND, NOW_NS - 9 * SECOND, 3)) == gps


def test_of_equal_clocks_the_newer_counts_while_it_drifts():
    first = after_claim(received_now, Claim(100 * SECOND, NOW_NS, 3))
    drifted = after_claim(first, Claim(100 * SECOND, NOW_NS - JUMP_NS, 3))
    assert drifted.offset_ns == first.offset_ns - JUMP_NS


def test_of_equal_clocks_far_apart_the_one_nearer_to_the_receipt_counts():
    right = after_claim(received_now, Claim(100 * SECOND, NOW_NS, 3))
    jumped = Claim(110 * SECOND, NOW_NS + 7200 * SECOND, 3)
    assert after_claim(right, jumped) == right
    wrong = after_claim(received_now, jumped)
    assert after_claim(wrong, Claim(120 * SECOND, NOW_NS + 20 * SECOND, 3)) == right


def test_a_trusted_clock_that_a_receipt_contradicts_is_let_go():
    anchored = after_claim(None, Claim(5 * SECOND, NOW_NS - FARTHEST_FROM_RECEIPT_NS[4] * 30, 4))
    assert after_receipt(anchored, 100 * SECOND, NOW_US, is_live=True) == received_now
    fine = after_claim(None, Claim(5 * SECOND, NOW_NS - 95 * SECOND, 4))
    assert after_receipt(fine, 100 * SECOND, NOW_US, is_live=True).quality == 4


def test_a_backlog_that_comes_days_later_contradicts_no_earlier_clock():
    days_ago = Claim(5 * SECOND, NOW_NS - 9 * 86_400 * SECOND, 4)
    late = after_receipt(None, 100 * SECOND, NOW_US, is_live=False)
    assert is_believable(late, days_ago, NOW_US)
    assert not is_believable(received_now, days_ago, NOW_US)
    anchored = after_claim(late, days_ago)
    assert after_receipt(anchored, 200 * SECOND, NOW_US, is_live=False).quality == 4


receipts = st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)), min_size=1)


@given(receipts, st.randoms())
def test_of_receipts_the_least_delayed_counts_in_any_order(heard, random):
    shuffled = heard + heard
    random.shuffle(shuffled)
    assert play(heard) == play(shuffled)
    least = min(received_at_us * 1000 - boot_ns for boot_ns, received_at_us in heard)
    assert play(heard) == BootClock(least, 0, least, was_live=True)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-(10**19), 10**19), st.booleans()), max_size=12
    )
)
def test_whatever_clocks_claim_one_boot_has_one_offset_and_so_keeps_its_order(claims):
    clock = received_now
    for quality, wall_ns, is_near in claims:
        claim = Claim(
            100 * SECOND, NOW_NS + wall_ns % (60 * SECOND) if is_near else wall_ns, quality
        )
        if is_believable(clock, claim, NOW_US):
            clock = after_claim(clock, claim)
    times = [seen_at_us(clock, boot_ns * SECOND, 0)[0] for boot_ns in range(100)]
    assert times == sorted(times)
    assert abs(times[-1] - NOW_US) < 86_400_000_000 + 60_000_000
