"""``aerocast-load``: the traffic of a thousand gateways over real MQTT, and what came of it."""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from aerocast_simulator.hub_client import HubError
from aerocast_simulator.load_gateway import Broker, LoadGateway, Pace
from aerocast_simulator.load_hub import LoadedHub, outcome, register_all

EXAMPLE = """examples:
  aerocast-load --broker mqtt://127.0.0.1:1883 --gateways 1000 --seconds 60
  aerocast-load --broker mqtt://user:word@broker:1883 --hub http://127.0.0.1:8000 --login admin
                                           registers its gateways, asks what came of them
                                           and what it cost the hub; asks for the password
"""
OTHER_FILES = 64  # besides connections


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load; status 0 only if all was confirmed and stored once, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        broker = read_broker(options.broker)
    except ValueError as error:
        parser.error(str(error))
    try:
        _allow_files(options.gateways)
        summary = asyncio.run(_run(options, broker))
    except (HubError, OSError) as error:
        _say(f"aerocast-load: {error}")
        return 2
    told = json.dumps(summary) if options.json else _in_words(summary)
    print(told)  # noqa: T201  the command's own output
    is_whole = summary["made"] == summary["acknowledged"]
    return 1 if not is_whole or summary["lost"] or summary["doubled"] else 0


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
        description="The traffic of many gateways over real MQTT, and what came of it.",
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
    parser.add_argument(
        "--hub", help="the hub's address: registers the gateways, compares the books"
    )
    parser.add_argument("--login", default="admin", help="account for --hub (default admin)")
    parser.add_argument("--password-file", help="its password's file (default: asked for)")
    parser.add_argument("--json", action="store_true", help="the summary as a JSON object")
    return parser


async def _run(options: argparse.Namespace, broker: Broker) -> dict[str, object]:
    names = [f"g{number:04d}" for number in range(options.gateways)]
    hub = before = after = None
    if options.hub is not None:
        hub = LoadedHub(options.hub, options.site)
        await hub.login(options.login, _password(options.password_file))
        _say(f"registering {len(names)} gateways")
        await register_all(hub, names)
        before = await hub.books()
    waits_s: list[float] = []
    pace = Pace(options.reads, options.bags)
    gateways = [LoadGateway(options.site, name, broker, pace, waits_s.append) for name in names]
    started_s = time.monotonic()
    await _send(gateways, started_s + options.seconds, options.drain, hub)
    took_s = time.monotonic() - started_s
    if hub is not None:
        after = await hub.books()
    waits_s.sort()
    made, confirmed = (sum(getattr(each, n) for each in gateways) for n in ("made", "acknowledged"))
    found = None
    if before is not None and after is not None:
        found = outcome({each.name: each.acknowledged for each in gateways}, before, after)
    return {
        "gateways": len(gateways),
        "seconds": options.seconds,
        "seconds_until_all_is_confirmed": round(took_s, 1),
        "made": made,
        "acknowledged": confirmed,
        "unconfirmed": made - confirmed,
        "confirmed_per_s": round(confirmed / took_s, 1),
        "lost": None if found is None else found.lost,
        "doubled": None if found is None else found.doubled,
        "batches_sent_again": sum(each.sent_again for each in gateways),
        "reconnects": sum(each.reconnects for each in gateways),
        "slowed_down": sum(each.slowed_down for each in gateways),
        "wait_ms_p50": _at(waits_s, 0.50),
        "wait_ms_p99": _at(waits_s, 0.99),
        "wait_ms_max": _at(waits_s, 1.0),
        "hub_memory_mb": None if after is None else _megabytes(after.memory_bytes),
        "hub_open_files": None if after is None else after.open_files,
    }


async def _send(
    gateways: Sequence[LoadGateway], until_s: float, drain_s: float, hub: LoadedHub | None
) -> None:
    """Let the gateways send; say how it goes every five seconds."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(each.run(until_s, drain_s)) for each in gateways]
        while not all(task.done() for task in running):
            await asyncio.wait(running, timeout=5.0)
            made, known = (sum(getattr(g, n) for g in gateways) for n in ("made", "acknowledged"))
            _say(f"{made} made, {known} confirmed, {made - known} on their way")
            if hub is not None:
                await hub.look()


def _in_words(summary: dict[str, object]) -> str:
    """Say the summary to a person."""

    def told(name: str, unit: str = "", divided_by: int = 1) -> str:
        value = summary[name]
        if isinstance(value, int | float) and divided_by != 1:
            value = f"{value / divided_by:.2f}"
        return "not known" if value is None else f"{value}{unit}"

    return "\n".join(
        f"{what:<28}{value}"
        for what, value in (
            ("gateways", told("gateways")),
            ("observations made", told("made")),
            ("confirmed by the hub", f"{told('acknowledged')}, {told('confirmed_per_s')} a second"),
            ("still at their gateways", told("unconfirmed")),
            ("lost / stored twice", f"{told('lost')} / {told('doubled')}"),
            ("confirmed after, half", told("wait_ms_p50", " s", 1000)),
            ("confirmed after, 99 of 100", told("wait_ms_p99", " s", 1000)),
            ("confirmed after, the last", told("wait_ms_max", " s", 1000)),
            ("connections made again", told("reconnects")),
            ("batches sent again", told("batches_sent_again")),
            ("asked to slow down, times", told("slowed_down")),
            ("the hub's memory, at most", told("hub_memory_mb", " MB")),
            ("the hub's files, at most", told("hub_open_files")),
        )
    )


def _allow_files(connections: int) -> None:
    """Let this process open a socket for every gateway.

    Raises
    ------
    OSError
        It may not have so many files open.
    """
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise OSError(
            f"{connections} gateways need {wanted} open files, {hard} are allowed: ulimit -Hn"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _megabytes(number: int | None) -> int | None:
    return None if number is None else round(number / 2**20)


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
