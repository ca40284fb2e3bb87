"""Measure a store of events, the same for our_store.py and thingsboard_store.py.

``burst FOLDER EVENTS`` writes and drains as fast as it goes, ``paced FOLDER RATE SECONDS`` writes
at a rate; both print JSON. Standard library only: it runs in two environments.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

Event_contra = TypeVar("Event_contra", contravariant=True)


class Store(Protocol[Event_contra]):
    """A store as its gateway drives it."""

    def put(self, event: Event_contra) -> None:
        """Accept an event."""

    def settle(self) -> None:
        """Wait until all that was accepted is stored."""

    def drain(self) -> int:
        """Read everything and let go of it; give how many events that were."""

    def close(self) -> None:
        """End."""


E = TypeVar("E")


def burst(store: Store[E], event: Callable[[int], E], many: int) -> dict[str, float]:
    """Write events, then drain them; processor microseconds of an event, each way."""
    events = [event(number) for number in range(many)]
    time.sleep(0.5)
    began_s = time.process_time()
    for each in events:
        store.put(each)
    store.settle()
    wrote_s = time.process_time()
    drained = store.drain()
    drained_s = time.process_time()
    store.close()
    if drained != many:
        raise SystemExit(f"{drained} of {many} came back")
    return {
        "write_us": (wrote_s - began_s) / many * 1e6,
        "drain_us": (drained_s - wrote_s) / many * 1e6,
    }


def paced(
    store: Store[E], event: Callable[[int], E], rate: float, seconds: float
) -> dict[str, float]:
    """Write at a rate; processor microseconds of an event beyond making it and keeping the pace."""
    idle_us, _ = _pace(lambda _: None, event, rate, seconds / 2)
    print("ready", flush=True)
    sys.stdin.readline()
    busy_us, many = _pace(store.put, event, rate, seconds)
    cpu_s = time.process_time()
    store.settle()
    busy_us += (time.process_time() - cpu_s) / many * 1e6
    print("done", flush=True)
    sys.stdin.readline()
    store.close()
    return {"events": many, "paced_us": busy_us - idle_us}


def _pace(
    put: Callable[[E], None], event: Callable[[int], E], rate: float, seconds: float
) -> tuple[float, int]:
    began_s, cpu_s, number = time.monotonic(), time.process_time(), 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        while number < passed_s * rate:
            put(event(number))
            number += 1
        time.sleep(0.01)
    return (time.process_time() - cpu_s) / number * 1e6, number


def main(opened: Callable[[str], Store[E]], event: Callable[[int], E]) -> None:
    """Do what the command line asks."""
    kind, folder, *numbers = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    store = opened(folder)
    if kind == "burst":
        measured = burst(store, event, int(numbers[0]))
    else:
        measured = paced(store, event, *map(float, numbers))
    print(json.dumps(measured), flush=True)
