"""Drivers of GPS receivers."""

from aerocast_agent import config
from aerocast_agent.driver import Driver
from aerocast_agent.making.profile import named_profile


def make_gps(device: config.Gps) -> Driver:
    """Make the driver of a GPS receiver.

    Raises
    ------
    ConfigError
        Its profile cannot be used.
    """
    if isinstance(device, config.Gpsd):
        from aerocast_agent.drivers.gpsd import GpsdClient  # noqa: PLC0415  only if configured

        return GpsdClient(device.name, device.host, device.port, device.receiver)
    from aerocast_agent.drivers.gps_serial import GpsSerial  # noqa: PLC0415  only if configured

    if device.profile is not None:
        from aerocast_agent.profiles import UbloxProfile  # noqa: PLC0415  only if named

        named_profile(device, UbloxProfile)  # of the right kind, and without a mistake
    return GpsSerial(device.name, device.port, device.baud)
