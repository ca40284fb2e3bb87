"""Reports of gpsd: a JSON object a line, named by ``class``.

gpsd_json(5), protocol version 3 (gpsd 3.x): VERSION, TPV (time, position, velocity), SKY
(satellites), ERROR. Others are passed over.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aerocast_protocols.errors import ProtocolError

# SKY of four constellations is about 10 kB. Ours, in bytes: bounds what a peer can cost.
LONGEST_REPORT = 65_536

_Text = Annotated[str, msgspec.Meta(max_length=512)]


class Version(msgspec.Struct, frozen=True, tag_field="class", tag="VERSION"):
    """What gpsd says first."""

    release: _Text
    proto_major: int
    proto_minor: int = 0


class Tpv(msgspec.Struct, frozen=True, tag_field="class", tag="TPV"):
    """Time, position, velocity; what is not known is absent.

    Attributes
    ----------
    device
        The receiver, by the path gpsd knows it by.
    mode
        0 unknown, 1 no fix, 2 two-dimensional, 3 three-dimensional.
    status
        0 unknown, 1 normal, 2 differential, 3 and 4 real-time kinematic, 5 dead reckoning,
        6 satellites and dead reckoning, 7 surveyed in, 8 simulated, 9 P(Y); absent when normal.
    ept
        Expected error of ``time``, seconds.
    """

    device: _Text = ""
    mode: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    status: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    time: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    ept: Annotated[float, msgspec.Meta(ge=0)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    altMSL: float | None = None  # noqa: N815  gpsd's name
    alt: float | None = None
    speed: Annotated[float, msgspec.Meta(ge=0)] | None = None
    track: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None


class Satellite(msgspec.Struct, frozen=True):
    """One satellite in view."""

    used: bool = False


class Sky(msgspec.Struct, frozen=True, tag_field="class", tag="SKY"):
    """Satellites in view; ``uSat`` counts those used, in newer versions."""

    device: _Text = ""
    hdop: Annotated[float, msgspec.Meta(ge=0)] | None = None
    uSat: Annotated[int, msgspec.Meta(ge=0)] | None = None  # noqa: N815  gpsd's name
    satellites: Annotated[tuple[Satellite, ...], msgspec.Meta(max_length=1024)] | None = None

    @property
    def used(self) -> int | None:
        """Give how many satellites the position rests on; None when this report does not say."""
        if self.uSat is not None:
            return self.uSat
        if self.satellites is None:
            return None
        return sum(each.used for each in self.satellites)


class GpsdError(msgspec.Struct, frozen=True, tag_field="class", tag="ERROR"):
    """What gpsd did not understand."""

    message: _Text = ""


class _Other(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=64)] = msgspec.field(name="class")


Report = Version | Tpv | Sky | GpsdError
_KNOWN: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
_OTHER = msgspec.json.Decoder(_Other)
_NAMES = frozenset({"VERSION", "TPV", "SKY", "ERROR"})


class ReportBuffer:
    """Collects bytes as they arrive and gives out whole lines, without their end.

    No socket, no clock: feed it from anywhere, in pieces of any size. Empty lines are passed over.
    """

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from gpsd."""
        self._received += received

    def lines(self) -> Iterator[bytes]:
        """Give out every line received whole, oldest first.

        Raises
        ------
        ProtocolError
            No line ended within ``LONGEST_REPORT`` bytes: this is no gpsd. What was received is
            thrown away.
        """
        while (end := self._received.find(b"\n", 0, LONGEST_REPORT + 1)) >= 0:
            line = bytes(self._received[:end]).strip(b"\r\0")
            del self._received[: end + 1]
            if line:
                yield line
        if len(self._received) > LONGEST_REPORT:
            self._received.clear()
            raise ProtocolError(f"gpsd sent {LONGEST_REPORT} bytes and no end of line")


def decode_report(line: bytes) -> Report | None:
    """Read one line; None for a class of no use here.

    Raises
    ------
    ProtocolError
        It is no JSON object with a class, or a value in it is impossible.
    """
    try:
        if _OTHER.decode(line).name not in _NAMES:
            return None
        return _KNOWN.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"gpsd report of {len(line)} bytes: {error}") from error


def encode_watch(receiver: str | None = None) -> bytes:
    """Ask for reports as they come: of one receiver, or of all."""
    wanted: dict[str, bool | str] = {"enable": True, "json": True}
    if receiver is not None:
        wanted["device"] = receiver
    return b"?WATCH=" + msgspec.json.encode(wanted) + b"\n"
