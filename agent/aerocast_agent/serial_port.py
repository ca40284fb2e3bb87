"""A serial port read by one thread of its own: pyserial blocks, the daemon's loop must not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from aerocast_agent import clock

if TYPE_CHECKING:
    from serial import Serial


WRITING_LIMIT_S = 2.0  # a command is shorter than the kernel's buffer: only a stuck line takes long
CLOSING_LIMIT_S = 2.0  # a driver of the kernel that hangs must not hold up the daemon's end

_Result = TypeVar("_Result")


class Received(NamedTuple):
    """Bytes, and when the first of them was there."""

    content: bytes
    boot_ns: int


class SerialPort:
    """An open port: ``async with SerialPort(path, baud) as port: await port.read()``.

    The thread sleeps in the kernel until bytes come, so an idle port costs nothing. Cancelling a
    read wakes it.

    Parameters
    ----------
    path
        ``/dev/serial/by-id/...``; pyserial's URLs are accepted.
    baud
        Bits a second.
    """

    def __init__(self, path: str, baud: int) -> None:
        self._path, self._baud = path, baud
        self._device: Serial | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="serial")
        self._writing: ThreadPoolExecutor | None = None  # most devices are only listened to

    async def __aenter__(self) -> Self:
        """Open the port.

        Raises
        ------
        OSError
            It is not there, or another program has it.
        ValueError
            The port cannot be set to this baud rate.
        """
        try:
            await self._in_thread(self._open)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop reading and close the port."""
        await self._close()

    async def read(self) -> Received:
        """Wait for bytes and give all that are there.

        Raises
        ------
        OSError
            The device is lost.
        """
        return await self._in_thread(self._read)

    async def write(self, sent: bytes) -> None:
        """Send bytes; reading goes on beside it.

        Raises
        ------
        OSError
            The device is lost, or takes nothing.
        """
        if self._writing is None:
            self._writing = ThreadPoolExecutor(1, thread_name_prefix="serial write")
        await asyncio.get_running_loop().run_in_executor(self._writing, self._write, sent)

    async def _in_thread(self, call: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> None:
        import serial  # noqa: PLC0415  loaded only where a serial device is configured

        self._device = serial.serial_for_url(
            self._path, self._baud, timeout=None, write_timeout=WRITING_LIMIT_S, exclusive=True
        )

    def _read(self) -> Received:
        device = self._device
        if device is None:
            raise OSError(f"{self._path} is closed")
        first: bytes = device.read(1)
        seen_ns = clock.boot_ns()
        waiting = device.in_waiting
        return Received(first + (device.read(waiting) if waiting else b""), seen_ns)

    def _write(self, sent: bytes) -> None:
        if self._device is None:
            raise OSError(f"{self._path} is closed")
        self._device.write(sent)

    async def _close(self) -> None:
        if self._writing is not None:
            self._writing.shutdown(wait=False)
        if self._device is not None:
            self._device.cancel_read()
        closed = asyncio.wrap_future(self._thread.submit(self._shut))
        self._thread.shutdown(wait=False)
        await asyncio.wait({closed}, timeout=CLOSING_LIMIT_S)

    def _shut(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None
