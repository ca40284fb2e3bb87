from aerocast_hub.inbox.clock import BootClock
from aerocast_hub.inbox.lives import Bounds, Life, bounds_of, in_order
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000


def life(counter, received_s, *, boot=None, offset_s=None, quality=3, spans=(0, 100), receipt=None):
    clock = None
    if offset_s is not None:
        clock = BootClock(offset_s * SECOND, quality, receipt and receipt * SECOND)
    return Life(
        epoch=counter << 32 | 77 + received_s,
        boot_id=bytes([counter if boot is None else boot] * 16),
        first_received_at_us=received_s * 1_000_000,
        first_boot_ns=spans[0] * SECOND,
        last_boot_ns=spans[1] * SECOND,
        clock=clock,
    )


def counters(lives):
    return [each.epoch >> 32 for each in lives]


@given(st.permutations(range(1, 6)))
def test_lives_are_in_the_order_of_their_counter_however_their_backlogs_arrive(arrival):
    lives = [life(counter, at) for at, counter in enumerate(arrival)]
    assert counters(in_order(lives)) == [1, 2, 3, 4, 5]


def test_a_fresh_disk_comes_after_the_one_before():
    lives = [life(7, 1), life(8, 2), life(0, 3), life(1, 4), life(8, 5)]
    assert counters(in_order(lives)) == [7, 8, 0, 1, 8]


def test_a_copied_disk_that_starts_the_same_counter_is_another_disk():
    assert len(in_order([life(5, 1), life(5, 2)])) == 2


def test_a_boot_that_never_knew_the_time_lies_between_its_neighbours():
    lives = [
        life(1, 1, offset_s=1000, spans=(0, 100)),
        life(2, 2, offset_s=9999, quality=0, receipt=9999),
        life(3, 3, offset_s=5000),
    ]
    assert bounds_of(lives, 1) == Bounds(not_before_us=1_100_000_000, not_after_us=5_000_000_000)


def test_without_a_later_boot_the_receipt_bounds_and_without_an_earlier_one_nothing_does():
    alone = life(2, 2, offset_s=9999, quality=0, receipt=9999, spans=(0, 100))
    assert bounds_of([alone], 0) == Bounds(not_before_us=None, not_after_us=10_099_000_000)


def test_another_life_of_the_same_boot_bounds_nothing():
    lives = [life(1, 1, boot=9, offset_s=1000), life(2, 2, boot=9)]
    assert bounds_of(lives, 1) == Bounds(not_before_us=None, not_after_us=None)
