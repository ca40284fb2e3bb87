"""Claim: at least 20,000 source messages (RP1745 BSM) a second are read whole, on one core.

No Python library for RP1745 is on PyPI to measure against (iata-validator-client checks tag numbers
over the network, mvt-parser and ssim-parser read other messages). Beside ours stands the floor: the
same texts split at their lines and slashes into dictionaries, without checks, meanings or the way
back. Every plate, flight and problem of ours is read, and the same bytes are written again.
"""

import os
import random
import statistics
import time
from collections.abc import Callable

from aerocast_protocols.baggage import (
    Bags,
    Leg,
    Passenger,
    Reconciliation,
    TagRange,
    Version,
    Weight,
    compose_message,
    encode_message,
    parse_message,
)

MESSAGES = 2_000
ROUNDS = 5
CLAIM = 20_000


def main() -> None:
    """Measure in turns, print medians, CPU a message and the ratio."""
    raws = _messages(random.Random(1745))  # noqa: S311  the same messages every time
    ours, floor, back = [], [], []
    for _ in range(ROUNDS):
        ours.append(_timed(_read, raws))
        floor.append(_timed(_split, raws))
        back.append(_timed(_read_and_write, raws))
    us = {
        name: statistics.median(each) * 1e6
        for name, each in (("ours", ours), ("floor", floor), ("back", back))
    }
    size = sum(map(len, raws)) / len(raws)
    rate = 1e6 / us["ours"]
    print(f"{MESSAGES} BSM of {size:.0f} bytes, {os.cpu_count()} cores, one used")
    print(f"read whole: {us['ours']:.1f} us CPU a message, {rate:,.0f} messages/s")
    print(f"read, and written again: {us['back']:.1f} us CPU a message")
    print(f"split into dictionaries, nothing checked: {us['floor']:.1f} us CPU a message")
    print(f"ratio to the bare split: {us['ours'] / us['floor']:.1f}; PyPI peer: none exists")
    print(f"claim {CLAIM:,} messages/s: {'met' if rate >= CLAIM else 'MISSED'}")


def _read(raw: bytes) -> None:
    message = parse_message(raw)
    if message.problems or len(message.plates) == 0 or message.bags[0].outbound is None:
        raise ValueError("a message was not understood")


def _read_and_write(raw: bytes) -> None:
    message = parse_message(raw)
    if not message.plates or encode_message(message) != raw:
        raise ValueError("a message was not written as it came")


def _split(raw: bytes) -> None:
    found: dict[str, list[list[str]]] = {}
    for line in raw.decode("ascii").splitlines():
        name, *fields = line.split("/")
        found.setdefault(name, []).append(fields)


def _timed(work: Callable[[bytes], None], raws: list[bytes]) -> float:
    began = time.process_time()
    for raw in raws:
        work(raw)
    return (time.process_time() - began) / len(raws)


def _messages(rng: random.Random) -> list[bytes]:
    return [_message(rng) for _ in range(MESSAGES)]


def _message(rng: random.Random) -> bytes:
    leg = Leg(rng.choice(["AF", "BA", "U2"]), str(rng.randint(1, 9999)), "14JUN", "TLS", "Y")
    bags = Bags(
        outbound=leg,
        onward=(Leg("LH", "400", "14JUN", "JFK", "Y"),) if rng.random() < 0.3 else (),
        tags=(TagRange(f"0057{rng.randrange(1_000_000):06d}", rng.randint(1, 3)),),
        reconciliation=Reconciliation(
            authority_to_load=True, seat="12A", passenger_status="C", sequence="021", security="021"
        ),
        weight=Weight("K", 1, rng.randint(8, 32)),
        passengers=(Passenger("DOE", ("JANE",)),),
        pnr="ABC123",
        exceptions=("PRIO",) if rng.random() < 0.1 else (),
        printer="T1234",
    )
    return encode_message(compose_message("BSM", Version("L", "CDG"), [bags]))


if __name__ == "__main__":
    main()
