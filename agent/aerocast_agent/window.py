"""What is on its way to the hub and not acknowledged: when to send, send again, or hold back.

Pure: times are seconds of any steady clock.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from aerocast_protocols.batch import SLOW_DOWN, UNKNOWN_GATEWAY, Acknowledgement

from aerocast_agent.lanes import Span
from aerocast_agent.spool_rows import Row, spans_of

MOST_IN_FLIGHT = 16
# Old batches never take more than half the window, nor more bytes than this a second: a gateway
# that returns after hours must neither hold up what happens now nor flood the hub.
MOST_BACKLOG = MOST_IN_FLIGHT // 2
BACKLOG_BYTES_PER_S = 2_000_000.0
BACKLOG_BURST_BYTES = 1_000_000.0
# A hub that says "slow down" halves that, down to this; each other acknowledgement gives back 2 %.
SLOWEST_BACKLOG_BYTES_PER_S = 20_000.0
GIVEN_BACK = 0.02
SHORTEST_WAIT_S = 2.0
ROUND_TRIPS_TO_WAIT = 4.0
LONGEST_WAIT_S = 15.0
ASK_AGAIN_S = 60.0
# So often must the hub say that it cannot read a batch, and meanwhile read another.
UNREADABLE_TIMES = 3

Key = tuple[int, int, int]
"""Lane, epoch and first sequence of a batch."""


@dataclass(frozen=True, slots=True)
class _Sent:
    last: int
    first_sent_s: float
    due_s: float
    tries: int
    backlog: bool
    digest: int
    unreadable: int = 0
    answered_before: int = 0


class Held(NamedTuple):
    """Why nothing is sent now, and until when."""

    reason: str
    until_s: float


class Window:
    """Remembers what is on its way, and what the hub has said."""

    def __init__(self) -> None:
        self.round_trip_s: float | None = None
        self.held: Held | None = None
        self._sent: dict[Key, _Sent] = {}
        self._size = MOST_IN_FLIGHT
        self.backlog_bytes_per_s = BACKLOG_BYTES_PER_S
        self._tokens = BACKLOG_BURST_BYTES
        self._filled_s: float | None = None
        self._answered = 0

    def __len__(self) -> int:
        return len(self._sent)

    def __contains__(self, key: Key) -> bool:
        return key in self._sent

    @property
    def gateway_unknown(self) -> bool:
        """Whether the hub does not know this gateway."""
        return self.held is not None and self.held.reason == "unknown"

    def clear(self) -> None:
        """Forget what was on its way: the link is gone and everything is sent anew."""
        self._sent.clear()

    def start_over(self) -> None:
        """Forget what was on its way and why it was held back: someone wants it sent now."""
        self._sent.clear()
        self.held = None

    def room(self, now_s: float, *, backlog: bool) -> int:
        """Say how many more batches may go now."""
        if self.held is not None and now_s < self.held.until_s:
            return 0
        size = 1 if self.gateway_unknown else self._size
        old = sum(each.backlog for each in self._sent.values())
        if not backlog:
            kept_free = 1 if size > 1 and not old else 0  # so that the backlog is never shut out
            return max(0, size - kept_free - len(self._sent))
        self._fill(now_s)
        if self._tokens <= 0:
            return 0
        return max(0, min(max(1, size // 2) - old, size - len(self._sent)))

    def sent(self, row: Row, now_s: float, *, backlog: bool, digest: int = 0) -> None:
        """Note that a batch went out, for the first time or again, in a message of that digest."""
        before = self._sent.get(row[:3])
        tries = 0 if before is None else before.tries + 1
        wait_s = min(LONGEST_WAIT_S, self._patience_s() * 2**tries)
        first_sent_s = now_s if before is None else before.first_sent_s
        old = backlog if before is None else before.backlog
        self._sent[row[:3]] = _Sent(
            row.last,
            first_sent_s,
            now_s + wait_s,
            tries,
            old,
            digest,
            *((before.unreadable, before.answered_before) if before is not None else ()),
        )
        if old:
            self._tokens -= len(row.body)

    def gone(self, key: Key) -> None:
        """Forget a batch that is no longer in the spool."""
        self._sent.pop(key, None)

    def cannot_be_read(self, digest: int) -> Span | None:
        """Take the hub's word that it could not read a message; give a batch to set aside.

        That is one it has said so of several times, while it could read another: a hub that reads
        nothing of ours is no reason to give anything up.
        """
        found = next((key for key, sent in self._sent.items() if sent.digest == digest), None)
        if found is None:
            return None
        sent = self._sent[found]
        before = sent.answered_before if sent.unreadable else self._answered
        if sent.unreadable + 1 >= UNREADABLE_TIMES and self._answered > before:
            del self._sent[found]
            return Span(*found, sent.last, "unreadable")
        self._sent[found] = replace(sent, unreadable=sent.unreadable + 1, answered_before=before)
        return None

    def overdue(self, now_s: float) -> list[Key]:
        """Name what must be sent again, oldest first.

        While the hub is silent that is one batch: it asks for all of them.
        """
        if self.held is not None and now_s < self.held.until_s:
            return []
        due = sorted((each.due_s, key) for key, each in self._sent.items() if each.due_s <= now_s)
        silent = bool(self._sent) and all(each.tries for each in self._sent.values())
        return [key for _, key in (due[:1] if silent or self.gateway_unknown else due)]

    def due_s(self, now_s: float) -> float | None:
        """Say when to look again; None when only an event can change anything."""
        if self.held is not None and now_s < self.held.until_s:
            return self.held.until_s
        return min((each.due_s for each in self._sent.values()), default=None)

    def acknowledge(self, acknowledgement: Acknowledgement, now_s: float) -> None:
        """Take the hub's word."""
        if acknowledgement.status == UNKNOWN_GATEWAY:
            self.held = Held(
                "unknown", now_s + max(ASK_AGAIN_S, acknowledgement.retry_after_ms / 1000)
            )
            return
        stored, refused = spans_of(acknowledgement)
        answered = [
            (key, sent)
            for key, sent in self._sent.items()
            if key[:2] == (acknowledgement.lane, acknowledgement.epoch)
            and (
                any(span.first <= key[2] and sent.last <= span.last for span in stored)
                or any(span.first <= sent.last and key[2] <= span.last for span in refused)
            )
        ]
        self._answered += len(answered)
        for key, sent in answered:
            del self._sent[key]
            if sent.tries == 0:
                self._measure(now_s - sent.first_sent_s)
        if acknowledgement.status == SLOW_DOWN:
            if self.held is None or now_s >= self.held.until_s:  # it may say so of each lane
                self._slow_down(now_s)
            self.held = Held("slow", now_s + acknowledgement.retry_after_ms / 1000)
        else:
            self._size = min(MOST_IN_FLIGHT, self._size + 1)
            if answered:
                self._fill(now_s)
                faster = self.backlog_bytes_per_s + GIVEN_BACK * BACKLOG_BYTES_PER_S
                self.backlog_bytes_per_s = min(BACKLOG_BYTES_PER_S, faster)
            if self.gateway_unknown or (self.held is not None and now_s >= self.held.until_s):
                self.held = None
            self._wake_sleepers(now_s)

    def _slow_down(self, now_s: float) -> None:
        self._size = max(1, self._size // 2)
        self._fill(now_s)
        self._tokens = min(self._tokens, 0.0)
        slower = self.backlog_bytes_per_s / 2
        self.backlog_bytes_per_s = max(SLOWEST_BACKLOG_BYTES_PER_S, slower)

    def _wake_sleepers(self, now_s: float) -> None:
        """After a silence, let what waited long go at its first patience again."""
        for key, sent in self._sent.items():
            if sent.tries > 1:
                due_s = min(sent.due_s, now_s + self._patience_s())
                self._sent[key] = replace(sent, due_s=due_s, tries=1)

    def _patience_s(self) -> float:
        return max(SHORTEST_WAIT_S, ROUND_TRIPS_TO_WAIT * (self.round_trip_s or 0.0))

    def _measure(self, took_s: float) -> None:
        known = self.round_trip_s
        self.round_trip_s = took_s if known is None else known + (took_s - known) / 8

    def _fill(self, now_s: float) -> None:
        if self._filled_s is not None:
            more = (now_s - self._filled_s) * self.backlog_bytes_per_s
            self._tokens = min(BACKLOG_BURST_BYTES, self._tokens + more)
        self._filled_s = now_s
