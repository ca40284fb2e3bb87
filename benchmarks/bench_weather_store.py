"""Claim: a file of 5,073 METARs, the world's of an hour, is kept in 0.5 s, 1.5 s on PostgreSQL.

From the packed file to rows in the database: unpacked, read, ceiling and flight category derived,
once each. Nothing is remembered of groups when a round begins. On a machine that does other things
too the processor time, also told, says what is ours. Beside it, for the same file on
SQLite: csv, python-metar 2.0.2 and plain `executemany`, in its own environment (no claim).
PostgreSQL is that of Debian, started on a socket of its own; left out where it is not installed.
"""

import asyncio
import csv
import gzip
import importlib
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PEER = HERE / ".venv" / "bin" / "python"
CACHE = HERE.parents[1] / "shared/data/weather/awc_metars_20250814T1840Z.csv.gz"
ROUNDS = 5
MOST_S = {"sqlite": 0.5, "postgresql": 1.5}


def main() -> None:
    """Measure in turns, print medians."""
    if not CACHE.exists():
        print("shared data of the weather is not here: nothing to measure")
        return
    with tempfile.TemporaryDirectory() as folder, _postgresql() as socket:
        addresses = {"sqlite": f"sqlite+aiosqlite:///{folder}/hub.db"}
        if socket is not None:
            addresses["postgresql"] = f"postgresql+asyncpg://hub@/postgres?host={socket}"
        for name, address in addresses.items():
            took_s, busy_s = asyncio.run(_ours_s(address))
            print(
                f"aerocast on {name:<11}{_shown(took_s)} (claim: at most {MOST_S[name]} s)", end=""
            )
            print(f", of the processor {_shown(busy_s)}")
        if PEER.exists():
            done = subprocess.run([PEER, __file__, "peer", folder], capture_output=True, check=True)
            print(f"python-metar, sqlite3 {_shown(json.loads(done.stdout))} (no claim)")


def _shown(took_s: list[float]) -> str:
    return f"{statistics.median(took_s):.3f} s ({min(took_s):.3f}-{max(took_s):.3f})"


async def _ours_s(address: str) -> tuple[list[float], list[float]]:
    database = importlib.import_module("aerocast_hub.database.engine").Database(address)
    await importlib.import_module("aerocast_hub.database.migrate").migrate(database)
    files = importlib.import_module("aerocast_hub.weather.metar_files")
    groups = importlib.import_module("aerocast_protocols.weather.groups")
    text = importlib.import_module("sqlalchemy").text
    took_s: list[float] = []
    busy_s: list[float] = []
    for _ in range(ROUNDS):
        async with database.writing() as session:
            await session.execute(text("DELETE FROM metars"))
        groups.MEANINGS.clear()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        kept = await files.read_changed(database, files.MetarFiles(CACHE))
        took_s.append(time.perf_counter() - began_s)
        busy_s.append(time.process_time() - began_cpu_s)
        if kept < 5000:
            raise RuntimeError(f"only {kept} reports were kept")
    await database.close()
    return took_s, busy_s


def peer(folder: str) -> None:
    """Print what python-metar and sqlite3 take for the same, as JSON."""
    kind = importlib.import_module("metar.Metar").Metar
    warnings.simplefilter("ignore")
    database = sqlite3.connect(f"{folder}/peer.db")
    database.execute("CREATE TABLE metars (station, raw, wind, visibility, category)")
    took_s = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        lines = gzip.decompress(CACHE.read_bytes()).decode().splitlines()
        start = next(at for at, line in enumerate(lines) if line.startswith("raw_text,"))
        read = [kind(row[0], strict=False) for row in csv.reader(lines[start + 1 :])]
        database.executemany(
            "INSERT INTO metars VALUES (?, ?, ?, ?, ?)",
            [(m.station_id, m.code, m.wind(), m.visibility(), m.sky_conditions()) for m in read],
        )
        database.commit()
        took_s.append(time.perf_counter() - began_s)
    print(json.dumps(took_s))


@contextmanager
def _postgresql() -> Iterator[str | None]:
    """Run a server of Debian's package as nobody; gives the folder its socket is in."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parts[-2]))
    if not installed:
        print("PostgreSQL is not installed (package postgresql): left out")
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="aerocast-bench-"))
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "nobody")
    folder.chmod(0o755)
    data = folder / "data"
    subprocess.run(
        [installed[-1] / "initdb", "-D", data, "-U", "hub", "-A", "trust", "--locale=C"],
        check=True, cwd="/", stdout=subprocess.DEVNULL, **user,
    )  # fmt: skip
    server = subprocess.Popen(
        [installed[-1] / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user,
    )  # fmt: skip
    try:
        ready = [installed[-1] / "pg_isready", "-q", "-h", folder, "-U", "hub"]
        while subprocess.run(ready, check=False).returncode != 0:
            if server.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        yield str(folder)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    peer(sys.argv[2]) if sys.argv[1:2] == ["peer"] else main()
