"""Open a dongle through pyrtlsdr and librtlsdr, or say in one line what is missing."""

import errno
from collections.abc import Callable
from typing import Protocol

Which = str | int
"""A dongle's serial number, or its place among those plugged in, from 0."""
MEND = "pip install 'aerocast-agent[rtlsdr]'"
ACCESS, BUSY = -3, -6  # of libusb
NO_DONGLE, NO_SUCH_SERIAL = -2, -3  # of rtlsdr_get_index_by_serial


class Dongle(Protocol):
    """What pyrtlsdr's ``RtlSdr`` does for us; every call may raise ``OSError``."""

    sample_rate: float
    center_freq: float
    gain: float | str
    freq_correction: int

    def set_agc_mode(self, enabled: bool, /) -> None:  # noqa: FBT001 - pyrtlsdr's signature
        """Switch the gain control after the tuner."""

    def read_bytes_async(self, callback: Callable[[object, object], None], num_bytes: int) -> None:
        """Give the callback buffers of bytes until cancelled or lost."""

    def cancel_read_async(self) -> None:
        """End `read_bytes_async`, from any thread, while it runs."""

    def close(self) -> None:
        """Let go of the dongle; a second time does nothing."""


OpenDongle = Callable[[Which], Dongle]


def open_dongle(which: Which) -> Dongle:
    """Open a dongle.

    Raises
    ------
    OSError
        Package or library is missing, or the dongle: the message says how to mend it.
    """
    try:
        import rtlsdr  # type: ignore[import-untyped]  # noqa: PLC0415  untyped; an extra
    except ModuleNotFoundError:
        raise OSError(f"pyrtlsdr is not installed: {MEND}") from None
    except (ImportError, AttributeError) as error:
        # None is found, or only Debian's own, which lacks functions that pyrtlsdr asks for.
        raise OSError(f"no librtlsdr that fits pyrtlsdr: {MEND}") from error
    count = rtlsdr.librtlsdr.rtlsdr_get_device_count()
    if count == 0:
        raise OSError(errno.ENODEV, "no dongle is plugged in ('lsusb' lists what is)")
    try:
        place = rtlsdr.RtlSdr.get_device_index_by_serial(which) if isinstance(which, str) else which
    except OSError as error:
        raise OSError(errno.ENODEV, _no_serial(error.errno, which)) from error
    if place >= count:
        raise OSError(
            errno.ENODEV, f"no dongle {place}: {count} plugged in, the first of them is 0"
        )
    try:
        dongle: Dongle = rtlsdr.RtlSdr(device_index=place)
    except OSError as error:
        raise OSError(f"dongle {which}: {_why(error.errno)}") from error
    return dongle


def _no_serial(code: int | None, serial: Which) -> str:
    if code in {NO_DONGLE, NO_SUCH_SERIAL}:
        return f"no dongle with serial {serial!r} is plugged in ('rtl_test' lists them)"
    return f"looking for the dongle with serial {serial!r}: error {code} of librtlsdr"


def _why(code: int | None) -> str:
    if code == ACCESS:
        return (
            "this account may not open it: sudo apt install librtlsdr0 (udev rules), group plugdev"
        )
    if code == BUSY:
        return "another program or the television driver has it (sudo rmmod dvb_usb_rtl28xxu)"
    return f"cannot be opened (error {code} of librtlsdr)"
