"""``aerocast-demo``: hub, gateways and an airport on this machine, from antenna to advice."""

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from aerocast_simulator.airport import Airport
from aerocast_simulator.captures import CaptureError, Recordings
from aerocast_simulator.hub_client import HubError, Json
from aerocast_simulator.processes import CommandError
from aerocast_simulator.town import OPERATOR, Gateway, Hub, open_in_browser

DRAIN_LIMIT_S = 30.0
EXAMPLE = """examples:
  aerocast-demo                            until Ctrl-C, with an operators' page to look at
  aerocast-demo --seconds 90               ends by itself with a summary in JSON
  aerocast-demo --captures recordings/     plays recordings instead of the simulated airport
"""


class Play(Protocol):
    """What happens in front of the gateways: a simulated airport, or recordings."""

    @property
    def metars(self) -> Path | None:
        """File or folder of METARs the hub is to read."""

    async def prepare(self, hub: Hub, folder: Path) -> list[Gateway]:
        """Tell the hub what the airport knows, open the devices, and give the gateways to start."""

    async def run(self, hub: Hub) -> None:
        """Let it happen, until cancelled."""

    async def close(self) -> None:
        """Fall silent: nothing more is sent to the gateways."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 0 only if nothing was lost, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    folder = options.data_dir or Path(tempfile.mkdtemp(prefix="aerocast-demo-"))
    try:
        summary = asyncio.run(_run(options, folder))
    except (CaptureError, CommandError, HubError, OSError) as error:
        _say(f"aerocast-demo: {error}\nlogs are kept in {folder}")
        return 2 if isinstance(error, CaptureError) else 1
    print(json.dumps(summary))  # noqa: T201  the command's own output
    if summary["lost"] != 0 or summary["unexplained_loss"] != 0:
        _say(f"something was lost: logs and spools are kept in {folder}")
        return 1
    if options.data_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aerocast-demo",
        description="Hub, gateways and an airport on this machine, on embedded engines.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, help="end after this long, with a summary in JSON")
    parser.add_argument("--captures", type=Path, help="a folder of recordings to play instead")
    parser.add_argument("--open", action="store_true", help="open the operators' page in a browser")
    parser.add_argument("--port", type=int, help="the hub's HTTP port (default: a free one)")
    parser.add_argument("--data-dir", type=Path, help="keep everything here (default: temporary)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated airport")
    parser.add_argument("--json", action="store_true", help="accepted: the summary is JSON anyway")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  progress goes to standard error


async def _run(options: argparse.Namespace, folder: Path) -> Json:
    began = time.monotonic()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    play: Play = Recordings(options.captures) if options.captures else Airport(folder, options.seed)
    hub = Hub(folder / "hub", port=options.port, metars=play.metars)
    gateways: list[Gateway] = []
    try:
        _say("preparing hub and gateways ...")
        await hub.prepare()
        gateways += await play.prepare(hub, folder)
        await hub.start()
        for gateway in gateways:
            await gateway.process.start()
        _say(f"ready after {time.monotonic() - began:.0f} s")
        _say(f"  operators    {hub.url}/   user {OPERATOR}, password {hub.password}")
        _say(f"  API          {hub.url}/docs")
        if options.open:
            open_in_browser(hub.url)
        playing = asyncio.create_task(play.run(hub))
        try:
            await _watch(hub, gateways, ended, options.seconds)
        finally:
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
        _say("ending: the gateways deliver what they hold ...")
        await play.close()
        return await _count(hub, gateways)
    finally:
        await play.close()
        for gateway in gateways:
            await gateway.process.stop()
        await hub.process.stop()


async def _watch(
    hub: Hub, gateways: list[Gateway], ended: asyncio.Event, seconds: float | None
) -> None:
    """Let time pass, saying every 10 s what has come of it."""
    loop = asyncio.get_running_loop()
    until = None if seconds is None else loop.time() + seconds
    while not ended.is_set() and (until is None or loop.time() < until):
        rest_s = 10.0 if until is None else min(10.0, until - loop.time())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), max(rest_s, 0.0))
        for process in (hub.process, *(gateway.process for gateway in gateways)):
            process.fail_if_ended()
        counts = await hub.client.get("/api/summary")
        _say("  " + ", ".join(f"{key.replace('_', ' ')} {n}" for key, n in counts.items()))


async def _count(hub: Hub, gateways: list[Gateway]) -> Json:
    """Let the gateways deliver, stop them, and hold their counts against the hub's.

    ``lost`` is what the gateways took in, less what the hub stored, less what still waits in a
    spool, less what a gateway gave up with a record.
    """
    deadline = asyncio.get_running_loop().time() + DRAIN_LIMIT_S
    made = waiting = given_up = 0
    for gateway in gateways:
        while asyncio.get_running_loop().time() < deadline:
            if not await gateway.waiting():
                break
            await asyncio.sleep(0.5)
        await gateway.process.stop()
        counters = await gateway.counters()
        made += counters.accepted
        waiting += counters.waiting
        given_up += counters.evicted + counters.dead
    counts = await hub.client.get("/api/summary")
    stored = counts.pop("stored")
    if not isinstance(stored, int):
        raise CommandError(f"the hub's summary has no count of what is stored: {counts}")
    return {
        "observations_made": made,
        "stored": stored,
        "lost": made - stored - waiting - given_up,
        "waiting": waiting,
        **counts,
    }
