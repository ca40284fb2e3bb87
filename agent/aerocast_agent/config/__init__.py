"""What agent.toml may say: one struct a table, one struct a kind of device.

A device's settings are in its family's file here, and what makes its driver of them is in the file
of the same name in `aerocast_agent.making`. `aerocast_agent.config_file` reads agent.toml into
these structs and words the errors.
"""

from typing import get_args

import msgspec

from aerocast_agent.config.gateway import Aircraft, Belt, Gateway, Hub, Position, Spool
from aerocast_agent.config.gps import Gps, Gpsd, GpsSerial
from aerocast_agent.config.near_field import Ble, NearField, SmartCard
from aerocast_agent.config.receivers import (
    AdsbAvr,
    AdsbBeast,
    AdsbJson,
    AdsbRtlSdr,
    AdsbRtlTcp,
    AdsbSbs,
    AdsbSoapy,
    Dongle,
    Receiver,
)
from aerocast_agent.config.recordings import AdsbFile, Recording, Replay
from aerocast_agent.config.rfid import R700, Llrp, NetworkReader, Rfid, UhfSerial, ZebraIot
from aerocast_agent.config.scanners import (
    HidScanner,
    Scanner,
    SerialScanner,
    TcpScanner,
    TcpScannerServer,
)
from aerocast_agent.config.weather import As3935, TempestUdp, WeatherSensor, WeatherWxt

__all__ = [
    "KINDS",
    "R700",
    "WITH_PROFILE",
    "AdsbAvr",
    "AdsbBeast",
    "AdsbFile",
    "AdsbJson",
    "AdsbRtlSdr",
    "AdsbRtlTcp",
    "AdsbSbs",
    "AdsbSoapy",
    "Aircraft",
    "As3935",
    "Belt",
    "Ble",
    "Config",
    "Device",
    "Dongle",
    "Gateway",
    "Gps",
    "GpsSerial",
    "Gpsd",
    "HidScanner",
    "Hub",
    "Llrp",
    "NearField",
    "NetworkReader",
    "Position",
    "Receiver",
    "Recording",
    "Replay",
    "Rfid",
    "Scanner",
    "SerialScanner",
    "SmartCard",
    "Spool",
    "TcpScanner",
    "TcpScannerServer",
    "TempestUdp",
    "UhfSerial",
    "WeatherSensor",
    "WeatherWxt",
    "ZebraIot",
    "may_speak_tls",
]

Device = Rfid | Scanner | Gps | NearField | WeatherSensor | Receiver | Recording
KINDS: dict[str, type[Device]] = {str(of.__struct_config__.tag): of for of in get_args(Device)}
WITH_PROFILE = Llrp | UhfSerial | SerialScanner | TcpScanner | GpsSerial | Dongle
"""Kinds of device that profiles are for: see `aerocast_agent.profiles`."""
WITHOUT_TLS = UhfSerial | Scanner | Gps | SmartCard | WeatherSensor | AdsbBeast | Recording


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole agent.toml; paths in it are absolute once read."""

    gateway: Gateway
    hub: Hub = Hub()
    spool: Spool = Spool()
    aircraft: Aircraft = Aircraft()
    devices: tuple[Device, ...] = msgspec.field(name="device", default=())
    belts: tuple[Belt, ...] = msgspec.field(name="belt", default=())


def may_speak_tls(settings: Config) -> bool:
    """Say whether anything configured may speak TLS: a broker, or a device not known not to."""
    brokers = [url for url in (settings.hub.broker, settings.hub.broker_v3) if url is not None]
    return any(not url.startswith("mqtt://") for url in brokers) or any(
        not _is_without_tls(device) for device in settings.devices
    )


def _is_without_tls(device: Device) -> bool:
    if isinstance(device, Llrp):
        return not device.tls
    if isinstance(device, NetworkReader):
        urls = [device.broker, device.url if isinstance(device, R700) else None]
        return not any(url is not None and url.startswith(("https", "mqtts")) for url in urls)
    return isinstance(device, WITHOUT_TLS)
