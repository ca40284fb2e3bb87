"""One tag among belts that overhear each other: which read it strongest, and when it crossed them.

Pure. Figures behind the rules are in the tests of passages.
"""

import heapq
import math
import statistics
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aerocast_protocols.epc.bag_tag import BagTag

MOST_READS = 1024  # of one tag by one belt; the strongest are kept
MOST_PEAKS = 31  # bags whose peaks tell what is usual on a belt
FEWEST_PEAKS = 5
PEAK_READS = 3  # robust peak: mean of this many strongest reads
# Shadowing and fading change slowly along a belt: reads nearer to each other than this are one
# piece of evidence. With it, 60 to 90 % of simulated bags lie within the deviation that is stated.
COHERENCE_M = 0.45
NEAR_PEAK_DB = 8.0  # reads this far below the peak still say when the bag crossed


class Crossing(NamedTuple):
    """What one belt knows of one tag.

    Attributes
    ----------
    peak_dbm
        Mean of the three strongest reads; -inf when the reader reports no RSSI.
    passed_ns, sigma_ns
        When it crossed the antennas' plane, and the standard deviation of that.
    """

    belt: str
    peak_dbm: float
    reads: int
    passed_ns: int
    sigma_ns: float


class UsualPeak:
    """Remembers how strongly a belt reads the bags that pass it."""

    def __init__(self) -> None:
        self._peaks: deque[float] = deque(maxlen=MOST_PEAKS)

    def add(self, peak_dbm: float) -> None:
        """Take the peak of a bag that passed."""
        if math.isfinite(peak_dbm):
            self._peaks.append(peak_dbm)

    def below(self, peak_dbm: float) -> float:
        """Say by how many dB a peak is below what is usual; 0 while that is not known."""
        if len(self._peaks) < FEWEST_PEAKS or not math.isfinite(peak_dbm):
            return 0.0
        return statistics.median(self._peaks) - peak_dbm


class Encounter:
    """Gathers the reads of one tag by belts that are siblings."""

    def __init__(self, epc: bytes, tag: BagTag, boot_ns: int, device: str) -> None:
        self.epc = epc
        self.tag = tag
        self.device = device
        self.first_ns = boot_ns
        self.last_ns = boot_ns
        self._reads: dict[str, list[tuple[float, int]]] = {}
        self._counts: dict[str, int] = {}
        self._strongest: dict[str, float] = {}

    def add(self, boot_ns: int, belt: str, rssi_dbm: float) -> None:
        """Take one read, not older than the last."""
        self.last_ns = boot_ns
        reads = self._reads.setdefault(belt, [])
        reads.append((rssi_dbm, boot_ns))
        self._counts[belt] = self._counts.get(belt, 0) + 1
        self._strongest[belt] = max(rssi_dbm, self._strongest.get(belt, -math.inf))
        if len(reads) > MOST_READS:
            self._reads[belt] = heapq.nlargest(MOST_READS // 2, reads)

    @property
    def lasted_ns(self) -> int:
        """Give how long it has lasted."""
        return self.last_ns - self.first_ns

    def strongest(self) -> tuple[str, float]:
        """Give the belt with the strongest single read, and that read in dBm."""
        return max(self._strongest.items(), key=lambda each: (each[1], each[0]))

    def crossings(self, speed_mps: Mapping[str, float]) -> list[Crossing]:
        """Give what each belt knows, strongest first; ``speed_mps`` is how fast each belt runs."""
        found = [
            self._crossing(belt, reads, speed_mps[belt]) for belt, reads in self._reads.items()
        ]
        return sorted(found, key=lambda each: (-each.peak_dbm, -each.reads, each.belt))

    def _crossing(
        self, belt: str, reads: Sequence[tuple[float, int]], speed_mps: float
    ) -> Crossing:
        strongest = [rssi for rssi, _ in heapq.nlargest(PEAK_READS, reads)]
        peak_dbm = sum(strongest) / len(strongest)
        passed_ns, sigma_ns = _centroid(reads, peak_dbm, COHERENCE_M / speed_mps * 1e9)
        return Crossing(belt, peak_dbm, self._counts[belt], passed_ns, sigma_ns)


def _centroid(
    reads: Sequence[tuple[float, int]], peak_dbm: float, coherence_ns: float
) -> tuple[int, float]:
    """Give the mean time of the reads near the peak, weighted by power, and its deviation."""
    start_ns = min(at for _, at in reads)
    near = [
        (10 ** ((rssi - peak_dbm) / 10) if math.isfinite(rssi) else 1.0, at - start_ns)
        for rssi, at in reads
        if rssi >= peak_dbm - NEAR_PEAK_DB
    ]
    total = sum(weight for weight, _ in near)
    mean = sum(weight * at for weight, at in near) / total
    spread_ns = math.sqrt(sum(weight * (at - mean) ** 2 for weight, at in near) / total)
    # The length of an even spread with this deviation, in pieces of evidence.
    pieces = max(1.0, min(float(len(near)), math.sqrt(12) * spread_ns / coherence_ns))
    sigma_ns = max(spread_ns, coherence_ns / 2) / math.sqrt(pieces)
    return start_ns + round(mean), sigma_ns
