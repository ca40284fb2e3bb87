"""Which Comm-B registers many contents may be, and their fields as arrays.

The rules of `registers`, for many contents at a time. Needs numpy (extra sdr).
"""

import numpy as np

from aerocast_protocols.modes import registers
from aerocast_protocols.modes.batch_frames import Flags, Integers, Layout, Numbers, known
from aerocast_protocols.modes.batch_frames import signed as read_signed
from aerocast_protocols.modes.codes import CHARACTERS
from aerocast_protocols.modes.registers import (
    BDS_40,
    BDS_44,
    BDS_45,
    BDS_50,
    BDS_60,
    FASTEST_INDICATED_KT,
    FASTEST_KT,
    FASTEST_MACH,
    LARGEST_WIND_KT,
    STEEPEST_FPM,
    STEEPEST_ROLL_DEG,
    gate_of,
)

_IS_CHARACTER = np.array([each != "#" for each in CHARACTERS])
_CHARACTER_SHIFTS = np.arange(0, 48, 6)
_IS_NAME = np.isin(np.arange(256), (0x10, 0x20, 0x30))
# Subnetwork version, overlay and reserved bits of 1,0; reserved bits and threat type of 3,0.
_NAMED = Layout((16, 7), (14, 1), (9, 5), (15, 7), (28, 2))
_SET_17, _EMPTY_17 = 1 << 49, 0xFFFFFFFF
_BOTH_SPEEDS = 1 << 32 | 1 << 10
# Merit, presence and speed of the wind; temperature; what may not be all zeros.
ROUTINE = Layout((0, 4), (4, 1), (5, 9), (23, 11), (5, 18), (24, 10))
COLDEST_STEPS, WARMEST_STEPS = -320, 240  # of a quarter degree Celsius
_STEEPEST_STEPS = int(STEEPEST_ROLL_DEG * 256 / 45)
_FASTEST_STEPS = int(FASTEST_MACH * 512 / 2.048)


class Register:
    """A register's layout as arrays."""

    def __init__(self, number: int, layout: registers.Layout) -> None:
        self.number = number
        self._gate = gate_of(layout)
        fields = layout.fields
        self._layout = Layout(*((field.first, field.width) for field in fields))
        self._halves = np.array([[field.is_signed << (field.width - 1)] for field in fields])
        self._sizes = np.array([[field.step] for field in fields])
        self._presents = np.array([[field.present] for field in fields])

    def is_whole(self, content: Integers) -> Flags:
        """Say where no absent field and no reserved bit is set."""
        values, presents, reserved = self._gate
        broken = ((content & values) + values & presents & ~content) | content & reserved
        whole: Flags = (broken == 0) & (content != 0)
        return whole

    def steps(self, content: Integers) -> Integers:
        """Give the fields as counts of their steps, shape (fields, n)."""
        steps: Integers = (self._layout.cut(content) ^ self._halves) - self._halves
        return steps

    def values(self, content: Integers) -> Numbers:
        """Give the fields in their units, shape (fields, n); NaN where they are absent."""
        return self.scaled(content, self.steps(content))

    def scaled(self, content: Integers, steps: Integers) -> Numbers:
        """Give the fields in their units by their steps."""
        return known(steps * self._sizes, content & self._presents)


R40, R50 = Register(0x40, BDS_40), Register(0x50, BDS_50)
R60, R44 = Register(0x60, BDS_60), Register(0x44, BDS_44)
R45 = Register(0x45, BDS_45)


def named_registers(content: Integers) -> Integers:
    """Give the register that names itself (BDS 1,0, 1,7, 2,0, 3,0); 0 where none does."""
    found = np.where((content & _EMPTY_17 == 0) & (content & _SET_17 != 0), 0x17, 0)
    name = content >> 48
    may_be = _IS_NAME[name].nonzero()[0]
    content, name = content[may_be], name[may_be]
    version, overlay, reserved, advisory, threat = _NAMED.cut(content)
    is_10 = (name == 0x10) & (reserved == 0) & ((version >= 5) == (overlay == 1))
    is_30 = (name == 0x30) & (advisory < 48) & (threat != 3)
    is_20 = (name == 0x20) & _IS_CHARACTER[content[:, None] >> _CHARACTER_SHIFTS & 63].all(axis=1)
    found[may_be] = (
        is_10 * 0x10 + is_20 * 0x20 + is_30 * 0x30 + (~(is_10 | is_20 | is_30) * found[may_be])
    )
    return found


def possible_40(content: Integers) -> Flags:
    """Say where BDS 4,0 is possible."""
    return R40.is_whole(content)


def possible_50(content: Integers) -> Flags:
    """Say where BDS 5,0 is possible."""
    return R50.is_whole(content) & has_turn(content, R50.steps(content))


def has_turn(content: Integers, steps: Integers) -> Flags:
    """Say where the fields of a whole BDS 5,0, already cut out, are such as aircraft have."""
    roll, _, ground, _, air = steps
    both = content & _BOTH_SPEEDS == _BOTH_SPEEDS
    possible: Flags = (
        (np.abs(roll) <= _STEEPEST_STEPS)
        & (ground <= FASTEST_KT // 2)
        & (air <= FASTEST_KT // 2)
        & (~both | (np.abs(air - ground) <= LARGEST_WIND_KT // 2))
    )
    return possible


def possible_60(content: Integers) -> Flags:
    """Say where BDS 6,0 is possible."""
    return R60.is_whole(content) & has_heading(R60.steps(content))


def has_heading(steps: Integers) -> Flags:
    """Say where the fields of a whole BDS 6,0, already cut out, are such as aircraft have."""
    _, airspeed, mach, baro, inertial = steps
    possible: Flags = (
        (airspeed <= FASTEST_INDICATED_KT)
        & (mach <= _FASTEST_STEPS)
        & (np.abs(baro) <= STEEPEST_FPM // 32)
        & (np.abs(inertial) <= STEEPEST_FPM // 32)
    )
    return possible


def possible_44(content: Integers) -> Flags:
    """Say where BDS 4,4 is possible."""
    merit, has_wind, speed, temperature, says, more = ROUTINE.cut(content)
    temperature = read_signed(temperature, 11)
    possible: Flags = (
        R44.is_whole(content)
        & (merit <= 4)
        & (has_wind == 1)
        & (speed <= 250)
        & (temperature >= COLDEST_STEPS)
        & (temperature <= WARMEST_STEPS)
        & ((says != 0) | (more != 0))
    )
    return possible


def possible_45(content: Integers) -> Flags:
    """Say where BDS 4,5 is possible."""
    temperature = R45.steps(content)[5]
    is_17 = (content & _EMPTY_17 == 0) & (content & _SET_17 != 0)
    fitting: Flags = (temperature >= COLDEST_STEPS) & (temperature <= WARMEST_STEPS) & ~is_17
    return R45.is_whole(content) & fitting
