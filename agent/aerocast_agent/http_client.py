"""Ask a reader over HTTP/1.1, a connection a request; listen to a response without end."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.http_messages import Head, ResponseBuffer

from aerocast_agent.network_reader import Access
from aerocast_agent.tcp_link import connect

if TYPE_CHECKING:
    from ssl import SSLContext

ANSWER_LIMIT_S = 10.0
LARGEST_BODY = 1024 * 1024
DEFAULT_PORTS = {"http": 80, "https": 443}


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    body: bytes


class Stream:
    """A response as it comes."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._response = ResponseBuffer()
        self._early = b""  # of the body, come with the head
        self._ended = False

    async def head(self) -> Head:
        """Wait for the response's head (``OSError``, ``ProtocolError``)."""
        while True:
            self._early += self._response.body()
            if self._response.head is not None:
                return self._response.head
            await self._more()
            if self._ended:
                raise ConnectionResetError("the connection closed before it answered")

    async def read(self) -> bytes:
        """Give the next bytes of the body; empty at its end (``OSError``, ``ProtocolError``)."""
        early, self._early = self._early, b""
        if early:
            return early
        while True:
            content = self._response.body()
            if content or self._response.is_complete:
                return content
            if self._ended:
                if self._response.lasts_until_close:
                    return b""
                raise ConnectionResetError("the connection closed in the middle of an answer")
            await self._more()

    async def _more(self) -> None:
        received = await self._reader.read(65_536)
        self._ended = not received
        self._response.feed(received)


class HttpClient:
    """Asks one server.

    Parameters
    ----------
    url
        ``http://host`` or ``https://host``, a port allowed.
    answer_limit_s
        How long a whole answer may take.
    """

    def __init__(self, url: str, access: Access, *, answer_limit_s: float = ANSWER_LIMIT_S) -> None:
        self._answer_limit_s = answer_limit_s
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._access = access

    async def ask(self, method: str, path: str, body: bytes = b"") -> Reply:
        """Ask, and give the whole answer.

        Raises
        ------
        OSError
            Nobody answers, or not in time (``TimeoutError``).
        ProtocolError
            The answer is no HTTP, or too long.
        """
        try:
            async with asyncio.timeout(self._answer_limit_s):
                return await self._whole(method, path, body)
        except TimeoutError:
            raise TimeoutError(
                f"{self._host}:{self._port} did not answer {path} in {self._answer_limit_s:.0f} s"
            ) from None

    async def _whole(self, method: str, path: str, body: bytes) -> Reply:
        async with self.open(method, path, body) as stream:
            head = await stream.head()
            content = b""
            while piece := await stream.read():
                content += piece
                if len(content) > LARGEST_BODY:
                    raise ProtocolError(f"{self._host}{path}: answer of over {LARGEST_BODY} bytes")
            return Reply(head.status, content)

    @asynccontextmanager
    async def open(self, method: str, path: str, body: bytes = b"") -> AsyncIterator[Stream]:
        """Ask, and give the answer as it comes; the connection closes with the block."""
        reader, writer = await connect(self._host, self._port, tls=self._tls())
        try:
            writer.write(self._request(method, path, body))
            await writer.drain()
            yield Stream(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):  # it is closing anyway
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        host = f"[{self._host}]" if ":" in self._host else self._host
        fields = [
            f"{method} {path} HTTP/1.1",
            f"Host: {host}:{self._port}",
            "Accept: application/json",
            "User-Agent: aerocast-agent",
        ]
        if self._access.user is not None:
            pair = f"{self._access.user}:{self._access.password or ''}".encode()
            fields.append(f"Authorization: Basic {base64.b64encode(pair).decode()}")
        if body or method in {"POST", "PUT"}:
            fields += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*fields, "", ""]).encode() + body

    def _tls(self) -> "SSLContext | None":
        if self._scheme != "https":
            return None
        from aerocast_agent.tls import context_for  # noqa: PLC0415  memory: few speak TLS

        context = context_for(None, None, self._access.ca, 0.0)
        if self._access.ca is not None:
            context.check_hostname = False  # certificates of readers carry factory names
        return context
