"""Claim: partners' events over HTTP go in 1.8 times as fast as on FastAPI and uvicorn.

Both take the same POST of 100 events, check every field of every event, and answer what is stored;
neither stores anything. Ours is the hub's own endpoint on granian, with its token, its guard, its
bounds and its headers; the peer is one route of pydantic models that asks for no token. One worker
each, the same client, in turns. Then ours once more with everything behind it, to the commit in
PostgreSQL: of reads alone, and half of bags never seen before, each of which makes a journey,
alerts and EPCIS events meanwhile.

Its own environment: `make peers`.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_simulator.processes import free_port
from by_the_clock import wait_for
from postgresql_beside import postgresql_beside

HERE = Path(__file__).parent
PEERS = HERE / ".venv" / "bin" / "python"
EVENTS = 100
CLIENTS = 4
PASSWORD = "a partner's own words"  # noqa: S105  of nobody
PATH = "/api/ingest/lfbo"


def main() -> None:
    """Measure in turns, print medians and the ratio."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--rounds", type=int, default=7)
    asking.add_argument("--requests", type=int, default=600)
    asked = asking.parse_args()
    rates: dict[str, list[float]] = {"ours": [], "fastapi": []}
    costs: dict[str, list[float]] = {"ours": [], "fastapi": []}
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite+aiosqlite:///{folder}/hub.db"
        with _hub(address, Path(folder), null_store=True) as ours, _peer() as peer:
            headers = _token(ours)
            for number in range(asked.rounds + 1):
                for name, server, sent in (("ours", ours, headers), ("fastapi", peer, {})):
                    before_s = server.processor_s()
                    rate = asyncio.run(_post(server.port, sent, asked.requests, number))
                    if number:  # the first round warms up
                        rates[name].append(rate)
                        costs[name].append((server.processor_s() - before_s) / asked.requests)
    for name, each in rates.items():
        print(
            f"{name:<8}{statistics.median(each):6.0f} POSTs/s ({min(each):.0f}-{max(each):.0f}),"
            f" {statistics.median(costs[name]) * 1e6:.0f} us of processor each"
        )
    faster = [ours / peer for ours, peer in zip(rates["ours"], rates["fastapi"], strict=True)]
    cheaper = [peer / ours for ours, peer in zip(costs["ours"], costs["fastapi"], strict=True)]
    for what, ratios in (("POSTs a second", faster), ("POSTs a second of processor", cheaper)):
        print(
            f"{what}, ours / FastAPI + uvicorn: {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f}-{max(ratios):.2f}; bar 1.8)"
        )
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql_beside() as address,
        _hub(address, Path(folder), null_store=False) as ours,
    ):
        headers = _token(ours)
        for has_bags, what in ((False, "reads alone"), (True, "half of new bags")):
            stored = [
                asyncio.run(_post(ours.port, headers, 80, 4 * has_bags + number, has_bags=has_bags))
                for number in range(4)
            ]
            rate = statistics.median(stored[1:])
            print(
                f"to the commit in PostgreSQL, {what}: {rate:.0f} POSTs/s,"
                f" {rate * EVENTS:,.0f} events/s"
            )


class _Server(NamedTuple):
    """One that listens."""

    port: int
    process: psutil.Process

    def processor_s(self) -> float:
        """Give the processor time it has taken, all threads together."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


async def _post(
    port: int, headers: dict[str, str], requests: int, number: int, *, has_bags: bool = True
) -> float:
    """Post all of it over a few connections; give requests in a second."""
    bodies = [
        _body(1 + (number * requests + each) * EVENTS, has_bags=has_bags)
        for each in range(requests)
    ]
    lines = [f"POST {PATH} HTTP/1.1", "host: bench", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode()

    async def send_some(some: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in some:
            writer.write(head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                sys.exit(f"the server answers {answer[:200]!r}")
            length = answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(send_some(bodies[start::CLIENTS]) for start in range(CLIENTS)))
    return requests / (time.perf_counter() - began)


def _body(first: int, *, has_bags: bool) -> bytes:
    events = [
        {
            "kind": "bag_passage",
            "device": "line-2",
            "seen_at_us": 1_781_438_400_000_000 + number * 1000,
            "belt": "line-2",
            "point": "sortation",
            "licence_plate": f"{number:010d}",
            "confidence": 0.98,
        }
        if number % 2 and has_bags
        else {
            "kind": "tag_read",
            "device": "portal-4",
            "seen_at_us": 1_781_438_400_000_000 + number * 1000,
            "epc": f"{number:024x}",
            "antenna": 1 + number % 4,
            "rssi_dbm": -51.5,
        }
        for number in range(first, first + EVENTS)
    ]
    return json.dumps({"first_sequence": first, "events": events}).encode()


@contextmanager
def _hub(address: str, folder: Path, *, null_store: bool) -> Iterator[_Server]:
    asyncio.run(_prepare(address))
    port = free_port()
    environment = os.environ | {
        "AEROCAST_HUB_MODE": "dev",
        "AEROCAST_HUB_DATABASE_URL": address,
        "AEROCAST_HUB_DATA_DIR": str(folder / "data"),
        "AEROCAST_HUB_BROKER_URL": "none:",
        "AEROCAST_HUB_HTTP_PORT": str(port),
        "AEROCAST_BENCH_NULL_STORE": "1" if null_store else "",
    }
    command = [sys.executable, str(HERE / "ingest_hub.py")]
    with _running(command, environment, port) as server:
        yield server


@contextmanager
def _peer() -> Iterator[_Server]:
    port = free_port()
    command = [str(PEERS), str(HERE / "ingest_fastapi.py"), str(port)]
    with _running(command, dict(os.environ), port) as server:
        yield server


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[_Server]:
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[1]} does not listen")
            time.sleep(0.1)
        yield _Server(port, psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait(30)


async def _prepare(address: str) -> None:
    database = Database(address)
    await migrate(database)
    async with database.writing() as session:
        await seed_roles(session)
        await add_user(session, Passwords(), NewUser("sorter", PASSWORD, "service"), now_us=1)
        await add_gateway(session, "lfbo", "sorter")
    await database.close()


def _token(server: _Server) -> dict[str, str]:
    wait_for(server.port)
    got = httpx.post(
        f"http://127.0.0.1:{server.port}/auth/login",
        json={"name": "sorter", "password": PASSWORD},
    )
    return {"authorization": f"Bearer {got.raise_for_status().json()['access_token']}"}


if __name__ == "__main__":
    main()
