from aerocast_hub.gateways.losses import Eviction, Told, account_of_gateway, account_of_lane
from aerocast_hub.inbox.marks import Marks, count
from hypothesis import given
from hypothesis import strategies as st

ranges = st.tuples(st.integers(1, 50), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1]))


@given(
    st.lists(ranges, max_size=8),
    st.lists(st.tuples(ranges, st.sampled_from(["budget", "disk_full"])), max_size=5),
    st.integers(0, 60),
    st.randoms(),
)
def test_every_number_is_received_explained_or_unexplained_once(received, evicted, oldest, random):
    marks = Marks().has_left(oldest)
    for first, last in received:
        marks = marks.receive(first, last)
    for (first, last), _ in evicted:
        marks = marks.give_up(first, last)
    evictions = [Eviction(first, last, reason) for (first, last), reason in evicted]
    account = account_of_lane(1, 2, marks, evictions)
    random.shuffle(evictions)
    assert account_of_lane(1, 2, marks, evictions * 2) == account
    assert sum(account.explained.values()) == count(marks.explained())
    assert sum(account.explained.values()) + account.unexplained == count(marks.lost())
    assert "unknown" not in account.explained


def test_an_account_tells_only_of_lanes_with_something_to_tell():
    quiet = account_of_lane(1, 0, Marks().receive(1, 10).has_left(11), [])
    holed = Marks().receive(1, 10).receive(22, 30).refuse(21).has_left(31)
    account = account_of_gateway("lfbo", "hall-1", [quiet, account_of_lane(1, 2, holed, [])], {})
    assert (account.received, account.unexplained, account.refused) == (29, 10, 1)
    assert [lane.lane for lane in account.lanes] == [2]
    assert account.lanes[0].unexplained_ranges == ((11, 20),)


def test_what_a_gateway_said_is_added_up_and_never_less_than_the_hub_knows():
    first, second = Told(100, 100, 90, 5, 1), Told(10, 8, 0, 0, 0)
    lanes = [
        account_of_lane(1, 0, Marks().receive(1, 40), []),
        account_of_lane(1, 2, Marks().receive(1, 80).give_up(81, 85), []),
        account_of_lane(2, 0, Marks().receive(1, 4), []),
    ]
    account = account_of_gateway("lfbo", "hall-1", lanes, {1: first, 2: second})
    assert (account.accepted, account.durable) == (125 + 10, 120 + 8)
    assert (account.acknowledged, account.evicted, account.dead) == (90, 5, 1)


def test_what_was_turned_away_is_neither_awaited_nor_lost_and_a_better_hub_may_take_it():
    marks = Marks().receive(1, 4).receive(6, 10).refuse(5)
    before = account_of_lane(1, 2, marks, [])
    assert (before.refused, before.awaited, before.unexplained) == (1, 0, 0)
    set_aside = account_of_lane(1, 2, marks.give_up(5, 5), [Eviction(5, 5, "refused")])
    assert (set_aside.refused, set_aside.explained, set_aside.unexplained) == (1, {}, 0)
    taken = account_of_lane(1, 2, marks.receive(5, 5), [])
    assert (taken.refused, taken.received) == (0, 10)
