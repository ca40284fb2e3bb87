"""Read an HTTP/1.1 response as it arrives: its head, then its body in pieces (RFC 9112).

For readers that tell of tags on a response without end. Bodies may be chunked, of a stated length,
or last until the connection closes.
"""

import re
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

LONGEST_HEAD = 16_384
LONGEST_CHUNK_LINE = 256
LARGEST_CHUNK = 1 << 31
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")
_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\Z", re.DOTALL)


class Head(NamedTuple):
    """What stands before the body; names of fields are in small letters, of several the last."""

    status: int
    fields: dict[str, str]


class ResponseBuffer:
    """Collects bytes as they arrive and gives out the body's.

    No socket, no clock: feed it from anywhere, in pieces of any size.

    Attributes
    ----------
    head
        None until it is there whole.
    is_complete
        Whether the body is there whole; one that lasts until the connection closes never is.
    lasts_until_close
        Whether only the end of the connection ends the body.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.is_complete = False
        self.lasts_until_close = False
        self._received = bytearray()
        self._left: int | None = None  # bytes to come of this chunk or body
        self._is_chunked = False
        self._in_trailer = False

    def feed(self, received: bytes) -> None:
        """Add bytes read from the server."""
        self._received += received

    def body(self) -> bytes:
        """Give out what has come of the body since it was last asked.

        Raises
        ------
        ProtocolError
            The server does not speak HTTP/1.1.
        """
        while self.head is None:
            if not self._take_head():
                return b""
        content = bytearray()
        while not self.is_complete and self._received:
            before = len(self._received)
            if self._is_chunked and self._left is None:
                self._take_chunk_line()
            else:
                content += self._take_content()
            if len(self._received) == before and not self.is_complete:
                break
        return bytes(content)

    def _take_head(self) -> bool:
        """Take a head off what came, and say whether there was a whole one."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > LONGEST_HEAD:
                raise ProtocolError(f"HTTP head of more than {LONGEST_HEAD} bytes")
            if not b"HTTP/1.".startswith(self._received[:7]):
                raise ProtocolError(f"{bytes(self._received[:20])!r} is no HTTP response")
            return False
        if end > LONGEST_HEAD:
            raise ProtocolError(f"HTTP head of {end} bytes")
        head = _decode_head(bytes(self._received[:end]))
        del self._received[: end + 4]
        if head.status < 200:
            return True  # an interim response; the real one follows
        self.head = head
        self._frame(head)
        return True

    def _frame(self, head: Head) -> None:
        coding, length = head.fields.get("transfer-encoding"), head.fields.get("content-length")
        if head.status in {204, 304}:
            self.is_complete = True
        elif coding is not None:
            if coding.lower() != "chunked":
                raise ProtocolError(f"HTTP transfer coding {coding[:40]!r} is not understood")
            self._is_chunked = True
        elif length is not None:
            if not (length.isascii() and length.isdecimal() and len(length) <= 15):
                raise ProtocolError(f"HTTP content length {length[:40]!r} is none")
            self._left = int(length)
            self.is_complete = self._left == 0
        else:
            self.lasts_until_close = True

    def _take_chunk_line(self) -> None:
        end = self._received.find(b"\r\n")
        if end < 0:
            if len(self._received) > LONGEST_CHUNK_LINE:
                raise ProtocolError("HTTP chunk's line is too long")
            return
        line = bytes(self._received[:end])
        if self._in_trailer:
            del self._received[: end + 2]
            self.is_complete = not line
            return
        found = _CHUNK_LINE.match(line)
        size = int(found[1], 16) if found else LARGEST_CHUNK
        if len(line) > LONGEST_CHUNK_LINE or size >= LARGEST_CHUNK:
            raise ProtocolError(f"HTTP chunk {line[:40]!r} is none")
        del self._received[: end + 2]
        if size == 0:
            self._in_trailer = True
        else:
            self._left = size + 2  # and the line end behind it

    def _take_content(self) -> bytes:
        if self._left is None:
            content = bytes(self._received)
            self._received.clear()
            return content
        content = bytes(self._received[: self._left])
        if not self._is_chunked:
            del self._received[: self._left]
            self._left -= len(content)
            self.is_complete = self._left == 0
            return content
        return self._take_of_chunk(content)

    def _take_of_chunk(self, content: bytes) -> bytes:
        """Take a chunk's bytes; the line end behind it must be whole, and is left out."""
        left = self._left or 0
        if len(content) >= left:
            if content[-2:] != b"\r\n":
                raise ProtocolError("HTTP chunk is longer than it says")
            del self._received[:left]
            self._left = None
            return content[:-2]
        content = content[: max(0, left - 2)]
        del self._received[: len(content)]
        self._left = left - len(content)
        return content


def _decode_head(head: bytes) -> Head:
    first, *rest = head.split(b"\r\n")
    found = _STATUS_LINE.match(first)
    if found is None:
        raise ProtocolError(f"{first[:40]!r} is no HTTP status")
    fields = {}
    for line in rest:
        name, colon, value = line.partition(b":")
        if not colon or not _FIELD_NAME.match(name):
            raise ProtocolError(f"{line[:40]!r} is no HTTP field")
        fields[name.decode().lower()] = value.strip(b" \t").decode("latin-1")
    return Head(int(found[1]), fields)
