"""Driver that reads aircraft.json, the file that readsb and dump1090 write once a second."""

import asyncio
from pathlib import Path

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.aircraft_json import (
    AircraftFile,
    AircraftNews,
    decode_aircraft_json,
)

from aerocast_agent import clock
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver import Ticks, connected

POLL_S = 1.0
# The writer is gone when its clock stands still for so long.
SILENCE_LIMIT_S = 75.0
_TRIES = 3  # a writer that does not rename may be caught in the middle
_RETRY_S = 0.1


class AircraftJson:
    """Hears aircraft through the program that writes one file.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    file
        Opened anew for each look: the program writes another and puts it in its place.
    aircraft
        Remembers the aircraft.
    poll_s, silence_limit_s
        How often to look; after how long without change the program counts as lost.
    """

    def __init__(
        self,
        name: str,
        file: str | Path,
        aircraft: AircraftTable,
        *,
        poll_s: float = POLL_S,
        silence_limit_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self.name = name
        self._file = Path(file)
        self._aircraft = aircraft
        self._poll_s = poll_s
        self._silence_limit_s = silence_limit_s

    async def run(self, accept: Accept) -> None:
        """Read until the file is gone or old (``OSError``, ``TimeoutError``, ``ProtocolError``)."""
        loop = asyncio.get_running_loop()
        news, ticks = AircraftNews(), Ticks(self.name, self._aircraft)
        read = await self._read()
        accept(connected(self.name, str(self._file)))
        written_s, changed_s = -1.0, loop.time()
        while True:
            now_ns = clock.boot_ns()
            if read.now_s != written_s:
                written_s, changed_s = read.now_s, loop.time()
                for report in news.of(read):
                    for observation in self._aircraft.report(self.name, report, now_ns):
                        accept(observation)
            elif loop.time() - changed_s > self._silence_limit_s:
                raise TimeoutError(
                    f"{self._file} has not changed for {self._silence_limit_s:.0f} s"
                )
            ticks.pass_to(now_ns, accept)
            await asyncio.sleep(self._poll_s)
            read = await self._read()

    async def _read(self) -> AircraftFile:
        for attempt in range(1, _TRIES + 1):
            content = await asyncio.to_thread(self._file.read_bytes)
            try:
                return decode_aircraft_json(content)
            except ProtocolError:
                if attempt == _TRIES:
                    raise
            await asyncio.sleep(_RETRY_S)
        raise AssertionError("the last try returns or raises")
