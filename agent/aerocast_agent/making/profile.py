"""The profile that a device's settings name."""

from typing import TYPE_CHECKING, TypeVar

from aerocast_agent import config
from aerocast_agent.config_file import ConfigError

if TYPE_CHECKING:
    from aerocast_agent.profiles import Profile

P = TypeVar("P", bound="Profile")


def named_profile(device: config.Device, of: type[P]) -> P | None:
    """Read the profile that a device names; None where it names none.

    Raises
    ------
    ConfigError
        It cannot be read, or is of another kind.
    """
    if device.profile is None:
        return None
    from aerocast_agent.profile_files import ProfileError, load_profile  # noqa: PLC0415  if named

    try:
        return load_profile(device.profile, of)
    except ProfileError as error:
        raise ConfigError([f"device {device.name}: profile: {error}"]) from error
