"""Driver that plays a recording of a device as if the device were there now."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.recordings import (
    AIRCRAFT_FORMATS,
    RADIO_FORMATS,
    SECOND_NS,
    Format,
    Radio,
    Step,
    read_recording,
)

# An aircraft that fell silent on its stand at the recording's end is still to be noticed.
RUN_ON_NS = 120 * SECOND_NS
TICK_NS = SECOND_NS
_MOST_TICKS = 3600  # in one gap between two frames, however long it is
_STEPS_A_TURN = 50  # at full speed the loop gets its turn after so many


class Replay:
    """Plays one recording, then is done.

    Observations carry the recording's own pace in ``boot_ns`` whatever the speed: the moment its
    beginning is placed at, plus the time elapsed in it.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    file, format
        The recording, gzip or plain, and of what kind.
    speed
        1.0 as recorded, 0 as fast as can be.
    start_us
        UTC at which the recording's first moment is placed; None is now. Before this machine was
        started ``boot_ns`` is negative.
    aircraft
        Remembers the aircraft of Mode S recordings.
    radio
        How radio samples were recorded; None finds out.
    """

    def __init__(  # noqa: PLR0913  what agent.toml may say of a recording
        self,
        name: str,
        file: str | Path,
        format: Format,  # noqa: A002  the key's name in agent.toml
        speed: float = 1.0,
        start_us: int | None = None,
        *,
        aircraft: AircraftTable,
        radio: Radio | None = None,
    ) -> None:
        self.name = name
        self._file = Path(file)
        self._format: Format = format
        self._speed = speed
        self._start_us = start_us
        self._aircraft = aircraft
        self._radio = radio

    async def run(self, accept: Accept) -> None:
        """Play to the end (``OSError``, ``ProtocolError`` when the file cannot be read)."""
        steps = read_recording(self._file, self._format, self.name, self._aircraft, self._radio)
        now_ns = clock.boot_ns()
        accept(
            DeviceEvent(
                device=self.name, boot_ns=now_ns, event="connected", detail=str(self._file)[-512:]
            )
        )
        begins_ns = now_ns
        if self._start_us is not None:
            begins_ns -= clock.wall_ns() - self._start_us * 1000
        pace = _Pace(self._speed)
        with closing(steps):
            if self._format in RADIO_FORMATS:
                await self._play_aircraft(_worked_out(steps), begins_ns, pace, accept)
            elif self._format in AIRCRAFT_FORMATS:
                await self._play_aircraft(_read(steps), begins_ns, pace, accept)
            else:
                await self._play(steps, begins_ns, pace, accept)

    async def _play(
        self, steps: Iterable[Step], begins_ns: int, pace: "_Pace", accept: Accept
    ) -> None:
        for step in steps:
            await pace.reach(step.elapsed_ns)
            _hand_in(step.observe(begins_ns + step.elapsed_ns), accept)

    async def _play_aircraft(
        self, steps: AsyncIterator[Step], begins_ns: int, pace: "_Pace", accept: Accept
    ) -> None:
        reached_ns = 0  # the latest moment the table has been told of
        async for step in steps:
            await self._pass_time(reached_ns, step.elapsed_ns, begins_ns, pace, accept)
            reached_ns = max(reached_ns, step.elapsed_ns)
            await pace.reach(step.elapsed_ns)
            _hand_in(step.observe(begins_ns + step.elapsed_ns), accept)
        await self._pass_time(reached_ns, reached_ns + RUN_ON_NS, begins_ns, pace, accept)

    async def _pass_time(
        self, since_ns: int, until_ns: int, begins_ns: int, pace: "_Pace", accept: Accept
    ) -> None:
        """Tell the table of every full second in between."""
        tick_ns = max(TICK_NS, (until_ns - since_ns) // _MOST_TICKS)
        moment_ns = (since_ns // TICK_NS + 1) * TICK_NS
        while moment_ns <= until_ns:
            await pace.reach(moment_ns)
            _hand_in(self._aircraft.advance(self.name, begins_ns + moment_ns), accept)
            moment_ns += tick_ns


async def _read(steps: Iterable[Step]) -> AsyncIterator[Step]:
    for step in steps:
        yield step


async def _worked_out(steps: Iterator[Step]) -> AsyncIterator[Step]:
    """Give steps that take long to find, in a thread, so that other devices are served."""
    while True:
        finding = asyncio.ensure_future(asyncio.to_thread(_some, steps))
        try:
            found = await asyncio.shield(finding)
        except asyncio.CancelledError:
            await finding  # a thread cannot be stopped: a few pieces of recording, then it is done
            raise
        if not found:
            return
        for step in found:
            yield step


def _some(steps: Iterator[Step]) -> list[Step]:
    return list(islice(steps, _STEPS_A_TURN))


class _Pace:
    """Waits until it is time for a moment of the recording; at speed 0 only lets others run."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began_ns = time.monotonic_ns()
        self._steps = 0

    async def reach(self, elapsed_ns: int) -> None:
        self._steps += 1
        if self._speed > 0:
            due_ns = self._began_ns + elapsed_ns / self._speed
            wait_s = (due_ns - time.monotonic_ns()) / 1e9
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                return
        if self._steps % _STEPS_A_TURN == 0:
            await asyncio.sleep(0)


def _hand_in(observations: Iterable[Observation], accept: Accept) -> None:
    for observation in observations:
        accept(observation)
