"""``aerocast-agent doctor``: look at everything between devices and hub, and say how to mend it."""

import argparse
import asyncio
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from aerocast_agent import VERSION
from aerocast_agent.asking import ask_daemon
from aerocast_agent.cli import REFUSED, WELL
from aerocast_agent.cli.settings import add_config
from aerocast_agent.config import Config
from aerocast_agent.config_file import ConfigError, read_config
from aerocast_agent.doctor import link, machine, network
from aerocast_agent.doctor.check import Check, doubtful, failed, skipped, well
from aerocast_agent.doctor.identity import check_identity
from aerocast_agent.status import Status, read_spool

MARKS = {"well": "  ok  ", "doubtful": " look ", "failed": " FAIL ", "skipped": "  --  "}


def run(arguments: Sequence[str]) -> int:
    """Look at everything; exit status 1 when something failed."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent doctor",
        description="Look at everything between the devices and the hub, with the daemon running "
        "or down, and say how to mend what is wrong. Exit status 1 when something failed; what is "
        "only doubtful does not count.",
        epilog="Example: sudo aerocast-agent doctor --config /etc/aerocast/agent.toml",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="a JSON object a check")
    options = parser.parse_args(arguments)
    counted = dict.fromkeys(MARKS, 0)
    for check in checks(Path(options.config)):
        counted[check.result] += 1
        sys.stdout.write(
            msgspec.json.encode(check).decode() + "\n" if options.json else _readable(check)
        )
        sys.stdout.flush()  # a step that waits for the network must not hide those before it
    if not options.json:
        sys.stdout.write(
            f"{counted['well']} well, {counted['doubtful']} doubtful, {counted['failed']} failed, "
            f"{counted['skipped']} not looked at\n"
        )
    return REFUSED if counted["failed"] else WELL


def checks(config: Path) -> Iterator[Check]:
    """Look at one thing after the other, from the machine outwards."""
    try:
        settings = read_config(config)
        _build(settings)
    except ConfigError as error:
        for problem in error.problems:
            mend = "mend it; 'config schema' lists every key"
            if not config.exists():
                mend = "write one there (README shows one), or name another with --config"
            yield failed("config", problem, mend)
        yield machine.check_clock(None)
        yield skipped("all else", "needs a configuration that can be read")
        return
    yield well("config", f"{config} is right: gateway {_name(settings)}")
    running = ask_daemon(settings.spool.path)
    yield machine.check_clock(running)
    status = running or read_spool(settings, VERSION)
    yield _daemon(status)
    yield machine.check_disk(settings)
    yield from machine.check_spool(settings, status)
    for device in settings.devices:
        if isinstance(device, network.NetworkDevice):
            yield network.check_network_device(device, status)
        elif (check := machine.check_device(device, status)) is not None:
            yield check
    yield from _hub(settings, running)


def _hub(settings: Config, running: Status | None) -> Iterator[Check]:
    answers = False
    if (certified := check_identity(settings, time.time_ns() // 1000)) is not None:
        yield certified
    for place in network.brokers(settings):
        for check in network.check_way(place, settings):
            spare = answers and place.name == "broker_v3" and check.result == "failed"
            yield msgspec.structs.replace(check, result="doubtful") if spare else check
            answers |= check.check.endswith(" port") and check.result == "well"
    if running is not None:
        yield from link.check_daemons_link(settings, running)
    elif answers:
        yield from asyncio.run(link.check_link(settings))
    else:
        yield skipped(link.ROUND_TRIP, "no broker answers")
    yield network.check_web(settings)


def _build(settings: Config) -> None:
    """Make the drivers as the daemon would, which reads profiles and stands; start nothing."""
    from aerocast_agent.build import build  # noqa: PLC0415  only to check

    build(settings, lambda _: None)


def _daemon(status: Status) -> Check:
    if not status.running:
        return doubtful(
            "daemon", "it is down: devices are not read", "sudo systemctl start aerocast-agent"
        )
    if status.degraded:
        return failed("daemon", f"runs, but: {status.degraded}", "see the checks below")
    return well("daemon", f"runs since {status.uptime_s or 0:.0f} s")


def _name(settings: Config) -> str:
    return f"{settings.gateway.site}/{settings.gateway.name}"


def _readable(check: Check) -> str:
    told = _wrapped(f"[{MARKS[check.result]}] {check.check:<16} ", check.found)
    return told + (_wrapped(f"{'':>26}mend: ", check.mend) if check.mend else "")


def _wrapped(head: str, text: str) -> str:
    width = max(72, shutil.get_terminal_size((100, 24)).columns)
    return (
        textwrap.fill(
            text,
            width,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )
