"""Make the frames an aircraft transmits: what the simulator sends and round-trip tests read back.

The layouts of ICAO Doc 9871 (extended squitters, Comm-B registers 5,0 and 6,0) and ICAO Annex 10
volume IV (the replies around them), held to by decoding every frame again with pyModeS.
"""

from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.cpr import Position, encode_cpr
from aerocast_protocols.modes.parity import seal

_CHARACTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
# Speed on the ground: first code of a range, its lowest speed and its step, knots.
_MOVEMENTS = (
    (2, 0.125, 0.125),
    (9, 1.0, 0.25),
    (13, 2.0, 0.5),
    (39, 15.0, 1.0),
    (94, 70.0, 2.0),
    (109, 100.0, 5.0),
)
ON_GROUND, AIRBORNE = 4, 5  # capability field of squitters: level 2 transponder, on ground or not


class Sender(NamedTuple):
    """Who transmits: 24-bit address as six hex digits, and whether it stands on its wheels."""

    icao: str
    on_ground: bool


def encode_identification(sender: Sender, callsign: str, category: int = 3) -> bytes:
    """Encode df 17 identification.

    Parameters
    ----------
    callsign
        Up to eight of A to Z, 0 to 9 and space.
    category
        Emitter category within set A, 0 to 7 (3: large aircraft).

    Raises
    ------
    ProtocolError
        The callsign cannot be sent.
    """
    content = 4 << 3 | category
    for character in callsign.ljust(8):
        code = _CHARACTERS.find(character)
        if len(callsign) > 8 or code < 1 or character == "#":
            raise ProtocolError(f"callsign {callsign!r} cannot be sent")
        content = content << 6 | code
    return _squitter(sender, content)


def encode_airborne_position(
    sender: Sender, position: Position, altitude_ft: float, *, odd: bool
) -> bytes:
    """Encode df 17 airborne position (type code 11): altitude -1000 to 50175 ft, 25 ft steps."""
    cpr = encode_cpr(position, odd=odd, on_surface=False)
    altitude = _altitude_12(altitude_ft)
    content = 11 << 51 | altitude << 36 | int(odd) << 34 | cpr.latitude << 17 | cpr.longitude
    return _squitter(sender, content)


def encode_surface_position(
    sender: Sender, position: Position, ground_speed_kt: float, track_deg: float, *, odd: bool
) -> bytes:
    """Encode df 17 surface position (type code 7) with movement and track."""
    cpr = encode_cpr(position, odd=odd, on_surface=True)
    track = round(track_deg / 360.0 * 128.0) % 128
    content = 7 << 51 | _movement(ground_speed_kt) << 44 | 1 << 43 | track << 36
    return _squitter(sender, content | int(odd) << 34 | cpr.latitude << 17 | cpr.longitude)


def encode_velocity(
    sender: Sender, east_kt: float, north_kt: float, vertical_rate_fpm: float
) -> bytes:
    """Encode df 17 velocity over ground (type code 19, subtype 1): up to 1021 kt each way."""
    content = 19 << 51 | 1 << 48
    content |= _signed_speed(east_kt) << 32 | _signed_speed(north_kt) << 21
    rate = min(round(abs(vertical_rate_fpm) / 64.0) + 1, 511)
    content |= 1 << 20 | int(vertical_rate_fpm < 0) << 19 | rate << 10
    return _squitter(sender, content)


def encode_all_call(sender: Sender) -> bytes:
    """Encode df 11: an acquisition squitter, nobody's interrogator code over it."""
    return seal(bytes((11 << 3 | _capability(sender),)) + bytes.fromhex(sender.icao))


def encode_altitude_reply(sender: Sender, altitude_ft: float, register: int) -> bytes:
    """Encode df 20: altitude (-1000 to 50175 ft) and the 56 bits of a Comm-B register."""
    altitude = _altitude_12(altitude_ft)
    code = (altitude & 0xFC0) << 1 | altitude & 0x3F  # bit M between them is 0: feet
    return _reply(20, sender, code, register)


def encode_identity_reply(sender: Sender, squawk: str, register: int) -> bytes:
    """Encode df 21: squawk (four octal digits) and the 56 bits of a Comm-B register."""
    a, b, c, d = (int(digit, 8) for digit in squawk)
    code = 0
    # C1 A1 C2 A2 C4 A4 X B1 D1 B2 D2 B4 D4: the order of Mode A pulses.
    for bit in (1, 2, 4):
        code = code << 2 | int(bool(c & bit)) << 1 | int(bool(a & bit))
    code <<= 1
    for bit in (1, 2, 4):
        code = code << 2 | int(bool(b & bit)) << 1 | int(bool(d & bit))
    return _reply(21, sender, code, register)


def register_50(
    *,
    roll_deg: float,
    true_track_deg: float,
    ground_speed_kt: float,
    track_rate_deg_s: float,
    true_airspeed_kt: float,
) -> int:
    """Encode BDS 5,0: steps of 0.176 degrees, 2 kt and 1/32 degree a second."""
    content = 1 << 10 | _signed(roll_deg * 256.0 / 45.0, 10)
    content = content << 12 | 1 << 11 | _signed(_half_turn(true_track_deg) * 512.0 / 90.0, 11)
    content = content << 11 | 1 << 10 | min(round(ground_speed_kt / 2.0), 1023)
    content = content << 11 | 1 << 10 | _signed(track_rate_deg_s * 32.0, 10)
    return content << 11 | 1 << 10 | min(round(true_airspeed_kt / 2.0), 1023)


def register_60(
    *,
    magnetic_heading_deg: float,
    indicated_airspeed_kt: float,
    mach: float,
    vertical_rate_fpm: float,
) -> int:
    """Encode BDS 6,0: steps of 0.176 degrees, 1 kt, Mach 0.004 and 32 ft/min."""
    content = 1 << 11 | _signed(_half_turn(magnetic_heading_deg) * 512.0 / 90.0, 11)
    content = content << 11 | 1 << 10 | min(round(indicated_airspeed_kt), 1023)
    content = content << 11 | 1 << 10 | min(round(mach * 250.0), 1023)
    rate = 1 << 10 | _signed(vertical_rate_fpm / 32.0, 10)
    return (content << 11 | rate) << 11 | rate


def register_44(
    *,
    wind_speed_kt: float,
    wind_direction_deg: float,
    temperature_c: float,
    figure_of_merit: int = 1,
) -> int:
    """Encode BDS 4,4 with wind and temperature: steps of 1 kt, 0.7 degrees and 0.25 K."""
    content = figure_of_merit << 1 | 1
    content = content << 9 | min(round(wind_speed_kt), 511)
    content = content << 9 | round(wind_direction_deg % 360.0 / 0.703125) % 512
    return (content << 11 | _signed(temperature_c * 4.0, 11)) << 22


def _capability(sender: Sender) -> int:
    return ON_GROUND if sender.on_ground else AIRBORNE


def _squitter(sender: Sender, content: int) -> bytes:
    head = bytes((17 << 3 | _capability(sender),)) + bytes.fromhex(sender.icao)
    return seal(head + content.to_bytes(7, "big"))


def _reply(downlink_format: int, sender: Sender, code: int, register: int) -> bytes:
    head = downlink_format << 27 | int(sender.on_ground) << 24 | code
    content = head.to_bytes(4, "big") + register.to_bytes(7, "big")
    return seal(content, over=int(sender.icao, 16))


def _altitude_12(altitude_ft: float) -> int:
    steps = round((altitude_ft + 1000.0) / 25.0)
    if not 0 <= steps < 2048:
        raise ProtocolError(f"altitude {altitude_ft} ft cannot be sent in 25 ft steps")
    return (steps & 0x7F0) << 1 | 1 << 4 | steps & 0xF  # bit Q: 25 ft steps


def _movement(ground_speed_kt: float) -> int:
    if ground_speed_kt < 0.125:
        return 1
    if ground_speed_kt >= 175.0:
        return 124
    first, lowest_kt, step_kt = [row for row in _MOVEMENTS if ground_speed_kt >= row[1]][-1]
    return first + int((ground_speed_kt - lowest_kt) / step_kt)


def _signed_speed(speed_kt: float) -> int:
    return int(speed_kt < 0) << 10 | min(round(abs(speed_kt)) + 1, 1023)


def _signed(steps: float, bits: int) -> int:
    limit = 1 << (bits - 1)
    return max(-limit, min(limit - 1, round(steps))) & ((1 << bits) - 1)


def _half_turn(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0
