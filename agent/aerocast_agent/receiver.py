"""A TCP connection to a program that hears aircraft: what all its formats have in common."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.tcp_link import connect

log = logging.getLogger(__name__)

# readsb sends a sign of life when it has had nothing to send for 60 s.
SILENCE_LIMIT_S = 75.0
TICK_S = 1.0  # how often an aircraft's silence is looked at
TICK_NS = 1_000_000_000
# An aircraft still there is heard again within 5 s of a connection: until then nobody is silent.
SETTLING_NS = 10_000_000_000

Read = Callable[[bytes, int], Iterable[Observation]]
"""Takes what arrived and the ``boot_ns`` it did at; gives what that brought."""


class Receiver:
    """Hears aircraft through one program: connects, listens, and lets time pass for the aircraft.

    A format says in `reading` how its bytes are read.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where the program serves; the name is looked up at every connection.
    aircraft
        Remembers the aircraft, also across connections.
    silence_limit_s
        After so long without a byte the receiver counts as lost.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        aircraft: AircraftTable,
        *,
        silence_limit_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self.name = name
        self.aircraft = aircraft
        self._host = host
        self._port = port
        self._silence_limit_s = silence_limit_s

    def reading(self) -> Read:
        """Begin to read a stream."""
        raise NotImplementedError

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until the program is lost (``OSError``, ``TimeoutError``)."""
        reader, writer = await connect(self._host, self._port)
        try:
            accept(connected(self.name, f"{self._host}:{self._port}"))
            await self._listen(reader, accept, self.reading())
        finally:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, accept: Accept, read: Read) -> None:
        heard_ns = clock.boot_ns()
        ticks = Ticks(self.name, self.aircraft)
        while True:
            received = await _next(reader)
            now_ns = clock.boot_ns()
            if received == b"":
                raise ConnectionResetError(f"{self.name} closed the connection")
            if received is not None:
                heard_ns = now_ns
                for observation in read(received, now_ns):
                    accept(observation)
            elif now_ns - heard_ns > self._silence_limit_s * 1e9:
                raise TimeoutError(f"{self.name} said nothing for {self._silence_limit_s:.0f} s")
            ticks.pass_to(now_ns, accept)


_Decoded = TypeVar("_Decoded")


class _Lines(Protocol):
    def feed(self, received: bytes) -> None: ...

    def lines(self) -> Iterator[bytes]: ...


def decoded(
    name: str, buffer: _Lines, decode: Callable[[bytes], _Decoded]
) -> Callable[[bytes], Iterator[_Decoded]]:
    """Give what turns received bytes into decoded lines; the first refused one is logged."""
    refused = 0

    def read(received: bytes) -> Iterator[_Decoded]:
        nonlocal refused
        buffer.feed(received)
        for line in buffer.lines():
            try:
                yield decode(line)
            except ProtocolError as error:
                refused += 1
                if refused == 1:
                    log.warning("%s: %s", name, error)

    return read


class Ticks:
    """Tells the aircraft table about once a second that time has passed."""

    def __init__(self, name: str, aircraft: AircraftTable) -> None:
        self._name = name
        self._aircraft = aircraft
        self._ticked_ns = clock.boot_ns() + SETTLING_NS

    def pass_to(self, now_ns: int, accept: Accept) -> None:
        """Hand in what silence brings, when a second has passed."""
        if now_ns - self._ticked_ns < TICK_NS:
            return
        self._ticked_ns = now_ns
        for observation in self._aircraft.advance(self._name, now_ns):
            accept(observation)


def connected(name: str, detail: str) -> DeviceEvent:
    """Make the event that says a receiver is there."""
    return DeviceEvent(
        device=name, boot_ns=clock.boot_ns(), event="connected", detail=detail[-512:]
    )


async def _next(reader: asyncio.StreamReader) -> bytes | None:
    """Give what arrives within a tick: None when nothing does, empty when the peer is gone."""
    try:
        async with asyncio.timeout(TICK_S):
            return await reader.read(65536)
    except TimeoutError:
        return None
