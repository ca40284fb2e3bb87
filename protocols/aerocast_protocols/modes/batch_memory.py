"""What was last heard of each aircraft, for batches: array look-ups across their borders.

Needs numpy (extra sdr).
"""

import numpy as np

from aerocast_protocols.modes.batch_frames import Integers, Numbers

_ROW_BITS = 31


class LastHeard:
    """Remembers the last values of one kind for each key, and finds those before any row.

    Parameters
    ----------
    width
        How many numbers one memory has.
    kept_s
        Memories older than this are dropped.
    """

    def __init__(self, width: int, kept_s: float) -> None:
        self._kept_s = kept_s
        self._keys = np.empty(0, np.int64)
        self._seen_at_s: Numbers = np.empty(0)
        self._values: Numbers = np.empty((width, 0))

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: Integers, rows: Integers, seen_at_s: Numbers, values: Numbers) -> "Memory":
        """Take a batch's values, shape (width, k).

        Parameters
        ----------
        keys
            0 to 2^30 - 1: whose values they are.
        rows
            Their places in the batch.

        Returns
        -------
        What was known at any row of this batch.
        """
        old = len(self._keys)
        if not len(keys):
            return Memory(self._keys << _ROW_BITS, self._seen_at_s, self._values)
        all_keys = np.concatenate((self._keys, keys))
        all_rows = np.concatenate((np.zeros(old, np.int64), rows + 1))
        all_seen = np.concatenate((self._seen_at_s, seen_at_s))
        all_values = np.concatenate((self._values, values), axis=1)
        order = np.argsort(all_keys << _ROW_BITS | all_rows, kind="stable")
        sorted_keys = all_keys[order]
        is_last = np.ones(len(order), np.bool_)
        np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=is_last[:-1])
        memory = Memory(
            sorted_keys << _ROW_BITS | all_rows[order], all_seen[order], all_values[:, order]
        )
        kept = order[is_last]
        if len(all_seen):
            kept = kept[all_seen[kept] >= all_seen.max() - self._kept_s]
        self._keys, self._seen_at_s = all_keys[kept], all_seen[kept]
        self._values = all_values[:, kept]
        return memory


class Memory:
    """What was known while a batch came in."""

    def __init__(self, marks: Integers, seen_at_s: Numbers, values: Numbers) -> None:
        self._marks = marks
        self._seen_at_s = seen_at_s
        self._values = values

    def before(
        self, keys: Integers, rows: Integers, seen_at_s: Numbers, within_s: float
    ) -> tuple[Numbers, Numbers]:
        """Find the last values of each key before a row of the batch.

        Returns
        -------
        When they were heard, shape (n,), and the values, shape (width, n): NaN where there are none
        or they are farther than ``within_s`` away.
        """
        width = len(self._values)
        if not len(self._marks) or not len(keys):
            return np.full(len(keys), np.nan), np.full((width, len(keys)), np.nan)
        # Rows of this batch are counted from 1; what is older has 0.
        places = np.searchsorted(self._marks, keys << _ROW_BITS | (rows + 1)) - 1
        found = np.maximum(places, 0)
        heard_s = self._seen_at_s[found]
        fresh = (places >= 0) & (self._marks[found] >> _ROW_BITS == keys)
        fresh &= np.abs(seen_at_s - heard_s) <= within_s
        values = np.where(fresh, self._values[:, found], np.nan)
        return np.where(fresh, heard_s, np.nan), values
