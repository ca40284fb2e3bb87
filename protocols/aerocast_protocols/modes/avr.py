"""Read and write the AVR text form of Mode S frames: dump1090's raw output (port 30002).

A frame is hex digits between a mark and ``;``. As dump1090 and readsb 3.14.1642 read it: ``*`` and
``:`` before the bare frame; ``@`` and ``%`` before 12 digits of a 12 MHz timestamp and the frame;
``<`` before timestamp, 2 digits of signal, and the frame. Frames have 4 (Mode A/C), 14 or 28
digits of either case. ``*0000;`` is readsb's sign of life.
"""

import re

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.beast import BeastFrame
from aerocast_protocols.modes.text_lines import LineBuffer

LONGEST_LINE = 64
# As in a Beast stream, where it means that the time is unknown.
NO_TIME = 0xFFFFFFFFFFFF
_LINE = re.compile(
    rb"(?:[*:]|[@%](?P<time>[0-9A-F]{12})|<(?P<rated>[0-9A-F]{12})(?P<signal>[0-9A-F]{2}))"
    rb"(?P<frame>(?:[0-9A-F]{14}){1,2}|[0-9A-F]{4})\Z",
    re.IGNORECASE,
)


def avr_buffer() -> LineBuffer:
    """Make a buffer that cuts a stream at each ``;``, line end and NUL."""
    return LineBuffer(b";\r\n\0", LONGEST_LINE)


def decode_avr(line: bytes) -> BeastFrame:
    """Read one line, without its ``;``.

    Raises
    ------
    ProtocolError
        It is no frame.
    """
    found = _LINE.match(line)
    if found is None:
        shown = line[:LONGEST_LINE].decode("ascii", "backslashreplace")
        raise ProtocolError(f"no AVR frame in {shown!r}")
    ticks = found["time"] or found["rated"]
    return BeastFrame(
        NO_TIME if ticks is None else int(ticks, 16),
        0 if found["signal"] is None else int(found["signal"], 16),
        bytes.fromhex(found["frame"].decode("ascii")),
    )


def encode_avr(heard: BeastFrame) -> bytes:
    """Write one reception as a line: with as much of time and signal as it has.

    Raises
    ------
    ProtocolError
        The frame has an impossible length.
    """
    if len(heard.frame) not in (2, 7, 14):
        raise ProtocolError(f"a frame of {len(heard.frame)} bytes cannot be sent")
    if heard.ticks_12mhz == NO_TIME:
        return f"*{heard.frame.hex()};\n".encode()
    if not heard.signal:
        return f"@{heard.ticks_12mhz:012x}{heard.frame.hex()};\n".encode()
    return f"<{heard.ticks_12mhz:012x}{heard.signal:02x}{heard.frame.hex()};\n".encode()
