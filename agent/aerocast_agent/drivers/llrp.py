"""Driver for fixed UHF RFID readers that speak LLRP over TCP (port 5084; with TLS 5085).

A session: wait for the reader to take us, ask what it can do, set keepalives and holding, order
the inventory (unless the reader still runs the very same order), let events and reports flow.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from aerocast_protocols.llrp.capabilities import Capabilities, decode_capabilities
from aerocast_protocols.llrp.extensions import decode_extensions_response, encode_enable_extensions
from aerocast_protocols.llrp.framing import MessageType
from aerocast_protocols.llrp.reader_config import ReaderConfig, encode_reader_config
from aerocast_protocols.llrp.reader_settings import (
    ReaderSettings,
    decode_reader_settings,
    encode_get_reader_config,
)
from aerocast_protocols.llrp.rospec import (
    ACTIVE,
    Rospec,
    decode_active_rospec,
    decode_rospec_states,
    encode_rospec,
    encode_rospec_id,
)
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent.clock import boot_ns
from aerocast_agent.driver import Accept, ProbeReport, Settings
from aerocast_agent.profiles import ANY_READER, ReaderProfile
from aerocast_agent.reader_order import config_for, doubts, is_impinj, plain, rospec_for
from aerocast_agent.reader_session import ReaderSession, RequestRefusedError
from aerocast_agent.reader_settings import changed, probe_report, settings_of
from aerocast_agent.tcp_link import connect

if TYPE_CHECKING:
    import ssl

EVERYTHING = b"\0"  # GET_READER_CAPABILITIES: all of them
EVERY_ROSPEC = 0
STOPPED_AGAIN_S = 10.0  # a reader that stops reading sooner than this is not simply told again
log = logging.getLogger(__name__)


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
    tls
        Speak LLRP over TLS; None: over TCP as it is.
    server_name
        The name in the reader's certificate; None: ``host``.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int = 5084,
        profile: ReaderProfile | None = None,
        *,
        tls: "ssl.SSLContext | None" = None,
        server_name: str | None = None,
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._profile = profile or ANY_READER
        self._tls = tls
        self._server_name = server_name if tls is not None else None
        self._known: tuple[ReaderSession, Capabilities] | None = None  # while `run` is reading
        self._said: set[str] = set()
        self._hung: set[int] = set()  # ports an antenna was seen on since we began

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
        async with self._session(accept) as (session, capabilities):
            wishes = capabilities, self._profile
            self._say(session, [f"{each.found}: {each.mend}" for each in doubts(*wishes)])
            extras = await self._extensions(session, capabilities)
            told = await self._settings(session)
            await self._configure(session, config_for(*wishes))
            order = rospec_for(*wishes, extras=extras)
            await self._order(session, order)
            accept(DeviceEvent(device=self.name, boot_ns=boot_ns(), event="connected"))
            self._tell_antennas(session, told)
            session.send(MessageType.ENABLE_EVENTS_AND_REPORTS)
            session.expect_keepalives(self._profile.keepalive_s)
            self._known = session, capabilities
            try:
                await self._keep_reading(session, order)
            finally:
                self._known = None

    async def _keep_reading(self, session: ReaderSession, order: Rospec) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await session.follow()
            if not await self._order(session, order):
                continue  # it was held back for us from long ago: the reader reads
            if loop.time() - began_s < STOPPED_AGAIN_S:
                raise ConnectionResetError(f"{self.name} keeps stopping to read")
            session.tell("configuration", "the reader stopped reading by itself: started again")

    @asynccontextmanager
    async def _session(self, accept: Accept) -> AsyncIterator[tuple[ReaderSession, Capabilities]]:
        reader, writer = await connect(
            self._host, self._port, tls=self._tls, server_name=self._server_name
        )
        session = ReaderSession(self.name, reader, writer, accept)
        try:
            await session.begin()
            yield (
                session,
                decode_capabilities(
                    await session.request(
                        MessageType.GET_READER_CAPABILITIES,
                        MessageType.GET_READER_CAPABILITIES_RESPONSE,
                        EVERYTHING,
                    )
                ),
            )
        finally:
            await session.end()

    def _say(self, session: ReaderSession, doubts_found: list[str]) -> None:
        """Say what is not as it was wished, once and not upon each connection."""
        for doubt in doubts_found:
            if doubt not in self._said:
                log.warning("%s: %s", self.name, doubt)
                session.tell("configuration", doubt)
                self._said.add(doubt)

    async def _configure(self, session: ReaderSession, config: ReaderConfig) -> None:
        kinds = MessageType.SET_READER_CONFIG, MessageType.SET_READER_CONFIG_RESPONSE
        try:
            await session.request(*kinds, encode_reader_config(config))
        except RequestRefusedError as error:
            # Some readers know not all events, or take no inputs: do without rather than not read.
            self._say(session, [f"{error}; going on without its events and inputs"])
            bare = msgspec.structs.replace(config, events=(), gpis=())
            await session.request(*kinds, encode_reader_config(bare))

    async def _extensions(self, session: ReaderSession, capabilities: Capabilities) -> bool:
        if not is_impinj(capabilities):
            return False
        body = await session.request(
            MessageType.CUSTOM_MESSAGE,
            MessageType.CUSTOM_MESSAGE,
            encode_enable_extensions(),
            has_status=False,
        )
        return decode_extensions_response(body).succeeded

    async def _settings(self, session: ReaderSession) -> ReaderSettings | None:
        try:
            return decode_reader_settings(
                await session.request(
                    MessageType.GET_READER_CONFIG,
                    MessageType.GET_READER_CONFIG_RESPONSE,
                    encode_get_reader_config(),
                )
            )
        except RequestRefusedError as error:
            log.info("%s; its antennas are known once they change", error)
            return None

    def _tell_antennas(self, session: ReaderSession, told: ReaderSettings | None) -> None:
        """Report antennas that are there, and those that should be or have been and are not."""
        wanted = self._hung.union(self._profile.antennas)
        for antenna, connected in sorted((told.antennas if told else {}).items()):
            if connected or antenna in wanted:
                session.tell_antenna(antenna, connected=connected)
            if connected:
                self._hung.add(antenna)

    async def _order(self, session: ReaderSession, order: Rospec) -> bool:
        """Have the reader read; False when it does so already, and is not to be interrupted."""
        states = await self._states(session)
        for each in (order, plain(order)):
            session.order = each.rospec_id
            if states.get(each.rospec_id) == ACTIVE:
                return False
        if states:
            await session.request(
                MessageType.DELETE_ROSPEC,
                MessageType.DELETE_ROSPEC_RESPONSE,
                encode_rospec_id(EVERY_ROSPEC),
            )
        kinds = MessageType.ADD_ROSPEC, MessageType.ADD_ROSPEC_RESPONSE
        try:
            await session.request(*kinds, encode_rospec(order))
        except RequestRefusedError as error:
            # Rather read with the reader's own settings than not at all.
            self._say(session, [f"{error}; going on with power, channel and antennas alone"])
            order = plain(order)
            await session.request(*kinds, encode_rospec(order))
        session.order = order.rospec_id
        this = encode_rospec_id(order.rospec_id)
        await session.request(MessageType.ENABLE_ROSPEC, MessageType.ENABLE_ROSPEC_RESPONSE, this)
        await session.request(MessageType.START_ROSPEC, MessageType.START_ROSPEC_RESPONSE, this)
        return True

    async def _states(self, session: ReaderSession) -> dict[int, int]:
        return decode_rospec_states(await _rospecs(session))

    async def probe(self) -> ProbeReport:
        """Ask the reader about itself, within the session that reads or in a short one.

        Raises
        ------
        OSError, TimeoutError, ProtocolError
            As `run` does.
        """
        kinds = MessageType.GET_READER_CONFIG, MessageType.GET_READER_CONFIG_RESPONSE
        if self._known is not None:
            session, capabilities = self._known
            told = decode_reader_settings(await session.ask(*kinds, encode_get_reader_config()))
            return probe_report(capabilities, told, self._profile, is_reading=True)
        async with self._session(_pass_over) as (session, capabilities):
            await self._extensions(session, capabilities)
            settings = await self._settings(session)
            is_reading = ACTIVE in (await self._states(session)).values()
            return probe_report(capabilities, settings, self._profile, is_reading=is_reading)

    async def read_back(self) -> Settings:
        """Give the reader's present settings: of the inventory that runs, else its own.

        Raises
        ------
        OSError, TimeoutError, ProtocolError
            As `run` does.
        """
        async with self._session(_pass_over) as (session, capabilities):
            await self._extensions(session, capabilities)
            running = decode_active_rospec(await _rospecs(session))
            return settings_of(capabilities, await self._settings(session), running)

    async def apply(self, settings: Settings) -> None:
        """Write settings to the reader, and to the inventory that runs, if one does.

        Which antennas are used, what is reported and which tags answer belong to an inventory
        alone: without one they are left.

        Raises
        ------
        OSError, TimeoutError, ProtocolError
            As `run` does; the message names a setting that the reader does not have.
        """
        async with self._session(_pass_over) as (session, capabilities):
            extras = await self._extensions(session, capabilities)
            told = await self._settings(session)
            running = decode_active_rospec(await _rospecs(session))
            config, order = changed(capabilities, told, running, settings, extras=extras)
            await session.request(
                MessageType.SET_READER_CONFIG,
                MessageType.SET_READER_CONFIG_RESPONSE,
                encode_reader_config(config),
            )
            if order is not None:
                await self._order(session, order)


async def _rospecs(session: ReaderSession) -> bytes:
    return await session.request(MessageType.GET_ROSPECS, MessageType.GET_ROSPECS_RESPONSE)


def _pass_over(_observation: object) -> None:
    """Leave what the reader reports: it holds reports for the session that reads."""
