"""Claim: 1,000 WebSocket clients hear of an event within 250 ms (99 of 100).

A whole hub runs as a process on SQLite. 1,000 clients hold ``/live/ws`` open, in a process of
their own. A baggage message is posted twice a second: a client's time counts from before the
request that makes the event, so it holds the request, the transaction with its flush to disk, and
the way out of the outbox. In turns with it, as the peer: a bare asyncio server that writes a fixed
frame to the same number of connections at each request, which is what the machine takes at that
moment to tell so many at all.

Arguments: clients (1000), messages a round (10), rounds (5).
"""

import asyncio
import base64
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import httpx
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_simulator.processes import free_port
from by_the_clock import wait_for

HUB = Path(sys.executable).with_name("aerocast-hub")
CLAIM_MS = 250.0
EVERY_S = 0.5
LINGER_S = 1.0
CONNECTING = 50
MARK = b"bag_message_received"


class Round(NamedTuple):
    """How long each client waited for each event, milliseconds, sorted; and how many never came."""

    ms: list[float]
    missing: int

    def at(self, share: float) -> float:
        """Give the time within which this share had heard; of none of them, infinity."""
        if not self.ms:
            return float("inf")
        return self.ms[min(len(self.ms) - 1, int(share * len(self.ms)))]


class Listeners:
    """Many clients, in this process; `heard` are the instants at which frames came."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, port: int, token: str) -> None:
        """Open one socket and note, until it closes, when an event comes over it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            *("GET /live/ws HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade"),
            *("Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"),
            f"Authorization: Bearer {token}",
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        if status != b"101":
            raise ConnectionError(f"the socket is refused: {status!r}")
        await reader.readexactly(2)  # the head of the first frame: it is ready
        self._tasks.append(asyncio.create_task(self._note(reader, writer)))

    async def _note(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(65_536):
            for _ in range(received.count(MARK)):
                self.heard.append(time.monotonic_ns())
        writer.close()  # and until then nobody else holds on to it


def listen(pipe: Connection, port: int, token: str, clients: int) -> None:
    """Be ``clients`` clients; tell when all are there, and after each round what they heard."""

    async def run() -> None:
        listeners = Listeners()
        for start in range(0, clients, CONNECTING):
            several = range(start, min(clients, start + CONNECTING))
            await asyncio.gather(*(listeners.connect(port, token) for _ in several))
        pipe.send("ready")
        while await asyncio.to_thread(pipe.recv) != "end":
            pipe.send(listeners.heard)
            listeners.heard = []

    asyncio.run(run())


def bare(port: int) -> None:
    """Accept sockets, and write one frame to each of them when somebody asks for it."""
    frame = b'{"id":1,"event":{"kind":"' + MARK + b'","at_us":1800000000000000,"bags":1}}'
    framed = bytes([0x81, len(frame)]) + frame
    open_ones: list[asyncio.StreamWriter] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Upgrade" in head:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02{}")
            open_ones.append(writer)
            return
        for each in open_ones:
            each.write(framed)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def run() -> None:
        await asyncio.start_server(serve_one, "127.0.0.1", port, backlog=1000)
        await asyncio.Event().wait()

    asyncio.run(run())


async def measure(
    pipe: Connection, make: Callable[[int], Awaitable[None]], messages: int, clients: int
) -> Round:
    """Make events by the clock, and compare when each was begun with when it was heard."""
    begun_ns: list[int] = []
    for number in range(messages):
        begun_ns.append(time.monotonic_ns())
        await make(number)
        await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic_ns() - begun_ns[-1]) / 1e9))
    await asyncio.sleep(LINGER_S)
    pipe.send("round")
    heard_ns: list[int] = await asyncio.to_thread(pipe.recv)
    ms = []
    for at_ns in heard_ns:
        # Each was heard before the next was begun, or it counts from the earlier one.
        since = max((each for each in begun_ns if each <= at_ns), default=begun_ns[0])
        ms.append((at_ns - since) / 1e6)
    return Round(sorted(ms), messages * clients - len(ms))


async def run(clients: int, messages: int, rounds: int) -> None:
    """Measure both in turns, and print."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        port, bare_port = free_port(), free_port()
        settings = {
            "DATA_DIR": folder,
            "MODE": "dev",
            "BROKER_URL": "none:",
            "HTTP_PORT": str(port),
            "ACCOUNT_REQUESTS_PER_S": "100000",  # one account opens them all
        }
        named = {f"AEROCAST_HUB_{name}": value for name, value in settings.items()}
        hub = await asyncio.create_subprocess_exec(
            HUB, "serve", env={**os.environ, **named}, stderr=asyncio.subprocess.DEVNULL
        )
        peer = context.Process(target=bare, args=(bare_port,), daemon=True)
        peer.start()
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            await asyncio.to_thread(wait_for, port)
            may = frozenset({"baggage:read", "baggage:write"})
            signer = TokenKeys(Path(folder), is_signing=True).signer
            token = signer.issue("0", "bench", may, int(time.time()))
            client.headers["authorization"] = f"Bearer {token}"
            pipes = []
            for at in (port, bare_port):
                ours, theirs = context.Pipe()
                context.Process(
                    target=listen, args=(theirs, at, token, clients), daemon=True
                ).start()
                await asyncio.to_thread(ours.recv)
                pipes.append(ours)
            made = iter(range(1, 10**6))

            async def post(_: int) -> None:
                number = next(made)
                text = (
                    f"BSM\r\n.V/1LCDG\r\n.F/AF6120/14JUN/TLS\r\n.N/0057{number:06}001\r\nENDBSM\r\n"
                )
                (await client.post("/api/bag-messages", content=text)).raise_for_status()

            async def ask_bare(_: int) -> None:
                async with httpx.AsyncClient() as other:
                    await other.get(f"http://127.0.0.1:{bare_port}/")

            ours_ms, bare_ms = [], []
            for number in range(1, rounds + 1):
                found = await measure(pipes[0], post, messages, clients)
                least = await measure(pipes[1], ask_bare, messages, clients)
                ours_ms.append(found.at(0.99))
                bare_ms.append(least.at(0.99))
                print(
                    f"round {number}: p50 {found.at(0.5):.0f} ms, p99 {found.at(0.99):.0f} ms,"
                    f" {found.missing} missing; bare p50 {least.at(0.5):.0f}, p99"
                    f" {least.at(0.99):.0f} ms, {least.missing} missing"
                )
            for pipe in pipes:
                pipe.send("end")
        hub.terminate()
        await hub.wait()
    p99 = statistics.median(ours_ms)
    print(
        f"{clients} clients: p99 {p99:.0f} ms (median of {rounds} rounds;"
        f" {p99 / statistics.median(bare_ms):.1f} x a bare server); claim: {CLAIM_MS:.0f} ms:"
        f" {'kept' if p99 <= CLAIM_MS else 'NOT kept'}"
    )


def main() -> None:
    """Read the arguments and run."""
    given = [int(each) for each in sys.argv[1:]]
    clients, messages, rounds = [*given, *(1000, 10, 5)[len(given) :]]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    asyncio.run(run(clients, messages, rounds))


if __name__ == "__main__":
    main()
