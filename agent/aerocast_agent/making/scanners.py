"""Drivers of barcode scanners."""

from typing import TYPE_CHECKING

from aerocast_agent import config
from aerocast_agent.driver import Driver
from aerocast_agent.making.profile import named_profile

if TYPE_CHECKING:
    from aerocast_agent.profiles import ScannerProfile


def make_scanner(device: config.Scanner) -> Driver:
    """Make the driver of a barcode scanner.

    Raises
    ------
    ConfigError
        Its profile cannot be used.
    """
    from aerocast_agent.scans import ScanRules  # noqa: PLC0415  only if configured

    rules = ScanRules(
        framing="auto" if isinstance(device, config.HidScanner) else device.framing,
        no_read=device.no_read,
        heartbeat=device.heartbeat,
        heartbeat_s=device.heartbeat_s,
        point=device.point,
        belt=device.belt,
    )
    programming = _programming(device)
    if isinstance(device, config.TcpScanner):
        from aerocast_agent.drivers.tcp_scanner import TcpScanner  # noqa: PLC0415  as above

        return TcpScanner(device.name, device.host, device.port, rules, programming)
    if isinstance(device, config.TcpScannerServer):
        from aerocast_agent.drivers.tcp_scanner_server import (  # noqa: PLC0415  as above
            TcpScannerServer,
        )

        where = (device.listen, device.port)
        return TcpScannerServer(device.name, *where, rules, scanners=device.scanners)
    if isinstance(device, config.HidScanner):
        from aerocast_agent.drivers.hid_scanner import HidScanner  # noqa: PLC0415  as above

        return HidScanner(device.name, device.port, rules, layout=device.layout)
    from aerocast_agent.drivers.serial_scanner import SerialScanner  # noqa: PLC0415  as above

    return SerialScanner(device.name, device.port, device.baud, rules, programming)


def _programming(device: config.Scanner) -> "ScannerProfile | None":
    if device.profile is None:
        return None
    from aerocast_agent.profiles import ScannerProfile  # noqa: PLC0415  only if named

    return named_profile(device, ScannerProfile)
