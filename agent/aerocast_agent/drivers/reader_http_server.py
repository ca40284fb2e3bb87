"""Driver for readers that post tags to the gateway: Zebra's IoT Connector, Impinj R700 webhooks."""

import asyncio
import base64
import hmac
import logging

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.http_messages import Request, RequestBuffer
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.network_reader import Access, Maker, Reports, decoder
from aerocast_agent.tcp_link import keep_alive

log = logging.getLogger(__name__)

SILENCE_LIMIT_S = 120.0  # a connection that says nothing for so long is closed; readers come back
MOST_CONNECTIONS = 16
_ANSWERS = {
    200: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    401: b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=aerocast\r\n"
    b"Content-Length: 0\r\n\r\n",
    405: b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n",
}


class HttpReader:
    """Takes what one reader posts, at any path.

    It counts as connected once it listens: whether the reader speaks, ``silent_after_s`` watches.
    A post is answered after what is in it was accepted, so that the reader keeps it otherwise.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    listen, port
        Address and port of this machine.
    access
        User and password the reader must give.
    maker
        Whose JSON it is.

    Attributes
    ----------
    port
        Where it listens; with 0 given, the one the system chose once it does.
    """

    def __init__(self, name: str, listen: str, port: int, access: Access, maker: Maker) -> None:
        self.name = name
        self.port = port
        self._listen = listen
        pair = f"{access.user or ''}:{access.password or ''}".encode()
        self._key = b"Basic " + base64.b64encode(pair)
        self._maker = maker
        self._connections = 0

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled (``OSError`` when the port cannot be had)."""
        self._connections = 0
        reports = Reports(self.name, decoder(self._maker), accept)
        group = asyncio.TaskGroup()
        server = await asyncio.start_server(
            lambda reader, writer: group.create_task(self._serve(reader, writer, reports)),
            self._listen,
            self.port,
            start_serving=False,
        )
        try:
            async with group:
                await server.start_serving()
                self.port = server.sockets[0].getsockname()[1]
                accept(
                    DeviceEvent(
                        device=self.name,
                        boot_ns=clock.boot_ns(),
                        event="connected",
                        detail=f"listens at {self._listen}:{self.port}"[:512],
                    )
                )
                await asyncio.get_running_loop().create_future()  # until cancelled
        finally:
            server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reports: Reports
    ) -> None:
        if self._connections >= MOST_CONNECTIONS:
            log.warning("%s: turned away: %d are connected", self.name, MOST_CONNECTIONS)
            writer.close()
            return
        self._connections += 1
        try:
            keep_alive(writer)
            await self._converse(reader, writer, reports)
        except (OSError, ProtocolError) as error:  # TimeoutError is an OSError
            log.info("%s: a connection ended: %r", self.name, error)
            if isinstance(error, ProtocolError):
                writer.write(_ANSWERS[400])
        finally:
            self._connections -= 1
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reports: Reports
    ) -> None:
        buffer = RequestBuffer()
        while True:
            async with asyncio.timeout(SILENCE_LIMIT_S):
                received = await reader.read(65_536)
            if not received:
                return
            arrived_ns = clock.boot_ns()
            buffer.feed(received)
            for request in buffer.requests():
                status = self._judge(request)
                if status == 200:
                    reports.take(request.body, arrived_ns)
                writer.write(_ANSWERS[status])
            await writer.drain()

    def _judge(self, request: Request) -> int:
        given = request.fields.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, self._key):
            return 401
        return 200 if request.method in {"POST", "PUT"} else 405
