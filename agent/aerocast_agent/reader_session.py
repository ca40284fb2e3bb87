"""One LLRP connection to an RFID reader: requests with their answers, and all between them."""

import asyncio
import itertools
import logging
from typing import Literal

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.framing import (
    Message,
    MessageBuffer,
    MessageType,
    encode_message,
    keepalive_ack,
)
from aerocast_protocols.llrp.status import decode_status
from aerocast_protocols.llrp.tag_report import TagReportDecoder
from aerocast_protocols.observations.bags import GpioEdge
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent.clock import boot_ns
from aerocast_agent.driver import Accept
from aerocast_agent.tag_reads import tag_read

ANSWER_LIMIT_S = 10.0  # while nothing is agreed on keepalives
GOODBYE_LIMIT_S = 0.5
MISSED_KEEPALIVES = 2  # so many missed, and it is gone
MOST_GPIS = 64
_LATE = 1.05  # a keepalive may be a little late

Change = Literal["antenna_connected", "antenna_disconnected", "overflow", "configuration"]
log = logging.getLogger(__name__)


class RequestRefusedError(ProtocolError):
    """The reader did not do what it was asked; the message says what it answered."""


class ReaderSession:
    """A connection to one reader, from its first words to its end.

    Attributes
    ----------
    patience_s
        Silence of this long, so many times as keepalives may be missed, is the end of the session.
    order
        The ROSpec that is to run; 0: none.
    """

    def __init__(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, accept: Accept
    ) -> None:
        self.patience_s = ANSWER_LIMIT_S / MISSED_KEEPALIVES
        self.order = 0
        self._name = name
        self._reader = reader
        self._writer = writer
        self._accept = accept
        self._ids = itertools.count(1)
        self._buffer = MessageBuffer()
        self._reports = TagReportDecoder()
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._received_ns = boot_ns()
        self._is_taken = False
        self._has_stopped = False

    async def begin(self) -> None:
        """Wait until the reader says that it takes us.

        Raises
        ------
        ConnectionRefusedError
            It serves another client.
        """
        message = await self._next()
        if message.type != MessageType.READER_EVENT_NOTIFICATION:
            raise ProtocolError(
                f"{self._name} began with message type {message.type}, not with a connection event"
            )
        for event in events.decode_notification(message.body).events:
            if isinstance(event, events.ConnectionAttemptEvent):
                self._check(event.status)
                self._is_taken = True
                return
        raise ProtocolError(f"{self._name} did not say whether it takes the connection")

    def expect_keepalives(self, period_s: float) -> None:
        """Hold the reader to its keepalives from now on."""
        self.patience_s = _LATE * period_s

    async def request(
        self,
        kind: MessageType,
        response: MessageType,
        body: bytes = b"",
        *,
        has_status: bool = True,
    ) -> bytes:
        """Ask, and give the body of the answer; what comes in between is taken as ever.

        Not while `follow` runs: `ask` then.

        Raises
        ------
        RequestRefusedError
            The reader refused.
        """
        message_id = self.send(kind, body)
        while True:
            message = await self._next()
            if message.id == message_id and message.type in {response, MessageType.ERROR_MESSAGE}:
                return self._answer(kind, response, message, has_status=has_status)
            self._take(message)

    async def ask(self, kind: MessageType, response: MessageType, body: bytes = b"") -> bytes:
        """Ask while `follow` runs, from another task.

        Raises
        ------
        RequestRefusedError
            The reader refused.
        ConnectionResetError
            The session ended before it answered.
        """
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        message_id = self.send(kind, body)
        self._asked[message_id] = answer
        try:
            return self._answer(kind, response, await answer, has_status=True)
        finally:
            del self._asked[message_id]

    def _answer(
        self, kind: MessageType, response: MessageType, message: Message, *, has_status: bool
    ) -> bytes:
        if has_status or message.type == MessageType.ERROR_MESSAGE:
            status = decode_status(message.body)
            if not status.succeeded or message.type != response:
                raise RequestRefusedError(
                    f"{self._name} refused {kind.name}: status {status.code}"
                    f" {status.description}".rstrip()
                )
        return message.body

    def send(self, kind: MessageType, body: bytes = b"") -> int:
        """Send a message under a new id, and give the id."""
        message_id = next(self._ids)
        self._writer.write(encode_message(kind, message_id, body))
        return message_id

    async def follow(self) -> None:
        """Hand in what the reader reports, until it stops reading by itself.

        Raises
        ------
        TimeoutError
            It has been silent for two keepalives.
        ConnectionResetError
            It closed the connection.
        """
        while True:
            for message in self._buffer.messages():
                if message.type == MessageType.KEEPALIVE:
                    self._writer.write(keepalive_ack(message.id))
                else:
                    self._take(message)
            if self._has_stopped:
                self._has_stopped = False
                return
            await self._more()

    async def _next(self) -> Message:
        """Wait for the next message; keepalives are answered on the way."""
        while True:
            for message in self._buffer.messages():
                if message.type != MessageType.KEEPALIVE:
                    return message
                self._writer.write(keepalive_ack(message.id))
            await self._more()

    async def _more(self) -> None:
        """Wait for bytes.

        The wait is in parts: when this machine stood still for a while, as it does when its disk
        is slow, one part ends at once although the bytes are there, and the next one finds them.
        """
        for _ in range(MISSED_KEEPALIVES):
            try:
                async with asyncio.timeout(self.patience_s):
                    await self._writer.drain()
                    received = await self._reader.read(65536)
            except TimeoutError:
                continue
            if not received:
                raise ConnectionResetError(f"{self._name} closed the connection")
            self._received_ns = boot_ns()
            self._buffer.feed(received)
            return
        silent_s = MISSED_KEEPALIVES * self.patience_s
        raise TimeoutError(f"{self._name} has been silent for {silent_s:.1f} s")

    def _take(self, message: Message) -> None:
        """Hand in what a message reports."""
        if message.type == MessageType.RO_ACCESS_REPORT:
            for report in self._reports.decode(message.body):
                self._accept(tag_read(report, self._name, self._received_ns))
        elif message.type == MessageType.READER_EVENT_NOTIFICATION:
            for event in events.decode_notification(message.body).events:
                self._take_event(event)
        elif message.id in self._asked:
            if not self._asked[message.id].done():
                self._asked[message.id].set_result(message)
        else:
            log.debug("%s: message type %d passed over", self._name, message.type)

    def _take_event(self, event: events.ReaderEvent) -> None:
        match event:
            case events.GpiEvent(port, level) if 1 <= port <= MOST_GPIS:
                self._accept(
                    GpioEdge(device=self._name, boot_ns=self._received_ns, pin=port, level=level)
                )
            case events.AntennaEvent(antenna, connected):
                self.tell_antenna(antenna, connected=connected)
            case events.BufferOverflowEvent():
                self.tell("overflow", "the reader's report buffer overflowed: reads are lost")
            case events.RospecEvent(events.ROSPEC_ENDED, rospec_id) if rospec_id == self.order:
                self._has_stopped = True
            case events.ConnectionAttemptEvent(status):
                self._check(status)
            case events.ConnectionCloseEvent():
                raise ConnectionResetError(f"{self._name} is closing the connection")
            case _:
                self._note(event)

    def _note(self, event: events.ReaderEvent) -> None:
        """Log what changes nothing; a fault inside the reader is told to the hub, too."""
        match event:
            case events.ExceptionEvent(message):
                log.warning("%s: %s", self._name, message)
                self.tell("configuration", f"the reader says: {message}")
            case events.BufferLevelEvent(percent):
                log.warning("%s: its report buffer is %d %% full", self._name, percent)
            case _:
                log.info("%s: %s", self._name, event)

    def tell_antenna(self, antenna: int, *, connected: bool) -> None:
        """Report how an antenna is."""
        change: Change = "antenna_connected" if connected else "antenna_disconnected"
        self.tell(change, f"antenna {antenna}", antenna or None)

    def tell(self, event: Change, detail: str, antenna: int | None = None) -> None:
        """Report something that happened to the reader itself."""
        self._accept(
            DeviceEvent(
                device=self._name,
                boot_ns=self._received_ns,
                event=event,
                detail=detail[:512],
                antenna=antenna,
            )
        )

    async def end(self) -> None:
        """Close; a session that was taken is given back, so that no ghost of it stays behind."""
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError(f"{self._name}: the session ended"))
        if self._is_taken and not self._writer.is_closing():
            self.send(MessageType.CLOSE_CONNECTION)
        self._writer.close()
        try:
            async with asyncio.timeout(GOODBYE_LIMIT_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError) as error:
            log.debug("%s: closed without goodbye: %s", self._name, error)
            self._writer.transport.abort()

    def _check(self, status: int) -> None:
        if status == events.CONNECTED:
            return
        if status == events.ANOTHER_CONNECTION_ATTEMPTED:
            log.warning("%s: somebody else tried to connect to it", self._name)
            return
        if status in {events.READER_CONNECTION_EXISTS, events.CLIENT_CONNECTION_EXISTS}:
            raise ConnectionRefusedError(
                f"{self._name} already serves another client: a second program, or a session left"
                " over from a lost connection, which the reader ends by itself after a while"
            )
        raise ConnectionRefusedError(f"{self._name} refuses the connection, status {status}")
