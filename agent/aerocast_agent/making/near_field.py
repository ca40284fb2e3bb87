"""Drivers of card readers and Bluetooth radios."""

import importlib.util
from pathlib import Path

from aerocast_agent import config
from aerocast_agent.config_file import ConfigError
from aerocast_agent.driver import Driver

SHORTEST_BADGE_KEY, LONGEST_BADGE_KEY = 32, 4096


def make_near_field(device: config.NearField) -> Driver:
    """Make the driver of a card reader or a Bluetooth radio.

    Raises
    ------
    ConfigError
        Its library is not installed, or its key of badges cannot be used.
    """
    if isinstance(device, config.SmartCard):
        return _smartcard(device)
    if importlib.util.find_spec("bleak") is None:
        mend = "install 'aerocast-agent[ble]'"
        raise ConfigError([f"device {device.name}: ble needs bleak: {mend}"])
    from aerocast_agent.drivers.ble import BeaconScanner  # noqa: PLC0415  only if configured

    return BeaconScanner(device.name, device.adapter, device.report_every_s, device.restart_after_s)


def _smartcard(device: config.SmartCard) -> Driver:
    if importlib.util.find_spec("smartcard") is None:
        mend = "apt install pcscd libpcsclite-dev gcc, then install 'aerocast-agent[smartcard]'"
        raise ConfigError([f"device {device.name}: smartcard needs pyscard: {mend}"])
    from aerocast_agent.drivers.smartcard import SmartCardReader  # noqa: PLC0415  if configured

    return SmartCardReader(device.name, device.reader or "", _badge_key(device))


def _badge_key(device: config.SmartCard) -> bytes | None:
    if device.purpose == "tags":
        return None
    where = f"device {device.name}: badge_key"
    if device.badge_key is None:
        mend = "'head -c 32 /dev/urandom > badge.key', the same secret file at every gateway"
        raise ConfigError([f"{where} is missing: make one with {mend} of the airport"])
    try:
        key = Path(device.badge_key).read_bytes()
    except OSError as error:
        raise ConfigError([f"{where}: {device.badge_key}: {error.strerror}"]) from error
    if not SHORTEST_BADGE_KEY <= len(key) <= LONGEST_BADGE_KEY:
        raise ConfigError([f"{where}: {device.badge_key} has {len(key)} bytes, not 32 to 4096"])
    return key
