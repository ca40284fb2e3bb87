"""What a belt's antennas read while a tagged bag rides past: a small seeded radio model."""

import math
import random
from typing import NamedTuple

READS_PER_S = 25.0  # of one tag by one antenna, a quiet field
PEAK_DBM = -46.0
OVERHEARD_DBM = -67.0  # from the neighbouring belt, one and a half metres away
FADING_DB = 2.0


class Read(NamedTuple):
    """One read: seconds after the bag enters the field, antenna port, RSSI in dBm."""

    after_s: float
    antenna: int
    rssi_dbm: float


def ride(
    rng: random.Random,
    antennas: tuple[int, ...],
    overhearing: tuple[int, ...] = (),
    *,
    speed_mps: float = 1.5,
    field_m: float = 1.2,
) -> list[Read]:
    """Give the reads of one tag riding through a belt's field, oldest first.

    Parameters
    ----------
    antennas
        Ports of the belt the bag is on: every one reads it, strongest in the middle of the field.
    overhearing
        Ports of neighbouring belts, which catch it now and then, weakly.
    speed_mps, field_m
        The belt's speed and how far along it the antennas read.
    """
    transit_s = field_m / speed_mps
    reads: list[Read] = []
    for antenna in antennas:
        orientation_db = rng.gauss(0.0, 1.5)
        for after_s in _moments(rng, transit_s, READS_PER_S):
            from_middle = (after_s / transit_s - 0.5) * 2.0
            path_db = -14.0 * from_middle * from_middle
            rssi = PEAK_DBM + orientation_db + path_db + rng.gauss(0.0, FADING_DB)
            reads.append(Read(after_s, antenna, round(rssi, 1)))
    for antenna in overhearing:
        reads += [
            Read(after_s, antenna, round(OVERHEARD_DBM + rng.gauss(0.0, 2 * FADING_DB), 1))
            for after_s in _moments(rng, transit_s, READS_PER_S / 12)
        ]
    return sorted(reads)


def _moments(rng: random.Random, until_s: float, per_s: float) -> list[float]:
    moments: list[float] = []
    at_s = rng.expovariate(per_s)
    while at_s < until_s:
        moments.append(at_s)
        at_s += max(rng.expovariate(per_s), 0.004)  # an inventory round takes that long
    if not moments and math.isclose(per_s, READS_PER_S):
        moments.append(until_s / 2)  # a bag tag is read at least once
    return moments
