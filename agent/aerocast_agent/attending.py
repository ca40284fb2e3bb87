"""What may be done with one device: probe it, bring it to its profile, start it anew."""

from collections.abc import Callable

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_agent import probing
from aerocast_agent.adjusting import Adjusted, adjust
from aerocast_agent.config import Config, Device
from aerocast_agent.device_watch import CONNECTED
from aerocast_agent.driver import Adjustable, Driver
from aerocast_agent.probing import Probed
from aerocast_agent.supervisor import Supervisor

MakeDriver = Callable[[str], Driver]


class UnknownDeviceError(Exception):
    """No device is called this."""


class Attendant:
    """Attends to the devices of a running daemon.

    Parameters
    ----------
    make
        Makes a device's driver anew, from the files as they are now.
    """

    def __init__(self, settings: Config, supervisor: Supervisor, make: MakeDriver) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._make = make

    async def probe(self, name: str) -> Probed:
        """Ask a device how it is; one that is connected goes on reading.

        Raises
        ------
        UnknownDeviceError
            No device is called this.
        """
        driver = self._supervisor.driver(device_of(self._settings, name).name)
        if driver is None:
            raise UnknownDeviceError(name)
        if self._supervisor.states[name] == CONNECTED:
            report = await probing.ask(driver)
        else:
            async with self._supervisor.holding(name):
                report = await probing.ask(driver)
        return probing.judged(name, report, self._supervisor.health()[name])

    async def adjust(self, name: str, *, dry_run: bool) -> Adjusted:
        """Bring a device to its profile, or only compare; it stops reading meanwhile.

        Raises
        ------
        UnknownDeviceError
            No device is called this.
        """
        device = device_of(self._settings, name)
        async with self._supervisor.holding(name):
            adjusted = await adjust_alone(device, self._make, dry_run=dry_run)
            if adjusted.applied:
                self._supervisor.replace(self._make(name))
        return adjusted

    async def restart(self, name: str) -> None:
        """Let go of a device and connect anew.

        Raises
        ------
        UnknownDeviceError
            No device is called this.
        """
        async with self._supervisor.holding(device_of(self._settings, name).name):
            pass


def device_of(settings: Config, name: str) -> Device:
    """Find a device by its name.

    Raises
    ------
    UnknownDeviceError
        No device is called this.
    """
    for device in settings.devices:
        if device.name == name:
            return device
    raise UnknownDeviceError(f"no device {name!r} in agent.toml")


async def adjust_alone(device: Device, make: MakeDriver, *, dry_run: bool) -> Adjusted:
    """Bring a device that nobody runs now to its profile; every error is told in the answer."""
    from aerocast_agent.config_file import ConfigError  # noqa: PLC0415  rarely asked for
    from aerocast_agent.profile_files import ProfileError, find_profile  # noqa: PLC0415  as above
    from aerocast_agent.profiles import Transmitter  # noqa: PLC0415  as above

    told = Adjusted(device=device.name, profile=device.profile or "")
    if device.profile is None:
        return msgspec.structs.replace(told, error="agent.toml names no profile for it")
    try:
        profile = find_profile(device.profile)
        driver = make(device.name)
    except (ProfileError, ConfigError) as error:
        return msgspec.structs.replace(told, error=str(error))
    if not isinstance(driver, Adjustable):
        kind = device.__struct_config__.tag
        why = f"settings of {kind} devices cannot be read back in this version"
        return msgspec.structs.replace(told, error=why)
    region = profile.region if isinstance(profile, Transmitter) else "any"
    try:
        return await adjust(driver, profile.wanted(), told, region=region, dry_run=dry_run)
    except (OSError, ProtocolError, ValueError, ImportError) as error:
        return msgspec.structs.replace(told, error=str(error) or type(error).__name__)
