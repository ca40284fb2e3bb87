"""What waits for a commit, and what is lent to the link before it is due."""

from aerocast_agent.lanes import Span
from aerocast_agent.spool_waiting import Waiting
from aerocast_protocols.observations.every import CRITICAL, LIVE

MS = 1_000_000
LARGE = 2**40


def waiting_with(*times_ms, lane=LIVE):
    waiting = Waiting()
    for at_ms in times_ms:
        waiting.lanes.add(lane, b"x" * 100, at_ms * MS)
    return waiting


def numbers(taken):
    return [
        chunk.first_sequence + n for chunk in taken.chunks for n in range(len(chunk.observations))
    ]


def test_what_the_hub_has_in_time_is_not_taken():
    waiting = waiting_with(0, 10)
    assert waiting.lend(LIVE, 0).first_sequence == 1
    assert (waiting.size, waiting.oldest_sequence(LIVE)) == (200, 1)
    assert waiting.spare(LIVE, 1) == 0
    assert waiting.spare(LIVE, 2) == 2
    assert (waiting.size, waiting.due_at_ns(), waiting.spared) == (0, None, 2)
    assert waiting.take(300 * MS, LARGE, everything=False) is None
    taken = waiting.take(300 * MS, LARGE, everything=True)
    assert (numbers(taken), taken.changes.spared, waiting.spared) == ([], 2, 0)
    waiting.put_back(taken, [])
    assert waiting.spared == 2


def test_what_was_lent_is_taken_when_it_is_due_before_what_came_later():
    waiting = waiting_with(0)
    waiting.lend(LIVE, 0)
    waiting.lanes.add(LIVE, b"y", 100 * MS)
    assert waiting.lend(LIVE, 1) is None  # one at a time
    assert waiting.due_at_ns() == 250 * MS
    assert waiting.take(249 * MS, LARGE, everything=False) is None
    taken = waiting.take(250 * MS, LARGE, everything=False)
    assert [chunk.first_sequence for chunk in taken.chunks] == [1, 2]
    assert waiting.spare(LIVE, 1) == 0


def test_an_acknowledgement_that_is_due_leaves_alone_what_is_lent():
    waiting = waiting_with(0)
    waiting.let_go([Span(LIVE, 7, 1, 1)], -900 * MS)
    waiting.lend(LIVE, 0)
    taken = waiting.take(100 * MS, LARGE, everything=False)
    assert (numbers(taken), taken.changes.stored) == ([], [Span(LIVE, 7, 1, 1)])
    assert waiting.spare(LIVE, 1) == 1


def test_what_was_lent_goes_to_disk_with_anything_else_that_is_due():
    waiting = waiting_with(0)
    waiting.lend(LIVE, 0)
    waiting.lanes.add(CRITICAL, b"c", 140 * MS)
    taken = waiting.take(190 * MS, LARGE, everything=False)
    assert {chunk.lane for chunk in taken.chunks} == {CRITICAL, LIVE}


def test_nothing_is_lent_before_the_hub_has_all_that_came_before_it():
    waiting = waiting_with(0)
    taken = waiting.take(250 * MS, LARGE, everything=False)
    waiting.lanes.add(LIVE, b"y", 300 * MS)
    assert waiting.lend(LIVE, 0) is None
    assert waiting.lend(LIVE, 1).first_sequence == 2
    assert numbers(taken) == [1]


def test_a_batch_that_was_sent_is_never_added_to():
    waiting = waiting_with(0)
    waiting.lend(LIVE, 0)
    waiting.call_in()
    waiting.lanes.add(LIVE, b"y", 10 * MS)
    taken = waiting.take(250 * MS, LARGE, everything=True)
    assert [len(chunk.observations) for chunk in taken.chunks] == [1, 1]


def test_losses_are_told_in_few_pieces():
    waiting = Waiting()
    for first in (5, 1, 3):
        waiting.lose([Span(LIVE, 7, first, first + 1, "disk_full")])
    taken = waiting.take(0, LARGE, everything=True)
    assert taken.changes.lost == [Span(LIVE, 7, 1, 6, "disk_full")]
