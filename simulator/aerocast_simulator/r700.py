"""An Impinj R700 as its clients meet it by the IoT device interface: HTTP, one stream, presets.

It keeps to what is public of the interface: events as lines of JSON on a chunked response, reads
only while an inventory runs, a status that says so, a user and password if it has any.
"""

import asyncio
import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

_PREFIX = "/api/v1/profiles/inventory/presets/"


class R700:
    """A reader with a network port.

    Parameters
    ----------
    user, password
        Whom it lets in; None: everybody.
    epc_hex, epc_base64
        Which texts of the EPC its preset enables.
    chunk
        Splits of an event's line on the wire, in bytes; None: whole lines.
    answers_late
        Whether it keeps its answer to the stream's request back until there is an event.

    Attributes
    ----------
    port
        Where it listens, once started.
    starts
        Presets begun so far.
    asked
        Requests so far: method and path.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        password: str = "",
        epc_hex: bool = True,
        epc_base64: bool = False,
        chunk: int | None = None,
        answers_late: bool = False,
    ) -> None:
        self.port = 0
        self.status = "idle"
        self.starts: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.silent = False
        self._key = None if user is None else base64.b64encode(f"{user}:{password}".encode())
        self._epc_hex, self._epc_base64 = epc_hex, epc_base64
        self._chunk = chunk
        self._answers_late = answers_late
        self._unanswered: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._streams: list[asyncio.StreamWriter] = []
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; ``port`` 0 takes a free one."""
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    @property
    def is_streaming(self) -> bool:
        """Say whether anybody listens."""
        return bool(self._streams)

    def read(self, epc: bytes, antenna: int = 1, rssi_dbm: float = -60.0) -> bool:
        """Read a tag; gives False when no inventory runs, so that nothing is read."""
        if self.status != "running":
            return False
        tag: dict[str, object] = {
            "antennaPort": antenna,
            "peakRssiCdbm": round(rssi_dbm * 100),
            "phaseAngle": 33.75,
            "frequency": 865_700,
        }
        if self._epc_hex:
            tag["epcHex"] = epc.hex().upper()
        if self._epc_base64:
            tag["epc"] = base64.urlsafe_b64encode(epc).decode()
        self.tell("tagInventory", tag)
        return True

    def antenna(self, antenna: int, *, connected: bool) -> None:
        """Plug an antenna in or pull it out."""
        kind = "antennaConnected" if connected else "antennaDisconnected"
        self.tell(kind, {"antennaPort": antenna})

    def gpio(self, pin: int, level: int) -> None:
        """Change an input."""
        transition = "low-to-high" if level else "high-to-low"
        self.tell("gpiTransition", {"gpi": pin, "transition": transition})

    def tell(self, kind: str, content: object) -> None:
        """Send an event to everybody who listens."""
        line = event(kind, content) + b"\r\n"
        for writer in self._streams:
            self._send(writer, line)

    def drop(self) -> None:
        """Lose every connection."""
        for writer in self._serving.values():
            writer.transport.abort()

    def _send(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        self._begin(writer)
        size = self._chunk or len(line)
        for at in range(0, len(line), size):
            piece = line[at : at + size]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = writer
            task.add_done_callback(self._serving.pop)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head, reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first, *fields = head.decode("ascii").split("\r\n")
        method, path, _ = first.split(" ")
        self.asked.append((method, path))
        if self.silent:
            await reader.read()
        elif self._key is not None and f"Authorization: Basic {self._key.decode()}" not in fields:
            await _reply(writer, "401 Unauthorized", b"{}")
        elif (method, path) == ("GET", "/api/v1/data/stream"):
            await self._stream(reader, writer)
        elif (method, path) == ("GET", "/api/v1/status"):
            status = {"status": self.status, "serialNumber": "370-20-44-1234"}
            await _reply(writer, "200 OK", json.dumps(status).encode())
        elif method == "POST" and path.startswith(_PREFIX) and path.endswith("/start"):
            self.starts.append(path.removeprefix(_PREFIX).removesuffix("/start"))
            self.status = "running"
            await _reply(writer, "204 No Content", None)
        else:
            await _reply(writer, "404 Not Found", b'{"message": "no such place"}')

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._unanswered.add(writer)
        if not self._answers_late:
            self._begin(writer)
        self._streams.append(writer)
        try:
            await reader.read()  # until the client is gone
        finally:
            self._streams.remove(writer)
            self._unanswered.discard(writer)

    def _begin(self, writer: asyncio.StreamWriter) -> None:
        if writer in self._unanswered:
            self._unanswered.remove(writer)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )


def event(kind: str, content: object) -> bytes:
    """Write one event, as it comes on the stream and over MQTT."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    whole = {"timestamp": now, "hostname": "impinj-14-00-01", "eventType": kind}
    return json.dumps({**whole, f"{kind}Event": content}).encode()


async def _reply(writer: asyncio.StreamWriter, status: str, body: bytes | None) -> None:
    length = b"" if body is None else f"Content-Length: {len(body)}\r\n".encode()
    writer.write(f"HTTP/1.1 {status}\r\n".encode() + length + b"\r\n" + (body or b""))
    await writer.drain()
