"""WeatherFlow Tempest and its forerunners Air and Sky, as their hub broadcasts them over UDP.

One JSON object a datagram, port 50222: the Tempest UDP API, version 171. Kinds of message nobody
here needs are passed over.
"""

from typing import Annotated

import msgspec

from aerocast_protocols.errors import ProtocolError

PORT = 50222
LONGEST_DATAGRAM = 4096
_LIGHTNING_FAILED, _LIGHTNING_NOISE = 0x1, 0x2  # bits of sensor_status
_ShortText = Annotated[str, msgspec.Meta(max_length=64)]


class TempestStrike(msgspec.Struct, frozen=True, kw_only=True):
    """A lightning strike; ``energy`` is a number without unit."""

    sensor: str
    distance_km: float | None = None
    energy: float | None = None


class TempestWind(msgspec.Struct, frozen=True, kw_only=True):
    """The wind of this moment, every 3 s."""

    sensor: str
    wind_speed_mps: float | None = None
    wind_direction_deg: float | None = None


class TempestWeather(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured over a minute or several.

    Attributes
    ----------
    wind_speed_mps, wind_gust_mps
        Mean, and the highest.
    rain_mm, rain_mm_per_h
        Over the minute before.
    strikes, strike_distance_km
        How many were counted since the report before, and how far away on average; None where the
        sensor has no lightning detector.
    """

    sensor: str
    wind_direction_deg: float | None = None
    wind_speed_mps: float | None = None
    wind_gust_mps: float | None = None
    temperature_c: float | None = None
    humidity_percent: float | None = None
    pressure_hpa: float | None = None
    rain_mm: float | None = None
    strikes: int | None = None
    strike_distance_km: float | None = None

    @property
    def rain_mm_per_h(self) -> float | None:
        """How hard it rained."""
        return None if self.rain_mm is None else self.rain_mm * 60


class TempestStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a sensor is.

    Attributes
    ----------
    lightning_trouble
        Why it cannot notice lightning; None: it can.
    """

    sensor: str
    lightning_trouble: str | None = None
    battery_v: float | None = None


TempestMessage = TempestStrike | TempestWind | TempestWeather | TempestStatus


class _Sent(msgspec.Struct):
    """What messages have in common; what a kind does not have is at its default."""

    type: _ShortText
    serial_number: _ShortText = ""
    evt: list[float | None] = []
    ob: list[float | None] = []
    obs: list[list[float | None]] = []
    sensor_status: int = 0
    voltage: float | None = None


_decoder = msgspec.json.Decoder(_Sent)


def decode_tempest(datagram: bytes) -> list[TempestMessage]:
    """Read a datagram; empty for kinds of message that say nothing about the weather.

    Raises
    ------
    ProtocolError
        It is no such message, or one that is cut.
    """
    if len(datagram) > LONGEST_DATAGRAM:
        raise ProtocolError(f"Tempest datagram of {len(datagram)} bytes")
    try:
        sent = _decoder.decode(datagram)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"Tempest datagram: {error}") from error
    if sent.type == "device_status":
        return [_status(sent)]
    if sent.type == "evt_strike":
        _, distance_km, energy = _exactly(sent, sent.evt, 3)
        return [
            TempestStrike(
                sensor=sent.serial_number, distance_km=_at_least_0(distance_km), energy=energy
            )
        ]
    if sent.type == "rapid_wind":
        _, speed_mps, direction_deg = _exactly(sent, sent.ob, 3)
        return [
            TempestWind(
                sensor=sent.serial_number,
                wind_speed_mps=_at_least_0(speed_mps),
                wind_direction_deg=_direction(direction_deg),
            )
        ]
    reading = {"obs_st": _tempest, "obs_air": _air, "obs_sky": _sky}.get(sent.type)
    if reading is None:
        return []
    return [reading(sent, values) for values in sent.obs]


def _tempest(sent: _Sent, values: list[float | None]) -> TempestWeather:
    report = _exactly(sent, values, 18)
    return TempestWeather(
        sensor=sent.serial_number,
        wind_speed_mps=_at_least_0(report[2]),
        wind_gust_mps=_at_least_0(report[3]),
        wind_direction_deg=_direction(report[4]),
        pressure_hpa=_at_least_0(report[6]),
        temperature_c=report[7],
        humidity_percent=_percent(report[8]),
        rain_mm=_at_least_0(report[12]),
        strike_distance_km=_at_least_0(report[14]),
        strikes=_count(report[15]),
    )


def _air(sent: _Sent, values: list[float | None]) -> TempestWeather:
    report = _exactly(sent, values, 8)
    return TempestWeather(
        sensor=sent.serial_number,
        pressure_hpa=_at_least_0(report[1]),
        temperature_c=report[2],
        humidity_percent=_percent(report[3]),
        strikes=_count(report[4]),
        strike_distance_km=_at_least_0(report[5]),
    )


def _sky(sent: _Sent, values: list[float | None]) -> TempestWeather:
    report = _exactly(sent, values, 14)
    return TempestWeather(
        sensor=sent.serial_number,
        rain_mm=_at_least_0(report[3]),
        wind_speed_mps=_at_least_0(report[5]),
        wind_gust_mps=_at_least_0(report[6]),
        wind_direction_deg=_direction(report[7]),
    )


def _status(sent: _Sent) -> TempestStatus:
    trouble = None
    if sent.sensor_status & _LIGHTNING_FAILED:
        trouble = "its lightning sensor failed"
    elif sent.sensor_status & _LIGHTNING_NOISE:
        trouble = "too much radio noise to notice lightning"
    return TempestStatus(
        sensor=sent.serial_number, lightning_trouble=trouble, battery_v=sent.voltage
    )


def _exactly(sent: _Sent, values: list[float | None], count: int) -> list[float | None]:
    """Give the first ``count`` values: later firmware adds more behind them."""
    if len(values) < count:
        raise ProtocolError(f"Tempest {sent.type} has {len(values)} values, not {count}")
    return values[:count]


def _at_least_0(value: float | None) -> float | None:
    return None if value is None or not 0 <= value < 1e6 else value


def _direction(degrees: float | None) -> float | None:
    return None if degrees is None or not 0 <= degrees <= 360 else degrees % 360


def _percent(value: float | None) -> float | None:
    return None if value is None or not 0 <= value <= 100 else value


def _count(value: float | None) -> int | None:
    return None if value is None or not 0 <= value < 1e6 else int(value)
