"""Which candidates are messages: parity, the aircraft known, and how plain the bits are. Numpy.

Second stage of demodulation. In order of trust: clean, a clean all-call reply to a known
interrogator code, repaired, address over parity; of candidates that overlap in their preamble the
most trusted stays, then the plainest.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aerocast_protocols.modes.closeup import Closeup, Steps, find_damage
from aerocast_protocols.modes.demodulation_scan import (
    LONGEST_PULSES,
    NEWCOMERS_PREAMBLE,
    SURE_PREAMBLE,
    NumpyScanner,
    Scan,
    addresses_at,
)
from aerocast_protocols.modes.known_addresses import KnownAddresses
from aerocast_protocols.modes.parity import LARGEST_INTERROGATOR, LONG, SHORT
from aerocast_protocols.modes.parity_arrays import Contents, Remainders, remainders
from aerocast_protocols.modes.upsampling import TAPS, Floats, Upsampling

# Standard deviations over noise that a frame's bits must stand out by where its parity alone does
# not tell: with 200 aircraft known, some address over parity fits by chance several times a second.
SURE_SIGMAS = 4.5
_OVERLAP_PULSES = 16  # two messages that start within 8 us of each other are one
_CLEAN, _INTERROGATED, _REPAIRED, _ADDRESSED = 4, 3, 2, 1
_LONG_BIT = 0x80  # of the first byte: formats from 16 on have 14 bytes
_ALL_CALL = 11
_REPAIRABLE = {11: 0, 17: 1, 18: 0}  # bits of the format itself that may be among the damaged
_NOISE_ROWS = 512
_ADDRESS_BYTES = np.arange(1, 4)

Mask = npt.NDArray[np.bool_]


def _marked(size: int, numbers: frozenset[int]) -> Mask:
    marks = np.zeros(size, np.bool_)
    marks[list(numbers)] = True
    return marks


_HAS_OWN_PARITY = _marked(32, frozenset({11, 17, 18}))
_HAS_ADDRESS_PARITY = _marked(32, frozenset({0, 4, 5, 16, 20, 21}))
_MAY_BE_REPAIRED = _marked(
    256,
    frozenset(
        first
        for first in range(256)
        if any(
            (first >> 3 ^ downlink).bit_count() <= bits for downlink, bits in _REPAIRABLE.items()
        )
    ),
)


class Accepted(NamedTuple):
    """A message.

    Attributes
    ----------
    start
        Steps from the block's first sample to the start of its preamble, with a fraction.
    frame
        7 or 14 bytes.
    signal_dbfs, repaired_bits, score
        As in a heard frame.
    """

    start: float
    frame: bytes
    signal_dbfs: float
    repaired_bits: int
    score: float


class _Hits(NamedTuple):
    """Candidates that pass for messages.

    Attributes
    ----------
    starts
        Step of each one's first preamble pulse.
    contents
        Bytes, repaired: shape (n, 14).
    trust, repaired
        Why each is believed, and how many of its bits were turned.
    scores
        How plain its bits are.
    """

    starts: Steps
    contents: Contents
    trust: Steps
    repaired: Steps
    scores: Floats

    def only(self, which: Mask | Steps) -> "_Hits":
        return _Hits(
            self.starts[which],
            self.contents[which],
            self.trust[which],
            self.repaired[which],
            self.scores[which],
        )


class Judge:
    """Decides about candidates; remembers which aircraft are there, and the last messages taken.

    Parameters
    ----------
    upsampling
        Of the scans to come.
    block_steps
        How far the next scan begins after one.
    known
        The aircraft heard for certain; those heard newly are added.
    """

    def __init__(self, upsampling: Upsampling, block_steps: int, known: KnownAddresses) -> None:
        self._block_steps = block_steps
        self._closeup = Closeup(upsampling)
        self._overlap = _OVERLAP_PULSES * upsampling.steps
        self._known = known
        self._sure = _sure_scores(upsampling, self._closeup)
        self._before: list[int] = []  # where messages of the block before started, from this one on

    def judge(self, scan: Scan, ticks: int) -> list[Accepted]:
        """Give the messages of a block, in the order they started.

        Parameters
        ----------
        scan
            The candidates.
        ticks
            When the block began.
        """
        contents = scan.contents
        downlink = contents[:, 0] >> 3
        address = _addresses(contents)
        sure = scan.preambles >= SURE_PREAMBLE
        news = scan.preambles >= NEWCOMERS_PREAMBLE
        left = np.empty(downlink.size, np.uint32)
        is_long = contents[:, 0] >= _LONG_BIT
        left[is_long] = remainders(contents[is_long])
        left[~is_long] = remainders(contents[~is_long, :SHORT])
        clean = np.flatnonzero(_HAS_OWN_PARITY[downlink] & (left == 0))
        self._meet(scan, clean[news[clean] & ~self._known.has(address[clean])], ticks)
        clean = clean[self._known.has(address[clean])]
        self._known.confirm({int(each) for each in address[clean]}, ticks)
        answers = np.flatnonzero((downlink == _ALL_CALL) & (left <= LARGEST_INTERROGATOR))
        answers = answers[(left[answers] > 0) & self._known.has(address[answers])]
        replies = np.flatnonzero(sure & _HAS_ADDRESS_PARITY[downlink])
        replies = replies[self._known.has(left[replies])]
        damaged = np.flatnonzero(sure & _MAY_BE_REPAIRED[contents[:, 0]] & (left > 0))
        damaged = damaged[self._known.has_near(address[damaged])]
        found = [
            *self._hits(scan, clean, _CLEAN),
            *self._hits(scan, answers, _INTERROGATED),
            *map(self._plain, self._hits(scan, replies, _ADDRESSED)),
            *map(self._plain, self._repaired(scan, damaged, left[damaged])),
        ]
        if not found:
            self._before = []
            return []
        every = _Hits(*(np.concatenate(each) for each in zip(*found, strict=True)))
        return self._accept(scan, every.only(self._once(every)))

    def _meet(self, scan: Scan, newcomers: Steps, ticks: int) -> None:
        """Believe in aircraft not heard before, if their frames are more than clean."""
        for hits in map(self._plain, self._hits(scan, newcomers, _CLEAN)):
            self._known.confirm({int(each) for each in _addresses(hits.contents)}, ticks)

    def _hits(self, scan: Scan, which: Steps, trust: int) -> Iterator[_Hits]:
        if not which.size:
            return
        starts, contents = scan.starts[which], scan.contents[which]
        scores = self._closeup.scores(scan.pulses, starts, contents[:, 0] >= _LONG_BIT)
        none = np.zeros(which.size, np.int64)
        yield _Hits(starts, contents, none + trust, none, scores)

    def _plain(self, hits: _Hits) -> _Hits:
        """Keep those whose bits stand out as noise's never do."""
        is_long = hits.contents[:, 0] >= _LONG_BIT
        needed = np.where(is_long, self._sure[LONG], self._sure[SHORT])
        return hits.only(hits.scores >= needed)

    def _repaired(self, scan: Scan, which: Steps, left: Remainders) -> Iterator[_Hits]:
        for hits in self._hits(scan, which, _REPAIRED):
            yield self._mended(scan, hits, left)

    def _mended(self, scan: Scan, hits: _Hits, left: Remainders) -> _Hits:
        is_long = hits.contents[:, 0] >= _LONG_BIT
        contents, turned = hits.contents.copy(), hits.repaired.copy()
        for length, most, group in ((LONG, 2, is_long), (SHORT, 1, ~is_long)):
            at = np.flatnonzero(group)
            if at.size:
                weak = self._closeup.weakest(scan.pulses, hits.starts[at], length * 8)
                bits, count = find_damage(left[at], weak, length, most)
                contents[at, :length] ^= bits
                turned[at] = count
        mended = hits._replace(contents=contents, repaired=turned)
        good = (turned > 0) & self._known.has(_addresses(contents))
        return mended.only(good & _HAS_OWN_PARITY[contents[:, 0] >> 3])

    def _once(self, hits: _Hits) -> Steps:
        """Of hits that overlap in their preamble give the best, in the order they started."""
        overlap = self._overlap
        # One place for every step, and room before and after for what starts near the edges.
        taken = np.zeros(self._block_steps + 3 * overlap, np.bool_)
        for start in self._before:
            taken[max(0, start + 1) : max(0, start + 2 * overlap)] = True
        kept = []
        order = np.lexsort((-hits.scores, -hits.trust))
        for place, start in zip(order.tolist(), hits.starts[order].tolist(), strict=True):
            if not taken[start + overlap]:
                taken[start + 1 : start + 2 * overlap] = True
                kept.append(place)
        self._before = [int(hits.starts[place]) - self._block_steps for place in kept]
        return np.array(sorted(kept, key=hits.starts.__getitem__), np.int64)

    def _accept(self, scan: Scan, hits: _Hits) -> list[Accepted]:
        if not hits.starts.size:
            return []
        begun = self._closeup.begun(scan.pulses, hits.starts, hits.contents)
        powers = self._closeup.powers_dbfs(
            scan.pulses, hits.starts, hits.contents[:, 0] >= _LONG_BIT
        )
        frames = (each.tobytes() for each in hits.contents)
        return [
            Accepted(start, frame[: LONG if frame[0] >= _LONG_BIT else SHORT], power, turned, score)
            for start, frame, power, turned, score in zip(
                begun.tolist(),
                frames,
                powers.tolist(),
                hits.repaired.tolist(),
                hits.scores.tolist(),
                strict=True,
            )
        ]


def _addresses(contents: Contents) -> Remainders:
    return addresses_at(contents.ravel(), LONG * np.arange(len(contents))[:, None] + _ADDRESS_BYTES)


def _sure_scores(upsampling: Upsampling, closeup: Closeup) -> dict[int, float]:
    """Give the scores, by length, that noise does not reach: measured on seeded noise."""
    chance = np.random.default_rng(1090)
    size = _NOISE_ROWS * upsampling.taken + TAPS
    real, imaginary = chance.standard_normal((2, size)).astype(np.float32)
    pulses = NumpyScanner(upsampling, 1).pulses(real, imaginary)
    starts = np.arange(0, pulses.size - LONGEST_PULSES * upsampling.steps, 4)
    mean, deviation = closeup.noise(pulses, starts)
    return {
        length: mean + SURE_SIGMAS * deviation / math.sqrt(length * 8) for length in (SHORT, LONG)
    }
