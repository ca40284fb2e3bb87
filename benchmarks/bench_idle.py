"""Claim: with four devices connected and nothing happening, the daemon stays under 38 MB.

One reader (LLRP), one barcode scanner, one GPS and one Mode S receiver, all from the simulator, and
a broker and a subscriber that never answers are on the other side: the daemon's heaviest idle. Its
memory (VmRSS), threads and share of one core are taken from /proc after a minute of quiet, beside
an interpreter of the same kind that has only paho, sqlite3 and msgspec loaded.

Arguments: seconds of quiet (60).
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "agent"))

from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.serial_devices import PtyGps, PtyScanner
from aerocast_simulator.sky import BeastServer
from brokers import Broker
from fake_hub import FakeHub

AGENT = Path(sys.executable).with_name("aerocast-agent")
CLAIM_BYTES = 38_000_000
SETTLED_S = 5.0
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
BARE = "import msgspec, sqlite3, time, paho.mqtt.client; print(flush=True); time.sleep(1e6)"


async def main(quiet_s: float) -> bool:
    """Measure and print; say whether the claim holds."""
    reader, scanner, gps, sky = FakeReader(), PtyScanner(), PtyGps(43.6293, 1.3638), BeastServer()
    await reader.start()
    await sky.start()
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        hub = FakeHub(broker.port_v5)
        plain = CONFIG.format(
            broker=broker.url_v5,
            reader=reader.port,
            scanner=scanner.path,
            gps=gps.path,
            beast=sky.port,
        )
        # Only tried when MQTT 5 is refused: TLS is loaded and not used.
        with_tls = plain.replace("[spool]", 'broker_v3 = "mqtts://127.0.0.1:1"\n[spool]')
        try:
            largest = 0
            for name, config in (("daemon", plain), ("daemon, TLS loaded", with_tls)):
                file = _written(Path(folder, "agent.toml"), config)
                rss = await _idle(name, quiet_s, AGENT, "run", "--config", file)
                largest = max(largest, rss)
                await sky.stop()  # one client each
                await reader.drop()
                await sky.start(port=sky.port)
            await _idle("libraries alone", 1.0, sys.executable, "-c", BARE)
        finally:
            hub.stop()
            broker.kill()
    await sky.stop()
    await reader.stop()
    print(f"ratio: {largest / CLAIM_BYTES:.2f} of 38 MB (claim: at most 1)")
    return largest <= CLAIM_BYTES


def _written(file: Path, content: str) -> str:
    file.write_text(content)
    return str(file)


async def _idle(name: str, quiet_s: float, *command: str | Path) -> int:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.sleep(SETTLED_S)
        cpu_s = _cpu_s(process.pid)
        await asyncio.sleep(quiet_s)
        percent = 100 * (_cpu_s(process.pid) - cpu_s) / quiet_s
        rss, threads = _memory(process.pid)
    finally:
        process.terminate()
        await process.wait()
    print(f"{name:<20}{rss / 1e6:6.2f} MB  {threads} threads  {percent:.2f} % CPU")
    return rss


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
    given = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    sys.exit(0 if asyncio.run(main(given)) else 1)
