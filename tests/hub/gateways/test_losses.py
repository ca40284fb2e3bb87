from aerocast_hub.gateways.losses import Eviction, account_of_gateway, account_of_lane
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
    account = account_of_lane(1, 2, marks, 0, evictions)
    random.shuffle(evictions)
    assert account_of_lane(1, 2, marks, 0, evictions * 2) == account
    assert sum(account.explained.values()) == count(marks.explained())
    assert sum(account.explained.values()) + account.unexplained == count(marks.lost())
    assert "unknown" not in account.explained


def test_an_account_tells_only_of_lanes_with_something_to_tell():
    quiet = account_of_lane(1, 0, Marks().receive(1, 10).has_left(11), 0, [])
    holed = account_of_lane(1, 2, Marks().receive(1, 10).receive(21, 30).has_left(31), 1, [])
    account = account_of_gateway("lfbo", "hall-1", [quiet, holed])
    assert (account.received, account.unexplained, account.refused) == (30, 10, 1)
    assert [lane.lane for lane in account.lanes] == [2]
    assert account.lanes[0].unexplained_ranges == ((11, 20),)
