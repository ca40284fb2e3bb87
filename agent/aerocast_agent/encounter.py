"""One tag among belts that overhear each other: which read it strongest, and when it crossed them.

Pure. Figures behind the rules are in the tests of passages.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from aerocast_protocols.epc.bag_tag import BagTag

MOST_READS = 4096  # for one belt; the strongest are kept
PEAK_READS = 3  # robust peak: mean of this many strongest reads
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

    def add(self, boot_ns: int, belt: str, rssi_dbm: float) -> None:
        """Take one read, not older than the last."""
        self.last_ns = boot_ns
        reads = self._reads.setdefault(belt, [])
        reads.append((rssi_dbm, boot_ns))
        self._counts[belt] = self._counts.get(belt, 0) + 1
        if len(reads) > MOST_READS:
            self._reads[belt] = heapq.nlargest(MOST_READS // 2, reads)

    def most_read(self) -> str:
        """Name the belt with the most reads."""
        return max(self._counts, key=lambda belt: (self._counts[belt], belt))

    def crossings(self) -> list[Crossing]:
        """Give what each belt knows, strongest first."""
        found = [self._crossing(belt, reads) for belt, reads in self._reads.items()]
        return sorted(found, key=lambda each: (-each.peak_dbm, -each.reads, each.belt))

    def _crossing(self, belt: str, reads: Sequence[tuple[float, int]]) -> Crossing:
        strongest = [rssi for rssi, _ in heapq.nlargest(PEAK_READS, reads)]
        peak_dbm = sum(strongest) / len(strongest)
        passed_ns, sigma_ns = _centroid(reads, peak_dbm)
        return Crossing(belt, peak_dbm, self._counts[belt], passed_ns, sigma_ns)


def _centroid(reads: Sequence[tuple[float, int]], peak_dbm: float) -> tuple[int, float]:
    """Give the mean time of the reads near the peak, weighted by power, and its deviation."""
    start_ns = min(at for _, at in reads)
    near = [
        (10 ** ((rssi - peak_dbm) / 10) if rssi > -1e9 else 1.0, at - start_ns)
        for rssi, at in reads
        if rssi >= peak_dbm - NEAR_PEAK_DB
    ]
    total = sum(weight for weight, _ in near)
    mean = sum(weight * at for weight, at in near) / total
    variance = sum(weight * (at - mean) ** 2 for weight, at in near) / total
    effective = total**2 / sum(weight**2 for weight, _ in near)
    return start_ns + round(mean), (variance / effective) ** 0.5
