"""Bring what is durable to the hub: live first, backlog beside it, again until acknowledged.

A hub that answers quickly gets a batch ahead of its commit, and may spare the disk the write.
"""

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from typing import NamedTuple

from aerocast_protocols import batch, topics
from aerocast_protocols.batch import Envelope, GatewayStatus
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import BULK, LIVE

from aerocast_agent import clock
from aerocast_agent.lanes import EVERY_LANE, FLUSH_AFTER_NS
from aerocast_agent.link_watch import LinkWatch
from aerocast_agent.mqtt_link import Broker, Link, LinkError, Will
from aerocast_agent.reach import Reach, Stretch
from aerocast_agent.spool import Spool
from aerocast_agent.spool_rows import Row
from aerocast_agent.window import Key, Window

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
BROKER_FORGETS_S = 0.25
"""Between two links. rumqttd looks for a last will under the client's id once more after it has
closed a connection, and would find the next one's: everybody would be told that we are gone."""
# A whole airport's switches come back at once: its gateways must not.
AFTER_LINK_UP_S = 0.5
STEADY_AFTER_S = 30.0  # a link that held this long starts again from FIRST_PAUSE_S
# With nothing to do the spool is looked through from its start: nothing may lie there forgotten.
REWIND_AFTER_S = 30.0
LONGEST_TURN_S = 5.0  # a sign of life for the watchdog
BACKLOG_LOOK_S = 0.1
# When a batch goes out ahead of its commit, after its first observation, and how quick the hub must
# be for that: an acknowledgement that comes before the commit is due saves the disk the write.
AHEAD_AFTER_S = {LIVE: 0.6 * FLUSH_AFTER_NS[LIVE] / 1e9, BULK: 0.6 * FLUSH_AFTER_NS[BULK] / 1e9}
AHEAD_WITHIN_S = {LIVE: 0.06, BULK: 0.25}


class Identity(NamedTuple):
    """Who speaks."""

    site: str
    gateway: str
    version: str
    boot_id: bytes


class LinkState(NamedTuple):
    """How the way to the hub is doing."""

    connected: bool
    broker: str
    mqtt_version: int
    error: str | None
    in_flight: int
    round_trip_s: float | None
    gateway_unknown: bool
    slowed_down: bool


class Uplink:
    """Holds the link, the window, and how far each lane has been sent.

    Attributes
    ----------
    on_command
        Answers what the hub asks on ``down/command``; gives the result's payload, or None.
    turned_at_ns
        When the uplink last came round (CLOCK_BOOTTIME), for the watchdog.
    """

    def __init__(self, identity: Identity, brokers: list[Broker], spool: Spool) -> None:
        self.on_command: Callable[[bytes], Awaitable[bytes | None]] | None = None
        self.turned_at_ns = clock.boot_ns()
        self._identity = identity
        self._brokers = brokers
        self._spool = spool
        self._window = Window()
        self._choice = 0
        self._link: Link | None = None
        self._error: str | None = None
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()
        self._starts_over = self._leaves = self._network_came_up = False
        self._commits = 0
        self._reach = Reach()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Connect, send, and connect again, until cancelled."""
        loop = asyncio.get_running_loop()
        self._spool.on_durable = lambda: _call(loop, self._note_commit)
        self._spool.on_begun = lambda lane: (
            _call(loop, self._send_ahead_later, lane) if lane in AHEAD_AFTER_S else None
        )
        self._spool.on_rescued = lambda: _call(loop, self._look_through)
        watch = LinkWatch(self._network_is_back)
        watch.start()
        try:
            await self._connect_for_ever(loop)
        finally:
            watch.stop()

    async def _connect_for_ever(self, loop: asyncio.AbstractEventLoop) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began_s = loop.time()
            self._hurry.clear()
            self._network_came_up = False
            try:
                await self._hold_a_link()
            except LinkError as error:
                self._note(str(error))
                if error.refused or self._choice:
                    self._choice = (self._choice + 1) % len(self._brokers)
            if loop.time() - began_s > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(BROKER_FORGETS_S)
            await self._rest(random.uniform(0, pause_s))  # noqa: S311  jitter, not secrecy
            if self._network_came_up:
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(random.uniform(0, AFTER_LINK_UP_S))  # noqa: S311  as above
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _network_is_back(self) -> None:
        self._network_came_up = True
        self._hurry.set()

    def send_again(self) -> None:
        """Connect now, and send now whatever is on disk: someone has mended something."""
        self._starts_over = True
        self._hurry.set()
        self._wake.set()

    def reconnect(self) -> None:
        """Make the link anew, at once: the next one reads certificate and login again."""
        self._leaves = self._link is not None
        self._hurry.set()
        self._wake.set()

    def state(self) -> LinkState:
        """Say how the way to the hub is doing."""
        broker = self._brokers[self._choice]
        return LinkState(
            connected=self._link is not None,
            broker=broker.url,
            mqtt_version=broker.version,
            error=self._error,
            in_flight=len(self._window),
            round_trip_s=self._window.round_trip_s,
            gateway_unknown=self._window.gateway_unknown,
            slowed_down=self._window.held is not None and not self._window.gateway_unknown,
        )

    async def _rest(self, seconds: float) -> None:
        """Wait, but no longer than until a network comes up or someone asks."""
        ends_ns = clock.boot_ns() + int(seconds * 1e9)
        while (left_s := (ends_ns - clock.boot_ns()) / 1e9) > 0:
            self.turned_at_ns = clock.boot_ns()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LONGEST_TURN_S)):
                    await self._hurry.wait()
                    self._hurry.clear()
                    return

    async def _hold_a_link(self) -> None:
        while (epoch := self._spool.epoch) is None:
            self.turned_at_ns = clock.boot_ns()
            await asyncio.sleep(1.0)
        identity = self._identity
        status_topic = topics.up(identity.site, identity.gateway, "status")
        gone = GatewayStatus(state="gone", epoch=epoch, agent_version=identity.version)
        link = Link(
            self._brokers[self._choice],
            f"{identity.site}.{identity.gateway}",
            Will(status_topic, batch.encode_status(gone)),
            self._received,
        )
        await link.open(
            [topics.down(identity.site, identity.gateway, kind) for kind in ("ack", "command")]
        )
        try:
            self._link, self._error = link, None
            log.info("connected to %s", self._brokers[self._choice].url)
            link.publish(status_topic, batch.encode_status(_online(gone)))
            self._reach.begin(epoch, self._spool.next_sequence)
            await self._send_until_lost(link)
            if not self._leaves:
                self._note(f"{self._brokers[self._choice].url}: {link.why_lost}")
        finally:
            self._link = None
            self._window.clear()
            if not link.lost.is_set() and not self._leaves:
                link.publish(status_topic, batch.encode_status(gone))
            self._leaves = False
            await link.close()

    def _note_commit(self) -> None:
        self._commits += 1
        self._wake.set()

    def _begin(self) -> None:
        self._reach.begin(self._spool.epoch or 0, self._spool.next_sequence)

    def _look_through(self) -> None:
        """Begin again with the oldest: something older than what was sent has come."""
        if self._link is not None:
            self._begin()
            self._wake.set()

    async def _send_until_lost(self, link: Link) -> None:
        lost = asyncio.ensure_future(self._lost(link))
        busy_ns = clock.boot_ns()
        try:
            while not link.lost.is_set() and not self._leaves:
                self._wake.clear()
                self.turned_at_ns = clock.boot_ns()
                if self._starts_over:
                    self._starts_over = False
                    self._hurry.clear()
                    self._window.start_over()
                    self._begin()
                try:
                    wait_s = await self._send_round(link)
                except sqlite3.Error as error:
                    log.warning("the spool cannot be read: %s", error)
                    wait_s = 1.0
                if len(self._window):
                    busy_ns = clock.boot_ns()
                elif clock.boot_ns() - busy_ns > REWIND_AFTER_S * 1e9:
                    busy_ns = clock.boot_ns()
                    self._begin()
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(wait_s, LONGEST_TURN_S)):
                        await self._wake.wait()
        finally:
            lost.cancel()

    async def _lost(self, link: Link) -> None:
        await link.lost.wait()
        self._wake.set()

    async def _send_round(self, link: Link) -> float:
        """Send what may go now, and say how long nothing will change by itself."""
        now_s = clock.boot_ns() / 1e9
        for key in self._window.overdue(now_s):
            await self._send_again(link, key)
        waiting = await self._send_lanes(link, self._reach.live, backlog=False)
        waiting |= await self._send_lanes(link, self._reach.backlog, backlog=True)
        waiting |= await self._send_lanes(link, self._reach.rescued, backlog=True)
        now_s = clock.boot_ns() / 1e9
        due_s = self._window.due_s(now_s)
        wait_s = REWIND_AFTER_S if due_s is None else max(0.02, due_s - now_s)
        return min(BACKLOG_LOOK_S, wait_s) if waiting and self._window.held is None else wait_s

    async def _send_lanes(self, link: Link, reach: dict[int, Stretch], *, backlog: bool) -> bool:
        """Send lanes in order of urgency; say whether some could not go for want of tokens."""
        for lane in EVERY_LANE:
            # Each look costs a turn of the spool's thread; only commits bring more.
            while not link.lost.is_set() and reach[lane].empty_at != self._commits:
                asked, commits = reach[lane], self._commits
                room = self._window.room(clock.boot_ns() / 1e9, backlog=backlog)
                if not room:
                    return backlog and len(self._window) == 0
                rows, oldest = await asyncio.wrap_future(
                    self._spool.fetch(lane, asked.after, asked.before, room)
                )
                if not rows and reach[lane] is asked:  # else it was begun anew meanwhile
                    reach[lane] = asked._replace(empty_at=commits)
                for row in rows:
                    reach[lane] = Stretch((row.epoch, row.first), reach[lane].before)
                    if row[:3] not in self._window:
                        self._send(link, row, oldest[row.epoch], backlog=backlog)
        return False

    def _send_ahead_later(self, lane: int) -> None:
        if self._link is not None:
            asyncio.get_running_loop().call_later(AHEAD_AFTER_S[lane], self._send_ahead, lane)

    def _send_ahead(self, lane: int) -> None:
        """Send what is not durable yet, where the hub is quick enough to spare us the write."""
        link, round_trip_s = self._link, self._window.round_trip_s
        if link is None or link.lost.is_set() or round_trip_s is None:
            return
        is_quick = round_trip_s < AHEAD_WITHIN_S[lane]
        if is_quick and self._window.room(clock.boot_ns() / 1e9, backlog=False):
            row = self._spool.lend(lane)
            if row is not None:
                self._send(link, row, row.first, backlog=False)

    async def _send_again(self, link: Link, key: Key) -> None:
        lane, epoch, first = key
        rows, oldest = await asyncio.wrap_future(
            self._spool.fetch(lane, (epoch, first - 1), (epoch, first + 1), 1)
        )
        if rows:
            self._send(link, rows[0], oldest[epoch], backlog=False)
        else:
            self._window.gone(key)

    def _send(self, link: Link, row: Row, oldest: int, *, backlog: bool) -> None:
        now = clock.claim()
        envelope = Envelope(
            codec=row.codec,
            boot_id_sent=self._identity.boot_id,
            boot_ns_sent=now.boot_ns,
            wall_ns_sent=now.wall_ns,
            clock_quality=now.quality,
            oldest_sequence=oldest,
            body=row.body,
        )
        topic = topics.up(self._identity.site, self._identity.gateway, row.lane)
        payload = batch.encode_envelope(envelope)
        link.publish(topic, payload)
        digest = batch.digest_of(payload)
        self._window.sent(row, clock.boot_ns() / 1e9, backlog=backlog, digest=digest)

    def _received(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/down/command"):
            self._keep_task(self._answer(payload))
            return
        try:
            acknowledgements = batch.decode_acknowledgements(payload)
        except ProtocolError as error:
            log.warning("%s: %s", topic, error)
            return
        unknown_before = self._window.gateway_unknown
        for acknowledgement in acknowledgements:
            if acknowledgement.status == batch.UNREADABLE:
                self._hear_unreadable(acknowledgement.digest)
                continue
            self._window.acknowledge(acknowledgement, clock.boot_ns() / 1e9)
            self._spool.acknowledge(acknowledgement)
        if any(each.status == batch.REFUSED for each in acknowledgements):
            self._keep_task(self._take_up_what_is_left())
        if self._window.gateway_unknown and not unknown_before:
            site, gateway = self._identity.site, self._identity.gateway
            log.warning("the hub does not know gateway %s/%s: everything is kept", site, gateway)
        self._wake.set()

    def _hear_unreadable(self, digest: int) -> None:
        span = self._window.cannot_be_read(digest)
        if span is not None:
            log.error("the hub cannot read %d observations: they are set aside", span.width)
            self._spool.set_aside(span)

    def _keep_task(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_up_what_is_left(self) -> None:
        """Send what shared a batch with something refused: it has been cut into new batches."""
        await asyncio.wrap_future(self._spool.flush())
        self._look_through()

    async def _answer(self, payload: bytes) -> None:
        result = await self.on_command(payload) if self.on_command is not None else None
        if result is not None and self._link is not None:
            topic = topics.up(self._identity.site, self._identity.gateway, "result")
            self._link.publish(topic, result)

    def _note(self, error: str) -> None:
        if error != self._error:
            log.warning("%s", error)
        self._error = error


def _online(gone: GatewayStatus) -> GatewayStatus:
    return GatewayStatus(state="online", epoch=gone.epoch, agent_version=gone.agent_version)


def _call(loop: asyncio.AbstractEventLoop, what: Callable[..., None], *about: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what, *about)
