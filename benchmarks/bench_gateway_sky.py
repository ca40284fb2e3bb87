"""Goal: 2,000 Mode S messages/s take a third of the time of a chain on PipeDecoder, and 120 MB.

Both are the real daemon as a process of its own: Beast over TCP, aircraft table, spool on disk,
MQTT to a broker, a hub of few lines that acknowledges. The sky is the recorded flight flown by many
aircraft at different times (made flights where the recording is not at hand).
"""

import asyncio
import gzip
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from aerocast_protocols.modes.beast import encode_beast
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.parity import LARGEST_INTERROGATOR, remainder, seal
from aerocast_protocols.modes.wind import Wind
from aerocast_simulator.flight import Air, Layer, moved
from aerocast_simulator.sky import Flight

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "agent"))

from brokers import Broker  # noqa: E402 - the tests' own broker and hub
from fake_hub import FakeHub  # noqa: E402

RECORDING = ROOT.parent / "shared/data/adsb/msgs/traffic_full_flight_393322_2024-07-06.jsonl.gz"
RECORDED = 0x393322
HERE = Position(46.4, 2.0)  # half way: within radio range of both ends
MESSAGES_S = 2000
WARMING_S, MEASURED_S = 10, 30
SLICE_S = 0.05
MB = 1 << 20


class Sent(NamedTuple):
    """A frame and its second."""

    second: float
    frame: bytes


class Cost(NamedTuple):
    """What a daemon took."""

    cpu_percent: float
    rss_mb: float
    observations: int


def main() -> None:
    """Run both daemons one after the other on the same sky, and print their costs."""
    if sys.argv[1:2] == ["--daemon"]:
        _daemon(sys.argv[2], sys.argv[3])
        return
    slices = _slices(_sky())
    costs = {}
    for name in ("aerocast", "pymodes"):
        costs[name] = asyncio.run(_measured(name, slices))
        cpu, rss, seen = costs[name]
        print(f"{name:9} {cpu:5.1f} % of a core, {rss:5.1f} MB, {seen} observations at the hub")
    ratio = costs["aerocast"].cpu_percent / costs["pymodes"].cpu_percent
    print(f"ratio {ratio:.2f} (goal: at most 0.33); {costs['aerocast'].rss_mb:.0f} MB (120)")


def _daemon(name: str, config: str) -> None:
    if name == "pymodes":
        import aerocast_agent.aircraft  # noqa: PLC0415 - the peer's process alone
        from pymodes_table import PymodesTable  # noqa: PLC0415

        aerocast_agent.aircraft.AircraftTable = PymodesTable
    from aerocast_agent.cli.run import run  # noqa: PLC0415 - in the daemon's process

    sys.exit(run(["--config", config]))


async def _measured(name: str, slices: list[bytes]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        hub = FakeHub(broker.port_v5)
        server, sending = await _serve(slices)
        config = Path(folder) / "agent.toml"
        config.write_text(
            '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'
            f"position = {{ latitude_deg = {HERE[0]}, longitude_deg = {HERE[1]} }}\n"
            f'[hub]\nbroker = "{broker.url_v5}"\nbroker_v3 = "{broker.url_v3}"\n'
            '[spool]\npath = "spool.db"\nbudget_mb = 64\n'
            '[[device]]\nkind = "adsb_beast"\nname = "sky"\nhost = "127.0.0.1"\n'
            f"port = {server.sockets[0].getsockname()[1]}\n"
        )
        daemon = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            "--daemon",
            name,
            str(config),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            process = psutil.Process(daemon.pid)
            await asyncio.sleep(WARMING_S)
            before = process.cpu_times()
            await asyncio.sleep(MEASURED_S)
            after = process.cpu_times()
            rss = process.memory_info().rss
        finally:
            sending.cancel()
            server.close()
            daemon.terminate()
            await daemon.wait()
            seen = sum(len(held) for held in hub.stored.values())
            hub.stop()
            broker.kill()
    took_s = after.user + after.system - before.user - before.system
    return Cost(100.0 * took_s / MEASURED_S, rss / MB, seen)


async def _serve(slices: list[bytes]) -> tuple[asyncio.Server, asyncio.Task[None]]:
    clients: list[asyncio.StreamWriter] = []
    connected = asyncio.Event()

    def connect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        connected.set()

    async def send() -> None:
        await connected.wait()
        began_s = asyncio.get_running_loop().time()
        for number, piece in enumerate(slices):
            due_s = began_s + number * SLICE_S
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
            for writer in clients:
                writer.write(piece)

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    return server, asyncio.create_task(send())


def _slices(sky: list[Sent]) -> list[bytes]:
    """Cut the sky into pieces for every slice of time, as Beast."""
    pieces: list[list[bytes]] = [[] for _ in range(round((WARMING_S + MEASURED_S + 5) / SLICE_S))]
    for second, frame in sky:
        number = int(second / SLICE_S)
        if number < len(pieces):
            pieces[number].append(encode_beast(frame, ticks_12mhz=round(second * 12e6)))
    return [b"".join(piece) for piece in pieces]


def _sky() -> list[Sent]:
    seconds = WARMING_S + MEASURED_S + 5
    wanted = MESSAGES_S * seconds
    sky: list[Sent] = []
    count = 0
    for sent in _aircraft(seconds):
        if len(sky) >= wanted:
            break
        sky += sent
        count += 1
    print(f"{len(sky) / seconds:,.0f} messages/s from {count} aircraft")
    return sorted(sky)


def _aircraft(seconds: float) -> Iterator[list[Sent]]:
    if not RECORDING.exists():
        print(f"{RECORDING.name} is not here: made flights instead")
        yield from _made(seconds)
        return
    with gzip.open(RECORDING, "rt") as lines:
        read = [parse_line(line) for line in lines]
    start_us = read[0].heard_at_us or 0
    whole = [Sent(((each.heard_at_us or 0) - start_us) / 1e6, each.frame) for each in read]
    last_s = whole[-1].second - seconds
    for number in range(2000):
        # The golden section spreads the beginnings evenly however many there are.
        from_s = number * 0.618033988749895 % 1.0 * last_s
        yield [
            Sent(second - from_s, _renamed(frame, 0x400000 + number))
            for second, frame in whole
            if from_s <= second < from_s + seconds and _is_its_own(frame)
        ]


def _is_its_own(frame: bytes) -> bool:
    downlink = frame[0] >> 3
    if downlink in (11, 17, 18):
        return frame[1:4] == RECORDED.to_bytes(3, "big")
    return remainder(frame) == RECORDED


def _renamed(frame: bytes, address: int) -> bytes:
    downlink = frame[0] >> 3
    if downlink not in (11, 17, 18):
        return seal(frame[:-3], over=address)
    over = remainder(frame)
    content = frame[:1] + address.to_bytes(3, "big") + frame[4:-3]
    return seal(content, over=over if over <= LARGEST_INTERROGATOR else 0)


def _made(seconds: float) -> Iterator[list[Sent]]:
    air = Air([Layer(0.0, Wind(270.0, 50.0), -40.0)])
    for number in range(2000):
        flight = Flight.overflight(
            f"4b{number:04x}",
            f"TEST{number}",
            moved(HERE, 18.0 * number, 30_000.0 + 10.0 * number),
            air,
            true_heading_deg=18.0 * number % 360.0,
            true_airspeed_kt=420.0,
            altitude_ft=20_000.0 + 10.0 * number,
        )
        yield [Sent(second, frame) for second, frame in flight.transmissions(0.0, seconds)]


if __name__ == "__main__":
    main()
