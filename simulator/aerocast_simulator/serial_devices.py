"""A barcode scanner and a GPS receiver on pseudo-terminals: to the agent, real serial ports.

Their master side stays with the simulator; the agent opens ``path`` with pyserial. `unplug` ends a
device as pulling its cable does.
"""

import asyncio
import os
import tty
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self

from aerocast_protocols.barcode.framing import Framing, encode_scan
from aerocast_protocols.nmea.sentences import Sentence, encode_sentence

from aerocast_simulator.scanner_memory import ScannerMemory


class Pty:
    """The two ends of a pseudo-terminal in raw mode.

    The slave end is kept open too: else the master would see an error whenever no agent has it.
    """

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.unplug()

    def _write(self, sent: bytes) -> None:
        """Send; what nobody reads is lost once the line is full, as on a real one."""
        with suppress(BlockingIOError):
            os.write(self._master, sent)

    def unplug(self) -> None:
        """Close both ends: the agent's read fails."""
        for end in (self._master, self._slave):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1


class PtyScanner(Pty):
    """A barcode scanner.

    Parameters
    ----------
    framing
        How it ends a text.
    memory
        Its settings, when it can be programmed.

    Attributes
    ----------
    path
        The device file an agent opens.
    """

    def __init__(self, framing: Framing = "auto", memory: ScannerMemory | None = None) -> None:
        super().__init__()
        self._framing: Framing = framing
        self._memory = memory
        if memory is not None:
            asyncio.get_running_loop().add_reader(self._master, self._hear, memory)

    def unplug(self) -> None:
        """Close both ends: the agent's read fails."""
        if self._memory is not None and self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
        super().unplug()

    def _hear(self, memory: ScannerMemory) -> None:
        self._write(memory.answer(os.read(self._master, 4096)))

    def scan(self, text: str) -> None:
        """Read a code; an AIM identifier is part of the text."""
        self._write(encode_scan(text, self._framing))

    def no_read(self) -> None:
        """See a bag pass and read nothing."""
        self.scan("NoRead")


class PtyGps(Pty):
    """A GPS receiver that stands still.

    Parameters
    ----------
    latitude_deg, longitude_deg, altitude_m
        Where it is.
    clock_error_s
        How wrong its time is (a rolled-over week number: ``-1024 * 7 * 86400``).

    Attributes
    ----------
    path
        The device file an agent opens.
    """

    def __init__(
        self,
        latitude_deg: float,
        longitude_deg: float,
        altitude_m: float = 0.0,
        *,
        clock_error_s: float = 0.0,
    ) -> None:
        super().__init__()
        self._latitude_deg, self._longitude_deg = latitude_deg, longitude_deg
        self._altitude_m = altitude_m
        self._clock_error_s = clock_error_s

    async def run(self) -> None:
        """Send RMC and GGA once a second, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.send(datetime.now(UTC).timestamp() + self._clock_error_s)
            due += 1.0
            await asyncio.sleep(max(0.0, due - loop.time()))

    def send(self, unix_s: float) -> None:
        """Send the sentences of one moment."""
        now = datetime.fromtimestamp(unix_s, UTC)
        time_of_day = f"{now:%H%M%S}.{now.microsecond // 10_000:02d}"
        place = (*_angle(self._latitude_deg, "NS", 2), *_angle(self._longitude_deg, "EW", 3))
        rmc = (time_of_day, "A", *place, "0.00", "", f"{now:%d%m%y}", "", "", "A")
        gga = (
            *(time_of_day, *place, "1", "09", "0.9"),
            *(f"{self._altitude_m:.1f}", "M", "47.0", "M", "", ""),
        )
        self._write(
            encode_sentence(Sentence("GP", "RMC", rmc))
            + encode_sentence(Sentence("GP", "GGA", gga))
        )


def _angle(degrees: float, hemispheres: str, digits: int) -> tuple[str, str]:
    ten_thousandths = round(abs(degrees) * 600_000)
    whole, minutes = divmod(ten_thousandths, 600_000)
    return f"{whole:0{digits}d}{minutes / 10_000:07.4f}", hemispheres[degrees < 0]
