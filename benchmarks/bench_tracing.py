"""Claims about traces: kept, they cost at most 10 % of what the inbox takes in; off, at most 1 %.

The peer is the same inbox without any of it: the span of a transaction and those of the outbox are
replaced by nothing. Each round stores the same batches in a new SQLite database, in another order
of the four ways; spans go to an OTLP receiver in a process of its own, which reads and drops them.
"""

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

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
from aerocast_protocols.observations import BagPassage
from aerocast_protocols.topics import up

ROUNDS = 5
GATEWAYS, BATCHES, OBSERVATIONS, TOGETHER = 4, 40, 50, 4
BOOT = bytes(16)
WAYS = ("without", "off", "one in ten", "all")


def main() -> None:
    """Measure in turns, print medians and ratios."""
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with _receiver() as url:
        for number in range(ROUNDS + 1):
            for way in WAYS[number % 4 :] + WAYS[: number % 4]:
                rate = asyncio.run(_store(way, url))
                if number:  # the first round warms up
                    rates[way].append(rate)
    base = rates["without"]
    for way in WAYS:
        ratios = [100 * (1 - rate / other) for rate, other in zip(rates[way], base, strict=True)]
        print(
            f"traces {way:>10}: {statistics.median(rates[way]):8.0f} observations/s,"
            f" costs {statistics.median(ratios):+5.1f} %"
            f" (rounds {min(ratios):+.1f} to {max(ratios):+.1f})"
        )
    print("bars: all of them kept at most 10 %, off at most 1 %")


async def _store(way: str, url: str) -> float:
    """Take in every batch one way; give observations a second of processor time."""
    put_back = _take_out() if way == "without" else None
    sample = {"one in ten": 0.1, "all": 1.0}.get(way)
    with tempfile.TemporaryDirectory() as folder, tracing(url if sample else None, sample or 0.0):
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'hub.db'}")
        await migrate(database)
        async with database.writing() as session:
            for gateway in range(GATEWAYS):
                await add_gateway(session, "bench", f"g{gateway}")
        metrics = Metrics()
        publisher = Publisher(database, metrics)
        inbox = receive.Inbox(database, {"bags": absorb_bags}, publisher, metrics)
        messages = _messages()
        started_s = time.process_time()
        for first in range(0, len(messages), TOGETHER):
            await inbox.receive(messages[first : first + TOGETHER])
            await publisher.publish_committed()
        took_s = time.process_time() - started_s
        await database.close()
    if put_back is not None:
        put_back()
    return len(messages) * OBSERVATIONS / took_s


def _messages() -> list[Message]:
    now_ns = time.time_ns()
    made = []
    for number in range(BATCHES):
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
