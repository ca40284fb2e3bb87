"""Drive the gateway's spool as its intake and uplink do; the counterpart of thingsboard_store.py.

``python our_store.py burst FOLDER EVENTS`` or ``paced FOLDER RATE SECONDS``; prints JSON.
"""

import json
import sys
import time
from pathlib import Path

from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations import LIVE, TagRead

BOOT = bytes(16)
EVERYTHING = ((-1, -1), (2**63 - 1, 0))


def event(number: int) -> bytes:
    """Give a tag read, encoded."""
    return batch.encode_observation(
        TagRead(
            device="portal-4",
            boot_ns=1_000_000_000 + number * 1_000_000,
            epc=number.to_bytes(12, "big"),
            antenna=1 + number % 4,
            rssi_dbm=-40.0 - number % 35,
        )
    )


def opened(folder: str) -> Spool:
    """Open it as the daemon does."""
    spool = Spool(Path(folder, "spool.db"), 512 * 1024 * 1024, BOOT)
    spool.start()
    return spool


def burst(folder: str, many: int) -> dict[str, float]:
    """Write events and let the hub acknowledge them; processor microseconds of an event."""
    events = [event(number) for number in range(many)]
    spool = opened(folder)
    time.sleep(0.5)
    began_s = time.process_time()
    for each in events:
        spool.add(LIVE, each)
    spool.flush().result()
    time.sleep(0.5)
    wrote_s = time.process_time()
    drained, after = 0, EVERYTHING[0]
    while rows := spool.fetch(LIVE, after, EVERYTHING[1], 16).result()[0]:
        drained += sum(row.held for row in rows)
        after = (rows[-1].epoch, rows[-1].first)
        spool.acknowledge(
            Acknowledgement(lane=LIVE, epoch=rows[-1].epoch, up_to_sequence=rows[-1].last)
        )
        spool.flush().result()
    drained_s = time.process_time()
    left = any(spool.state().result().rows.values())
    spool.stop()
    if drained != many or left:
        raise SystemExit(f"{drained} of {many} came back, {left=}")
    return {
        "write_us": (wrote_s - began_s) / many * 1e6,
        "drain_us": (drained_s - wrote_s) / many * 1e6,
    }


def paced(folder: str, rate: float, seconds: float) -> dict[str, float]:
    """Write at a rate, in the live lane."""
    spool = opened(folder)
    print("ready", flush=True)
    sys.stdin.readline()
    began_s, cpu_s = time.monotonic(), time.process_time()
    number = 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        while number < passed_s * rate:
            spool.add(LIVE, event(number))
            number += 1
        time.sleep(0.01)
    spool.flush().result()
    cpu_s = time.process_time() - cpu_s
    print("done", flush=True)
    sys.stdin.readline()
    spool.stop()
    return {"events": number, "paced_us": cpu_s / number * 1e6}


def main() -> None:
    """Do what is asked."""
    kind, folder, *numbers = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    done = (
        burst(folder, int(numbers[0])) if kind == "burst" else paced(folder, *map(float, numbers))
    )
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
