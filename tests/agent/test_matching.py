"""Sharing windows among tags: the best sum, whatever the weights."""

from itertools import permutations

from aerocast_agent.matching import best_matching
from hypothesis import given, settings
from hypothesis import strategies as st

WEIGHTS = st.integers(0, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(-3, 12).map(float), min_size=columns, max_size=columns),
        min_size=1,
        max_size=4,
    )
)


def best_sum(weights):
    """Try everything."""
    columns = [*range(len(weights[0])), *[None] * len(weights)]
    return max(
        sum(
            0.0 if column is None else row[column]
            for row, column in zip(weights, taken, strict=True)
        )
        for taken in permutations(columns, len(weights))
    )


def test_nobody_wants_anything():
    assert best_matching([]) == []
    assert best_matching([[], []]) == [None, None]
    assert best_matching([[-1.0, 0.0]]) == [None]


def test_one_steps_back_where_both_gain_by_it():
    assert best_matching([[5.0, 4.0], [5.0, 0.0]]) == [1, 0]


@settings(max_examples=100, deadline=None)
@given(WEIGHTS)
def test_the_sum_is_the_best_there_is_and_nothing_is_given_twice(weights):
    taken = best_matching(weights)
    given_away = [column for column in taken if column is not None]
    assert len(set(given_away)) == len(given_away)
    pairs = list(zip(weights, taken, strict=True))
    assert all(column is None or row[column] > 0 for row, column in pairs)
    gained = sum(row[column] for row, column in pairs if column is not None)
    assert abs(gained - best_sum(weights)) < 1e-9
