"""A gateway of a load test, and the connections it loses."""

import asyncio
import socket
import time
from contextlib import ExitStack

from aerocast_simulator.load_gateway import Broker, LoadGateway, Pace

from tests.waiting import until


async def test_whoever_comes_to_a_lost_connections_place_is_heard():
    """The kernel gives a closed connection's number to the next: nobody may wait there any more."""
    met = asyncio.Event()

    async def hang_up(reader, writer):
        await reader.read(1000)
        writer.close()
        met.set()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    broker = Broker(*server.sockets[0].getsockname()[:2])
    gateway = LoadGateway("load", "g1", broker, Pace(), lambda _: None)
    running = asyncio.create_task(gateway.run(time.monotonic() + 3600, 0))
    await met.wait()
    await until(lambda: gateway.reconnects)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    server.close()
    await server.wait_closed()

    loop = asyncio.get_running_loop()
    with ExitStack() as opened:
        pairs = [socket.socketpair() for _ in range(10)]
        for end, other in [*pairs, *(pair[::-1] for pair in pairs)]:
            opened.enter_context(end)
            heard = asyncio.Event()
            loop.add_reader(end, heard.set)
            other.send(b"x")
            async with asyncio.timeout(60):
                await heard.wait()
            loop.remove_reader(end)
