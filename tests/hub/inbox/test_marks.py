from itertools import pairwise

import pytest
from aerocast_hub.inbox.marks import (
    MOST_RANGES,
    Marks,
    both,
    count,
    decode_ranges,
    encode_ranges,
    has_room,
    union,
    without,
)
from hypothesis import given, settings
from hypothesis import strategies as st

pairs = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda p: (p[0], p[0] + p[1]))
sets = st.lists(pairs, max_size=12)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), pairs),
        st.tuples(st.just("give_up"), pairs),
        st.tuples(st.just("has_left"), pairs),
    ),
    max_size=20,
)


def members(ranges):
    return {number for first, last in ranges for number in range(first, last + 1)}


def play(happened):
    marks = Marks()
    for what, (first, last) in happened:
        if what == "receive":
            marks = marks.receive(first, last)
        elif what == "give_up":
            marks = marks.give_up(first, last)
        else:
            marks = marks.has_left(first)
    return marks


@given(sets, sets)
def test_range_arithmetic_is_set_arithmetic(some, others):
    left, right = union(some), union(others)
    assert members(left) == members(some)
    assert members(without(left, right)) == members(some) - members(others)
    assert members(both(left, right)) == members(some) & members(others)
    assert count(left) == len(members(some))


@given(sets)
def test_a_set_is_written_one_way_only(some):
    ranges = union(some)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))
    assert decode_ranges(encode_ranges(ranges)) == ranges


@given(happenings, st.randoms())
@settings(max_examples=200)
def test_order_and_repetition_of_arrival_do_not_matter(happened, random):
    shuffled = happened + happened
    random.shuffle(shuffled)
    assert play(happened) == play(shuffled)


@given(happenings)
@settings(max_examples=200)
def test_the_account_adds_up(happened):
    marks = play(happened)
    received, given_up = members(marks.received), members(marks.given_up)
    departed = set(range(1, marks.oldest_sequence)) | given_up
    assert members(marks.lost()) == departed - received
    assert members(marks.explained()) == (departed - received) & given_up
    assert members(marks.unexplained()) == departed - received - given_up

    settled = received | departed
    up_to = marks.up_to()
    assert set(range(1, up_to + 1)) <= settled
    assert up_to + 1 not in settled
    highest = max(settled, default=0)
    assert members(marks.missing()) == set(range(up_to + 1, highest + 1)) - settled
    assert marks.highest() == highest


def test_a_gap_is_asked_for_until_the_gateway_no_longer_has_it():
    marks = Marks().receive(1, 10).receive(21, 30)
    assert (marks.up_to(), marks.missing(), marks.unexplained()) == (10, ((11, 20),), ())
    left = marks.has_left(21)
    assert (left.up_to(), left.missing(), left.unexplained()) == (30, (), ((11, 20),))
    told = left.give_up(11, 20)
    assert (told.explained(), told.unexplained()) == (((11, 20),), ())


def test_what_was_given_up_in_the_middle_is_not_asked_for():
    marks = Marks().receive(1, 10).receive(21, 30).give_up(11, 15)
    assert marks.missing() == ((16, 20),)


@pytest.mark.parametrize(("first", "fits"), [(1, True), (2, True), (2 * MOST_RANGES + 5, False)])
def test_a_gateway_that_leaves_a_thousand_holes_must_fill_them_first(first, fits):
    marks = Marks(received=tuple((2 * n + 1, 2 * n + 1) for n in range(MOST_RANGES)))
    assert has_room(marks, first, first) is fits


def test_with_more_holes_than_fit_the_highest_named_is_before_the_first_left_out():
    odd = tuple((2 * n + 1, 2 * n + 1) for n in range(MOST_RANGES + 10))
    marks = Marks(received=odd)
    assert len(marks.missing()) == MOST_RANGES
    assert marks.highest() == marks.missing()[-1][1] + 1
