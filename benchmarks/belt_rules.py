"""Rules that others go by, to say which belt a tag was on: peers to measure by.

Each gets the reads of one bag's passage already picked out for it, and names a belt.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aerocast_protocols.observations.bags import TagRead

# EdgeX app-rfid-llrp-inventory, internal/inventory/mobilityprofile.go and tagprocessor.go: a tag
# moves to another antenna with two reads or more when their mean (of the last 20) is above the
# present antenna's mean plus an offset that falls with the age of its last read.
SLOPE_DB_PER_MS, THRESHOLD_DB, HOLDOFF_MS, BUFFER = -0.008, 6.0, 500.0, 20


class Heard(NamedTuple):
    """A read, and the belt its antenna belongs to."""

    belt: str
    read: TagRead


Rule = Callable[[Sequence[Heard]], str]


def first_read(heard: Sequence[Heard]) -> str:
    """Name the belt that read it first."""
    return heard[0].belt


def last_read(heard: Sequence[Heard]) -> str:
    """Name the belt that read it last."""
    return heard[-1].belt


def most_reads(heard: Sequence[Heard]) -> str:
    """Name the belt that read it most often."""
    return _best(heard, lambda reads: float(len(reads)))


def strongest_read(heard: Sequence[Heard]) -> str:
    """Name the belt of the strongest single read."""
    return _best(heard, lambda reads: max(_rssi(read) for read in reads))


def power_sum(heard: Sequence[Heard]) -> str:
    """Name the belt that received the most power in all."""
    return _best(heard, lambda reads: sum(10 ** (_rssi(read) / 10) for read in reads))


def edgex_profile(heard: Sequence[Heard]) -> str:
    """Name the belt where the tag stayed longest by EdgeX's mobility profile (asset tracking)."""
    moves = _edgex_moves(heard)
    ends = [at_ms for _, at_ms in moves[1:]] + [heard[-1].read.boot_ns / 1e6]
    stayed: dict[str, float] = defaultdict(float)
    for (belt, from_ms), until_ms in zip(moves, ends, strict=True):
        stayed[belt] += until_ms - from_ms
    return max(stayed, key=lambda belt: stayed[belt])


def edgex_last(heard: Sequence[Heard]) -> str:
    """Name the belt where EdgeX's mobility profile last saw the tag."""
    return _edgex_moves(heard)[-1][0]


RULES: dict[str, Rule] = {
    "first read": first_read,
    "last read": last_read,
    "most reads": most_reads,
    "strongest single read": strongest_read,
    "power sum": power_sum,
    "EdgeX profile, longest": edgex_profile,
    "EdgeX profile, last": edgex_last,
}


def _edgex_moves(heard: Sequence[Heard]) -> list[tuple[str, float]]:
    """Give where the tag was, and since when."""
    buffers: dict[tuple[str, int], deque[float]] = defaultdict(lambda: deque(maxlen=BUFFER))
    last_ms: dict[tuple[str, int], float] = {}
    here: tuple[str, int] | None = None
    moves: list[tuple[str, float]] = []
    for belt, read in heard:
        at_ms = read.boot_ns / 1e6
        there = (read.device, read.antenna)
        buffers[there].append(_rssi(read))
        last_ms[there] = at_ms
        if here is None:
            here = there
        elif here != there and len(buffers[there]) >= 2:
            ramp = SLOPE_DB_PER_MS * (at_ms - last_ms[here] - HOLDOFF_MS) + THRESHOLD_DB
            if _mean(buffers[there]) > _mean(buffers[here]) + min(THRESHOLD_DB, ramp):
                here = there
        if here == there and (not moves or moves[-1][0] != belt):
            moves.append((belt, at_ms))
    return moves


def _best(heard: Sequence[Heard], worth: Callable[[list[TagRead]], float]) -> str:
    by_belt: dict[str, list[TagRead]] = defaultdict(list)
    for belt, read in heard:
        by_belt[belt].append(read)
    return max(by_belt, key=lambda belt: worth(by_belt[belt]))


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values)


def _rssi(read: TagRead) -> float:
    return -90.0 if read.rssi_dbm is None else read.rssi_dbm
