"""A dongle that is not there: rtl_tcp's end of the line, serving the simulated air."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aerocast_protocols.modes.rtl_tcp import (
    Command,
    Greeting,
    Order,
    OrderBuffer,
    encode_greeting,
)

from aerocast_simulator.radio_sky import SLICE_S, RadioSky

R820T = Greeting(tuner_type=5, gain_steps=29)
RATE_WITHIN_S = 5.0  # whoever asked for no rate by then gets the one there was
PIECE_BYTES = 16_383  # odd: a network cuts samples in two


class RtlTcpServer:
    """Serves one client at a time, as rtl_tcp does; a second waits for its greeting.

    Parameters
    ----------
    sky
        Gives the air for the sample rate a client asks for.
    rate_hz
        The rate before a client asks.
    speed
        Simulated seconds a second.

    Attributes
    ----------
    port
        Where it listens once started.
    orders
        What clients asked for.
    """

    def __init__(
        self, sky: Callable[[int], RadioSky], *, rate_hz: int = 2_400_000, speed: float = 1.0
    ) -> None:
        self.port = 0
        self.orders: list[Order] = []
        self._sky = sky
        self._rate_hz = rate_hz
        self._speed = speed
        self._server: asyncio.Server | None = None
        self._turn = asyncio.Lock()
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._number = 0  # of the slice to come: the air goes on between clients

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        self.unplug()
        await asyncio.gather(*self._clients)
        await self._server.wait_closed()

    def unplug(self) -> None:
        """Lose the dongle: every connection ends, the server stays."""
        for writer in self._clients.values():
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients[task] = writer
        task.add_done_callback(self._clients.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening: asyncio.Task[None] | None = None
        try:
            async with self._turn:
                writer.write(encode_greeting(R820T))
                await writer.drain()
                asked = asyncio.Event()
                listening = asyncio.create_task(self._obey(reader, asked))
                with suppress(TimeoutError):
                    async with asyncio.timeout(RATE_WITHIN_S):
                        await asked.wait()
                await self._send(writer, listening)
        except ConnectionError:
            return
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            writer.close()

    async def _obey(self, reader: asyncio.StreamReader, asked: asyncio.Event) -> None:
        """Note orders until the client leaves; tell when it has asked for its rate, or left."""
        orders = OrderBuffer()
        try:
            while received := await reader.read(1024):
                orders.feed(received)
                for order in orders.orders():
                    self.orders.append(order)
                    if order.command == Command.SAMPLE_RATE:
                        self._rate_hz = order.argument
                        asked.set()
        finally:
            asked.set()

    async def _send(self, writer: asyncio.StreamWriter, client: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        sky, due_s = self._sky(self._rate_hz), loop.time()
        while not client.done():
            content = await asyncio.to_thread(sky.cu8, self._number)
            self._number += 1
            due_s += SLICE_S / self._speed
            # No slice is there before it is over.
            await asyncio.sleep(max(due_s - loop.time(), 0.0))
            for start in range(0, len(content), PIECE_BYTES):
                writer.write(content[start : start + PIECE_BYTES])
            await writer.drain()
