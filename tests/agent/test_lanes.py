"""What waits for its commit: numbered at once, in order, nothing twice, nothing left out."""

from aerocast_agent.lanes import FLUSH_AFTER_NS, LARGEST_BATCH, MOST_IN_A_BATCH, Lanes
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from hypothesis import given, settings
from hypothesis import strategies as st

MS = 1_000_000


def numbers(chunks, lane):
    return [
        chunk.first_sequence + n
        for chunk in chunks
        if chunk.lane == lane
        for n in range(len(chunk.observations))
    ]


def test_each_lane_counts_from_one():
    lanes = Lanes()
    assert [lanes.add(lane, b"x", 0) for lane in (LIVE, CRITICAL, LIVE)] == [1, 1, 2]


def test_nothing_is_taken_before_its_deadline():
    lanes = Lanes()
    lanes.add(LIVE, b"x", 0)
    assert lanes.due_at_ns() == 250 * MS
    assert lanes.take(249 * MS) == []
    assert numbers(lanes.take(250 * MS), LIVE) == [1]
    assert lanes.due_at_ns() is None


def test_a_lane_that_waited_half_its_time_rides_along():
    lanes = Lanes()
    lanes.add(BULK, b"b", 0)
    lanes.add(LIVE, b"l", 400 * MS)
    lanes.add(CRITICAL, b"c", 550 * MS)
    taken = lanes.take(600 * MS)
    assert {chunk.lane for chunk in taken} == {CRITICAL, LIVE, BULK}


def test_a_full_batch_does_not_wait():
    lanes = Lanes()
    for _ in range(MOST_IN_A_BATCH + 1):
        lanes.add(BULK, b"x", 0)
    assert lanes.has_full()
    assert [len(chunk.observations) for chunk in lanes.take(0)] == [MOST_IN_A_BATCH, 1]


def test_no_batch_outgrows_the_wire():
    lanes = Lanes()
    for _ in range(10):
        lanes.add(LIVE, b"x" * 20_000, 0)
    taken = lanes.take(0, everything=True)
    assert all(sum(map(len, chunk.observations)) <= LARGEST_BATCH for chunk in taken)
    assert numbers(taken, LIVE) == list(range(1, 11))


def test_the_oldest_of_the_least_urgent_is_given_up_first():
    lanes = Lanes()
    for lane in (CRITICAL, LIVE, BULK):
        for _ in range(3):
            lanes.add(lane, b"x" * 100, 0)
    lost = lanes.trim(500, epoch=7)
    assert [(span.lane, span.first, span.last) for span in lost] == [(BULK, 1, 3), (LIVE, 1, 1)]
    assert lanes.size == 500


def test_a_sequence_handed_back_is_used_again():
    lanes = Lanes()
    lanes.add(CRITICAL, b"a", 0)
    lanes.hand_back(CRITICAL, lanes.claim(CRITICAL))
    assert lanes.add(CRITICAL, b"b", 0) == 2


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "fail", "claim"]),
        st.sampled_from([CRITICAL, LIVE, BULK]),
        st.integers(1, 400),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(steps)
def test_whatever_happens_every_sequence_is_committed_once(steps):
    lanes, now_ns, committed = Lanes(), 0, {lane: [] for lane in FLUSH_AFTER_NS}
    accepted = dict.fromkeys(FLUSH_AFTER_NS, 0)

    def commit(chunks):
        for chunk in chunks:
            committed[chunk.lane] += numbers([chunk], chunk.lane)

    for step, lane, wait_ms in steps:
        now_ns += wait_ms * MS
        if step == "add":
            lanes.add(lane, b"x" * wait_ms, now_ns)
            accepted[lane] += 1
        elif step == "claim":
            committed[lane].append(lanes.claim(lane))
            accepted[lane] += 1
        elif step == "take":
            commit(lanes.take(now_ns))
        else:
            lanes.put_back(lanes.take(now_ns))
    commit(lanes.take(now_ns, everything=True))
    assert lanes.size == 0
    for lane, total in accepted.items():
        assert sorted(committed[lane]) == list(range(1, total + 1))
