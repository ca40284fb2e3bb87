"""What a gateway of a load test sends when, and how it holds back when the hub says so. Pure."""

from collections import deque
from itertools import islice
from typing import NamedTuple

from aerocast_protocols.batch import SLOW_DOWN, Acknowledgement

MOST_IN_FLIGHT = 16  # as an agent has
FIRST_PATIENCE_S, LONGEST_PATIENCE_S = 4.0, 60.0
ROUND_TRIPS_TO_WAIT = 4.0


class Waiting(NamedTuple):
    """A batch the hub has not confirmed.

    Attributes
    ----------
    made_s, due_s, sent_s
        When it was made, from when on it is to be sent, and when it was last; monotonic seconds.
    tries
        How often it was sent.
    """

    last: int
    body: bytes
    made_s: float
    due_s: float = 0.0
    sent_s: float = 0.0
    tries: int = 0


class Window:
    """What is on its way to the hub, and how much more may be: as an agent holds itself back.

    Times are monotonic seconds.

    Attributes
    ----------
    waiting
        Batches the hub has not confirmed, oldest first.
    slowed_down
        Times the hub asked to slow down.
    """

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self.slowed_down = 0
        self._size = MOST_IN_FLIGHT
        self._held_until_s = 0.0
        self._round_trip_s = 0.0

    def due(self, now_s: float) -> list[int]:
        """Give the places in `waiting` of what is to be sent now: the oldest, no more than fit.

        While the hub is silent that is one: it asks for all of them.
        """
        if now_s < self._held_until_s:
            return []
        first = [*islice(self.waiting, self._size)]
        due = [index for index, each in enumerate(first) if each.due_s <= now_s]
        is_silent = bool(first) and all(each.tries > 1 for each in first)
        return due[:1] if is_silent else due

    def sent(self, index: int, now_s: float) -> None:
        """Note that a batch was sent."""
        each = self.waiting[index]
        patience_s = max(FIRST_PATIENCE_S, ROUND_TRIPS_TO_WAIT * self._round_trip_s)
        due_s = now_s + min(LONGEST_PATIENCE_S, patience_s * 2**each.tries)
        self.waiting[index] = each._replace(due_s=due_s, sent_s=now_s, tries=each.tries + 1)

    def acknowledge(self, told: Acknowledgement, now_s: float) -> list[Waiting]:
        """Take the hub's word; give what it has stored and what waits no more."""
        stored = []
        while self.waiting and self.waiting[0].last <= told.up_to_sequence:
            stored.append(self.waiting.popleft())
        for each in stored:
            if each.tries == 1:  # else nobody knows which of them it answers
                self._round_trip_s += (now_s - each.sent_s - self._round_trip_s) / 8
        if told.status == SLOW_DOWN:
            if now_s >= self._held_until_s:
                self.slowed_down += 1
                self._size = max(1, self._size // 2)
            self._held_until_s = now_s + told.retry_after_ms / 1000
        elif stored:
            self._size = min(MOST_IN_FLIGHT, self._size + 1)
        return stored

    def send_all_again(self) -> None:
        """Take it that what is on its way may never come."""
        self.waiting = deque(each._replace(due_s=0.0, tries=0) for each in self.waiting)
