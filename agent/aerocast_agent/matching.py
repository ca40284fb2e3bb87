"""Share things out among those that want them, so that the sum of how well they fit is greatest.

Pure. The Hungarian method with potentials (Kuhn 1955, Munkres 1957), a row at a time: rows x rows x
columns steps at most.
"""

import math
from collections.abc import Sequence


def best_matching(weights: Sequence[Sequence[float]]) -> list[int | None]:
    """Give each row at most one column and each column at most one row.

    Parameters
    ----------
    weights
        How well each column fits each row; what is not above 0 is worse than nothing.

    Returns
    -------
    The column of every row; None for a row that stays without.
    """
    if not weights:
        return []
    shares = _Shares(weights)
    for row in range(len(weights)):
        shares.place(row)
    found: list[int | None] = [None] * len(weights)
    for column, row in enumerate(shares.row_of[: len(weights[0])]):
        if row >= 0 and weights[row][column] > 0:
            found[row] = column
    return found


class _Shares:
    """Remembers who has which column, and what rows and columns cost."""

    def __init__(self, weights: Sequence[Sequence[float]]) -> None:
        # Columns behind the real ones stand for nothing, one for each row.
        nothing = [0.0] * len(weights)
        self._costs = [[-max(weight, 0.0) for weight in row] + nothing for row in weights]
        self._columns = len(self._costs[0])
        self._row_price = [0.0] * len(weights)
        # The last column holds the row that is being placed.
        self._column_price = [0.0] * (self._columns + 1)
        self.row_of = [-1] * (self._columns + 1)

    def place(self, row: int) -> None:
        """Give a row its column; others move on along the cheapest path to a free one."""
        start = self._columns
        self.row_of[start] = row
        came_from = [start] * self._columns
        slack = [math.inf] * self._columns
        left = set(range(self._columns))
        walked: list[int] = []
        column = start
        while self.row_of[column] >= 0:
            walked.append(column)
            left.discard(column)
            self._look_from(column, left, slack, came_from)
            column = min(left, key=lambda each: (slack[each], each))
            self._raise(slack[column], walked, left, slack)
        while column != start:
            self.row_of[column] = self.row_of[came_from[column]]
            column = came_from[column]

    def _look_from(
        self, column: int, left: set[int], slack: list[float], came_from: list[int]
    ) -> None:
        row = self.row_of[column]
        costs, price = self._costs[row], self._row_price[row]
        for each in left:
            cost = costs[each] - price - self._column_price[each]
            if cost < slack[each]:
                slack[each], came_from[each] = cost, column

    def _raise(self, step: float, walked: list[int], left: set[int], slack: list[float]) -> None:
        for each in walked:
            self._row_price[self.row_of[each]] += step
            self._column_price[each] -= step
        for each in left:
            slack[each] -= step
