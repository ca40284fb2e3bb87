"""A device on an I2C bus, by the kernel's ``/dev/i2c-N``."""

import fcntl
import os
from typing import Self

_I2C_SLAVE = 0x0703  # linux/i2c-dev.h


class I2cDevice:
    """One open device; reads and writes block for a millisecond or so.

    Raises
    ------
    OSError
        There is no such bus, or a driver of the kernel has the device.
    """

    def __init__(self, bus: str, address: int) -> None:
        self._file = os.open(bus, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._file, _I2C_SLAVE, address)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._file)

    def read(self, register: int, count: int) -> bytes:
        """Read registers from one on (``OSError`` when it does not answer)."""
        os.write(self._file, bytes([register]))
        return os.read(self._file, count)

    def write(self, sent: bytes) -> None:
        """Write: the register, then its values."""
        os.write(self._file, sent)
