"""Claims about the idle daemon, against thingsboard-gateway 3.8.5, in turns in one run.

It takes at most 0.6 of its memory and 0.2 of its processor time, never more than 38 MB. Ours has
four devices connected (LLRP reader, barcode scanner, GPS and Mode S receiver, all from the
simulator) and a hub that answers; thingsboard-gateway has its own default configuration, with no
connector at all and SQLite storage, on the same Mosquitto. Memory (VmRSS) and share of one core are
taken from /proc after some seconds of quiet. Also shown: ours with TLS loaded, and an interpreter
that has only paho, sqlite3 and msgspec loaded.

Arguments: seconds of quiet (15), rounds (5).
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "agent"))

from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.processes import free_port
from aerocast_simulator.serial_devices import PtyGps, PtyScanner
from aerocast_simulator.sky import BeastServer
from fake_hub import FakeHub

AGENT = Path(sys.executable).with_name("aerocast-agent")
HERE = Path(__file__).parent
PEER = HERE / ".venv" / "bin" / "thingsboard-gateway"
PEER_CONFIG = "lib/python3*/site-packages/thingsboard_gateway/config"
OURS, TLS, THEIRS, BARE = "daemon", "daemon, TLS loaded", "thingsboard-gateway", "libraries alone"
CLAIM_BYTES = 38_000_000
CLAIM_MEMORY, CLAIM_CPU = 0.6, 0.2
SETTLED_S = 8.0
CONFIG = """
[gateway]
site = "lfbo"
name = "hall-1"
position = {{ latitude_deg = 43.6293, longitude_deg = 1.3638 }}
[hub]
broker = "{broker}"
[spool]
path = "spool.db"
budget_mb = 64
[[device]]
name = "portal"
kind = "llrp"
host = "127.0.0.1"
port = {reader}
[[device]]
name = "desk"
kind = "serial_scanner"
port = "{scanner}"
[[device]]
name = "gps"
kind = "gps_serial"
port = "{gps}"
[[device]]
name = "sky"
kind = "adsb_beast"
host = "127.0.0.1"
port = {beast}
"""
LIBRARIES = "import msgspec, sqlite3, time, paho.mqtt.client; print(flush=True); time.sleep(1e6)"


class Idle(NamedTuple):
    """What a process takes while nothing happens."""

    rss_bytes: int
    threads: int
    cpu_percent: float


async def main(quiet_s: float, rounds: int) -> bool:
    """Measure in turns and print; say whether the claims hold."""
    reader, scanner, gps, sky = FakeReader(), PtyScanner(), PtyGps(43.6293, 1.3638), BeastServer()
    await reader.start()
    await sky.start()
    found: dict[str, list[Idle]] = {}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        broker = await _broker(Path(folder), port)
        hub = FakeHub(port)
        plain = CONFIG.format(
            broker=f"mqtt://127.0.0.1:{port}",
            reader=reader.port,
            scanner=scanner.path,
            gps=gps.path,
            beast=sky.port,
        )
        # Only tried when MQTT 5 is refused: TLS is loaded and not used.
        with_tls = plain.replace("[spool]", 'broker_v3 = "mqtts://127.0.0.1:1"\n[spool]')
        try:
            for _ in range(rounds):
                for name, config in ((OURS, plain), (TLS, with_tls)):
                    file = _written(Path(folder, "agent.toml"), config)
                    idle = await _idle(quiet_s, AGENT, "run", "--config", file)
                    found.setdefault(name, []).append(idle)
                    await sky.stop()  # one client each
                    await reader.drop()
                    await sky.start(port=sky.port)
                if PEER.exists():
                    place = _peer_place(Path(folder, "peer"), port)
                    idle = await _idle(quiet_s, PEER, folder=place)
                    found.setdefault(THEIRS, []).append(idle)
                idle = await _idle(1.0, sys.executable, "-c", LIBRARIES)
                found.setdefault(BARE, []).append(idle)
        finally:
            hub.stop()
            broker.terminate()
            await broker.wait()
    await sky.stop()
    await reader.stop()
    return _judged(found)


def _judged(found: dict[str, list[Idle]]) -> bool:
    middle: dict[str, Idle] = {}
    for name, each in found.items():
        sizes, threads, percents = zip(*each, strict=True)
        percent = statistics.fmean(percents)  # of clock ticks: too coarse for a median
        middle[name] = Idle(statistics.median_low(sizes), statistics.median_low(threads), percent)
        size_mb, many = middle[name].rss_bytes / 1e6, middle[name].threads
        print(f"{name:<20}{size_mb:6.2f} MB  {many} threads  {percent:.2f} % CPU")
    largest = max(middle[OURS].rss_bytes, middle[TLS].rss_bytes)
    print(f"ratio: {largest / CLAIM_BYTES:.2f} of 38 MB (claim: at most 1)")
    holds = largest <= CLAIM_BYTES
    if THEIRS not in middle:
        print("thingsboard-gateway is not installed: make peers")
        return holds
    memory = middle[OURS].rss_bytes / middle[THEIRS].rss_bytes
    cpu = middle[OURS].cpu_percent / middle[THEIRS].cpu_percent
    print(f"ratio: {memory:.2f} of its memory (claim: at most {CLAIM_MEMORY})")
    print(f"ratio: {cpu:.2f} of its processor time (claim: at most {CLAIM_CPU})")
    return holds and memory <= CLAIM_MEMORY and cpu <= CLAIM_CPU


async def _broker(folder: Path, port: int) -> asyncio.subprocess.Process:
    file = _written(folder / "broker.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    path = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    broker = await asyncio.create_subprocess_exec(
        path, "-c", file, stderr=asyncio.subprocess.DEVNULL
    )
    await asyncio.sleep(1.0)
    return broker


def _peer_place(place: Path, port: int) -> Path:
    """Lay out its own configuration, changed only in where the broker and the storage are."""
    shutil.rmtree(place, ignore_errors=True)
    (shipped,) = PEER.parents[1].glob(PEER_CONFIG)
    shutil.copytree(shipped, place / "config")
    file = place / "config" / "tb_gateway.json"
    settings = json.loads(file.read_text())
    settings["thingsboard"] |= {"host": "127.0.0.1", "port": port}
    settings["storage"] |= {"type": "sqlite", "data_file_path": str(place / "data") + "/"}
    file.write_text(json.dumps(settings))
    (place / "logs").mkdir()
    return place


def _written(file: Path, content: str) -> str:
    file.write_text(content)
    return str(file)


async def _idle(quiet_s: float, *command: str | Path, folder: Path | None = None) -> Idle:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env=os.environ | ({"TB_GW_CONFIG_DIR": f"{folder}/config"} if folder else {}),
    )
    try:
        await asyncio.sleep(SETTLED_S)
        cpu_s = _cpu_s(process.pid)
        await asyncio.sleep(quiet_s)
        percent = 100 * (_cpu_s(process.pid) - cpu_s) / quiet_s
        return Idle(*_memory(process.pid), percent)
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def _memory(pid: int) -> tuple[int, int]:
    told = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":" in line
    )
    return int(told["VmRSS"].split()[0]) * 1024, int(told["Threads"])


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]] or [15.0]
    rounds_wanted = int(given[1]) if len(given) > 1 else 5
    sys.exit(0 if asyncio.run(main(given[0], rounds_wanted)) else 1)
