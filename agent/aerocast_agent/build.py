"""From configuration to drivers: each kind's code is imported only when a device needs it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aerocast_agent import config
from aerocast_agent.driver import Accept, Driver
from aerocast_agent.following import Following
from aerocast_agent.making.gps import make_gps
from aerocast_agent.making.near_field import make_near_field
from aerocast_agent.making.receivers import make_receiver
from aerocast_agent.making.recordings import make_recording
from aerocast_agent.making.rfid import make_rfid
from aerocast_agent.making.scanners import make_scanner
from aerocast_agent.making.sky import Sky
from aerocast_agent.making.weather import make_weather_sensor

if TYPE_CHECKING:
    from aerocast_agent.ground_memory import GroundMemory


class Built(NamedTuple):
    """What the supervisor runs, and what observations pass on their way to the spool.

    Attributes
    ----------
    make
        Makes a device's driver anew, from its profile as the file is now.
    ground
        Keeps what is known of aircraft near the ground; None without receivers.
    """

    drivers: list[Driver]
    following: Following
    make: Callable[[str], Driver]
    ground: "GroundMemory | None" = None


def build(settings: config.Config, accept: Accept) -> Built:
    """Make drivers of a configuration.

    Raises
    ------
    ConfigError
        A profile or a file of stands that it names cannot be used.
    """
    sky = Sky(settings)
    devices = {device.name: device for device in settings.devices}

    def make(name: str) -> Driver:
        return _make(devices[name], settings, sky)

    drivers = [make(name) for name in devices]
    return Built(drivers, Following(_groups(settings), accept), make, sky.memory())


def driver_of(settings: config.Config, device: config.Device) -> Driver:
    """Make one device's driver.

    Raises
    ------
    ConfigError
        As `build`.
    """
    return _make(device, settings, Sky(settings))


def _make(device: config.Device, settings: config.Config, sky: Sky) -> Driver:
    if isinstance(device, config.Receiver):
        return make_receiver(device, sky)
    if isinstance(device, config.Recording):
        return make_recording(device, sky)
    if isinstance(device, config.Rfid):
        return make_rfid(device, settings.gateway)
    return _make_small(device)


def _make_small(
    device: config.Scanner | config.Gps | config.NearField | config.WeatherSensor,
) -> Driver:
    if isinstance(device, config.Scanner):
        return make_scanner(device)
    if isinstance(device, config.Gps):
        return make_gps(device)
    if isinstance(device, config.NearField):
        return make_near_field(device)
    return make_weather_sensor(device)


def _groups(settings: config.Config) -> list[Sequence[config.Belt]]:
    """Part the belts that recordings play on from the real ones: their times differ."""
    played = {each.name for each in settings.devices if isinstance(each, config.Replay)}

    def is_played(belt: config.Belt) -> bool:
        places = [*belt.antennas, *([belt.photo_eye] if belt.photo_eye else [])]
        return any(place.rpartition(":")[0] in played for place in places)

    groups: list[Sequence[config.Belt]] = [
        [belt for belt in settings.belts if is_played(belt) is wanted] for wanted in (False, True)
    ]
    return [group for group in groups if group]
