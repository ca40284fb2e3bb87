"""From what weather sensors say to the observations a gateway sends. Pure: no clock, no socket."""

from collections import OrderedDict
from collections.abc import Iterator

from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.weather import LightningStrike, LightningWatch, WeatherMeasured
from aerocast_protocols.weather.tempest import (
    TempestMessage,
    TempestStatus,
    TempestStrike,
    TempestWeather,
    TempestWind,
)
from aerocast_protocols.weather.wxt import WxtMessage

MOST_SENSORS = 64
WIND_EVERY_NS = 10_000_000_000


class _Sensor:
    """What is remembered of one sensor."""

    def __init__(self) -> None:
        self.strikes = 0
        self.trouble: str | None = None
        self.wind_told_ns: int | None = None


class TempestReports:
    """Remembers strikes told since a sensor's last report: what was lost on the way is made up for.

    Parameters
    ----------
    device
        The receiver's name in the gateway's configuration.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._sensors: OrderedDict[str, _Sensor] = OrderedDict()

    def hear(self, message: TempestMessage, boot_ns: int) -> Iterator[Observation]:
        """Take in a message, and give what is to be reported of it."""
        sensor = self._sensor(message.sensor)
        if isinstance(message, TempestStrike):
            sensor.strikes += 1
            yield self._strike(message.sensor, message.distance_km, boot_ns, message.energy)
        elif isinstance(message, TempestStatus):
            sensor.trouble = message.lightning_trouble
            if sensor.trouble is not None:
                yield self._watch(message.sensor, sensor, boot_ns)
        elif isinstance(message, TempestWeather):
            yield from self._report(message, sensor, boot_ns)
        elif self._is_due(message, sensor, boot_ns):
            sensor.wind_told_ns = boot_ns
            yield WeatherMeasured(
                device=self._device,
                boot_ns=boot_ns,
                sensor=message.sensor,
                wind_direction_deg=message.wind_direction_deg,
                wind_speed_mps=message.wind_speed_mps,
            )

    def _report(
        self, message: TempestWeather, sensor: _Sensor, boot_ns: int
    ) -> Iterator[Observation]:
        yield WeatherMeasured(
            device=self._device,
            boot_ns=boot_ns,
            sensor=message.sensor,
            wind_direction_deg=message.wind_direction_deg,
            wind_speed_mps=message.wind_speed_mps,
            wind_gust_mps=message.wind_gust_mps,
            temperature_c=message.temperature_c,
            humidity_percent=message.humidity_percent,
            pressure_hpa=message.pressure_hpa,
            rain_mm=message.rain_mm,
            rain_mm_per_h=message.rain_mm_per_h,
        )
        if message.strikes is None:
            return
        if message.strikes > sensor.strikes:
            yield self._strike(message.sensor, message.strike_distance_km, boot_ns)
        sensor.strikes = 0
        yield self._watch(message.sensor, sensor, boot_ns)

    def _strike(
        self, sensor: str, distance_km: float | None, boot_ns: int, energy: float | None = None
    ) -> LightningStrike:
        return LightningStrike(
            device=self._device,
            boot_ns=boot_ns,
            sensor=sensor,
            distance_km=distance_km,
            energy=energy,
        )

    def _watch(self, name: str, sensor: _Sensor, boot_ns: int) -> LightningWatch:
        return LightningWatch(
            device=self._device,
            boot_ns=boot_ns,
            sensor=name,
            listening=sensor.trouble is None,
            trouble=sensor.trouble,
        )

    def _is_due(self, message: TempestWind, sensor: _Sensor, boot_ns: int) -> bool:
        if message.wind_speed_mps is None:
            return False
        told_ns = sensor.wind_told_ns
        return told_ns is None or not 0 <= boot_ns - told_ns < WIND_EVERY_NS

    def _sensor(self, name: str) -> _Sensor:
        known = self._sensors.setdefault(name, _Sensor())
        self._sensors.move_to_end(name)
        if len(self._sensors) > MOST_SENSORS:
            self._sensors.popitem(last=False)
        return known


class WxtReports:
    """Remembers how much it had rained, to tell how much it rained since."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._rain_total_mm: float | None = None

    def hear(self, message: WxtMessage, boot_ns: int) -> WeatherMeasured | None:
        """Take in a message, and give what is to be reported of it; None where it measures none."""
        rain_mm = None
        if message.rain_total_mm is not None:
            before_mm, self._rain_total_mm = self._rain_total_mm, message.rain_total_mm
            if before_mm is not None:  # a total that fell was reset
                fallen_mm = message.rain_total_mm - before_mm
                rain_mm = round(fallen_mm if fallen_mm >= 0 else message.rain_total_mm, 3)
        measured = WeatherMeasured(
            device=self._device,
            boot_ns=boot_ns,
            wind_direction_deg=message.wind_direction_deg,
            wind_speed_mps=message.wind_speed_mps,
            wind_gust_mps=message.wind_gust_mps,
            temperature_c=message.temperature_c,
            humidity_percent=message.humidity_percent,
            pressure_hpa=message.pressure_hpa,
            rain_mm=rain_mm,
            rain_mm_per_h=message.rain_mm_per_h,
        )
        return (
            None if measured == WeatherMeasured(device=self._device, boot_ns=boot_ns) else measured
        )
