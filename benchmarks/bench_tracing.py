"""Claims about traces: kept, they cost at most 10 % of what the inbox takes in; off, at most 1 %.

The peer is the same inbox without any of it: the span of a transaction and those of the outbox are
replaced by nothing. Each way has an SQLite database of its own. A round stores one short slice of
batches in each of the four ways, in another order every time, so that whatever else the machine
does meets all ways alike; spans go to an OTLP receiver in a process of its own, which reads and
drops them, and telling it the last of them belongs to the slice.

What a way costs is told as the median over rounds of its processor time against the peer's in the
same round, with an interval that holds the true median 95 times of 100 whatever the scatter is
distributed like (order statistics). A bar is kept when the whole interval is below it, missed when
it is above, and else the run was too short to say: `--rounds` makes it longer. The width shrinks
with the root of the rounds. Telling 1 % apart takes an interval of less than that, which takes a
quiet machine: nothing else on its cores.
"""

import argparse
import asyncio
import gc
import math
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from aerocast_hub.baggage.absorb import absorb as absorb_bags
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox import receive
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox import publish
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.tracing import tracing
from aerocast_protocols.batch import (
    ZSTD,
    Envelope,
    encode_body,
    encode_envelope,
    encode_observation,
)
from aerocast_protocols.observations.bags import BagPassage
from aerocast_protocols.topics import up

ROUNDS = 100
GATEWAYS, BATCHES, OBSERVATIONS = 4, 4, 50
BOOT = bytes(16)
WAYS = ("without", "off", "one in ten", "all")
BARS = {"off": 0.01, "all": 0.10}
Z_95 = 1.96


class Slice(NamedTuple):
    """What it took to store a slice of batches: seconds of processor time, and by the clock."""

    processor_s: float
    wall_s: float


class Cost(NamedTuple):
    """A part of the peer's time, 0.1 is a tenth more: the median, and where it is by 95 %."""

    median: float
    low: float
    high: float


def main() -> None:
    """Measure in turns; print medians, intervals and what they say of the bars."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    rounds = parser.parse_args().rounds
    with _receiver() as url, tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(_measure(rounds, url, Path(folder)))
    seen = GATEWAYS * BATCHES * OBSERVATIONS
    for way in WAYS:
        processor_s, wall_s = (statistics.median(each) for each in zip(*took[way], strict=True))
        print(
            f"traces {way:>10}: {1e6 * processor_s / seen:6.1f} us of processor time and"
            f" {1e6 * wall_s / seen:6.1f} us by the clock for an observation"
        )
    for way in WAYS[1:]:
        by_processor, by_clock = (
            cost([each[of] for each in took[way]], [each[of] for each in took["without"]])
            for of in (0, 1)
        )
        print(
            f"traces {way:>10} cost {_told(by_processor)} of processor time,"
            f" {_told(by_clock)} by the clock{_verdict(by_processor, BARS.get(way))}"
        )
    print(f"{rounds} rounds; bars: all of them kept at most 10 %, off at most 1 %")


def cost(took: Sequence[float], peers: Sequence[float]) -> Cost:
    """Compare times of the same rounds; the interval is that of the median by order statistics."""
    parts = sorted(one / other - 1 for one, other in zip(took, peers, strict=True))
    rounds = len(parts)
    first = max(0, math.floor((rounds - Z_95 * math.sqrt(rounds)) / 2))
    return Cost(statistics.median(parts), parts[first], parts[rounds - 1 - first])


def _told(found: Cost) -> str:
    median, low, high = (100 * each for each in found)
    return f"{median:+.1f} % ({low:+.1f} to {high:+.1f})"


def _verdict(found: Cost, bar: float | None) -> str:
    if bar is None:
        return ""
    if found.high <= bar:
        return f": the bar of {bar:.0%} is kept"
    return f": the bar of {bar:.0%} is " + ("missed" if found.low > bar else "not told apart")


class _Hub:
    """An inbox with a database of its own, that is sent ever new batches."""

    def __init__(self, database: Database) -> None:
        self._database = database
        metrics = Metrics()
        self._publisher = Publisher(database, metrics)
        self._inbox = receive.Inbox(database, {"bags": absorb_bags}, self._publisher, metrics)
        self._stored = 0

    async def store(self, way: str, url: str) -> Slice:
        """Take in a slice one way."""
        messages = _messages(self._stored)
        self._stored += BATCHES
        put_back = _take_out() if way == "without" else None
        sample = {"one in ten": 0.1, "all": 1.0}.get(way)
        gc.collect()
        gc.disable()
        try:
            with tracing(url if sample else None, sample or 0.0):
                before = Slice(time.process_time(), time.perf_counter())
                for first in range(0, len(messages), GATEWAYS):
                    await self._inbox.receive(messages[first : first + GATEWAYS])
                    await self._publisher.publish_committed()
            # Here, after the block: by now the receiver has every span.
            after = Slice(time.process_time(), time.perf_counter())
        finally:
            gc.enable()
            if put_back is not None:
                put_back()
        return Slice(after.processor_s - before.processor_s, after.wall_s - before.wall_s)


async def _measure(rounds: int, url: str, folder: Path) -> dict[str, list[Slice]]:
    order = random.Random(1)  # noqa: S311  an order, no secret
    took: dict[str, list[Slice]] = {way: [] for way in WAYS}
    async with AsyncExitStack() as stack:
        hubs = {}
        for way in WAYS:
            database = Database(f"sqlite+aiosqlite:///{folder / way}.db")
            stack.push_async_callback(database.close)
            await migrate(database)
            async with database.writing() as session:
                for gateway in range(GATEWAYS):
                    await add_gateway(session, "bench", f"g{gateway}")
            hubs[way] = _Hub(database)
        gc.collect()
        gc.freeze()
        for number in range(rounds + 3):
            for way in order.sample(WAYS, len(WAYS)):
                slice_ = await hubs[way].store(way, url)
                if number >= 3:
                    took[way].append(slice_)
    return took


def _messages(stored: int) -> list[Message]:
    now_ns = time.time_ns()
    made = []
    for number in range(stored, stored + BATCHES):
        for gateway in range(GATEWAYS):
            first = number * OBSERVATIONS + 1
            body = encode_body(
                epoch=1 << 32,
                lane=1,
                first_sequence=first,
                boot_id=BOOT,
                observations=[
                    encode_observation(_passage(gateway, first + each))
                    for each in range(OBSERVATIONS)
                ],
                codec=ZSTD,
            )
            envelope = Envelope(
                codec=ZSTD,
                boot_id_sent=BOOT,
                boot_ns_sent=10**15,
                wall_ns_sent=now_ns,
                clock_quality=3,
                oldest_sequence=1,
                body=body,
            )
            topic = up("bench", f"g{gateway}", 1)
            made.append(Message(topic, encode_envelope(envelope), now_ns // 1000))
    return made


def _passage(gateway: int, number: int) -> BagPassage:
    plate = f"{gateway}{number:09d}"
    return BagPassage(
        device="portal",
        boot_ns=number * 10**6,
        belt="1",
        point="reclaim",
        epc=number.to_bytes(12),
        sigma_ms=20.0,
        reads=30,
        confidence=0.99,
        licence_plate=plate,
    )


class _Nothing:
    """In the place of a transaction's trace."""

    trace_id = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Do nothing."""

    def begin(self, _seen: object) -> None:
        """Do nothing."""


@contextmanager
def _no_span(*_given: object, **_named: object) -> Iterator[None]:
    yield


def _take_out() -> Callable[[], None]:
    before = receive.TransactionTrace, publish.span, publish.current_traceparent
    receive.TransactionTrace = _Nothing  # type: ignore[assignment,misc]  # the same methods
    publish.span = _no_span  # type: ignore[assignment]  # the same use
    publish.current_traceparent = lambda: None

    def put_back() -> None:
        receive.TransactionTrace, publish.span, publish.current_traceparent = before  # type: ignore[misc]  # a class

    return put_back


@contextmanager
def _receiver() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(theirs,))
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _receive(tell: Connection) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tell.send(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
