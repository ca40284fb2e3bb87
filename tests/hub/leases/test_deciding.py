"""Never two at once, and never nobody for long, whatever pauses, dies or ticks from elsewhere."""

from aerocast_hub.leases.deciding import (
    HOLDS_S,
    LIES_STILL_S,
    LOOK_EVERY_S,
    NOBODY,
    RENEW_EVERY_S,
    Lease,
    Watched,
    holds_until_s,
    look,
)
from hypothesis import given, settings
from hypothesis import strategies as st


class Hub:
    """One hub in the model: its own clock's zero, what it remembers, and what it believes."""

    def __init__(self, name, zero_s):
        self.name, self.zero_s = name, zero_s
        self.watched, self.renewed_at_s, self.is_held = None, 0.0, False

    def believes(self, now_s):
        return self.is_held and now_s + self.zero_s < holds_until_s(self.renewed_at_s)

    def turn(self, table, now_s, answer_takes_s):
        """Look, or renew; the database's answer takes a while, and counts from before it."""
        asked_at_s = now_s + self.zero_s
        if self.believes(now_s):
            if table.lease is not None and table.lease.holder == self.name:
                table.lease = table.lease._replace(beat=table.lease.beat + 1)
                self.renewed_at_s = asked_at_s
            else:
                self.is_held = False
            return
        self.is_held = False
        seen = table.lease
        self.watched, verdict = look(self.watched, seen, self.name, asked_at_s + answer_takes_s)
        if verdict == "take" and table.lease == seen:
            beat = 0 if seen is None else seen.beat
            table.lease = Lease(self.name, beat + 1)
            self.renewed_at_s, self.is_held = asked_at_s, True


class Table:
    lease = None


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.floats(0.0, 12.0),  # until its turn: renewals late by more than they may be, too
        st.floats(0.0, 0.5),
    ),
    max_size=60,
)


@settings(max_examples=100)
@given(steps, st.tuples(*[st.floats(-1e6, 1e6)] * 3))
def test_no_two_hubs_ever_hold_it_at_once(turns, zeros_s):
    table, now_s = Table(), 0.0
    hubs = [Hub(f"hub {n}", zero_s) for n, zero_s in enumerate(zeros_s)]
    for which, wait_s, answer_takes_s in turns:
        now_s += wait_s
        hubs[which].turn(table, now_s, answer_takes_s)
        assert sum(hub.believes(now_s) for hub in hubs) <= 1


@settings(max_examples=100)
@given(st.integers(0, 2), st.lists(st.floats(0.1, 1.0), min_size=40, max_size=40))
def test_when_the_holder_dies_another_follows_within_seconds(dies, waits_s):
    table, now_s = Table(), 0.0
    hubs = [Hub(f"hub {n}", 1000.0 * n) for n in range(3)]
    hubs[dies].turn(table, now_s, 0.0)
    died_at_s = now_s
    alive = [hub for hub in hubs if hub is not hubs[dies]]
    for wait_s in waits_s:
        now_s += wait_s
        for hub in alive:
            hub.turn(table, now_s, 0.0)
        if any(hub.believes(now_s) for hub in alive):
            break
    assert now_s - died_at_s <= LIES_STILL_S + 2 * max(waits_s)


def test_what_was_laid_down_is_taken_at_once_and_what_is_renewed_never():
    assert look(None, None, "a", 0.0) == (None, "take")
    assert look(None, Lease(NOBODY, 7), "a", 0.0) == (None, "take")
    assert look(None, Lease("a", 7), "a", 0.0) == (None, "take")
    watched = None
    for beat in range(100):
        watched, verdict = look(watched, Lease("b", beat), "a", beat * RENEW_EVERY_S)
        assert verdict == "wait"
    assert watched == Watched(Lease("b", 99), 99 * RENEW_EVERY_S)


def test_the_times_leave_room_for_a_slow_database():
    assert RENEW_EVERY_S * 2 < HOLDS_S < LIES_STILL_S - LOOK_EVERY_S
