"""UBX messages of position and time: NAV-PVT, NAV-TIMEUTC, NAV-TIMEGPS.

u-blox interface description (UBX-21031777 R02), "UBX-NAV".
"""

import struct
from datetime import UTC, datetime
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import WEEK_US, Basis, Fix
from aerocast_protocols.ubx.framing import Frame

NAV_PVT, NAV_TIMEGPS, NAV_TIMEUTC = (0x01, 0x07), (0x01, 0x20), (0x01, 0x21)
GPS_EPOCH_US = 315_964_800_000_000  # 1980-01-06

# 84 bytes up to generation 7; 92 after it, with nothing in the rest that is used here.
_PVT = struct.Struct("<4xH5BBIiBBxBii4xiII12xii8xH")
_PVT_LENGTHS = (84, 92)
_TIMEUTC = struct.Struct("<IIiH5BB")
_TIMEGPS = struct.Struct("<IihbBI")
_NO_FIX, _DEAD_RECKONING, _2D, _3D, _COMBINED, _TIME_ONLY = range(6)
_MODES = {_NO_FIX: 1, _DEAD_RECKONING: 2, _2D: 2, _3D: 3, _COMBINED: 3, _TIME_ONLY: 1}
_DATE_AND_TIME = 0x03  # of NAV-PVT's valid: validDate, validTime
_ALL_VALID = 0x07  # of NAV-TIMEUTC's and NAV-TIMEGPS's


class NavPvt(NamedTuple):
    """Position, velocity and time.

    Attributes
    ----------
    utc_us
        Microseconds since 1970-01-01, to the nearest; None when date and time are impossible.
    is_time_valid
        The receiver says that date and time are good.
    is_time_resolved
        It knows the full seconds for sure.
    time_error_ns, horizontal_error_m, vertical_error_m
        Its own estimates.
    fix_type
        0 none, 1 dead reckoning, 2 2D, 3 3D, 4 combined with dead reckoning, 5 time only.
    is_fix_good
        Within the limits it is set to.
    """

    utc_us: int | None
    is_time_valid: bool
    is_time_resolved: bool
    time_error_ns: int
    fix_type: int
    is_fix_good: bool
    satellites: int
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    horizontal_error_m: float
    vertical_error_m: float
    speed_mps: float
    track_deg: float
    pdop: float


class NavTime(NamedTuple):
    """The time: UTC microseconds since 1970-01-01, None when impossible or its leap unknown."""

    utc_us: int | None
    is_valid: bool
    time_error_ns: int


def decode_nav_pvt(payload: bytes) -> NavPvt:
    """Read NAV-PVT.

    Raises
    ------
    ProtocolError
        Its length is impossible, or it places the receiver outside the world.
    """
    if len(payload) not in _PVT_LENGTHS:
        raise ProtocolError(f"NAV-PVT of {len(payload)} bytes")
    year, month, day, hour, minute, second, valid, *rest = _PVT.unpack_from(payload)
    time_error, nano, fix_type, flags, satellites, longitude, latitude, *rest = rest
    altitude, horizontal, vertical, speed, heading, pdop = rest
    if fix_type not in _MODES or abs(latitude) > 900_000_000 or abs(longitude) > 1_800_000_000:
        raise ProtocolError(f"NAV-PVT of fix type {fix_type} at {latitude}, {longitude} (1e-7)")
    if speed < 0:
        raise ProtocolError(f"NAV-PVT with a speed of {speed} mm/s")
    return NavPvt(
        utc_us=_utc_us(year, month, day, (hour, minute, second), nano),
        is_time_valid=valid & _DATE_AND_TIME == _DATE_AND_TIME,
        is_time_resolved=bool(valid & 0x04),
        time_error_ns=time_error,
        fix_type=fix_type,
        is_fix_good=bool(flags & 0x01),
        satellites=satellites,
        latitude_deg=latitude / 1e7,
        longitude_deg=longitude / 1e7,
        altitude_m=altitude / 1000,
        horizontal_error_m=horizontal / 1000,
        vertical_error_m=vertical / 1000,
        speed_mps=speed / 1000,
        track_deg=heading / 1e5 % 360,
        pdop=pdop / 100,
    )


def encode_nav_pvt(pvt: NavPvt) -> Frame:
    """Write NAV-PVT as a receiver does; what `NavPvt` leaves out is 0.

    Raises
    ------
    ValueError
        It has no time, or a value does not fit.
    """
    if pvt.utc_us is None:
        raise ValueError("NAV-PVT without a time")
    whole_s = pvt.utc_us // 1_000_000
    utc = datetime.fromtimestamp(whole_s, UTC)
    valid = _DATE_AND_TIME * pvt.is_time_valid | 0x04 * pvt.is_time_resolved
    try:
        payload = _PVT.pack(
            *(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, valid),
            *(pvt.time_error_ns, (pvt.utc_us - whole_s * 1_000_000) * 1000),
            *(pvt.fix_type, int(pvt.is_fix_good), pvt.satellites),
            *(round(pvt.longitude_deg * 1e7), round(pvt.latitude_deg * 1e7)),
            round(pvt.altitude_m * 1000),
            *(round(pvt.horizontal_error_m * 1000), round(pvt.vertical_error_m * 1000)),
            *(round(pvt.speed_mps * 1000), round(pvt.track_deg * 1e5), round(pvt.pdop * 100)),
        )
    except struct.error as error:
        raise ValueError(f"NAV-PVT: {error}") from error
    return Frame(NAV_PVT, payload.ljust(_PVT_LENGTHS[1], b"\0"))


def decode_nav_timeutc(payload: bytes) -> NavTime:
    """Read NAV-TIMEUTC.

    Raises
    ------
    ProtocolError
        Its length is impossible.
    """
    if len(payload) != _TIMEUTC.size:
        raise ProtocolError(f"NAV-TIMEUTC of {len(payload)} bytes")
    _, error_ns, nano, year, month, day, hour, minute, second, valid = _TIMEUTC.unpack(payload)
    utc_us = _utc_us(year, month, day, (hour, minute, second), nano)
    return NavTime(utc_us, valid & _ALL_VALID == _ALL_VALID, error_ns)


def decode_nav_timegps(payload: bytes) -> NavTime:
    """Read NAV-TIMEGPS.

    Raises
    ------
    ProtocolError
        Its length, or its time of week, is impossible.
    """
    if len(payload) != _TIMEGPS.size:
        raise ProtocolError(f"NAV-TIMEGPS of {len(payload)} bytes")
    week_ms, fraction_ns, week, leap_s, valid, error_ns = _TIMEGPS.unpack(payload)
    if week_ms * 1000 >= WEEK_US or abs(fraction_ns) > 500_000:
        raise ProtocolError(f"NAV-TIMEGPS at {week_ms} ms and {fraction_ns} ns of a week")
    utc_us = None
    if valid & 0x04 and week >= 0:
        since_us = week * WEEK_US + week_ms * 1000 + round(fraction_ns / 1000)
        utc_us = GPS_EPOCH_US + since_us - leap_s * 1_000_000
    return NavTime(utc_us, valid & _ALL_VALID == _ALL_VALID, error_ns)


def fix_of(pvt: NavPvt) -> Fix:
    """Give NAV-PVT as a fix; without one, where and how fast are unknown."""
    basis: Basis = "dead_reckoning" if pvt.fix_type == _DEAD_RECKONING else "satellites"
    valid = pvt.is_fix_good and pvt.is_time_valid and pvt.is_time_resolved
    mode = _MODES[pvt.fix_type] if pvt.is_fix_good else 1
    fix = Fix(
        "ubx",
        mode,
        pvt.utc_us,
        pvt.time_error_ns,
        satellites=pvt.satellites,
        basis=basis,
        valid=valid,
    )
    if mode == 1:
        return fix
    return fix._replace(
        latitude_deg=pvt.latitude_deg,
        longitude_deg=pvt.longitude_deg,
        altitude_m=pvt.altitude_m if mode == 3 else None,
        speed_mps=pvt.speed_mps,
        track_deg=pvt.track_deg,
    )


def _utc_us(
    year: int, month: int, day: int, time_of_day: tuple[int, int, int], nano: int
) -> int | None:
    """Put a date and a time together; second 60 is a leap second."""
    hour, minute, second = time_of_day
    if second > 60 or abs(nano) > 1_000_000_000:
        return None
    try:
        whole = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    return (int(whole.timestamp()) + second) * 1_000_000 + round(nano / 1000)
