"""``aerocast-agent probe``: what a device says about itself, what is wrong, and how to mend it."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence

import msgspec

from aerocast_agent import VERSION, probing
from aerocast_agent.asking import NotPermittedError, ask_daemon, ask_of_device
from aerocast_agent.attending import UnknownDeviceError, device_of
from aerocast_agent.build import driver_of
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE, nearest
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.config import Config, Device
from aerocast_agent.config_file import ConfigError
from aerocast_agent.doctor import machine, network
from aerocast_agent.driver import Fault
from aerocast_agent.probing import Probed
from aerocast_agent.status import read_spool


def run(arguments: Sequence[str]) -> int:
    """Probe one device; exit status 1 when something is wrong with it."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent probe",
        description="What a device says about itself, what is wrong with it, and how to mend that. "
        "A running daemon is asked and goes on reading; without one the device is opened for a "
        "moment.",
        epilog="Example: sudo aerocast-agent probe portal-4",
    )
    add_config(parser)
    parser.add_argument("device", help="its name in agent.toml")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    try:
        device = device_of(settings, options.device)
    except UnknownDeviceError as error:
        sys.stderr.write(f"{error}{nearest(options.device, [d.name for d in settings.devices])}\n")
        sys.stderr.write("Next: 'aerocast-agent devices' lists them.\n")
        return WRONG_USAGE
    try:
        probed = _probe(settings, device)
    except (NotPermittedError, ConfigError) as error:
        sys.stderr.write(f"{error}\nNext: try with sudo; 'config check' checks the file.\n")
        return REFUSED
    if options.json:
        sys.stdout.write(msgspec.json.encode(probed).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(device, probed)) + "\n")
    return REFUSED if probed.faults else WELL


def _probe(settings: Config, device: Device) -> Probed:
    probed = ask_of_device(settings.spool.path, "probe", device.name, Probed)
    if probed is None:
        probed = asyncio.run(probing.try_alone(driver_of(settings, device)))
    return _with_doctor(settings, device, probed) if probed.faults else probed


def _with_doctor(settings: Config, device: Device, probed: Probed) -> Probed:
    """Add what doctor finds on the way to a device that is not well."""
    status = ask_daemon(settings.spool.path) or read_spool(settings, VERSION)
    if isinstance(device, network.NetworkDevice):
        check = None
        if status.devices.get(device.name) != "connected":
            check = network.check_network_device(device, status)
    else:
        check = machine.check_device(device, status)
    if check is None or check.mend is None or check.result == "well":
        return probed
    if any(check.found in fault.found or fault.found in check.found for fault in probed.faults):
        return probed
    more = Fault(found=check.found, mend=check.mend)
    return msgspec.structs.replace(probed, faults=(*probed.faults, more))


def _lines(device: Device, probed: Probed) -> Iterator[str]:
    health = probed.health
    yield f"{device.name}: {device.__struct_config__.tag}" + (f", {health.state}" if health else "")
    for key, fact in probed.says.items():
        yield f"  {key:<20}{fact}"
    for port, connected in probed.antennas.items():
        yield f"  antenna {port:<12}{'connected' if connected else 'NOT CONNECTED'}"
    if health is not None:
        seen = (
            "nothing yet" if health.last_seen_age_s is None else f"{health.last_seen_age_s:g} s ago"
        )
        yield f"  last seen           {seen}; {health.reads} reads, {health.reads_per_s:g} a second"
        if health.reconnects:
            yield f"  came back           {health.reconnects} times"
    for fault in probed.faults:
        yield f"  WRONG: {fault.found}"
        yield f"         mend: {fault.mend}"
    if not probed.faults:
        yield "  nothing wrong"
