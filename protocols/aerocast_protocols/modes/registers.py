"""Comm-B registers as plain bits: which a reply may carry, and the fields of those we follow.

ICAO Doc 9871 appendix A. A reply does not name its register. A register is *possible* when every
field that is marked absent is empty, reserved bits are clear, and values are such as aircraft have.
Which of several possible ones it is, is decided elsewhere (`commb`). Layouts are data here, so that
one frame (plain integers) and many (arrays) are read by the same tables.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

CONTENT_BITS = 56


class Field(NamedTuple):
    """Where a field lies: its presence bit and its bits, counted from the first of 56.

    A signed field's first bit is the sign: the value is two's complement.
    """

    name: str
    status: int
    first: int
    width: int
    step: float
    is_signed: bool = False

    @property
    def shift(self) -> int:
        """How far right the content must go."""
        return CONTENT_BITS - self.first - self.width

    @property
    def present(self) -> int:
        """Mask of the presence bit."""
        return 1 << (CONTENT_BITS - 1 - self.status)

    @property
    def mask(self) -> int:
        """Mask of the value, in place."""
        return ((1 << self.width) - 1) << self.shift


class Layout(NamedTuple):
    """A register: its fields, and the bits that must be clear."""

    fields: tuple[Field, ...]
    reserved: int = 0


BDS_40 = Layout(
    (
        Field("selected_altitude_mcp", 0, 1, 12, 16),
        Field("selected_altitude_fms", 13, 14, 12, 16),
        Field("baro_pressure_setting", 26, 27, 12, 0.1),  # from 800 hPa
        Field("mode", 47, 48, 3, 1),  # VNAV, altitude hold, approach
        Field("target_altitude_source", 53, 54, 2, 1),
    ),
    reserved=0xFF << 9 | 3 << 3,
)
BDS_50 = Layout(
    (
        Field("roll", 0, 1, 10, 45 / 256, is_signed=True),
        Field("true_track", 11, 12, 11, 90 / 512, is_signed=True),
        Field("groundspeed", 23, 24, 10, 2),
        Field("track_rate", 34, 35, 10, 8 / 256, is_signed=True),
        Field("true_airspeed", 45, 46, 10, 2),
    )
)
BDS_60 = Layout(
    (
        Field("magnetic_heading", 0, 1, 11, 90 / 512, is_signed=True),
        Field("indicated_airspeed", 12, 13, 10, 1),
        Field("mach", 23, 24, 10, 2.048 / 512),
        Field("baro_vertical_rate", 34, 35, 10, 32, is_signed=True),
        Field("inertial_vertical_rate", 45, 46, 10, 32, is_signed=True),
    )
)
BDS_44 = Layout(
    (
        Field("wind_speed", 4, 5, 9, 1),  # its presence bit covers the direction too
        Field("static_pressure", 34, 35, 11, 1),
        Field("turbulence", 46, 47, 2, 1),
        Field("humidity", 49, 50, 6, 100 / 64),
    )
)
BDS_45 = Layout(
    (
        Field("turbulence", 0, 1, 2, 1),
        Field("wind_shear", 3, 4, 2, 1),
        Field("microburst", 6, 7, 2, 1),
        Field("icing", 9, 10, 2, 1),
        Field("wake_vortex", 12, 13, 2, 1),
        Field("static_air_temperature", 15, 16, 10, 0.25, is_signed=True),
        Field("static_pressure", 26, 27, 11, 1),
        Field("radio_height", 38, 39, 12, 16),
    ),
    reserved=0x1F,
)
STEEPEST_ROLL_DEG = 35.0
FASTEST_KT, FASTEST_INDICATED_KT, FASTEST_MACH = 600, 500, 1.0
STEEPEST_FPM = 6000
LARGEST_WIND_KT = 200  # what ground speed and true airspeed may differ: the strongest jet stream
_ROLL_STEPS = int(STEEPEST_ROLL_DEG * 256 / 45)
_RATE_STEPS = STEEPEST_FPM // 32
_MACH_STEPS = int(FASTEST_MACH * 512 / 2.048)


class TrackAndTurn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """BDS 5,0: roll and true track in degrees, speeds in knots, track rate in degrees a second."""

    true_track: float
    groundspeed: float
    true_airspeed: float
    roll: float | None = None
    track_rate: float | None = None


class HeadingAndSpeed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """BDS 6,0: degrees from magnetic north, knots, Mach, feet a minute."""

    magnetic_heading: float
    indicated_airspeed: float
    mach: float
    baro_vertical_rate: float | None = None
    inertial_vertical_rate: float | None = None


class RoutineReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """BDS 4,4: the wind as the aircraft has it (knots, degrees true), degrees Celsius, hPa."""

    wind_speed: float
    wind_direction: float
    static_air_temperature: float
    static_pressure: float | None = None


class Gate(NamedTuple):
    """The masks that say whether a register's fields are empty where they are marked absent.

    Every presence bit stands right before its value: adding all ones to a value carries into the
    place of its presence bit unless the value is 0.
    """

    values: int
    presents: int
    reserved: int


def gate_of(layout: Layout) -> Gate:
    """Give the masks of a layout."""
    if any(field.status != field.first - 1 for field in layout.fields):
        raise AssertionError("a presence bit does not stand before its value")
    return Gate(
        sum(field.mask for field in layout.fields),
        sum(field.present for field in layout.fields),
        layout.reserved,
    )


def _gatekeeper(layout: Layout) -> Callable[[int], int]:
    """Give the check of a layout: not 0 when an absent field, or a reserved bit, is set."""
    values, presents, reserved = gate_of(layout)

    def broken(content: int) -> int:
        return ((content & values) + values & presents & ~content) | content & reserved

    return broken


_broken_40, _broken_50 = _gatekeeper(BDS_40), _gatekeeper(BDS_50)
_broken_60, _broken_44 = _gatekeeper(BDS_60), _gatekeeper(BDS_44)
_broken_45 = _gatekeeper(BDS_45)


def _signed(steps: int, width: int) -> int:
    return steps - (1 << width) if steps >> (width - 1) else steps


def is_named(content: int) -> bool:
    """Say whether a reply carries a register that names itself: BDS 1,0, 1,7, 2,0 or 3,0."""
    name = content >> 48
    if name == 0x10:
        return is_10(content)
    if name == 0x20:
        return is_20(content)
    if name == 0x30:
        return is_30(content)
    return is_17(content)


def is_10(content: int) -> bool:
    """BDS 1,0, data link capability: overlay commands come with subnetwork version 5 and later."""
    if content >> 48 != 0x10 or content >> 42 & 0x1F:
        return False
    return (content >> 33 & 0x7F >= 5) is (content >> 41 & 1 == 1)


def is_17(content: int) -> bool:
    """BDS 1,7, common usage capability: 2,0 is always among them, and nothing follows."""
    return content >> 49 & 1 == 1 and not content & 0xFFFFFFFF


def is_20(content: int) -> bool:
    """BDS 2,0, identification: eight characters that exist."""
    if content >> 48 != 0x20:
        return False
    return all(
        1 <= each <= 26 or each == 32 or 48 <= each <= 57
        for each in (content >> shift & 63 for shift in range(0, 48, 6))
    )


def is_30(content: int) -> bool:
    """BDS 3,0, resolution advisory: a threat type that exists, little in the reserved bits."""
    return content >> 48 == 0x30 and content >> 34 & 0x7F < 48 and content >> 26 & 3 != 3


def is_40(content: int) -> bool:
    """BDS 4,0, selected vertical intention."""
    return content != 0 and not _broken_40(content)


def is_50(content: int) -> bool:
    """BDS 5,0, track and turn."""
    if content == 0 or _broken_50(content):
        return False
    if content >> 55 and not -_ROLL_STEPS <= _signed(content >> 45 & 0x3FF, 10) <= _ROLL_STEPS:
        return False
    ground, air = (content >> 22 & 0x3FF) * 2, (content & 0x3FF) * 2
    if ground > FASTEST_KT or air > FASTEST_KT:
        return False
    both = content & 1 << 32 and content & 1 << 10
    return not both or abs(air - ground) <= LARGEST_WIND_KT


def is_60(content: int) -> bool:
    """BDS 6,0, heading and speed."""
    if content == 0 or _broken_60(content):
        return False
    if content >> 33 & 0x3FF > FASTEST_INDICATED_KT or content >> 22 & 0x3FF > _MACH_STEPS:
        return False
    return (
        -_RATE_STEPS <= _signed(content >> 11 & 0x3FF, 10) <= _RATE_STEPS
        and -_RATE_STEPS <= _signed(content & 0x3FF, 10) <= _RATE_STEPS
    )


def is_44(content: int) -> bool:
    """BDS 4,4, meteorological routine report, with a wind."""
    if content >> 52 > 4 or not content & 1 << 51 or _broken_44(content):
        return False
    temperature = _signed(content >> 22 & 0x7FF, 11)
    if content >> 42 & 0x1FF > 250 or not -320 <= temperature <= 240:
        return False
    return content & (0x3FFFF << 33 | 0x3FF << 22) != 0


def is_45(content: int) -> bool:
    """BDS 4,5, meteorological hazard report."""
    if content == 0 or is_17(content) or _broken_45(content):
        return False
    return -320 <= _signed(content >> 30 & 0x3FF, 10) <= 240


def read_50(content: int) -> TrackAndTurn | None:
    """Read BDS 5,0; None when it lacks a field that a wind takes."""
    if content & _NEEDED_50 != _NEEDED_50:
        return None
    has_roll, has_rate = content >> 55, content & 1 << 21
    return TrackAndTurn(
        true_track=_signed(content >> 33 & 0x7FF, 11) * 0.17578125 % 360.0,
        groundspeed=(content >> 22 & 0x3FF) * 2,
        true_airspeed=(content & 0x3FF) * 2,
        roll=_signed(content >> 45 & 0x3FF, 10) * 0.17578125 if has_roll else None,
        track_rate=_signed(content >> 11 & 0x3FF, 10) * 0.03125 if has_rate else None,
    )


def read_60(content: int) -> HeadingAndSpeed | None:
    """Read BDS 6,0; None when it lacks a field that a wind takes."""
    if content & _NEEDED_60 != _NEEDED_60:
        return None
    has_baro, has_inertial = content & 1 << 21, content & 1 << 10
    return HeadingAndSpeed(
        magnetic_heading=_signed(content >> 44 & 0x7FF, 11) * 0.17578125 % 360.0,
        indicated_airspeed=content >> 33 & 0x3FF,
        mach=(content >> 22 & 0x3FF) * 2.048 / 512.0,
        baro_vertical_rate=_signed(content >> 11 & 0x3FF, 10) * 32 if has_baro else None,
        inertial_vertical_rate=_signed(content & 0x3FF, 10) * 32 if has_inertial else None,
    )


def read_44(content: int) -> RoutineReport:
    """Read BDS 4,4 where `is_44` says that it is possible."""
    return RoutineReport(
        wind_speed=content >> 42 & 0x1FF,
        wind_direction=(content >> 33 & 0x1FF) * 0.703125,
        static_air_temperature=_signed(content >> 22 & 0x7FF, 11) * 0.25,
        static_pressure=content >> 10 & 0x7FF if content & 1 << 21 else None,
    )


_NEEDED_50 = 1 << 44 | 1 << 32 | 1 << 10
_NEEDED_60 = 1 << 55 | 1 << 43 | 1 << 32
