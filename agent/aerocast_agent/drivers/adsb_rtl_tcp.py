"""Driver for a dongle behind rtl_tcp (port 1234): samples in, aircraft out. Needs extra ``sdr``."""

import asyncio
import logging
from collections.abc import Iterator
from typing import NamedTuple

from aerocast_protocols.modes.demodulation import TICKS_PER_S, Demodulator, Engine, HeardFrame
from aerocast_protocols.modes.iq import SampleBuffer
from aerocast_protocols.modes.rtl_tcp import GREETING_BYTES, decode_greeting, listen_orders
from aerocast_protocols.observations import DeviceEvent, Observation

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver_link import CONNECT_LIMIT_S, Ticks, connected, keep_alive

SILENCE_LIMIT_S = 10.0  # samples never pause
PIECE_BYTES = 1 << 18  # about 55 ms
MOST_WAITING = 40  # pieces, about 2 s: a machine that is further behind never catches up
OVERFLOW_EVERY_S = 60.0
NOTHING_HEARD_S = 60.0
log = logging.getLogger(__name__)


class _Piece(NamedTuple):
    """Whole samples as bytes, and when the last of them arrived."""

    content: bytes
    boot_ns: int


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
        self._aircraft = aircraft
        self._rate = rate
        self._gain_db = gain_db
        self._engine: Engine = engine
        self._silence_limit_s = silence_limit_s

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until the dongle is lost (``OSError``, ``EOFError``, ``ProtocolError``)."""
        async with asyncio.timeout(CONNECT_LIMIT_S):
            reader, writer = await asyncio.open_connection(
                self._host, self._port, limit=PIECE_BYTES
            )
        receiving: asyncio.Task[None] | None = None
        try:
            keep_alive(writer)
            async with asyncio.timeout(CONNECT_LIMIT_S):
                # A server that has a client already greets nobody else.
                greeting = decode_greeting(await reader.readexactly(GREETING_BYTES))
            writer.write(listen_orders(self._rate, self._gain_db))
            accept(connected(self.name, f"{self._host}:{self._port} {greeting.tuner}"))
            waiting = _Waiting(self.name, accept)
            receiving = asyncio.create_task(self._receive(reader, waiting))
            await self._listen(waiting, accept)
        finally:
            writer.close()
            if receiving is not None:
                receiving.cancel()
                await asyncio.wait([receiving])

    async def _receive(self, reader: asyncio.StreamReader, waiting: "_Waiting") -> None:
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
                waiting.put(_Piece(received[:whole], clock.boot_ns()))
        except TimeoutError:
            waiting.fail(
                TimeoutError(f"{self.name} sent nothing for {self._silence_limit_s:.0f} s")
            )
        except OSError as error:
            waiting.fail(error)

    async def _listen(self, waiting: "_Waiting", accept: Accept) -> None:
        samples, demodulator = SampleBuffer("cu8"), Demodulator(self._rate, self._engine)
        ticks = Ticks(self.name, self._aircraft)
        silent = _Silence(self.name, self._rate)

        def work(content: bytes) -> list[HeardFrame]:
            demodulator.feed(samples.take(content))
            return list(demodulator.frames())

        while True:
            piece = await waiting.get()
            heard = await asyncio.to_thread(work, piece.content)
            fed_ticks = demodulator.counts.samples * TICKS_PER_S // self._rate
            for frame in heard:
                boot_ns = piece.boot_ns - (fed_ticks - frame.ticks_12mhz) * 1000 // 12
                for observation in self._update(frame, boot_ns):
                    accept(observation)
            silent.add(piece.boot_ns, len(heard))
            ticks.pass_to(piece.boot_ns, accept)

    def _update(self, heard: HeardFrame, boot_ns: int) -> Iterator[Observation]:
        yield from self._aircraft.update(self.name, heard.frame, boot_ns, heard.signal_dbfs)


class _Waiting:
    """Pieces between the network and the thread: few, and the oldest gives way."""

    def __init__(self, name: str, accept: Accept) -> None:
        self._name = name
        self._accept = accept
        self._pieces: asyncio.Queue[_Piece | Exception] = asyncio.Queue(MOST_WAITING + 1)
        self._dropped = 0
        self._told_s: float | None = None

    def put(self, piece: _Piece) -> None:
        if self._pieces.qsize() >= MOST_WAITING:
            self._pieces.get_nowait()
            self._drop()
        self._pieces.put_nowait(piece)

    def fail(self, error: Exception) -> None:
        self._pieces.put_nowait(error)

    async def get(self) -> _Piece:
        piece = await self._pieces.get()
        if isinstance(piece, Exception):
            raise piece
        return piece

    def _drop(self) -> None:
        self._dropped += 1
        now_s = asyncio.get_running_loop().time()
        if self._told_s is not None and now_s - self._told_s < OVERFLOW_EVERY_S:
            return
        self._told_s = now_s
        self._accept(
            DeviceEvent(
                device=self._name,
                boot_ns=clock.boot_ns(),
                event="overflow",
                detail=f"this machine is too slow for the samples: {self._dropped} pieces dropped",
            )
        )


class _Silence:
    """Says aloud, once, when samples come and no aircraft is in them: mostly a wrong rate."""

    def __init__(self, name: str, rate: int) -> None:
        self._name = name
        self._rate = rate
        self._since_ns: int | None = None

    def add(self, boot_ns: int, heard: int) -> None:
        if heard or self._since_ns is None:
            self._since_ns = boot_ns
        elif boot_ns - self._since_ns > NOTHING_HEARD_S * 1e9:
            log.warning(
                "%s: no aircraft in %.0f s of samples; is its rate really %d, and the antenna on?",
                self._name,
                NOTHING_HEARD_S,
                self._rate,
            )
            self._since_ns = boot_ns + 10 * round(NOTHING_HEARD_S * 1e9)
