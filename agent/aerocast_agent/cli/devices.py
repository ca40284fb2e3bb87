"""``aerocast-agent devices``: what is configured, and how each is doing."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

from aerocast_agent.asking import ask_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.config import Device
from aerocast_agent.stable_names import stable_name


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A device.

    Attributes
    ----------
    where
        Its port, host and port, address, or file, as agent.toml has it.
    stable
        Of a serial device: its name that stays whatever is plugged in first; None when the system
        has none for it, and for other devices.
    state
        ``connecting``, ``connected``, ``lost``, ``done``; None while the daemon is down.
    observations
        Seen of it since the daemon started; None while it is down.
    """

    name: str
    kind: str
    where: str
    stable: str | None
    state: str | None
    observations: int | None
    error: str | None


def run(arguments: Sequence[str]) -> int:
    """List the devices; exit status 1 when one is lost."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent devices",
        description="The devices of agent.toml, and how the daemon finds each of them.",
        epilog="Example: aerocast-agent devices --json",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="a JSON object a device")
    options = parser.parse_args(arguments)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    status = ask_daemon(settings.spool.path)
    lines = [
        Line(
            name=device.name,
            kind=str(device.__struct_config__.tag),
            where=_where(device),
            stable=_stable(device),
            state=None if status is None else status.devices.get(device.name),
            observations=(
                None if status is None else status.observations_by_device.get(device.name, 0)
            ),
            error=None if status is None else status.device_errors.get(device.name),
        )
        for device in settings.devices
    ]
    for line in lines:
        sys.stdout.write(
            msgspec.json.encode(line).decode() + "\n" if options.json else _readable(line)
        )
    if not lines:
        sys.stderr.write("no [[device]] is configured\nNext: 'config schema' lists the kinds.\n")
    elif status is None:
        sys.stderr.write("the daemon is down. Next: sudo systemctl start aerocast-agent\n")
    lost = [line.name for line in lines if line.state == "lost"]
    if lost and not options.json:
        sys.stderr.write("Next: 'aerocast-agent doctor' says how to mend it.\n")
    return REFUSED if lost else WELL


def _where(device: Device) -> str:
    said = {name: getattr(device, name) for name in device.__struct_fields__}
    if "listen" in said:
        return f"{said['listen']}:{said['port']}"
    if "host" in said:
        return f"{said['host']}:{said['port']}" if "port" in said else str(said["host"])
    keys = ("url", "broker", "file", "port", "reader", "adapter")
    return next((str(said[key]) for key in keys if said.get(key)), "")


def _stable(device: Device) -> str | None:
    port = getattr(device, "port", None)
    return stable_name(port) if isinstance(port, str) else None


def _readable(line: Line) -> str:
    state = line.state or "unknown"
    seen = "" if line.observations is None else f"{line.observations} seen"
    error = f"  {line.error}" if line.error and line.state != "connected" else ""
    better = f"  (name that stays: {line.stable})" if line.stable not in {None, line.where} else ""
    return f"{line.name:<20}{line.kind:<16}{state:<12}{seen:<14}{line.where}{better}{error}\n"
