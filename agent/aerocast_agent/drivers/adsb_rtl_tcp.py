"""Driver for a dongle behind rtl_tcp (port 1234): samples in, aircraft out. Needs extra ``sdr``."""

import asyncio

from aerocast_protocols.modes.demodulation import Engine
from aerocast_protocols.modes.rtl_tcp import GREETING_BYTES, decode_greeting, listen_orders

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver import connected
from aerocast_agent.sample_link import PIECE_BYTES, SILENCE_LIMIT_S, Piece, SampleLink, Waiting
from aerocast_agent.tcp_link import CONNECT_LIMIT_S, connect


class RtlTcpReceiver:
    """Hears aircraft through one dongle.

    Samples are worked on in a thread of their own; when it cannot keep up, whole pieces are
    dropped and that is said aloud.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where rtl_tcp serves; the name is looked up at every connection.
    aircraft
        Remembers the aircraft, also across connections.
    rate
        Samples a second, 2,000,000 or 2,400,000.
    gain_db
        Of the tuner; None leaves it to the tuner itself.
    engine
        What demodulates: ``numpy``, or ``numba`` where that is installed.
    silence_limit_s
        After so long without samples the dongle counts as lost.
    """

    def __init__(  # noqa: PLR0913 - a dongle is that many facts
        self,
        name: str,
        host: str,
        port: int,
        aircraft: AircraftTable,
        *,
        rate: int = 2_400_000,
        gain_db: float | None = 49.6,
        engine: Engine = "numpy",
        silence_limit_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._link = SampleLink(name, aircraft, rate, engine)
        self._rate = rate
        self._gain_db = gain_db
        self._silence_limit_s = silence_limit_s

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until the dongle is lost (``OSError``, ``EOFError``, ``ProtocolError``)."""
        reader, writer = await connect(self._host, self._port, buffered=PIECE_BYTES)
        receiving: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                # A server that has a client already greets nobody else.
                greeting = decode_greeting(await reader.readexactly(GREETING_BYTES))
            writer.write(listen_orders(self._rate, self._gain_db))
            accept(connected(self.name, f"{self._host}:{self._port} {greeting.tuner}"))
            waiting = Waiting(self.name, accept)
            receiving = asyncio.create_task(self._receive(reader, waiting))
            await self._link.listen(waiting, accept)
        finally:
            writer.close()
            if receiving is not None:
                receiving.cancel()
                await asyncio.wait([receiving])

    async def _receive(self, reader: asyncio.StreamReader, waiting: Waiting) -> None:
        """Take samples off the network at once: a server that waits drops single bytes."""
        rest = b""
        try:
            while True:
                async with asyncio.timeout(self._silence_limit_s):
                    received = await reader.read(PIECE_BYTES)
                if not received:
                    raise ConnectionResetError(f"{self.name} closed the connection")
                received = rest + received
                whole = len(received) & ~1
                rest = received[whole:]
                waiting.put(Piece(received[:whole], clock.boot_ns()))
        except TimeoutError:
            waiting.fail(
                TimeoutError(f"{self.name} sent nothing for {self._silence_limit_s:.0f} s")
            )
        except OSError as error:
            waiting.fail(error)
