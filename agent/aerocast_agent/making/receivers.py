"""Drivers of receivers of aircraft."""

import importlib.util
from typing import NamedTuple

from aerocast_agent import config
from aerocast_agent.config_file import ConfigError
from aerocast_agent.driver import Driver
from aerocast_agent.making.profile import named_profile
from aerocast_agent.making.sky import Sky

HIGHEST_GAIN_DB = 49.6  # of the R820T, which most dongles have
# What needs numpy, and the extra that brings it.
_NEEDING_NUMPY: dict[type[config.Dongle], tuple[str, str]] = {
    config.AdsbRtlTcp: ("adsb_rtl_tcp", "sdr"),
    config.AdsbRtlSdr: ("adsb_rtlsdr", "rtlsdr"),
    config.AdsbSoapy: ("adsb_soapy", "sdr"),
}


def make_receiver(device: config.Receiver, sky: Sky) -> Driver:
    """Make the driver of a receiver of aircraft.

    Raises
    ------
    ConfigError
        numpy is missing, or its profile or a file of the aircraft table cannot be used.
    """
    if isinstance(device, config.AdsbJson):
        from aerocast_agent.drivers.adsb_json import AircraftJson  # noqa: PLC0415  if configured

        return AircraftJson(device.name, device.file, sky.live())
    if isinstance(device, config.AdsbRtlTcp | config.AdsbRtlSdr | config.AdsbSoapy):
        return _dongle(device, sky)
    where = (device.name, device.host, device.port, sky.live())
    if isinstance(device, config.AdsbAvr):
        from aerocast_agent.drivers.adsb_avr import AvrReceiver  # noqa: PLC0415  only if configured

        return AvrReceiver(*where)
    if isinstance(device, config.AdsbSbs):
        from aerocast_agent.drivers.adsb_sbs import SbsReceiver  # noqa: PLC0415  only if configured

        return SbsReceiver(*where)
    from aerocast_agent.drivers.adsb_beast import BeastReceiver  # noqa: PLC0415  only if configured

    return BeastReceiver(*where)


def _dongle(device: config.Dongle, sky: Sky) -> Driver:
    if importlib.util.find_spec("numpy") is None:
        kind, extra = _NEEDING_NUMPY[type(device)]
        raise ConfigError(
            [f"device {device.name}: {kind} needs numpy: install 'aerocast-agent[{extra}]'"]
        )
    tuning = _tuning(device)
    if isinstance(device, config.AdsbRtlTcp):
        from aerocast_agent.drivers.adsb_rtl_tcp import RtlTcpReceiver  # noqa: PLC0415  if it is

        return RtlTcpReceiver(
            device.name,
            device.host,
            device.port,
            sky.live(),
            rate=tuning.rate,
            gain_db=tuning.gain_db,
            engine=device.engine,
        )
    from aerocast_agent.drivers.adsb_rtlsdr import UsbDongle  # noqa: PLC0415  if configured
    from aerocast_agent.rtlsdr_library import open_dongle  # noqa: PLC0415  as above
    from aerocast_agent.soapy_library import open_soapy  # noqa: PLC0415  as above

    is_soapy = isinstance(device, config.AdsbSoapy)
    return UsbDongle(
        device.name,
        sky.live(),
        which=device.which,
        rate=tuning.rate,
        gain_db=tuning.gain_db,
        ppm=tuning.ppm,
        engine=device.engine,
        opening=open_soapy if is_soapy else open_dongle,
        samples="cf32" if is_soapy else "cu8",
    )


class _Tuning(NamedTuple):
    rate: int
    gain_db: float | None
    ppm: int


def _tuning(device: config.Dongle) -> _Tuning:
    """Say how to set a dongle up: as agent.toml says, else its profile, else as most are."""
    named = None
    if device.profile is not None:
        from aerocast_agent.profiles import SdrProfile  # noqa: PLC0415  only if one is named

        named = named_profile(device, SdrProfile)
    rate, gain_db, ppm = device.rate, device.gain_db, getattr(device, "ppm", None)
    if named is not None:
        rate = named.rate if rate is None else rate
        gain_db = named.gain_db if gain_db is None else gain_db
        ppm = named.ppm if ppm is None else ppm
    if gain_db is None:
        gain_db = "auto" if isinstance(device, config.AdsbSoapy) else HIGHEST_GAIN_DB
    return _Tuning(rate or 2_400_000, None if gain_db == "auto" else gain_db, ppm or 0)
