"""An input device of the kernel (evdev), read by us alone: ``/dev/input/by-id/...-event-kbd``."""

import asyncio
import errno
import fcntl
import os
import stat
import struct
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

# linux/input.h: _IOW('E', 0x90, int) and _IOW('E', 0xa0, int)
EVIOCGRAB, EVIOCSCLOCKID = 0x40044590, 0x400445A0
_PIECE = 4096


class EventDevice:
    """An open input device: ``async with EventDevice(path) as device: await device.read()``.

    It is grabbed: what a scanner types reaches nobody else, no console and no desktop. A named pipe
    that carries recorded events will do as well.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1
        self._readable = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Open and grab it.

        Raises
        ------
        OSError
            It is not there, is no input device, or another program has grabbed it.
        """
        self._file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISFIFO(os.fstat(self._file).st_mode):
                self._grab()
            asyncio.get_running_loop().add_reader(self._file, self._readable.set)
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of it."""
        asyncio.get_running_loop().remove_reader(self._file)
        self._close()

    async def read(self) -> bytes:
        """Wait for input events and give those that are there, whole.

        Raises
        ------
        OSError
            The device is lost.
        """
        while True:
            with suppress(BlockingIOError):
                received = os.read(self._file, _PIECE)
                if not received:
                    raise ConnectionResetError(f"{self._path} was closed")
                return received
            self._readable.clear()
            await self._readable.wait()

    def _grab(self) -> None:
        try:
            fcntl.ioctl(self._file, EVIOCGRAB, 1)
            # Its times must not jump with the wall clock: they tell pauses between keys.
            fcntl.ioctl(self._file, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise OSError(error.errno, "another program has grabbed it", self._path) from error
            raise OSError(error.errno, "not an input device", self._path) from error

    def _close(self) -> None:
        os.close(self._file)
        self._file = -1
