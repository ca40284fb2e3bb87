"""``aerocast-load``: the traffic of a thousand gateways over real MQTT, and what came of it."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from aerocast_simulator.hub_client import HubClient, HubError
from aerocast_simulator.load_gateway import Broker, LoadGateway, Pace

EXAMPLE = """examples:
  aerocast-load --broker mqtt://127.0.0.1:1883 --gateways 1000 --seconds 60
  aerocast-load --broker mqtt://user:word@broker:1883 --hub http://127.0.0.1:8000 --login admin
                                           registers its gateways first; asks for the password
"""
BAD_REQUEST = 400


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load; status 0 only if the hub confirmed everything, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        broker = read_broker(options.broker)
    except ValueError as error:
        parser.error(str(error))
    try:
        summary = asyncio.run(_run(options, broker))
    except (HubError, OSError) as error:
        _say(f"aerocast-load: {error}")
        return 2
    print(json.dumps(summary))  # noqa: T201  the command's own output
    return 0 if summary["made"] == summary["acknowledged"] else 1


def read_broker(url: str) -> Broker:
    """Read ``mqtt://[user:password@]host:port``.

    Raises
    ------
    ValueError
        It is no such address. The message never holds the password.
    """
    expected = "--broker is mqtt://[user:password@]host:port"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme != "mqtt" or not parts.hostname:
        raise ValueError(expected)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Broker(parts.hostname, port or 1883, user, password)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aerocast-load",
        description="The traffic of many gateways over real MQTT; ends with a summary in JSON.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--broker", required=True, help="mqtt://[user:password@]host:port")
    parser.add_argument("--gateways", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--site", default="load", help="the site they stand at (default load)")
    parser.add_argument("--reads", type=float, default=5.0, help="tag reads a second, each")
    parser.add_argument("--bags", type=float, default=12.0, help="bags a minute, each")
    parser.add_argument("--drain", type=float, default=60.0, help="seconds to wait at the end")
    parser.add_argument("--hub", help="the hub's address: registers the gateways there first")
    parser.add_argument("--login", default="admin", help="account for --hub (default admin)")
    parser.add_argument("--password-file", help="its password's file (default: asked for)")
    parser.add_argument("--json", action="store_true", help="accepted: the summary is JSON anyway")
    return parser


async def _run(options: argparse.Namespace, broker: Broker) -> dict[str, object]:
    names = [f"g{number:04d}" for number in range(options.gateways)]
    if options.hub is not None:
        await _register(options, names)
    waits_s: list[float] = []
    pace = Pace(options.reads, options.bags)
    gateways = [LoadGateway(options.site, name, broker, pace, waits_s.append) for name in names]
    until_s = time.monotonic() + options.seconds
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(each.run(until_s, options.drain)) for each in gateways]
        while not all(task.done() for task in running):
            await asyncio.wait(running, timeout=5.0)
            made, known = (sum(getattr(g, n) for g in gateways) for n in ("made", "acknowledged"))
            _say(f"{made} made, {known} confirmed, {made - known} on their way")
    waits_s.sort()
    return {
        "gateways": len(gateways),
        "seconds": options.seconds,
        "made": sum(each.made for each in gateways),
        "acknowledged": sum(each.acknowledged for each in gateways),
        "batches_sent_again": sum(each.sent_again for each in gateways),
        "reconnects": sum(each.reconnects for each in gateways),
        "wait_ms_p50": _at(waits_s, 0.50),
        "wait_ms_p99": _at(waits_s, 0.99),
        "wait_ms_max": _at(waits_s, 1.0),
    }


async def _register(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Let the gateways speak; those that may already stay."""
    hub = HubClient(options.hub)
    await hub.login(options.login, _password(options.password_file))
    for number, name in enumerate(names, 1):
        try:
            await hub.post("/api/gateways", {"site": options.site, "name": name})
        except HubError as error:
            if error.status != BAD_REQUEST:  # registered already
                raise
        if number % 100 == 0:
            _say(f"{number} of {len(names)} gateways registered")


def _password(file: str | None) -> str:
    if file is not None:
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123  a name from the command line
            return opened.read().strip()
    from getpass import getpass  # noqa: PLC0415  only when somebody sits there

    return getpass("password: ")


def _at(ordered_s: Sequence[float], part: float) -> float | None:
    """Give a quantile of ordered seconds in milliseconds; None of none."""
    if not ordered_s:
        return None
    return round(ordered_s[min(len(ordered_s) - 1, int(part * len(ordered_s)))] * 1000, 1)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
