"""Find whole frames in what a serial line brings, noise and half frames among it."""

from collections.abc import Callable, Iterator

Measure = Callable[[bytearray, int], int]
"""Says of the bytes from an offset on: a whole, right frame of so many bytes begins there; 0: what
is there may still become one; `NOT_HERE`: none begins there."""

NOT_HERE = -1


class FrameBuffer:
    """Collects bytes as they arrive and gives out whole frames whose checksum is right.

    No port, no clock: feed it from anywhere, in pieces of any size. What is no frame is passed over
    byte by byte, so that a damaged frame never costs the one behind it.

    Parameters
    ----------
    measure
        Of the family: ``m100.measure`` and so on.

    Attributes
    ----------
    passed_over
        Bytes so far that belonged to no frame.
    """

    def __init__(self, measure: Measure) -> None:
        self.passed_over = 0
        self._measure = measure
        self._received = bytearray()

    @property
    def waiting(self) -> int:
        """Give the number of bytes that may become a frame."""
        return len(self._received)

    def feed(self, received: bytes) -> None:
        """Add bytes read from the module."""
        self._received += received

    def frames(self) -> Iterator[bytes]:
        """Give out every frame received whole, oldest first."""
        while self._received:
            at, size = self._next()
            self._pass_over(at)
            if size == 0:
                return
            frame = bytes(self._received[:size])
            del self._received[:size]
            yield frame

    def give_up(self) -> None:
        """Stop waiting for the end of a frame: the line has been silent for too long.

        A damaged length would else hold back the answers behind it until so many bytes came.
        """
        if self._received:
            self._pass_over(1)

    def _next(self) -> tuple[int, int]:
        for at in range(len(self._received)):
            size = self._measure(self._received, at)
            if size != NOT_HERE:
                return at, size
        return len(self._received), 0

    def _pass_over(self, count: int) -> None:
        self.passed_over += count
        del self._received[:count]
