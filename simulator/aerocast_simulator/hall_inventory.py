"""What a reader reports of the tags its antennas can hear: rounds of slots, one antenna at a time.

A reader gives each antenna some 60 ms in turn. In each round (EPC Gen2 v2 §6.3.2.12) every tag with
power picks one of 2^Q slots; a slot with one tag is a read, a slot with several is lost time.
"""

import random
from collections.abc import Mapping, Sequence

from aerocast_protocols.observations.bags import TagRead

from aerocast_simulator.hall_plan import STEP_S

DWELL_S = (0.045, 0.075)
SWITCH_S = 0.0015
QUERY_S, EMPTY_S, COLLISION_S, READ_S = 0.0012, 0.0002, 0.0006, 0.0019
READER_HEARS_DBM = -78.0
NOISE_DB = 0.6
HIGHEST_Q = 5

Sighted = Mapping[int, Sequence[tuple[bytes, float]]]
"""At each step: the tags an antenna can hear, and how strongly."""


def inventory(
    rng: random.Random,
    device: str,
    antennas: Mapping[int, Sighted],
    seconds: float,
    quantum_db: float,
) -> list[TagRead]:
    """Give the reads of one reader, oldest first.

    Parameters
    ----------
    antennas
        By port: what each can hear.
    quantum_db
        Steps of the reported RSSI: 0.5 or 1.
    """
    reads: list[TagRead] = []
    ports = sorted(antennas)
    at_s, turn = rng.uniform(0, 0.05), 0
    while at_s < seconds:
        port = ports[turn % len(ports)]
        until_s = at_s + rng.uniform(*DWELL_S)
        while at_s < until_s:
            step = int(at_s / STEP_S)
            sighted = antennas[port].get(step)
            if not sighted:
                at_s = min((step + 1) * STEP_S + 1e-9, until_s)
                continue
            at_s = _round(rng, reads, (device, port, quantum_db), sighted, at_s)
        turn += 1
        at_s += SWITCH_S
    return reads


def _round(
    rng: random.Random,
    reads: list[TagRead],
    reader: tuple[str, int, float],
    sighted: Sequence[tuple[bytes, float]],
    at_s: float,
) -> float:
    """Append the reads of one round; gives when it is over."""
    device, port, quantum_db = reader
    at_s += QUERY_S
    slots = 1 << min(HIGHEST_Q, max(0, (len(sighted) - 1).bit_length()))
    picked: dict[int, list[tuple[bytes, float]]] = {}
    for tag in sighted:
        picked.setdefault(int(rng.random() * slots), []).append(tag)
    at_s += EMPTY_S * (slots - len(picked))
    for slot in sorted(picked):
        if len(picked[slot]) > 1:
            at_s += COLLISION_S
            continue
        ((epc, rssi_dbm),) = picked[slot]
        at_s += READ_S + rng.random() * 0.001
        heard_dbm = rssi_dbm + rng.gauss(0.0, NOISE_DB)
        if heard_dbm > READER_HEARS_DBM:
            reads.append(
                TagRead(
                    device=device,
                    boot_ns=round(at_s * 1e9),
                    epc=epc,
                    antenna=port,
                    rssi_dbm=round(heard_dbm / quantum_db) * quantum_db,
                )
            )
    return at_s
