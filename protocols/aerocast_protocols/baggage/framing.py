"""Telling baggage messages apart in a file or a stream.

A message runs from its envelope, or its first line, to the line ``ENDBSM`` (``ENDPART1`` ...) and
the blanks and control characters after it. Every byte fed comes out again, in some piece.
"""

from collections.abc import Iterator

from aerocast_protocols.baggage.message import LONGEST_HEADING, LONGEST_MESSAGE, is_kind_line
from aerocast_protocols.baggage.type_b import is_address_line, is_origin_line

_FRAMING = b"\x01\x02\x03 \t\r\n\x00"


class MessageBuffer:
    """Collects bytes as they arrive and gives out pieces, each a message or what is none.

    `parse_message` says which it is. No socket, no clock: feed it pieces of any size.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._searched = 0  # up to here there is no line end
        self._piece = _Piece()

    def feed(self, received: bytes) -> None:
        """Add bytes."""
        self._received += received

    def messages(self) -> Iterator[bytes]:
        """Give out every piece that is whole, oldest first.

        A message is whole when something else begins after it: at the end of a file, `flush`.
        """
        while (line := self._next_line()) is not None:
            yield from self._take(line)

    def flush(self) -> Iterator[bytes]:
        """Give out what is left: nothing more follows."""
        yield from self.messages()
        if self._received:
            line = bytes(self._received)
            self._received.clear()
            self._searched = 0
            yield from self._take(line)
        yield from self._cut()

    def _next_line(self) -> bytes | None:
        end = self._received.find(b"\n", self._searched)
        if end < 0 or end >= LONGEST_MESSAGE:
            if len(self._received) <= LONGEST_MESSAGE:
                self._searched = len(self._received)
                return None
            end = LONGEST_MESSAGE - 1  # no line is that long: what follows begins another
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        self._searched = 0
        return line

    def _take(self, line: bytes) -> Iterator[bytes]:
        piece = self._piece
        if piece.is_over(line):
            yield from self._cut()
        elif piece.is_cut_short_by(line):
            yield from self._cut(piece.last_element())
        self._piece.add(line)

    def _cut(self, at: int | None = None) -> Iterator[bytes]:
        """Give out the lines before ``at`` and keep the others, which begin the next piece."""
        lines = self._piece.lines
        self._piece = _Piece()
        for line in () if at is None else lines[at:]:
            self._piece.add(line)
        whole = b"".join(lines[:at])
        if whole:
            yield whole


class _Piece:
    """The lines of one message, as far as they have come."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._length = 0
        self._kind_at: int | None = None
        self._has_ended = self._has_text = self._has_addresses = self._has_origin = False

    def is_over(self, line: bytes) -> bool:
        """Say whether ``line`` belongs to the next piece and nothing collected does."""
        text = line.decode("latin-1")
        is_blank = not line.strip(_FRAMING)
        if self._length + len(line) > LONGEST_MESSAGE or (self._has_ended and not is_blank):
            return True
        if self._kind_at is not None:
            return not self._has_ended and (is_address_line(text) or is_origin_line(text))
        has_envelope = self._has_addresses or self._has_origin
        if has_envelope and self._length <= LONGEST_HEADING:
            return is_address_line(text) or (self._has_origin and is_origin_line(text))
        return self._has_text and (is_blank or has_envelope or is_kind_line(text))

    def is_cut_short_by(self, line: bytes) -> bool:
        """Say whether another message begins with ``line``, and this one has no end."""
        return self._kind_at is not None and is_kind_line(line.decode("latin-1"))

    def last_element(self) -> int:
        """Give the index after the last line that is an element, or the message's first."""
        at = len(self.lines)
        while self._kind_at is not None and at - 1 > self._kind_at:
            line = self.lines[at - 1]
            if line[:1] == b"." and line[2:3] == b"/":
                break
            at -= 1
        return at

    def add(self, line: bytes) -> None:
        """Add a line."""
        text = line.decode("latin-1")
        if self._kind_at is None:
            if is_kind_line(text):
                self._kind_at = len(self.lines)
            self._has_addresses = self._has_addresses or is_address_line(text)
            self._has_origin = self._has_origin or is_origin_line(text)
        elif text[:3].upper() == "END":
            self._has_ended = True
        self._has_text = self._has_text or bool(line.strip(_FRAMING))
        self.lines.append(line)
        self._length += len(line)
