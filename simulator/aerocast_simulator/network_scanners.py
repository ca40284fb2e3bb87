"""A fixed-mount scanner on the network: it waits for the gateway, or connects to it."""

import asyncio

from aerocast_protocols.barcode.framing import Framing, encode_scan

from aerocast_simulator.scanner_memory import ScannerMemory


class TunnelScanner:
    """One head of a tunnel.

    Parameters
    ----------
    framing
        How it ends a text.
    memory
        Its settings, when it can be programmed.

    Attributes
    ----------
    port
        Where it listens, once it does.
    connections
        How many gateways have found it, or it has found, so far.
    """

    def __init__(self, framing: Framing = "auto", memory: ScannerMemory | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._framing: Framing = framing
        self._memory = memory
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._connected = asyncio.Event()
        self._talking: set[asyncio.Task[None]] = set()

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Wait for gateways."""
        self._server = await asyncio.start_server(self._found, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def connect(self, host: str, port: int) -> None:
        """Connect to a gateway that listens (``OSError`` when none does)."""
        reader, writer = await asyncio.open_connection(host, port)
        self._found(reader, writer)

    async def connected(self) -> None:
        """Wait until there is a gateway."""
        await self._connected.wait()

    def scan(self, text: str) -> None:
        """Read a code; an AIM identifier is part of the text."""
        self.send(encode_scan(text, self._framing))

    def no_read(self) -> None:
        """See a bag pass and read nothing."""
        self.scan("NoRead")

    def send(self, sent: bytes) -> None:
        """Send bytes to all gateways."""
        for writer in self._writers:
            writer.write(sent)

    def drop(self) -> None:
        """Lose every connection, and go on listening."""
        for writer in self._writers:
            writer.close()
        self._connected.clear()
        if self._memory is None:
            self._writers.clear()

    def stop(self) -> None:
        """Lose every connection and listen no more."""
        self.drop()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _found(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connections += 1
        self._connected.set()
        if self._memory is not None:
            talking = asyncio.create_task(self._talk(reader, writer, self._memory))
            self._talking.add(talking)
            talking.add_done_callback(self._talking.discard)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, memory: ScannerMemory
    ) -> None:
        while received := await reader.read(4096):
            writer.write(encode_scan("0220123456", self._framing))  # a bag passes meanwhile
            writer.write(memory.answer(received))
        writer.close()
        self._writers.remove(writer)
