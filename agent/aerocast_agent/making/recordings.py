"""Drivers that play recordings."""

from typing import TYPE_CHECKING

from aerocast_agent import config
from aerocast_agent.driver import Driver
from aerocast_agent.making.sky import Sky

if TYPE_CHECKING:
    from aerocast_agent.recordings import Radio


def make_recording(device: config.Recording, sky: Sky) -> Driver:
    """Make the driver that plays a recording.

    Raises
    ------
    ConfigError
        A file of the aircraft table cannot be used.
    """
    from aerocast_agent.drivers.replay import Replay  # noqa: PLC0415  only if configured

    return Replay(
        device.name,
        device.file,
        device.format,
        device.speed,
        device.start_us,
        aircraft=sky.table(),
        radio=_radio(device) if isinstance(device, config.AdsbFile) else None,
    )


def _radio(device: config.AdsbFile) -> "Radio":
    from aerocast_agent.recordings import Radio  # noqa: PLC0415  only if configured

    return Radio(None if device.rate == "auto" else device.rate, device.engine)
