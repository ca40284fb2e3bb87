"""One tag among belts that overhear each other: how strongly each read it, and when it crossed.

Pure. A belt's antennas all look at its own bags, and only some of them at a neighbour's: what
counts is the mean of what every antenna of a belt heard at its best, and silence counts as the
faintest that its reader ever heard. One deep fade, or one lucky reflection, moves that little.
"""

import heapq
import math
import statistics
from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from aerocast_protocols.epc.bag_tag import BagTag

MOST_READS = 1024  # of one tag by one belt; the strongest are kept
MOST_PEAKS = 31  # bags whose peaks tell what is usual on a belt
FEWEST_PEAKS = 5
PEAK_READS = 3  # robust peak: mean of this many strongest reads
# Shadowing and fading change slowly along a belt: reads nearer to each other than this are one
# piece of evidence.
COHERENCE_M = 0.45
NEAR_PEAK_DB = 18.0  # reads this far below the peak still say when the bag crossed
FAINTEST_DBM = -66.0  # taken for silence until a reader has given fainter reads,
SILENT_DBM = -80.0  # which are believed down to here
COUNTED_DBM = -100.0  # for one read where the reader gives no RSSI; ten reads are 10 dB more
DEAD_AFTER = 10  # bags of its own belt in a row that an antenna missed: it is broken or elsewhere


class Crossing(NamedTuple):
    """What one belt knows of one tag.

    Attributes
    ----------
    strength_dbm
        Mean over the belt's antennas of each one's robust peak; by the number of reads when the
        reader reports no RSSI.
    peak_dbm
        Mean of the three strongest reads; -inf when the reader reports no RSSI.
    passed_ns, sigma_ns
        When it crossed the antennas' plane, and the standard deviation of that.
    """

    belt: str
    strength_dbm: float
    peak_dbm: float
    reads: int
    passed_ns: int
    sigma_ns: float


class UsualStrength:
    """Remembers how strongly a belt reads the bags that pass it."""

    def __init__(self) -> None:
        self._strengths: deque[float] = deque(maxlen=MOST_PEAKS)

    def add(self, strength_dbm: float) -> None:
        """Take the strength of a bag that passed."""
        if math.isfinite(strength_dbm):
            self._strengths.append(strength_dbm)

    @property
    def is_known(self) -> bool:
        """Say whether enough bags have passed."""
        return len(self._strengths) >= FEWEST_PEAKS

    def below(self, strength_dbm: float) -> float:
        """Say by how many dB a tag is below what is usual; 0 while that is not known."""
        if not self.is_known or not math.isfinite(strength_dbm):
            return 0.0
        return statistics.median(self._strengths) - strength_dbm


class Antennas:
    """Remembers which antennas of one belt hear its bags, and how faint a read may be."""

    def __init__(self, places: Iterable[str]) -> None:
        # How many bags in a row each missed. One that never heard any may not even be plugged in.
        self._missed = dict.fromkeys(places, DEAD_AFTER)
        self._faintest_dbm = FAINTEST_DBM

    def heard(self, place: str, rssi_dbm: float) -> None:
        """Take any read."""
        self._missed[place] = 0
        if SILENT_DBM <= rssi_dbm < self._faintest_dbm:
            self._faintest_dbm = rssi_dbm

    def passed(self, heard: Container[str]) -> None:
        """Take the antennas that heard a bag which one of this belt heard more loudly than all."""
        for place in self._missed:
            if place not in heard:
                self._missed[place] += 1

    def strength(self, peaks: Mapping[str, Sequence[float]]) -> float:
        """Give the mean of every working antenna's robust peak, in dBm."""
        heard = {place: _mean(peaks[place]) for place in self._missed if place in peaks}
        silent = sum(
            place not in heard and missed < DEAD_AFTER for place, missed in self._missed.items()
        )
        return (sum(heard.values()) + silent * self._faintest_dbm) / (len(heard) + silent)


class Encounter:
    """Gathers the reads of one tag by belts that are siblings.

    Attributes
    ----------
    device
        The reader that read it first.
    first_ns, last_ns
        When it was read first and last.
    loudest_belt
        The belt of the strongest single read.
    """

    def __init__(self, epc: bytes, tag: BagTag, boot_ns: int, device: str) -> None:
        self.epc = epc
        self.tag = tag
        self.device = device
        self.first_ns = boot_ns
        self.last_ns = boot_ns
        self._reads: dict[str, list[tuple[float, int]]] = {}
        self._counts: dict[str, int] = {}
        self._peaks: dict[str, list[float]] = {}
        self._loudest = -math.inf
        self.loudest_belt = ""

    def add(self, boot_ns: int, belt: str, place: str, rssi_dbm: float) -> None:
        """Take one read, not older than the last."""
        self.last_ns = boot_ns
        if rssi_dbm > self._loudest or not self.loudest_belt:
            self._loudest, self.loudest_belt = rssi_dbm, belt
        reads = self._reads.setdefault(belt, [])
        reads.append((rssi_dbm, boot_ns))
        self._counts[belt] = self._counts.get(belt, 0) + 1
        if len(reads) > MOST_READS:
            self._reads[belt] = heapq.nlargest(MOST_READS // 2, reads)
        peaks = self._peaks.get(place)
        if peaks is None:
            self._peaks[place] = [rssi_dbm]
        elif len(peaks) < PEAK_READS:
            heapq.heappush(peaks, rssi_dbm)
        elif rssi_dbm > peaks[0]:
            heapq.heapreplace(peaks, rssi_dbm)

    @property
    def lasted_ns(self) -> int:
        """Give how long it has lasted."""
        return self.last_ns - self.first_ns

    @property
    def heard_by(self) -> Container[str]:
        """Give the antennas that heard it."""
        return self._peaks.keys()

    def strengths(self, antennas: Mapping[str, Antennas]) -> dict[str, float]:
        """Give how strongly each belt that heard it reads it, in dBm."""
        return {
            belt: strength_dbm
            if math.isfinite(strength_dbm := antennas[belt].strength(self._peaks))
            else COUNTED_DBM + 10 * math.log10(count)
            for belt, count in self._counts.items()
        }

    def level_near(self, belt: str, start_ns: int, end_ns: int) -> float:
        """Give the robust peak of a belt's reads between two moments, in dBm; -inf without any."""
        near = [rssi for rssi, at in self._reads.get(belt, ()) if start_ns <= at <= end_ns]
        return _mean(heapq.nlargest(PEAK_READS, near)) if near else -math.inf

    def crossings(
        self, antennas: Mapping[str, Antennas], speed_mps: Mapping[str, float], reach_db: float
    ) -> list[Crossing]:
        """Give what the belts know that read it nearly as strongly as the best, strongest first.

        Parameters
        ----------
        speed_mps
            How fast each belt runs.
        reach_db
            Belts whose strength is further than this below the best's are left out.
        """
        strengths = self.strengths(antennas)
        least_dbm = max(strengths.values()) - reach_db
        found = [
            self._crossing(belt, strength_dbm, COHERENCE_M / speed_mps[belt] * 1e9)
            for belt, strength_dbm in strengths.items()
            if strength_dbm >= least_dbm
        ]
        return sorted(found, key=lambda each: (-each.strength_dbm, -each.reads, each.belt))

    def _crossing(self, belt: str, strength_dbm: float, coherence_ns: float) -> Crossing:
        reads = self._reads[belt]
        peak_dbm = _mean([rssi for rssi, _ in heapq.nlargest(PEAK_READS, reads)])
        passed_ns, sigma_ns = _middle(reads, peak_dbm, coherence_ns)
        return Crossing(belt, strength_dbm, peak_dbm, self._counts[belt], passed_ns, sigma_ns)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _middle(
    reads: Sequence[tuple[float, int]], peak_dbm: float, coherence_ns: float
) -> tuple[int, float]:
    """Give the mean time of the reads near the peak, weighted by dB, and its deviation."""
    start_ns = reads[0][1]
    floor_dbm = peak_dbm - NEAR_PEAK_DB
    near, total, first, second = 0, 0.0, 0.0, 0.0
    for rssi, at in reads:
        if rssi > floor_dbm or not math.isfinite(peak_dbm):
            weight = rssi - floor_dbm if math.isfinite(rssi) else 1.0
            apart = at - start_ns
            near += 1
            total += weight
            first += weight * apart
            second += weight * apart * apart
    mean = first / total
    spread_ns = math.sqrt(max(second / total - mean * mean, 0.0))
    # The length of an even spread with this deviation, in pieces of evidence.
    pieces = max(1.0, min(float(near), math.sqrt(12) * spread_ns / coherence_ns))
    sigma_ns = max(spread_ns, coherence_ns / 2) / math.sqrt(pieces)
    return start_ns + round(mean), sigma_ns
