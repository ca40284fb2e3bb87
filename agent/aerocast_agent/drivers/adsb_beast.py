"""Driver for Mode S receivers that serve Beast frames over TCP: readsb, dump1090 (port 30005)."""

import asyncio
from collections.abc import Iterator

from aerocast_protocols.modes.beast import BeastBuffer
from aerocast_protocols.observations import DeviceEvent, Observation

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept

CONNECT_LIMIT_S = 10.0
# readsb sends a heartbeat when it has had nothing to send for 60 s.
SILENCE_LIMIT_S = 75.0
TICK_S = 1.0  # how often an aircraft's silence is looked at
TICK_NS = 1_000_000_000
# An aircraft still there is heard again within 5 s of a connection: until then nobody is silent.
SETTLING_NS = 10_000_000_000


class BeastReceiver:
    """Hears aircraft through one receiver.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where the receiver serves Beast frames; the name is looked up at every connection.
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
        self._host = host
        self._port = port
        self._aircraft = aircraft
        self._silence_limit_s = silence_limit_s

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until the receiver is lost (``OSError``, ``TimeoutError``)."""
        async with asyncio.timeout(CONNECT_LIMIT_S):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            accept(self._connected())
            await self._listen(reader, accept)
        finally:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, accept: Accept) -> None:
        buffer = BeastBuffer()
        heard_ns = clock.boot_ns()
        ticked_ns = heard_ns + SETTLING_NS
        while True:
            received = await _next(reader)
            now_ns = clock.boot_ns()
            if received == b"":
                raise ConnectionResetError(f"{self.name} closed the connection")
            if received is not None:
                heard_ns = now_ns
                buffer.feed(received)
                for observation in self._read(buffer, now_ns):
                    accept(observation)
            elif now_ns - heard_ns > self._silence_limit_s * 1e9:
                raise TimeoutError(f"{self.name} said nothing for {self._silence_limit_s:.0f} s")
            if now_ns - ticked_ns >= TICK_NS:
                ticked_ns = now_ns
                for observation in self._aircraft.advance(self.name, now_ns):
                    accept(observation)

    def _connected(self) -> DeviceEvent:
        return DeviceEvent(
            device=self.name,
            boot_ns=clock.boot_ns(),
            event="connected",
            detail=f"{self._host}:{self._port}",
        )

    def _read(self, buffer: BeastBuffer, now_ns: int) -> Iterator[Observation]:
        for received in buffer.frames():
            yield from self._aircraft.update(
                self.name,
                received.frame,
                now_ns,
                received.signal_dbfs,
                is_mlat=received.is_mlat,
            )


async def _next(reader: asyncio.StreamReader) -> bytes | None:
    """Give what arrives within a tick: None when nothing does, empty when the peer is gone."""
    try:
        async with asyncio.timeout(TICK_S):
            return await reader.read(65536)
    except TimeoutError:
        return None
