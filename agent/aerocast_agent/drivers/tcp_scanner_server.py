"""Driver for fixed-mount scanners that connect by themselves: the gateway listens."""

import asyncio
import logging
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Literal

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.scanner_link import read_scans
from aerocast_agent.scans import PLAIN, ScanRules
from aerocast_agent.tcp_link import keep_alive

log = logging.getLogger(__name__)

Change = Literal["connected", "lost"]

MOST_SCANNERS = 16  # heads of the largest tunnel; a peer that connects for ever costs no more
REPEAT_S = 600.0  # one that is turned away for ever is told of so often
MOST_TOLD = 64  # addresses in that time; more are turned away without a word


class TcpScannerServer:
    """Takes the connections of one tunnel's scanners, each with texts of its own.

    It counts as connected while at least one of them is.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    listen, port
        Address and port of this machine.
    scanners
        IP addresses that may connect; none named: any.

    Attributes
    ----------
    port
        Where it listens; with 0 given, the one the system chose once it does.
    listening
        Set when it does.
    """

    def __init__(
        self,
        name: str,
        listen: str,
        port: int,
        rules: ScanRules = PLAIN,
        *,
        scanners: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.port = port
        self.listening = asyncio.Event()
        self._listen, self._rules = listen, rules
        self._allowed = frozenset(ip_address(each) for each in scanners)
        self._connected = 0
        self._told_s: dict[str, float] = {}

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled (``OSError`` when the port cannot be had)."""
        self._connected = 0
        group = asyncio.TaskGroup()
        server = await asyncio.start_server(
            lambda reader, writer: group.create_task(self._serve(reader, writer, accept)),
            self._listen,
            self.port,
            start_serving=False,
        )
        async with group:
            try:
                await server.start_serving()
                self.port = server.sockets[0].getsockname()[1]
                self.listening.set()
                await asyncio.get_running_loop().create_future()  # until cancelled
            finally:
                self.listening.clear()
                server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, accept: Accept
    ) -> None:
        peer = str((writer.get_extra_info("peername") or [""])[0])  # it may be gone again
        try:
            if not peer or not self._is_welcome(peer):
                return
            keep_alive(writer)
            self._connected += 1
            try:
                self._tell(accept, "connected", peer)
                await read_scans(self.name, reader, self._rules, accept)
            finally:
                self._connected -= 1
        except (OSError, ProtocolError) as error:
            log.warning("%s: %s: %s", self.name, peer, error)
            if self._connected == 0:
                self._tell(accept, "lost", f"{peer}: {error}")
        finally:
            writer.close()

    def _is_welcome(self, peer: str) -> bool:
        address = ip_address(peer.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if self._allowed and address not in self._allowed:
            return self._turn_away(peer, "it is none of its scanners")
        if self._connected >= MOST_SCANNERS:
            return self._turn_away(peer, f"{MOST_SCANNERS} are connected")
        return True

    def _turn_away(self, peer: str, why: str) -> Literal[False]:
        """Say so, but not each time: scanners come back every second for ever."""
        now_s = asyncio.get_running_loop().time()
        self._told_s = {who: at_s for who, at_s in self._told_s.items() if now_s < at_s + REPEAT_S}
        if peer not in self._told_s and len(self._told_s) < MOST_TOLD:
            self._told_s[peer] = now_s
            log.warning("%s: %s is turned away: %s", self.name, peer, why)
        return False

    def _tell(self, accept: Accept, event: Change, detail: str) -> None:
        accept(
            DeviceEvent(device=self.name, boot_ns=clock.boot_ns(), event=event, detail=detail[:512])
        )
