"""From a dongle's samples to aircraft, however the samples come. Needs extra ``sdr``."""

import asyncio
import logging
from typing import NamedTuple

from aerocast_protocols.modes.demodulation import TICKS_PER_S, Demodulator, Engine, HeardFrame
from aerocast_protocols.modes.iq import SampleBuffer, SampleFormat
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver import Ticks

SILENCE_LIMIT_S = 10.0  # samples never pause
PIECE_BYTES = 1 << 18  # about 55 ms
MOST_WAITING = 40  # pieces, about 2 s: a machine that is further behind never catches up
OVERFLOW_EVERY_S = 60.0
NOTHING_HEARD_S = 60.0
log = logging.getLogger(__name__)


class Piece(NamedTuple):
    """Whole samples, and when the last of them arrived."""

    content: bytes
    boot_ns: int


class SampleLink:
    """Demodulates in a thread of its own and follows the aircraft heard.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    aircraft
        Remembers the aircraft, also across connections.
    rate
        Samples a second, 2,000,000 or 2,400,000.
    engine
        What demodulates: ``numpy``, or ``numba`` where that is installed.
    samples
        How samples are written.
    """

    def __init__(
        self,
        name: str,
        aircraft: AircraftTable,
        rate: int,
        engine: Engine,
        samples: SampleFormat = "cu8",
    ) -> None:
        self._samples: SampleFormat = samples
        self._name = name
        self._aircraft = aircraft
        self._rate = rate
        self._engine: Engine = engine

    async def listen(self, waiting: "Waiting", accept: Accept) -> None:
        """Hear aircraft in what waits, until there is an error in it."""
        samples, demodulator = SampleBuffer(self._samples), Demodulator(self._rate, self._engine)
        ticks = Ticks(self._name, self._aircraft)
        silent = Silence(self._name, self._rate)

        def work(content: bytes) -> list[HeardFrame]:
            demodulator.feed(samples.take(content))
            return list(demodulator.frames())

        while True:
            piece = await waiting.get()
            heard = await asyncio.to_thread(work, piece.content)
            fed_ticks = demodulator.counts.samples * TICKS_PER_S // self._rate
            for each in heard:
                boot_ns = piece.boot_ns - (fed_ticks - each.ticks_12mhz) * 1000 // 12
                for observation in self._aircraft.update(
                    self._name, each.frame, boot_ns, each.signal_dbfs
                ):
                    accept(observation)
            silent.add(piece.boot_ns, len(heard))
            ticks.pass_to(piece.boot_ns, accept)


class Waiting:
    """Pieces between where they arrive and the thread: few, and the oldest gives way."""

    def __init__(self, name: str, accept: Accept) -> None:
        self._name = name
        self._accept = accept
        self._pieces: asyncio.Queue[Piece | Exception] = asyncio.Queue(MOST_WAITING + 1)
        self._dropped = 0
        self._told_s: float | None = None

    def put(self, piece: Piece) -> None:
        """Add what arrived."""
        if self._pieces.qsize() >= MOST_WAITING:
            self._pieces.get_nowait()
            self._drop()
        self._pieces.put_nowait(piece)

    def fail(self, error: Exception) -> None:
        """Say that nothing more will arrive, and why."""
        self._pieces.put_nowait(error)

    async def get(self) -> Piece:
        """Give the oldest piece, or raise what `fail` was told."""
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


class Silence:
    """Says aloud, once, when samples come and no aircraft is in them: mostly a wrong rate."""

    def __init__(self, name: str, rate: int) -> None:
        self._name = name
        self._rate = rate
        self._since_ns: int | None = None

    def add(self, boot_ns: int, heard: int) -> None:
        """Count the messages heard in a piece."""
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
