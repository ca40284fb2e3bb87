"""An RFID reader as its clients meet it: LLRP over TCP, with a real reader's session behaviour.

LLRP v1.0.1: one client at a time, reports only while an inventory is active and only of tags it
asks for, events and reports held for a client that comes back until it enables them, a bounded
buffer that says when it fills up and when it overflowed, a client given up that does not answer
keepalives. Impinj's rule is kept too: vendor parameters are refused until extensions are enabled.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.capabilities import Capabilities
from aerocast_protocols.llrp.framing import Message, MessageBuffer, MessageType, encode_message
from aerocast_protocols.llrp.tag_report import TagReport, encode_tag_reports

from aerocast_simulator.llrp_answers import ReaderState, answer

HOLD_LIMIT = 4096  # reports a reader keeps for a client that is away
MOST_UNSENT = 1 << 18  # bytes given to the network before further reports are held
WARNS_AT = 80  # percent of the buffer
GIVES_UP_AFTER = 3  # keepalives without an answer
_UNASKED_ID = 0


class FakeReader:
    """A reader with antennas, inputs and a network port.

    Parameters
    ----------
    capabilities
        What it says of itself; default is an Impinj reader under ETSI rules with four antennas.
    hold_limit
        Reports it can hold.
    clock_us
        Its own UTC clock, which may drift.
    piece
        Gives how many bytes go out at once; None: as they come.

    Attributes
    ----------
    port
        Where it listens, once started.
    sessions, refused
        Clients taken and turned away since it started.
    seen, lost
        Reports made since it started, and those of them that found no room.
    """

    def __init__(
        self,
        *,
        capabilities: Capabilities | None = None,
        hold_limit: int = HOLD_LIMIT,
        clock_us: Callable[[], int] | None = None,
        piece: Callable[[], int] | None = None,
    ) -> None:
        self.port = 0
        self.sessions = 0
        self.refused = 0
        self.seen = 0
        self.lost = 0
        self.acknowledged_keepalives = 0
        self.state = ReaderState() if capabilities is None else ReaderState(capabilities)
        self._clock_us = clock_us or (lambda: time.time_ns() // 1000)
        self._server: asyncio.Server | None = None
        self._session: _Session | None = None
        self._hold_limit = hold_limit
        self._held: deque[TagReport] = deque()
        self._held_events: deque[events.ReaderEvent] = deque(maxlen=64)
        self._overflowed = False
        self._warned = False
        self._piece = piece
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(
        self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        """Listen; ``port`` 0 takes a free one."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    @property
    def is_reading(self) -> bool:
        """Say whether an inventory is active."""
        return self.state.is_reading

    @property
    def held(self) -> int:
        """Give the number of reports that wait for the client."""
        return len(self._held)

    def report(  # noqa: PLR0913  one argument for each thing a reader measures
        self,
        epc: bytes,
        antenna: int,
        rssi_dbm: float,
        *,
        pc: int | None = None,
        phase_deg: float | None = None,
        doppler_hz: float | None = None,
        channel: int | None = None,
    ) -> bool:
        """See a tag; gives False when no inventory that is active asks for it."""
        if not self.state.sees(epc, pc, antenna):
            return False
        seen_us = self._clock_us()
        report = TagReport(
            epc=epc,
            antenna=antenna,
            rssi_dbm=rssi_dbm,
            first_seen_us=seen_us,
            last_seen_us=seen_us,
            seen_count=1,
            channel=channel,
            phase_deg=phase_deg,
            doppler_hz=doppler_hz,
            pc=pc,
            rospec_id=self.state.active_rospec,
        )
        self.seen += 1
        if len(self._held) >= self._hold_limit:
            self.lost += 1
            self._overflowed = True
        else:
            self._held.append(report)
        percent = 100 * len(self._held) // self._hold_limit
        if percent >= WARNS_AT and not self._warned:
            self._warned = True
            self._tell(events.BufferLevelEvent(percent))
        self._flush()
        return True

    def play(self, stream: bytes) -> None:
        """Send recorded messages as they are to a client that reads."""
        if self._session is not None and self.is_reading and not self._session.gone:
            self._session.write(stream)

    def stop_reading(self) -> None:
        """End the inventory by itself, as readers do that got too hot."""
        before = self.state.active_rospec
        if before is not None:
            self.state.stop(before)
            self._tell_of_inventory(before)

    def gpio(self, pin: int, level: int) -> None:
        """Change an input; told when the client asked for such events."""
        self.state.gpis[pin] = level
        self._tell(events.GpiEvent(pin, level))

    def antenna(self, antenna: int, *, connected: bool) -> None:
        """Plug an antenna in or pull it out."""
        self.state.antennas[antenna] = connected
        self._tell(events.AntennaEvent(antenna, connected))

    async def drop(self, *, abort: bool = False) -> None:
        """Lose the connection: what was sent arrives first, unless ``abort``."""
        session = self._session
        if session is None:
            return
        session.gone = True
        self._session = None
        if abort:
            session.writer.transport.abort()
        else:
            with suppress(ConnectionError):
                await session.sent()
                session.writer.write_eof()  # closing outright could cut off what was sent

    def go_silent(self) -> None:
        """Say nothing more to this client and hear nothing from it, with the connection open."""
        if self._session is not None:
            self._session.silent = True

    def _tell_of_inventory(self, before: int | None) -> None:
        """Tell what became of the inventory that was active before."""
        active = self.state.active_rospec
        if active == before:
            return
        if before is not None:
            self._tell(events.RospecEvent(events.ROSPEC_ENDED, before))
        if active is not None:
            self._tell(events.RospecEvent(events.ROSPEC_STARTED, active))

    def _tell(self, event: events.ReaderEvent) -> None:
        if self.state.wants(event):
            self._held_events.append(event)
            self._flush()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = writer
            task.add_done_callback(self._serving.pop)
        session = _Session(reader, writer, self._piece)
        try:
            with suppress(ConnectionError, ProtocolError):
                await self._talk(session)
        finally:
            session.gone = True
            if self._session is session:
                self._session = None
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(self, session: "_Session") -> None:
        if self._session is not None:
            self.refused += 1
            self._notify(session, events.ConnectionAttemptEvent(events.CLIENT_CONNECTION_EXISTS))
            self._notify(
                self._session, events.ConnectionAttemptEvent(events.ANOTHER_CONNECTION_ATTEMPTED)
            )
            await session.sent()
            return
        self._session = session
        self.sessions += 1
        session.holding = self.state.hold_reports
        self.state.extensions = False
        self._notify(session, events.ConnectionAttemptEvent(events.CONNECTED))
        beside = [
            asyncio.create_task(self._keep_alive(session)),
            asyncio.create_task(self._catch_up(session)),
            asyncio.create_task(session.write_pieces()),
        ]
        try:
            await self._answer_all(session)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _answer_all(self, session: "_Session") -> None:
        buffer = MessageBuffer()
        while received := await session.reader.read(65536):
            if session.silent:
                continue
            buffer.feed(received)
            for message in buffer.messages():
                self._answer(session, message)
                if message.type == MessageType.CLOSE_CONNECTION:
                    await session.sent()
                    return
            await session.writer.drain()

    def _answer(self, session: "_Session", message: Message) -> None:
        if message.type == MessageType.KEEPALIVE_ACK:
            self.acknowledged_keepalives += 1
            session.unanswered = 0
        elif message.type == MessageType.ENABLE_EVENTS_AND_REPORTS:
            session.holding = False
        elif message.type != MessageType.GET_REPORT:
            before = self.state.active_rospec
            reply = answer(self.state, message)
            session.send(reply.type, message.id, reply.body)
            session.configured.set()
            self._tell_of_inventory(before)
        self._flush()

    def _flush(self) -> None:
        """Send what waits, as far as the client takes it."""
        session = self._session
        if session is None or session.holding or session.silent or session.gone:
            return
        if self._overflowed:
            self._overflowed = False
            self._notify(session, events.BufferOverflowEvent())
        while self._held_events:
            self._notify(session, self._held_events.popleft())
        while self._held and session.unsent < MOST_UNSENT:
            batch = [
                self._held.popleft() for _ in range(min(len(self._held), self.state.report_every))
            ]
            body = encode_tag_reports(batch, impinj_extras=self.state.sends_extras)
            session.send(MessageType.RO_ACCESS_REPORT, _UNASKED_ID, body)
        if self._held:
            session.congested.set()
        else:
            self._warned = False

    def _notify(self, session: "_Session", event: events.ReaderEvent) -> None:
        body = events.encode_notification([event], utc_us=self._clock_us())
        session.send(MessageType.READER_EVENT_NOTIFICATION, _UNASKED_ID, body)

    async def _keep_alive(self, session: "_Session") -> None:
        while True:
            period_ms = self.state.keepalive_ms
            if period_ms:
                await asyncio.sleep(period_ms / 1000)
                if session.unanswered >= GIVES_UP_AFTER:
                    session.writer.transport.abort()  # nobody is there: make room
                    return
                session.unanswered += 1
                session.send(MessageType.KEEPALIVE, self.sessions, b"")
            else:
                session.configured.clear()
                await session.configured.wait()

    async def _catch_up(self, session: "_Session") -> None:
        """Go on with what waits whenever a slow client has taken what was sent."""
        while True:
            await session.congested.wait()
            session.congested.clear()
            await session.sent()
            self._flush()


class _Session:
    """One client's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        piece: Callable[[], int] | None,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.holding = False
        self.silent = False
        self.gone = False
        self.unanswered = 0
        self.configured = asyncio.Event()
        self.congested = asyncio.Event()
        self._piece = piece
        self._unsent = bytearray()
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    @property
    def unsent(self) -> int:
        """Give the bytes the network has not taken yet."""
        return self.writer.transport.get_write_buffer_size() + len(self._unsent)

    async def sent(self) -> None:
        """Wait until the network has taken what there is, or most of it."""
        await self._emptied.wait()
        await self.writer.drain()

    def send(self, message_type: int, message_id: int, body: bytes) -> None:
        """Send one message, unless the session is silent or gone."""
        if not self.silent and not self.gone:
            self.write(encode_message(message_type, message_id, body))

    def write(self, stream: bytes) -> None:
        """Send bytes, at once or piece by piece."""
        if self._piece is None:
            self.writer.write(stream)
        else:
            self._unsent += stream
            self._emptied.clear()
            self._arrived.set()

    async def write_pieces(self) -> None:
        """Send what is to go out in pieces, each by itself on the way."""
        try:
            while self._piece is not None:
                await self._arrived.wait()
                self._arrived.clear()
                while self._unsent:
                    size = self._piece()
                    self.writer.write(self._unsent[:size])
                    del self._unsent[:size]
                    await self.writer.drain()
                    await asyncio.sleep(0)  # the kernel would join what it is given together
                self._emptied.set()
        finally:
            self._emptied.set()
