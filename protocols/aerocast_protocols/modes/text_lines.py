"""Cut what a receiver's text outputs (AVR, SBS) send into lines."""

import re
from collections.abc import Iterator


class LineBuffer:
    """Collects bytes as they arrive and gives out whole lines, without their ends; none is empty.

    No socket, no clock: feed it from anywhere, in pieces of any size. What ends a line may be any
    of several bytes; receivers mix CR LF, LF and NUL. A line longer than ``longest`` is given out
    cut to ``longest + 1`` bytes, so that its decoder refuses it, and no more than that is kept.

    Parameters
    ----------
    ends
        The bytes that end a line.
    longest
        In bytes.
    """

    def __init__(self, ends: bytes, longest: int) -> None:
        self._end = re.compile(rb"[" + re.escape(ends) + rb"]")
        self._longest = longest
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from the receiver."""
        self._received += received

    def lines(self) -> Iterator[bytes]:
        """Give out every line received whole, oldest first."""
        *whole, rest = self._end.split(bytes(self._received))
        self._received = bytearray(rest[: self._longest + 1])
        for line in whole:
            if stripped := line[: self._longest + 1].strip(b" \t"):
                yield stripped
