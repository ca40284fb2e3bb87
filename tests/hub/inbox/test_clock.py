from aerocast_hub.inbox.clock import BootClock, better, clock_of_sending, seen_at_us
from hypothesis import given
from hypothesis import strategies as st

receipts = st.lists(st.builds(BootClock, st.integers(0, 1000), st.just(0)), min_size=1)


def test_a_trusted_pair_puts_an_observation_on_utc():
    clock = clock_of_sending(
        boot_ns_sent=5_000_000_000,
        wall_ns_sent=1_700_000_005_000_000_000,
        quality=3,
        received_at_us=1_800_000_000_000_000,
    )
    assert seen_at_us(clock, 2_000_000_000, 0) == (1_700_000_002_000_000, 3)


def test_a_gateway_that_thinks_it_is_1970_is_timed_by_its_receipt():
    clock = clock_of_sending(
        boot_ns_sent=5_000_000_000, wall_ns_sent=0, quality=1, received_at_us=1_800_000_000_000_000
    )
    assert seen_at_us(clock, 2_000_000_000, 0) == (1_799_999_997_000_000, 0)


def test_a_boot_nobody_knows_is_timed_by_its_receipt():
    assert seen_at_us(None, 2_000_000_000, 77) == (77, 0)


def test_a_better_clock_replaces_a_worse_one_and_never_the_other_way():
    gps, receipt = BootClock(10, 4), BootClock(5, 0)
    assert better(receipt, gps) == gps
    assert better(gps, receipt) == gps
    assert better(gps, BootClock(12, 4)) == BootClock(12, 4)


@given(receipts, st.randoms())
def test_of_receipts_the_least_delayed_counts_in_any_order(heard, random):
    def play(clocks):
        known = None
        for clock in clocks:
            known = better(known, clock)
        return known

    shuffled = heard + heard
    random.shuffle(shuffled)
    assert play(heard) == play(shuffled)
