"""Drivers of weather sensors."""

from aerocast_agent import config
from aerocast_agent.driver import Driver


def make_weather_sensor(device: config.WeatherSensor) -> Driver:
    """Make the driver of a weather sensor."""
    if isinstance(device, config.WeatherWxt):
        from aerocast_agent.drivers.weather_wxt import WxtTransmitter  # noqa: PLC0415  if configured

        where = (device.port, device.baud, device.address)
        return WxtTransmitter(device.name, *where, device.poll_every_s)
    if isinstance(device, config.TempestUdp):
        from aerocast_agent.drivers.tempest_udp import TempestStation  # noqa: PLC0415  as above

        return TempestStation(device.name, device.listen, device.port, device.sensors)
    from aerocast_agent.drivers.as3935 import LightningDetector  # noqa: PLC0415  as above

    return LightningDetector(device.name, device.bus, device.address, indoors=device.indoors)
