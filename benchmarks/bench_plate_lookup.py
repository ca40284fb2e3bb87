"""Claim: how long an answer takes does not tell a known bag tag from an unknown one.

A whole hub runs as a process on SQLite with 20,000 bags of 20,000 passengers. Somebody asks for
bag tags with a wrong surname: half of them known, half unknown, in random order, each from an
address of its own. A guesser would sort the answers by how long they took; the area under the curve
of that guess (Mann-Whitney) says how good it is: 0.5 is a coin. Beside it, as the peer in the same
run, right names are asked for: an answer that does give something away, so that the measure is
known to see a difference where there is one.

Arguments: questions of each kind (1500).
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import httpx
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.data_keys import data_keys_in
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_simulator.processes import free_port
from by_the_clock import wait_for

BAGS = 20_000
SEED = 7
WITHIN = 0.05
HUB = str(Path(sys.executable).parent / "aerocast-hub")


async def fill(folder: Path) -> None:
    """Make the database."""
    legs = {"flight": "AF6120", "from": "CDG", "to": "TLS", "surname": "Muellerin"}
    legs["flight_date"] = time.strftime("%Y-%m-%d", time.gmtime())
    with (folder / "bags.jsonl").open("w") as file:
        for number in range(BAGS):
            plate = f"0220{number:06d}"
            flight = {"flight": f"AF{number % 100 + 6000}"}
            bag = legs | flight | {"licence_plate": plate, "passenger": plate}
            file.write(json.dumps(bag) + "\n")
    keys = partial(data_keys_in, folder)
    database = Database(f"sqlite+aiosqlite:///{folder / 'hub.db'}", data_keys=keys)
    await migrate(database)
    await import_bags(database, folder / "bags.jsonl")
    await database.close()


def area(ones: list[float], others: list[float]) -> float:
    """Give the area under the curve: how often one of ``ones`` took longer than an other."""
    ranked = sorted([(took, 1) for took in ones] + [(took, 0) for took in others])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    return (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))


async def ask(client: httpx.AsyncClient, number: int, plate: str, surname: str) -> float:
    """Ask once; give the seconds it took."""
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    body = {"licence_plate": plate, "surname": surname}
    began_s = time.perf_counter()
    answer = await client.post(
        "/api/guidance/find", json=body, headers={"x-forwarded-for": address}
    )
    took_s = time.perf_counter() - began_s
    if answer.status_code not in {200, 404}:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return took_s


async def measured(folder: Path, questions: int) -> int:
    """Run the hub and ask it."""
    await fill(folder)
    port = free_port()
    environment = os.environ | {
        "AEROCAST_HUB_MODE": "dev",
        "AEROCAST_HUB_DATA_DIR": str(folder),
        "AEROCAST_HUB_BROKER_URL": "none:",
        "AEROCAST_HUB_HTTP_PORT": str(port),
        "AEROCAST_HUB_TRIES_IN": "memory",
        "AEROCAST_HUB_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    hub = await asyncio.create_subprocess_exec(
        HUB, "serve", env=environment, cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=(folder / "hub.log").open("wb"),
    )  # fmt: skip
    draw = random.Random(SEED)  # noqa: S311  repeatable, not secret
    known = draw.sample(range(BAGS), questions + questions // 5)
    asked = [("known", f"0220{each:06d}", "Schmidt") for each in known[:questions]]
    asked += [("unknown", f"0057{each:06d}", "Schmidt") for each in range(questions)]
    asked += [("right", f"0220{each:06d}", "Muellerin") for each in known[questions:]]
    draw.shuffle(asked)
    took: dict[str, list[float]] = {"known": [], "unknown": [], "right": []}
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await asyncio.to_thread(wait_for, port)
            for number in range(100):  # warm
                await ask(client, 70_000 + number, f"0999{number:06d}", "Schmidt")
            for number, (kind, plate, surname) in enumerate(asked):
                took[kind].append(await ask(client, number, plate, surname))
    finally:
        hub.terminate()
        await hub.wait()
    known_area, right_area = (area(took[kind], took["unknown"]) for kind in ("known", "right"))
    print(f"{questions} known tags with a wrong name, {questions} unknown ones:")
    print(f"area under the curve {known_area:.3f} (a coin: 0.5; claim: 0.5 +- {WITHIN})")
    print(f"peer, {len(took['right'])} right names against unknown tags: {right_area:.3f}")
    return 0 if abs(known_area - 0.5) <= WITHIN else 1


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(asyncio.run(measured(Path(temporary), count)))
