"""``aerocast-agent status``: how this gateway is doing, while its daemon runs or is down."""

import argparse
import sys
from collections.abc import Iterator, Sequence

import msgspec
from aerocast_protocols.observations.gateways import DeviceHealth

from aerocast_agent import VERSION
from aerocast_agent.asking import ask_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.status import Status, read_spool

CLOCKS = ("not set", "saved at shutdown", "hardware clock", "network time", "GPS")


def run(arguments: Sequence[str]) -> int:
    """Print the status; exit status 1 when there is none to be had."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent status",
        description="How this gateway is doing, while its daemon runs or is down.",
        epilog="Example: aerocast-agent status --json",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    status = ask_daemon(settings.spool.path) or read_spool(settings, VERSION)
    if options.json:
        sys.stdout.write(msgspec.json.encode(status).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(status)) + "\n")
    return WELL if status.running or status.degraded is None else REFUSED


def _lines(status: Status) -> Iterator[str]:
    yield f"gateway    {status.site}/{status.name}, version {status.agent_version}"
    if status.running:
        yield f"daemon     runs since {status.uptime_s or 0:.0f} s"
        yield from _link(status)
    else:
        yield "daemon     down. Next: systemctl start aerocast-agent"
    rows = ", ".join(f"{lane} {count}" for lane, count in status.spool_rows.items())
    yield f"spool      {status.spool}: {status.spool_bytes / 1e6:.1f} MB, batches: {rows}"
    yield (
        f"seen       {status.accepted} accepted, {status.acked} acknowledged, "
        f"{status.waiting} waiting, {status.evicted} evicted, {status.dead} dead"
    )
    for name, state in status.devices.items():
        yield f"device     {name}: {state}" + _device(status.device_health.get(name))
    if status.clock_quality is not None:
        yield f"clock      {CLOCKS[status.clock_quality]}"
    if status.rss_kb is not None:
        yield (
            f"takes      {status.rss_kb / 1024:.1f} MB, {status.threads} threads, "
            f"{status.cpu_percent} % of a core"
        )
    if status.degraded:
        yield f"degraded   {status.degraded}"


def _device(health: DeviceHealth | None) -> str:
    if health is None:
        return ""
    told = [f"{health.reads} reads, {health.reads_per_s:g}/s"] if health.reads else []
    if health.last_seen_age_s is not None:
        told.append(f"last seen {health.last_seen_age_s:.0f} s ago")
    if health.reconnects:
        told.append(f"came back {health.reconnects} times")
    told += [
        f"NO ANTENNA on port {port}" for port, is_there in health.antennas.items() if not is_there
    ]
    told += ["SILENT for too long"] * health.silent
    told += [health.error] if health.error else []
    return f" ({'; '.join(told)})" if told else ""


def _link(status: Status) -> Iterator[str]:
    link = status.link or {}
    how = "connected" if link.get("connected") else f"not connected: {link.get('error')}"
    yield f"hub        {link.get('broker')} (MQTT {link.get('mqtt_version')}): {how}"
    if status.gateway_unknown:
        yield (
            "           the hub does not know this gateway; everything is kept. Next, at the hub: "
            f"aerocast-hub gateway add {status.site} {status.name}"
        )
