"""Read BaseStation (SBS-1) lines: what dump1090 and readsb serve on port 30003.

22 fields between commas, as readsb 3.14.1642 writes them: ``MSG``, transmission type 1 to 8,
session, aircraft, address, flight, date and time generated, date and time logged, callsign,
altitude, ground speed, track, latitude, longitude, vertical rate, squawk, alert, emergency, ident,
on ground. Flags are ``-1`` or ``1`` (yes), ``0`` (no) or empty. ``SEL``, ``ID``, ``AIR``, ``STA``
and ``CLK`` lines have fewer; positions made by multilateration come as ``MLAT`` from some programs.
Dates are UTC in readsb and local time in BaseStation: never used as times here.
"""

import math
from typing import Literal, cast, get_args

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.reports import EMERGENCY_SQUAWKS, AircraftReport
from aerocast_protocols.modes.text_lines import LineBuffer

LONGEST_LINE = 512
FIELDS = 22
MessageType = Literal["MSG", "MLAT", "SEL", "ID", "AIR", "STA", "CLK"]
_TYPES = frozenset(get_args(MessageType))
_SURFACE, _AIRBORNE = 2, 3  # transmission types whose position says where the wheels are
_ICAO_DIGITS = frozenset("0123456789abcdef")


class SbsMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One line; None where a field is empty or absent.

    Attributes
    ----------
    icao
        Six lower-case hex digits, ``~`` before an address that is none of ICAO's.
    transmission_type
        1 identification, 2 surface position, 3 airborne position, 4 velocity, 5 to 8 replies.
    altitude_ft
        Pressure altitude, or height over the ellipsoid where ``altitude_is_geometric``.
    """

    message_type: MessageType
    transmission_type: int | None = None
    session_id: str | None = None
    aircraft_id: str | None = None
    icao: str | None = None
    flight_id: str | None = None
    generated_date: str | None = None
    generated_time: str | None = None
    logged_date: str | None = None
    logged_time: str | None = None
    callsign: str | None = None
    altitude_ft: float | None = None
    ground_speed_kt: float | None = None
    track_deg: float | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: str | None = None
    alert: bool | None = None
    emergency: bool | None = None
    ident: bool | None = None
    on_ground: bool | None = None
    altitude_is_geometric: bool = False

    def report(self) -> AircraftReport | None:
        """Give what the line says of an aircraft; None when it speaks of none."""
        if self.icao is None or self.message_type not in ("MSG", "MLAT"):
            return None
        on_ground = self.on_ground
        if on_ground is None and self.latitude_deg is not None:
            on_ground = {_SURFACE: True, _AIRBORNE: False}.get(self.transmission_type or 0)
        emergency = EMERGENCY_SQUAWKS.get(self.squawk or "")
        return AircraftReport(
            icao=self.icao,
            source="mlat" if self.message_type == "MLAT" else None,
            callsign=self.callsign,
            latitude_deg=self.latitude_deg,
            longitude_deg=self.longitude_deg,
            altitude_ft=None if self.altitude_is_geometric else self.altitude_ft,
            on_ground=on_ground,
            ground_speed_kt=self.ground_speed_kt,
            track_deg=self.track_deg,
            vertical_rate_fpm=self.vertical_rate_fpm,
            squawk=self.squawk,
            emergency=emergency or ("general" if self.emergency else None),
        )


def sbs_buffer() -> LineBuffer:
    """Make a buffer that cuts a stream into lines; an empty one is readsb's sign of life."""
    return LineBuffer(b"\r\n\0", LONGEST_LINE)


def decode_sbs(line: bytes) -> SbsMessage:
    """Read one line, without its end.

    Raises
    ------
    ProtocolError
        It is no such line, or a field cannot be what it is said to be.
    """
    texts = line.decode("ascii", "replace").split(",")
    kind = texts[0].strip().upper()
    if len(line) > LONGEST_LINE or kind not in _TYPES or len(texts) > FIELDS:
        shown = line[:80].decode("ascii", "backslashreplace")
        raise ProtocolError(f"no SBS message in {shown!r}")
    fields = [text.strip() or None for text in texts] + [None] * (FIELDS - len(texts))
    altitude, is_geometric = _altitude(fields[11])
    latitude, longitude = _number(fields[14], 90.0), _number(fields[15], 180.0)
    has_place = latitude is not None and longitude is not None
    return SbsMessage(
        message_type=cast("MessageType", kind),
        transmission_type=_transmission(fields[1]),
        session_id=fields[2],
        aircraft_id=fields[3],
        icao=_icao(fields[4]),
        flight_id=fields[5],
        generated_date=fields[6],
        generated_time=fields[7],
        logged_date=fields[8],
        logged_time=fields[9],
        callsign=fields[10],
        altitude_ft=altitude,
        altitude_is_geometric=is_geometric,
        ground_speed_kt=_number(fields[12], 4000.0, least=0.0),
        track_deg=_number(fields[13], 360.0, least=0.0),
        latitude_deg=latitude if has_place else None,
        longitude_deg=longitude if has_place else None,
        vertical_rate_fpm=_number(fields[16], 100_000.0),
        squawk=_squawk(fields[17]),
        alert=_flag(fields[18]),
        emergency=_flag(fields[19]),
        ident=_flag(fields[20]),
        on_ground=_flag(fields[21]),
    )


def encode_sbs(message: SbsMessage) -> bytes:
    """Write one line with its end; numbers as short as they are exact."""
    values = [
        getattr(message, each.name)
        for each in msgspec.structs.fields(SbsMessage)
        if each.name != "altitude_is_geometric"
    ]
    texts = [_text(value) for value in values]
    texts[4] = texts[4].upper()
    if message.altitude_is_geometric and texts[11]:
        texts[11] += "H"
    return (",".join(texts) + "\r\n").encode("ascii", "replace")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "-1" if value else "0"
    return str(value)


def _transmission(text: str | None) -> int | None:
    if text is None or not text.isdecimal():
        return None  # SEL, ID and the others leave it empty or say something of their own
    number = int(text[:3])
    if not 1 <= number <= 8:
        raise ProtocolError(f"SBS transmission type {text!r} is impossible")
    return number


def _icao(text: str | None) -> str | None:
    if text is None:
        return None
    icao = text.lower()
    digits = icao.removeprefix("~")
    if len(digits) != 6 or not _ICAO_DIGITS.issuperset(digits):
        raise ProtocolError(f"SBS address {text[:16]!r} is no 24-bit address")
    return icao


def _altitude(text: str | None) -> tuple[float | None, bool]:
    is_geometric = text is not None and text.endswith(("H", "h"))
    return _number(text[:-1] if text and is_geometric else text, 150_000.0), is_geometric


def _number(text: str | None, most: float, *, least: float | None = None) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (-most if least is None else least) <= number <= most:
        raise ProtocolError(f"SBS value {text[:24]!r} is impossible")
    return number


def _squawk(text: str | None) -> str | None:
    if text is None:
        return None
    padded = text.zfill(4)
    if len(padded) != 4 or not set(padded) <= set("01234567"):
        raise ProtocolError(f"SBS squawk {text[:16]!r} is impossible")
    return padded


def _flag(text: str | None) -> bool | None:
    if text is None:
        return None
    if text in ("-1", "1", "0"):
        return text != "0"
    raise ProtocolError(f"SBS flag {text[:16]!r} is neither -1, 1 nor 0")
