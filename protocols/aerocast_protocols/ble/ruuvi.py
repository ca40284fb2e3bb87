"""RuuviTag weather sensors: data formats 3 (RAWv1) and 5 (RAWv2), docs.ruuvi.com.

A value the sensor could not measure is None. Bytes past the format's own are passed over.
"""

import struct

import msgspec

from aerocast_protocols.errors import ProtocolError

RUUVI = 0x0499
_FORMAT_3 = struct.Struct(">BBBBHhhhH")
_FORMAT_5 = struct.Struct(">BhHHhhhHBH6s")


class RuuviTag(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ruuvitag"):
    """A measurement; acceleration in units of g.

    Attributes
    ----------
    sequence
        Counts measurements up to 65,534, then from 0; the same number twice is the same one.
    mac
        The tag's address, six hex pairs; format 3 does not carry it.
    tx_power_dbm
        With which it sends; not as received at 1 m.
    """

    data_format: int
    temperature_c: float | None = None
    humidity_percent: float | None = None
    pressure_hpa: float | None = None
    acceleration_g: tuple[float | None, float | None, float | None] = (None, None, None)
    battery_mv: int | None = None
    tx_power_dbm: int | None = None
    movements: int | None = None
    sequence: int | None = None
    mac: str | None = None


def decode_ruuvi(content: bytes) -> RuuviTag | None:
    """Read a Ruuvi tag's manufacturer data; None for formats other than 3 and 5.

    Raises
    ------
    ProtocolError
        It is cut, or holds an impossible temperature.
    """
    if not content:
        raise ProtocolError("Ruuvi data is empty")
    if content[0] == 3:
        return _format_3(content)
    return _format_5(content) if content[0] == 5 else None


def _format_3(content: bytes) -> RuuviTag:
    if len(content) < _FORMAT_3.size:
        raise ProtocolError(f"Ruuvi format 3 of {len(content)} bytes is cut")
    _, humidity, whole, hundredths, pressure, x, y, z, battery = _FORMAT_3.unpack_from(content)
    if hundredths > 99:
        raise ProtocolError(f"Ruuvi temperature with {hundredths} hundredths")
    size_c = (whole & 0x7F) + hundredths / 100
    return RuuviTag(
        data_format=3,
        humidity_percent=humidity / 2,
        temperature_c=-size_c if whole & 0x80 else size_c,
        pressure_hpa=(pressure + 50_000) / 100,
        acceleration_g=(x / 1000, y / 1000, z / 1000),
        battery_mv=battery,
    )


def _format_5(content: bytes) -> RuuviTag:
    if len(content) < _FORMAT_5.size:
        raise ProtocolError(f"Ruuvi format 5 of {len(content)} bytes is cut")
    _, temperature, humidity, pressure, x, y, z, power, movements, sequence, mac = (
        _FORMAT_5.unpack_from(content)
    )
    battery, tx_power = power >> 5, power & 0x1F
    return RuuviTag(
        data_format=5,
        temperature_c=None if temperature == -0x8000 else round(temperature * 0.005, 3),
        humidity_percent=None if humidity == 0xFFFF else round(humidity * 0.0025, 4),
        pressure_hpa=None if pressure == 0xFFFF else (pressure + 50_000) / 100,
        acceleration_g=(_g(x), _g(y), _g(z)),
        battery_mv=None if battery == 0x7FF else battery + 1600,
        tx_power_dbm=None if tx_power == 0x1F else 2 * tx_power - 40,
        movements=None if movements == 0xFF else movements,
        sequence=None if sequence == 0xFFFF else sequence,
        mac=None if mac == b"\xff" * 6 else mac.hex(":"),
    )


def _g(milli: int) -> float | None:
    return None if milli == -0x8000 else milli / 1000
