"""Split a receiver's Beast stream into Mode S frames, and make such a stream.

Beast binary format as readsb 3.14.1642 and dump1090 write it: ``1a T`` then 6 bytes of
timestamp (48 bits, big endian, 12 MHz, free running), 1 byte of signal, and the frame: type ``1``
Mode A/C (2 bytes), ``2`` short (7), ``3`` long (14). Every ``1a`` after the type is doubled, so a
single ``1a`` always starts a frame: that is where a damaged stream is picked up again. Types ``4``
and ``5`` (receiver status, position) and readsb's own ``e3 e4 e8 P W`` carry no frame and are
passed over.
"""

import math
import re
from collections.abc import Iterator

import msgspec

from aerocast_protocols.errors import ProtocolError

ESCAPE = 0x1A
# readsb sends this when nothing else was sent for 60 s: an all-zero Mode A/C reply.
HEARTBEAT = b"\x1a1" + bytes(9)
TICKS_PER_S = 12_000_000
# A position computed elsewhere and put into the stream, not heard by this receiver (readsb
# MAGIC_MLAT_TIMESTAMP): no clock reading, and no evidence of reception.
MLAT_TIMESTAMP = 0xFF004D4C4154
UAT_TIMESTAMP = 0xFF004D4C4155
NO_FORWARD_TIMESTAMP = 0xFF004D4C4160
_NOT_TIMES = frozenset({MLAT_TIMESTAMP, UAT_TIMESTAMP, NO_FORWARD_TIMESTAMP, 0xFFFFFFFFFFFF})

_FRAME_LENGTHS = {ord("1"): 2, ord("2"): 7, ord("3"): 14}
_TYPES = {2: b"1", 7: b"2", 14: b"3"}
# Bytes after the type, escapes undone. Type 4 and 5 vary between receivers: what is longer runs
# into the next single 1a, what is shorter ends at it.
_LENGTHS = {ord("1"): 9, ord("2"): 14, ord("3"): 21, ord("4"): 21, ord("5"): 21, 0xE3: 8}
_TO_NEXT_ESCAPE = frozenset({0xE4, ord("P"), ord("W")})
_REPLAY_TIME, _REPLAY_TIME_LENGTH = 0xE8, 8  # not escaped

_BYTE = rb"(?:[^\x1a]|\x1a\x1a)"
_WHOLE = re.compile(
    rb"\x1a(?:3([^\x1a]{21}|" + _BYTE + rb"{21})"
    rb"|2([^\x1a]{14}|" + _BYTE + rb"{14})"
    rb"|1([^\x1a]{9}|" + _BYTE + rb"{9}))",
    re.DOTALL,
)
_ESCAPED = re.compile(_BYTE + rb"*", re.DOTALL)


# By signal byte: worked out once, a receiver gives one with every frame.
_DBFS = (None, *(20.0 * math.log10(signal / 255.0) for signal in range(1, 256)))


class BeastFrame(msgspec.Struct, frozen=True, gc=False):
    """One reception.

    Attributes
    ----------
    ticks_12mhz
        The receiver's free-running 12 MHz counter, 48 bits, or a magic value (``is_mlat``).
    signal
        Root of the power relative to full scale, 0 to 255; 0 when the receiver gives none.
    frame
        2 (Mode A/C), 7 or 14 bytes, parity included.
    """

    ticks_12mhz: int
    signal: int
    frame: bytes

    @property
    def is_mlat(self) -> bool:
        """Whether the frame was made from multilateration: heard by nobody as it stands."""
        return self.ticks_12mhz == MLAT_TIMESTAMP

    @property
    def is_heartbeat(self) -> bool:
        """Whether it only says that the receiver lives."""
        return self.frame == b"\0\0" and self.ticks_12mhz == 0

    @property
    def has_time(self) -> bool:
        """Whether ``ticks_12mhz`` is a clock reading."""
        return self.ticks_12mhz not in _NOT_TIMES

    @property
    def signal_dbfs(self) -> float | None:
        """Power in dB relative to full scale, at most 0; None when the receiver gives none."""
        return _DBFS[self.signal]


class BeastBuffer:
    """Collects bytes as they arrive and gives out whole frames.

    No socket, no clock: feed it from anywhere, in pieces of any size. A Beast stream picks itself
    up at the next single ``1a``, so no input is an error; what belonged to no frame is counted.
    Between calls of `frames` it never keeps more than one unfinished frame (at most 44 bytes).

    Attributes
    ----------
    garbage_bytes
        Bytes that belonged to no frame since the beginning.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._passing_over = False
        self.garbage_bytes = 0

    def feed(self, received: bytes) -> None:
        """Add bytes read from the receiver."""
        self._received += received

    def frames(self) -> Iterator[BeastFrame]:
        """Give out every frame received whole, oldest first."""
        received = bytes(self._received)
        position = 0
        try:
            while position < len(received):
                whole = _WHOLE.match(received, position)
                if whole is not None:
                    self._passing_over = False
                    position = whole.end()
                    yield _to_frame(whole[whole.lastindex or 0])
                    continue
                after = self._pass(received, position)
                if after is None:
                    return
                position = after
        finally:
            # In place and only now: a caller that stops early loses nothing it was not given.
            del self._received[:position]

    def _pass(self, received: bytes, position: int) -> int | None:
        """Step over what is no whole frame; None when more bytes are needed to tell."""
        if received[position] != ESCAPE:
            after = received.find(ESCAPE, position)
            after = len(received) if after < 0 else after
            self._count(after - position)
            return after
        if position + 1 == len(received):
            return None
        kind = received[position + 1]
        if kind == ESCAPE:
            self._count(2)
            return position + 2
        self._passing_over = False
        if kind == _REPLAY_TIME:
            after = position + 2 + _REPLAY_TIME_LENGTH
            return after if after <= len(received) else None
        if kind in _TO_NEXT_ESCAPE:
            self._passing_over = True
            return position + 2
        return self._pass_known(received, position, kind)

    def _pass_known(self, received: bytes, position: int, kind: int) -> int | None:
        length = _LENGTHS.get(kind)
        if length is None:
            self._count(2)
            return position + 2
        # Bounded: an escaped run of the length wanted is at most twice as long.
        run = _ESCAPED.match(received, position + 2, position + 2 + 2 * length)
        end = run.end() if run is not None else position + 2
        content = _unescape(received[position + 2 : end])
        if len(content) >= length:
            skipped = _raw_length(received, position + 2, length)
            self._passing_over = kind in (ord("4"), ord("5"))
            return position + 2 + skipped
        if end == len(received) or (end == len(received) - 1 and received[end] == ESCAPE):
            return None
        if kind not in (ord("4"), ord("5")):
            self._count(end - position)
        return end

    def _count(self, passed: int) -> None:
        if not self._passing_over:
            self.garbage_bytes += passed


def _unescape(escaped: bytes) -> bytes:
    return escaped.replace(b"\x1a\x1a", b"\x1a") if ESCAPE in escaped else escaped


def _raw_length(received: bytes, start: int, length: int) -> int:
    position = start
    for _ in range(length):
        position += 2 if received[position] == ESCAPE else 1
    return position - start


def _to_frame(escaped: bytes) -> BeastFrame:
    content = _unescape(escaped)
    return BeastFrame(int.from_bytes(content[:6], "big"), content[6], content[7:])


def encode_beast(frame: bytes, *, ticks_12mhz: int = 0, signal: int = 128) -> bytes:
    """Encode one reception as a receiver sends it.

    Parameters
    ----------
    frame
        2 (Mode A/C), 7 or 14 bytes.
    ticks_12mhz
        The receiver's counter; the low 48 bits are sent.
    signal
        Root of the power relative to full scale, 0 to 255.

    Raises
    ------
    ProtocolError
        The frame has an impossible length.
    """
    kind = _TYPES.get(len(frame))
    if kind is None:
        raise ProtocolError(f"a frame of {len(frame)} bytes has no Beast type")
    content = (ticks_12mhz & 0xFFFFFFFFFFFF).to_bytes(6, "big") + bytes((signal,)) + frame
    return b"\x1a" + kind + content.replace(b"\x1a", b"\x1a\x1a")
