"""Read HTTP/1.1 as it arrives: responses and their bodies in pieces, requests whole (RFC 9112).

For readers that tell of tags on a response without end, and for those that post them. Bodies may be
chunked, of a stated length, or last until the connection closes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

LONGEST_HEAD = 16_384
LONGEST_CHUNK_LINE = 256
LARGEST_CHUNK = 1 << 31
LARGEST_REQUEST = 1024 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")
_REQUEST_LINE = re.compile(rb"([A-Z]{3,10}) (/[!-~]{0,2000}) HTTP/1\.[01]\Z")
_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\Z", re.DOTALL)


class Head(NamedTuple):
    """What stands before a response's body; fields by names in small letters, the last counts."""

    status: int
    fields: dict[str, str]


class Request(NamedTuple):
    """A request, whole; names of fields as in `Head`."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes


class _Body:
    """Takes a body off what has come, piece by piece."""

    def __init__(self) -> None:
        self.is_complete = False
        self.lasts_until_close = False
        self._left: int | None = None  # bytes to come of this chunk or body
        self._is_chunked = False
        self._in_trailer = False

    def begin(self, fields: dict[str, str], *, may_last: bool) -> None:
        """Learn from the head how the body ends; without a word of it there is none."""
        coding, length = fields.get("transfer-encoding"), fields.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked":
                raise ProtocolError(f"HTTP transfer coding {coding[:40]!r} is not understood")
            self._is_chunked = True
        elif length is not None:
            if not (length.isascii() and length.isdecimal() and len(length) <= 15):
                raise ProtocolError(f"HTTP content length {length[:40]!r} is none")
            self._left = int(length)
            self.is_complete = self._left == 0
        else:
            self.lasts_until_close = may_last
            self.is_complete = not may_last

    def take(self, received: bytearray) -> bytes:
        """Take off what belongs to the body, and give its content."""
        content = bytearray()
        while not self.is_complete and received:
            before = len(received)
            if self._is_chunked and self._left is None:
                self._take_chunk_line(received)
            else:
                content += self._take_content(received)
            if len(received) == before and not self.is_complete:
                break
        return bytes(content)

    def _take_chunk_line(self, received: bytearray) -> None:
        end = received.find(b"\r\n")
        if end < 0:
            if len(received) > LONGEST_CHUNK_LINE:
                raise ProtocolError("HTTP chunk's line is too long")
            return
        line = bytes(received[:end])
        if self._in_trailer:
            del received[: end + 2]
            self.is_complete = not line
            return
        found = _CHUNK_LINE.match(line)
        size = int(found[1], 16) if found else LARGEST_CHUNK
        if len(line) > LONGEST_CHUNK_LINE or size >= LARGEST_CHUNK:
            raise ProtocolError(f"HTTP chunk {line[:40]!r} is none")
        del received[: end + 2]
        if size == 0:
            self._in_trailer = True
        else:
            self._left = size + 2  # and the line end behind it

    def _take_content(self, received: bytearray) -> bytes:
        if self._left is None:
            content = bytes(received)
            received.clear()
            return content
        content = bytes(received[: self._left])
        if self._is_chunked:
            return self._take_of_chunk(received, content, self._left)
        del received[: self._left]
        self._left -= len(content)
        self.is_complete = self._left == 0
        return content

    def _take_of_chunk(self, received: bytearray, content: bytes, left: int) -> bytes:
        """Take a chunk's bytes; the line end behind it must be whole, and is left out."""
        if len(content) >= left:
            if content[-2:] != b"\r\n":
                raise ProtocolError("HTTP chunk is longer than it says")
            del received[:left]
            self._left = None
            return content[:-2]
        content = content[: max(0, left - 2)]
        del received[: len(content)]
        self._left = left - len(content)
        return content


class ResponseBuffer:
    """Collects bytes as they arrive and gives out the body's.

    No socket, no clock: feed it from anywhere, in pieces of any size.

    Attributes
    ----------
    head
        None until it is there whole.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self._received = bytearray()
        self._body = _Body()

    @property
    def is_complete(self) -> bool:
        """Say whether the body is there whole; one that lasts until the end never is."""
        return self._body.is_complete

    @property
    def lasts_until_close(self) -> bool:
        """Say whether only the end of the connection ends the body."""
        return self._body.lasts_until_close

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
            if not b"HTTP/1.".startswith(self._received[:7]):
                raise ProtocolError(f"{bytes(self._received[:20])!r} is no HTTP response")
            text = _take_head(self._received)
            if text is None:
                return b""
            head = _decode_head(text)
            if head.status >= 200:  # else an interim response; the real one follows
                self.head = head
                fields = {} if head.status in {204, 304} else head.fields
                self._body.begin(fields, may_last=head.status not in {204, 304})
        return self._body.take(self._received)


class RequestBuffer:
    """Collects bytes as they arrive and gives out whole requests; see `ResponseBuffer`."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._body = _Body()
        self._content = b""

    def feed(self, received: bytes) -> None:
        """Add bytes read from the client."""
        self._received += received

    def requests(self) -> Iterator[Request]:
        """Give out every request received whole, oldest first.

        Raises
        ------
        ProtocolError
            The client does not speak HTTP/1.1, or its request is too large.
        """
        while True:
            if self._head is None:
                text = _take_head(self._received)
                if text is None:
                    return
                self._head = _decode_request_head(text)
                self._body = _Body()
                self._body.begin(self._head[2], may_last=False)
            self._content += self._body.take(self._received)
            if len(self._content) > LARGEST_REQUEST:
                raise ProtocolError(f"HTTP request of over {LARGEST_REQUEST} bytes")
            if not self._body.is_complete:
                return
            request = Request(*self._head, self._content)
            self._head, self._content = None, b""
            yield request


def _take_head(received: bytearray) -> bytes | None:
    """Take a head off what came; None while it is not there whole."""
    end = received.find(b"\r\n\r\n")
    if end > LONGEST_HEAD or (end < 0 and len(received) > LONGEST_HEAD):
        raise ProtocolError(f"HTTP head of more than {LONGEST_HEAD} bytes")
    if end < 0:
        return None
    head = bytes(received[:end])
    del received[: end + 4]
    return head


def _decode_head(head: bytes) -> Head:
    first, *rest = head.split(b"\r\n")
    found = _STATUS_LINE.match(first)
    if found is None:
        raise ProtocolError(f"{first[:40]!r} is no HTTP status")
    return Head(int(found[1]), _decode_fields(rest))


def _decode_request_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *rest = head.split(b"\r\n")
    found = _REQUEST_LINE.match(first)
    if found is None:
        raise ProtocolError(f"{first[:40]!r} is no HTTP request")
    return found[1].decode(), found[2].decode(), _decode_fields(rest)


def _decode_fields(lines: list[bytes]) -> dict[str, str]:
    fields = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _FIELD_NAME.match(name):
            raise ProtocolError(f"{line[:40]!r} is no HTTP field")
        fields[name.decode().lower()] = value.strip(b" \t").decode("latin-1")
    return fields
