"""Driver for fixed UHF RFID readers that speak LLRP over TCP (port 5084).

A session: wait for the reader to take us, ask what it can do, set keepalives and holding, order
the inventory (unless the reader still runs the very same order), let events and reports flow.
"""

import asyncio
import itertools
import logging
from typing import Literal

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.capabilities import Capabilities, decode_capabilities
from aerocast_protocols.llrp.extensions import decode_extensions_response, encode_enable_extensions
from aerocast_protocols.llrp.framing import (
    Message,
    MessageBuffer,
    MessageType,
    encode_message,
    keepalive_ack,
)
from aerocast_protocols.llrp.reader_config import ReaderConfig, encode_reader_config
from aerocast_protocols.llrp.rospec import (
    ACTIVE,
    INACTIVE,
    decode_rospec_states,
    encode_rospec,
    encode_rospec_id,
)
from aerocast_protocols.llrp.status import decode_status
from aerocast_protocols.llrp.tag_report import TagReportDecoder
from aerocast_protocols.observations import DeviceEvent, GpioEdge

from aerocast_agent.clock import boot_ns
from aerocast_agent.driver import Accept
from aerocast_agent.profiles import ANY_READER, ReaderProfile
from aerocast_agent.reader_order import config_for, doubts, is_impinj, rospec_for
from aerocast_agent.tag_reads import tag_read

CONNECT_LIMIT_S = 10.0  # readers take a client within a second or two, or not at all
ANSWER_LIMIT_S = 10.0  # while the session is being set up
GOODBYE_LIMIT_S = 0.5
MISSED_KEEPALIVES = 2  # silence of this many periods, and a little, means that it is gone
EVERYTHING = b"\0"  # GET_READER_CAPABILITIES, GET_READER_CONFIG: all of it
EVERY_ROSPEC = 0
MOST_GPIS = 64

Change = Literal["antenna_connected", "antenna_disconnected", "overflow", "configuration"]
log = logging.getLogger(__name__)


class RequestRefusedError(ProtocolError):
    """The reader did not do what it was asked; the message says what it answered."""


class LlrpReader:
    """Reads tags, photo eyes and antenna faults from one reader.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where the reader listens.
    profile
        How to set it up; None leaves radio settings to the reader.
    """

    def __init__(
        self, name: str, host: str, port: int = 5084, profile: ReaderProfile | None = None
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._profile = profile or ANY_READER

    async def run(self, accept: Accept) -> None:
        """Read until the reader is lost.

        Raises
        ------
        OSError
            It cannot be reached, serves another client, or closed the connection.
        TimeoutError
            It has been silent for two keepalive periods.
        ProtocolError
            It sent what LLRP does not allow, or refused a request.
        """
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port)
        except TimeoutError:
            raise TimeoutError(
                f"{self.name}: {self._host}:{self._port} did not answer in {CONNECT_LIMIT_S:.0f} s"
            ) from None
        session = _Session(self.name, reader, writer, accept)
        try:
            await session.begin()
            await self._set_up(session)
            accept(DeviceEvent(device=self.name, boot_ns=boot_ns(), event="connected"))
            session.silence_limit_s = (MISSED_KEEPALIVES + 0.1) * self._profile.keepalive_s
            while True:
                session.take(await session.receive())
        finally:
            await session.end()

    async def _set_up(self, session: "_Session") -> None:
        capabilities = decode_capabilities(
            await session.request(
                MessageType.GET_READER_CAPABILITIES,
                MessageType.GET_READER_CAPABILITIES_RESPONSE,
                EVERYTHING,
            )
        )
        for doubt in doubts(capabilities, self._profile):
            log.warning("%s: %s", self.name, doubt)
            session.tell("configuration", doubt)
        extras = await self._extensions(session, capabilities)
        await self._configure(session, config_for(capabilities, self._profile))
        await self._order(session, capabilities, extras=extras)
        session.send(MessageType.ENABLE_EVENTS_AND_REPORTS)

    async def _configure(self, session: "_Session", config: ReaderConfig) -> None:
        kinds = MessageType.SET_READER_CONFIG, MessageType.SET_READER_CONFIG_RESPONSE
        try:
            await session.request(*kinds, encode_reader_config(config))
        except RequestRefusedError as error:
            # Some readers know not all events, or take no inputs: do without rather than not read.
            log.warning("%s; going on without its events and inputs", error)
            session.tell("configuration", f"{error}; going on without its events and inputs")
            bare = msgspec.structs.replace(config, events=(), gpis=())
            await session.request(*kinds, encode_reader_config(bare))

    async def _extensions(self, session: "_Session", capabilities: Capabilities) -> bool:
        if not is_impinj(capabilities):
            return False
        body = await session.request(
            MessageType.CUSTOM_MESSAGE,
            MessageType.CUSTOM_MESSAGE,
            encode_enable_extensions(),
            has_status=False,
        )
        return decode_extensions_response(body).succeeded

    async def _order(
        self, session: "_Session", capabilities: Capabilities, *, extras: bool
    ) -> None:
        rospec = rospec_for(capabilities, self._profile, extras=extras)
        states = await self._states(session)
        if states.get(rospec.rospec_id) == ACTIVE:
            return  # reading went on while we were away: do not interrupt it
        if states:
            await session.request(
                MessageType.DELETE_ROSPEC,
                MessageType.DELETE_ROSPEC_RESPONSE,
                encode_rospec_id(EVERY_ROSPEC),
            )
        this = encode_rospec_id(rospec.rospec_id)
        await session.request(
            MessageType.ADD_ROSPEC, MessageType.ADD_ROSPEC_RESPONSE, encode_rospec(rospec)
        )
        await session.request(MessageType.ENABLE_ROSPEC, MessageType.ENABLE_ROSPEC_RESPONSE, this)
        if (await self._states(session)).get(rospec.rospec_id) == INACTIVE:
            # It should have started by itself; some readers want to be told.
            await session.request(MessageType.START_ROSPEC, MessageType.START_ROSPEC_RESPONSE, this)

    async def _states(self, session: "_Session") -> dict[int, int]:
        return decode_rospec_states(
            await session.request(MessageType.GET_ROSPECS, MessageType.GET_ROSPECS_RESPONSE)
        )


class _Session:
    """One connection: requests with their answers, and everything that comes between them."""

    def __init__(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, accept: Accept
    ) -> None:
        self.silence_limit_s = ANSWER_LIMIT_S
        self._name = name
        self._reader = reader
        self._writer = writer
        self._accept = accept
        self._ids = itertools.count(1)
        self._buffer = MessageBuffer()
        self._messages = self._buffer.messages()
        self._reports = TagReportDecoder()
        self._received_ns = boot_ns()
        self._is_taken = False

    async def begin(self) -> None:
        """Wait until the reader says that it takes us.

        Raises
        ------
        ConnectionRefusedError
            It serves another client.
        """
        message = await self.receive()
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

    async def request(
        self,
        kind: MessageType,
        response: MessageType,
        body: bytes = b"",
        *,
        has_status: bool = True,
    ) -> bytes:
        """Ask, and give the body of the answer; what comes in between is taken as ever.

        Raises
        ------
        RequestRefusedError
            The reader refused.
        """
        message_id = self.send(kind, body)
        while True:
            message = await self.receive()
            if message.id != message_id or message.type not in {
                response,
                MessageType.ERROR_MESSAGE,
            }:
                self.take(message)
                continue
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

    async def receive(self) -> Message:
        """Wait for the next message; keepalives are answered on the way.

        Raises
        ------
        TimeoutError
            The reader has been silent for ``silence_limit_s``.
        ConnectionResetError
            It closed the connection.
        """
        while True:
            for message in self._messages:
                if message.type != MessageType.KEEPALIVE:
                    return message
                self._writer.write(keepalive_ack(message.id))
            await self._more()

    async def _more(self) -> None:
        try:
            async with asyncio.timeout(self.silence_limit_s):
                await self._writer.drain()
                received = await self._reader.read(65536)
        except TimeoutError:
            raise TimeoutError(
                f"{self._name} has been silent for {self.silence_limit_s:.1f} s"
            ) from None
        if not received:
            raise ConnectionResetError(f"{self._name} closed the connection")
        self._received_ns = boot_ns()
        self._buffer.feed(received)
        self._messages = self._buffer.messages()

    def take(self, message: Message) -> None:
        """Hand in what a message reports."""
        if message.type == MessageType.RO_ACCESS_REPORT:
            for report in self._reports.decode(message.body):
                self._accept(tag_read(report, self._name, self._received_ns))
        elif message.type == MessageType.READER_EVENT_NOTIFICATION:
            for event in events.decode_notification(message.body).events:
                self._take_event(event)
        else:
            log.debug("%s: message type %d passed over", self._name, message.type)

    def _take_event(self, event: events.ReaderEvent) -> None:
        match event:
            case events.GpiEvent(port, level) if 1 <= port <= MOST_GPIS:
                self._accept(
                    GpioEdge(device=self._name, boot_ns=self._received_ns, pin=port, level=level)
                )
            case events.AntennaEvent(antenna, connected):
                change: Change = "antenna_connected" if connected else "antenna_disconnected"
                self.tell(change, f"antenna {antenna}", antenna or None)
            case events.BufferOverflowEvent():
                self.tell("overflow", "the reader's report buffer overflowed: reads are lost")
            case events.ConnectionAttemptEvent(status):
                self._check(status)
            case events.ConnectionCloseEvent():
                raise ConnectionResetError(f"{self._name} is closing the connection")
            case _:
                log.info("%s: %s", self._name, event)

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
