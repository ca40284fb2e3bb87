"""Asking a server by the clock: shared by the benchmarks of the API.

Requests leave when they are due over kept-alive connections, whether or not those before were
answered; a request's time counts from when it was due.
"""

import asyncio
import gc
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from aerocast_simulator.processes import free_port

CONNECTIONS = 16


def wait_for(port: int) -> None:
    """Wait until the hub answers."""
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the hub did not start")


class Times(NamedTuple):
    """Milliseconds, sorted; and answers that were not as expected."""

    ms: list[float]
    wrong: int

    def at(self, share: float) -> float:
        """Give the time within which this share was answered."""
        return self.ms[min(len(self.ms) - 1, int(share * len(self.ms)))]


class Link:
    """One kept-alive connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send a request, read its answer whole, and give the status."""
        async with self._free:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [
                line.partition(b":")[2]
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            if lengths:
                await reader.readexactly(int(lengths[0]))
            return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


async def measure(port: int, requests: list[bytes], seconds: float, per_s: float, ok: int) -> Times:
    """Ask by the clock; never wait for an answer before the next request is due."""
    links = [Link(port) for _ in range(CONNECTIONS)]
    loop = asyncio.get_running_loop()
    times: list[float] = []
    wrong = 0

    async def one(number: int, due_s: float) -> None:
        nonlocal wrong
        status = await links[number % CONNECTIONS].ask(requests[number % len(requests)])
        times.append((loop.time() - due_s) * 1000)
        wrong += status != ok

    gc.collect()
    gc.freeze()  # a pause of this process would count as the server's
    begun_s = loop.time() + 0.1
    running = []
    for number in range(int(seconds * per_s)):
        due_s = begun_s + number / per_s
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        running.append(asyncio.create_task(one(number, due_s)))
    await asyncio.gather(*running)
    for link in links:
        link.close()
    gc.unfreeze()
    return Times(sorted(times), wrong)


class Kind(NamedTuple):
    """One kind of question: where it is asked, how often a second, and the status it gets."""

    port: int
    requests: list[bytes]
    per_s: float
    ok: int = 200


async def in_turns(
    kinds: Mapping[str, Kind], hub_pid: int, rounds: int, seconds: float
) -> dict[str, float]:
    """Ask each kind in turns, print a line for it, and give its p99: ms, the median of rounds."""
    seen: dict[str, list[Times]] = {name: [] for name in kinds}
    used_s = dict.fromkeys(kinds, 0.0)
    for _ in range(rounds):
        for name, (port, requests, per_s, ok) in kinds.items():
            before_s = cpu_s(hub_pid)
            seen[name].append(await measure(port, requests, seconds, per_s, ok))
            used_s[name] += cpu_s(hub_pid) - before_s
    p99 = {}
    for name, turns in seen.items():
        p99[name] = statistics.median(each.at(0.99) for each in turns)
        p50 = statistics.median(each.at(0.5) for each in turns)
        worst = max(each.ms[-1] for each in turns)
        every = ", ".join(f"{each.at(0.99):.1f}" for each in turns)
        cost_ms = 1000 * used_s[name] / sum(len(each.ms) for each in turns)
        print(
            f"  {name:30} p50 {p50:7.2f} ms   p99 {p99[name]:7.2f} ms ({every})"
            f"   worst {worst:7.1f} ms   wrong answers {sum(each.wrong for each in turns)}"
            f"   hub's processor {cost_ms:.2f} ms"
        )
    return p99


def request(path: str, token: str, *more: str) -> bytes:
    """Write a request."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def bare_server() -> Iterator[int]:
    """Run a bare server in a process of its own, and give its port."""
    port = free_port()
    bare = multiprocessing.get_context("spawn").Process(target=_serve_bare, args=(port,))
    bare.start()
    try:
        yield port
    finally:
        bare.kill()
        bare.join()


def _serve_bare(port: int) -> None:
    """Answer a fixed text to whatever is asked: the least a server can do."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n" + b"x" * 1500

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof() and await reader.read(65_536):
            writer.write(answer)

    async def serve() -> None:
        await asyncio.start_server(answering, "127.0.0.1", port)
        await asyncio.Event().wait()

    asyncio.run(serve())


def cpu_s(process: int) -> float:
    """Give a process's processor time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
