"""A serial line that carries frames both ways."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from aerocast_protocols.uhf_serial.framing import FrameBuffer

from aerocast_agent.serial_port import Received, SerialPort

# Bytes of one frame follow each other at once; the slowest USB adapters hold them back for 16 ms.
HALF_FRAME_S = 0.1
QUIET_S = 0.15  # a line on which nothing came for so long has nothing left to bring


class Line:
    """Sends frames and waits for frames: ``async with Line(name, path, baud, buffer) as line``.

    Attributes
    ----------
    name
        The device's, for messages.
    received_ns
        ``boot_ns`` of the bytes that completed the last frame.
    """

    def __init__(self, name: str, path: str, baud: int, buffer: FrameBuffer) -> None:
        self.name = name
        self.received_ns = 0
        self._port = SerialPort(path, baud)
        self._buffer = buffer
        self._reading: asyncio.Task[Received] | None = None

    async def __aenter__(self) -> Self:
        """Open the port, as `SerialPort` does."""
        await self._port.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port."""
        await self._port.__aexit__(kind, error, trace)
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):  # it is closed
                await self._reading

    async def send(self, frame: bytes) -> None:
        """Send one frame (``OSError``)."""
        await self._port.write(frame)

    async def next_frame(self, limit_s: float) -> bytes | None:
        """Give the next right frame; None when none came in time (``OSError``)."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        while True:
            frame = next(self._buffer.frames(), None)
            if frame is not None:
                return frame
            left_s = deadline_s - loop.time()
            if left_s <= 0:
                return None
            if not self._buffer.waiting:
                await self._more(left_s)
            elif not await self._more(HALF_FRAME_S) and (frame := self._salvaged()) is not None:
                return frame

    async def drain(self, limit_s: float) -> None:
        """Pass over what still comes, until the line is quiet or for at most ``limit_s``."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        while loop.time() < deadline_s and await self.next_frame(QUIET_S) is not None:
            pass

    def _salvaged(self) -> bytes | None:
        """Look behind a frame that will not come whole any more."""
        while self._buffer.waiting:
            self._buffer.give_up()
            frame = next(self._buffer.frames(), None)
            if frame is not None:
                return frame
        return None

    async def _more(self, limit_s: float) -> bool:
        if self._reading is None:
            self._reading = asyncio.create_task(self._port.read())
        done, _ = await asyncio.wait({self._reading}, timeout=limit_s)
        if not done:
            return False
        received = self._reading.result()
        self._reading = None
        self.received_ns = received.boot_ns
        self._buffer.feed(received.content)
        return True
