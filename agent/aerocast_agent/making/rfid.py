"""Drivers of RFID readers."""

from typing import TYPE_CHECKING

from aerocast_agent import config
from aerocast_agent.config_file import ConfigError
from aerocast_agent.driver import Driver
from aerocast_agent.making.profile import named_profile

if TYPE_CHECKING:
    import ssl

    from aerocast_agent.network_reader import Maker


def make_rfid(device: config.Rfid, gateway: config.Gateway) -> Driver:
    """Make the driver of an RFID reader; ``gateway`` names it to brokers.

    Raises
    ------
    ConfigError
        Its profile, certificates or password cannot be used.
    """
    if isinstance(device, config.Llrp):
        return _llrp(device)
    if isinstance(device, config.UhfSerial):
        return _uhf_serial(device)
    return _network_reader(device, gateway)


def _llrp(device: config.Llrp) -> Driver:
    from aerocast_agent.drivers.llrp import LlrpReader  # noqa: PLC0415  only if configured
    from aerocast_agent.profiles import ReaderProfile  # noqa: PLC0415  as above

    return LlrpReader(
        device.name,
        device.host,
        device.port,
        named_profile(device, ReaderProfile),
        tls=_tls(device) if device.tls else None,
        server_name=device.server_name,
    )


def _tls(device: config.Llrp) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415  only if configured

    try:
        return ssl.create_default_context(cafile=device.ca)
    except OSError as error:
        raise ConfigError([f"device {device.name}: ca: {device.ca}: {error}"]) from error


def _uhf_serial(device: config.UhfSerial) -> Driver:
    from aerocast_agent.drivers.uhf_serial import UhfSerial  # noqa: PLC0415  only if configured
    from aerocast_agent.profiles import UhfProfile  # noqa: PLC0415  as above

    profile = named_profile(device, UhfProfile)
    return UhfSerial(device.name, device.port, device.protocol, device.baud, profile)


def _network_reader(device: config.NetworkReader, gateway: config.Gateway) -> Driver:
    from aerocast_agent.network_reader import Access, read_password  # noqa: PLC0415  if configured

    try:
        password = read_password(device.password_file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"device {device.name}: password_file: {error}"]) from error
    access = Access(device.user, password, device.ca)
    if isinstance(device, config.R700) and device.url is not None:
        from aerocast_agent.drivers.r700 import R700Stream  # noqa: PLC0415  only if configured

        return R700Stream(device.name, device.url, access, device.preset)
    maker: Maker = "impinj" if isinstance(device, config.R700) else "zebra"
    if device.listen is not None:
        from aerocast_agent.drivers.reader_http_server import (  # noqa: PLC0415  if configured
            HttpReader,
        )

        return HttpReader(device.name, device.listen, device.port or 0, access, maker)
    from aerocast_agent.drivers.reader_mqtt import MqttReader  # noqa: PLC0415  only if configured

    return MqttReader(
        device.name,
        device.broker or "",
        device.topic or "",
        access,
        maker=maker,
        client_id=f"{gateway.site}-{gateway.name}-{device.name}",
    )
