"""The gateway's memory: what is accepted here is committed to disk, and kept until the hub has it.

accepted (in memory, numbered) -> durable (its commit has returned) -> acked (the hub's own word).
What the hub has committed and acknowledged before its commit here was due counts as both at once.
One thread writes; nothing is called durable before its commit. The agent starts and goes on
whatever happens to the file: without a disk it keeps a bounded ring in memory and says so.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.every import CRITICAL, LIVE
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.lanes import Span
from aerocast_agent.packing import row_of
from aerocast_agent.spool_account import Account
from aerocast_agent.spool_commit import Commit
from aerocast_agent.spool_file import LARGEST_SEQUENCE, SpoolFile
from aerocast_agent.spool_opening import mark_of
from aerocast_agent.spool_rows import Row, SpoolState, evicted, spans_of
from aerocast_agent.spool_waiting import Taken, Waiting

log = logging.getLogger(__name__)

CALLER_WAITS_S = 0.2
RETRY_AFTER_NS = 1_000_000_000
IDLE_TURN_S = 5.0

T = TypeVar("T")
Fetched = tuple[list[Row], dict[int, int]]
"""Batches in order, and for each epoch among them the oldest sequence held."""


class Spool:
    """A thread, the lanes that wait for it, and the file it writes.

    Attributes
    ----------
    on_durable
        Called by the writer's thread after a commit that added batches.
    on_begun
        Called by whoever accepts the first observation of a new batch, with its lane.
    on_rescued
        Called when batches of a damaged file were put back: they are older than what was sent.
    turned_at_ns
        When the writer last came round (CLOCK_BOOTTIME), for the watchdog.
    """

    def __init__(self, path: Path, budget_bytes: int, boot_id: bytes) -> None:
        self.on_durable: Callable[[], None] = _nothing
        self.on_begun: Callable[[int], None] = _nothing
        self.on_rescued: Callable[[], None] = _nothing
        self.turned_at_ns = clock.boot_ns()
        self.epoch: int | None = None
        self._path = path
        self._budget_bytes = budget_bytes
        self._boot_id = boot_id
        self._file: SpoolFile | None = None
        self._waiting = Waiting()
        self._lock = threading.RLock()  # by itself where a Condition's costs more than the work
        self._wake = threading.Condition(self._lock)
        self._opened = threading.Event()
        self._stopping = False
        self._account = Account()
        self._degraded: str | None = None
        self._distrusted = False
        self._rescuer: threading.Thread | None = None
        self._retry_at_ns = 0
        self._jobs: list[tuple[Callable[[SpoolFile], object], Future[object]]] = []
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    def start(self, wait_s: float = 10.0) -> None:
        """Open the file and begin to write; a disk that is not there is tried again for ever."""
        self._thread.start()
        self._opened.wait(wait_s)

    def stop(self) -> None:
        """Commit what waits and close."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(30.0)

    def add(self, lane: int, encoded: bytes) -> int:
        """Accept an encoded observation and give its sequence; durable follows.

        Waits a moment when the disk is behind. When memory is full the oldest of the least urgent
        lane is given up and an ``Evicted`` tells the hub.

        Raises
        ------
        ValueError
            It is larger than a batch may be.
        """
        lanes = self._waiting.lanes
        with self._lock:
            if self._waiting.is_much and self._degraded is None:
                self._wake.notify_all()
                self._wake.wait_for(lambda: not self._waiting.is_much, CALLER_WAITS_S)
            sequence = lanes.append(lane, encoded)
            if begins := not sequence:
                sequence = lanes.begin(lane, encoded, clock.boot_ns())
                self._account.evicted(self._waiting.trim(self.epoch or 0))
                self._wake.notify_all()  # else nothing is due earlier than before
            self._account.accepted += 1
        if begins:
            self.on_begun(lane)
        return sequence

    def lend(self, lane: int) -> Row | None:
        """Give what waits of a lane, to be sent before it is durable; None when it must wait.

        What the hub acknowledges before it is due is never written. Only what follows on from all
        that the hub has is given, and one batch at a time.
        """
        with self._lock:
            if self.epoch is None:
                return None
            chunk = self._waiting.lend(lane, self._account.hub_has_to[lane])
            if chunk is None:
                return None
            chunk = replace(chunk, observations=chunk.observations.copy())
        return row_of(chunk, self.epoch, self._boot_id)

    def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Let go of what the hub says it has, with the next commit or within a second."""
        if acknowledgement.epoch > LARGEST_SEQUENCE:
            return  # none of ours: it would not even fit the file
        stored, refused = spans_of(acknowledgement)
        with self._wake:
            if refused:
                self._waiting.call_in()  # it may be in there
            if acknowledgement.epoch == self.epoch and stored:
                lane, up_to = acknowledgement.lane, acknowledgement.up_to_sequence
                spared = self._waiting.spare(lane, up_to)
                if not self._account.acknowledged(lane, up_to, spared):
                    stored = []
            begins = self._waiting.let_go(stored, clock.boot_ns())
            self._waiting.refuse(refused)
            if refused or begins:
                self._wake.notify_all()

    def set_aside(self, span: Span) -> None:
        """Move to the dead what can never arrive, and tell the hub."""
        with self._wake:
            self._waiting.refuse([span])
            self._wake.notify_all()

    def fetch(
        self, lane: int, after: tuple[int, int], before: tuple[int, int], most_rows: int
    ) -> Future[Fetched]:
        """Ask for durable batches, ``after`` < (epoch, first sequence) < ``before``."""

        def job(file: SpoolFile) -> Fetched:
            rows, damaged = file.fetch(lane, after, before, most_rows)
            if damaged:
                log.error("%d batches of the spool are damaged and set aside", len(damaged))
                with self._wake:
                    self._waiting.refuse(damaged)
            epochs = {row.epoch for row in rows}
            return rows, {epoch: self._oldest(file, lane, epoch) for epoch in epochs}

        return self._ask(job)

    def _oldest(self, file: SpoolFile, lane: int, epoch: int) -> int:
        """Give the oldest sequence held, on disk or still in memory: the hub waits for both.

        And for all that may yet be put back from a damaged file.
        """
        if self._rescuer is not None and self._rescuer.is_alive():
            return 1
        with self._wake:
            ours = epoch == file.epoch
            waiting = self._waiting.oldest_sequence(lane) if ours else None
        held = [each for each in (waiting, file.oldest(lane, epoch)) if each is not None]
        return min(held, default=0)

    def next_sequence(self, lane: int) -> int:
        """Say which sequence of this epoch no observation of the lane has reached yet."""
        with self._wake:
            return self._waiting.lanes.next_sequence(lane)

    def flush(self) -> Future[None]:
        """Commit all that waits now; done when it is durable."""
        with self._wake:
            flushed = self._waiting.flush()
            self._wake.notify_all()
        return flushed

    def state_in_memory(self) -> SpoolState:
        """Say what is known without the file: for when it cannot be read."""
        with self._wake:
            size, degraded = self._waiting.size, self._degraded
        return SpoolState(self.epoch, self._account.counters(), {}, {}, 0, size, None, degraded)

    def state(self) -> Future[SpoolState]:
        """Ask how the spool is doing (``sqlite3.Error`` when its file cannot be read)."""
        return self._ask(
            lambda file: SpoolState(
                file.epoch,
                self._account.counters(),
                self._totals(file),
                file.rows(),
                file.used_bytes(),
                self._waiting.size,
                file.oldest_boot_ns(),
                self._degraded,
            )
        )

    def _totals(self, file: SpoolFile) -> dict[str, int]:
        with self._lock:
            spared = self._waiting.spared
        more = {"accepted": spared, "acked": spared}
        return {name: count + more.get(name, 0) for name, count in file.totals().items()}

    def _ask(self, job: Callable[[SpoolFile], T]) -> Future[T]:
        answer: Future[T] = Future()
        with self._wake:
            self._jobs.append((job, answer))  # type: ignore[arg-type]  # the pair agrees on T
            self._wake.notify_all()
        return answer

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._has_work():
                    if not self._wake.wait(self._patience_s()):
                        break  # a turn at least every few seconds, for the watchdog
                stopping = self._stopping
                jobs, self._jobs = self._jobs, []
            self.turned_at_ns = clock.boot_ns()
            if self._file is None and self.turned_at_ns >= self._retry_at_ns:
                self._open()
            self._do(jobs)
            while self._file is not None and self._commit(everything=stopping):
                continue
            if stopping:
                break
        self._close()

    def _has_work(self) -> bool:
        if self._stopping or self._jobs or (self._file is None and not self._retry_at_ns):
            return True
        now_ns = clock.boot_ns()
        if now_ns < self._retry_at_ns:
            return False
        return self._waiting.is_due(now_ns)

    def _patience_s(self) -> float:
        now_ns = clock.boot_ns()
        due = [now_ns + int(IDLE_TURN_S * 1e9)]
        if now_ns < self._retry_at_ns:
            due.append(self._retry_at_ns)
        else:
            waiting_ns = self._waiting.due_at_ns()
            due += [waiting_ns] if waiting_ns is not None else []
        return max(0.0, (min(due) - now_ns) / 1e9)

    def _open(self) -> None:
        try:
            mark = mark_of(self.epoch, self._account.acked_to, self._account.durable_to)
            file = SpoolFile(
                self._path, self._budget_bytes, self.epoch, mark=mark, distrusted=self._distrusted
            )
        except (sqlite3.Error, OSError) as error:
            self._fail(f"spool {self._path}: {error}")
            return
        finally:
            self._opened.set()
        self._file = file
        self._distrusted = False
        with self._wake:
            if file.kept_aside is not None:
                self._tell_of_new_file(file.kept_aside)
            self.epoch = file.epoch
            self._degraded = None
            self._retry_at_ns = 0
        wanted = any(self._path.parent.glob(f"{self._path.stem}.corrupt-*{self._path.suffix}"))
        if wanted and (self._rescuer is None or not self._rescuer.is_alive()):
            self._rescuer = threading.Thread(target=self._rescue, name="rescue", daemon=True)
            self._rescuer.start()

    def _tell_of_new_file(self, kept_aside: Path) -> None:
        self._account.began_anew()
        told = DeviceEvent(
            device="agent",
            boot_ns=clock.boot_ns(),
            event="lost",
            detail=f"spool file could not be used and is kept as {kept_aside.name}"[:512],
        )
        self._waiting.lanes.add(LIVE, batch.encode_observation(told), told.boot_ns)
        self._account.accepted += 1

    def _rescue(self) -> None:
        """Put back what damaged files still hold, and tell what they do not; in its own thread."""
        from aerocast_agent.spool_rescue import rescue_all  # noqa: PLC0415  seldom needed

        if rescue_all(self._path, self._budget_bytes, self._tell_of_rescued, self._is_stopping):
            self._rescuer = None
            self.on_rescued()

    def _tell_of_rescued(self, lost: Sequence[Span], before: Sequence[Span]) -> bool:
        """Tell the hub, durably; False when the spool closes before."""
        with self._wake:
            self._waiting.lose(lost)
            self._account.evicted([span for span in lost if span.epoch == self.epoch])
        for span in before:
            self.add(CRITICAL, batch.encode_observation(evicted(span, 0, clock.boot_ns())))
        told = self.flush()
        while not told.done():
            if self._is_stopping(0.05):
                return False
        return True

    def _is_stopping(self, within_s: float) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self._stopping, within_s)

    def _do(self, jobs: Sequence[tuple[Callable[[SpoolFile], object], Future[object]]]) -> None:
        for job, answer in jobs:
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                if self._file is None:
                    raise sqlite3.OperationalError(self._degraded or "the spool is closed")
                answer.set_result(job(self._file))
            except sqlite3.Error as error:
                answer.set_exception(error)
                self._judge(error)

    def _commit(self, *, everything: bool) -> bool:
        """Write what is due, as much as one commit may hold; say whether more is to be written."""
        file, taken = self._file, self._take(everything=everything)
        if file is None or taken is None:
            return False
        commit = Commit(taken, self._waiting, self._lock, self._boot_id)
        try:
            outcome = commit.write(file)
        except (sqlite3.Error, OSError) as error:
            with self._lock:
                commit.put_back()
            self._fail(str(error))
            self._judge(error)
            return False
        with self._wake:
            self._account.committed(commit.chunks, commit.claimed, outcome, file.epoch)
            self._degraded = None
            self._retry_at_ns = 0
            self._wake.notify_all()  # callers that wait for room
        for flushed in taken.flushes:
            flushed.set_result(None)
        if commit.chunks or commit.claimed:
            self.on_durable()
        return taken.has_more

    def _take(self, *, everything: bool) -> Taken | None:
        with self._wake:
            now_ns = clock.boot_ns()
            if self._file is None or (now_ns < self._retry_at_ns and not everything):
                return None
            return self._waiting.take(now_ns, self._file.most_at_once, everything=everything)

    def _fail(self, why: str) -> None:
        if self._degraded is None:
            log.error("the disk does not take what is seen: %s", why)
        with self._wake:
            self._degraded = why
            self._retry_at_ns = clock.boot_ns() + RETRY_AFTER_NS
            self._wake.notify_all()

    def _judge(self, error: Exception) -> None:
        """Close a file that gives such an error; opened again, one that is damaged is replaced."""
        if "malformed" in str(error) or "not a database" in str(error):
            self._distrusted = True
            self._close()
        elif "disk I/O" in str(error):
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close(clean=self._degraded is None)
            except sqlite3.Error as error:
                log.warning("the spool did not close cleanly: %s", error)


def _nothing(*_: object) -> None:
    """Stand in until someone wants to know."""
