"""Drive the event storage of thingsboard-gateway 3.8.5, in its own environment, as it drives it.

``python thingsboard_store.py burst FOLDER EVENTS`` or ``paced FOLDER RATE SECONDS``; prints JSON.
Run by bench_spool_thingsboard.py with the interpreter of benchmarks/.venv.
"""

import json
import logging
import sys
import time
from pathlib import Path
from threading import Event

from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

QUIET = logging.getLogger("storage")
QUIET.setLevel(logging.ERROR)
QUIET.trace = QUIET.debug


def event(number: int) -> str:
    """Give a tag read as its JSON converter hands it over."""
    at_ms = 1_720_267_200_000 + number
    values = {"epc": f"{number:024x}", "antenna": 1 + number % 4, "rssi": -40.0 - number % 35}
    telemetry = [{"ts": at_ms, "values": values}]
    return json.dumps({"deviceName": "portal-4", "deviceType": "reader", "telemetry": telemetry})


def opened(folder: str) -> SQLiteEventStorage:
    """Open it with its default settings."""
    return SQLiteEventStorage({"data_file_path": folder + "/"}, QUIET, Event())


def burst(folder: str, many: int) -> dict[str, float]:
    """Write events and read them back; processor microseconds of an event, each way."""
    events = [event(number) for number in range(many)]
    storage = opened(folder)
    time.sleep(0.5)
    began_s = time.process_time()
    for each in events:
        storage.put(each)
    while storage.write_queue.qsize():
        time.sleep(0.02)
    time.sleep(0.5)
    wrote_s = time.process_time()
    drained = 0
    while pack := storage.get_event_pack():
        drained += len(pack)
        storage.event_pack_processing_done()
    drained_s = time.process_time()
    storage.stop()
    if drained != many:
        raise SystemExit(f"{drained} of {many} came back")
    return {
        "write_us": (wrote_s - began_s) / many * 1e6,
        "drain_us": (drained_s - wrote_s) / many * 1e6,
    }


def paced(folder: str, rate: float, seconds: float) -> dict[str, float]:
    """Write at a rate."""
    storage = opened(folder)
    print("ready", flush=True)
    sys.stdin.readline()
    began_s, cpu_s = time.monotonic(), time.process_time()
    number = 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        while number < passed_s * rate:
            storage.put(event(number))
            number += 1
        time.sleep(0.01)
    while storage.write_queue.qsize():
        time.sleep(0.02)
    time.sleep(0.3)
    cpu_s = time.process_time() - cpu_s
    print("done", flush=True)
    sys.stdin.readline()
    storage.stop()
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
