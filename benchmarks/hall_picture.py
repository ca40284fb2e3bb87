"""Draw a hall for the eye: every belt as a strip, time from left to right. Needs numpy.

In a strip, from top to bottom: the beam (white where broken, red where an unread bag was told),
every bag's own reads (blue to yellow by strength, at the height of its place along the belt), what
siblings overheard (grey), and what became of it, as a bar at the antennas' plane: green right, red
wrong, orange ambiguous, magenta missed.
"""

import struct
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from aerocast_agent.cli.decode.passage_score import TrueBag, Truth
from aerocast_agent.config import Belt
from aerocast_protocols.observations.bags import BagPassage, GpioEdge, TagRead, UnreadBag
from aerocast_protocols.observations.every import Observation

PIXELS_PER_S, STRIP, BEAM, FIELD_M = 14, 150, 12, 5.0
MIDDLE = BEAM + (STRIP - BEAM) // 2
RIGHT, WRONG, AMBIGUOUS, MISSED = (60, 220, 90), (255, 50, 50), (255, 160, 0), (255, 0, 255)
NEAR_US = 10_000_000
Picture = npt.NDArray[np.uint8]


def draw_hall(
    path: Path,
    belts: Sequence[Belt],
    observations: Sequence[TagRead | GpioEdge],
    truth: Truth,
    told: Sequence[Observation],
) -> None:
    """Write a PNG of a hall and of what was told of it."""
    start_ns, end_ns = observations[0].boot_ns, observations[-1].boot_ns
    width = round((end_ns - start_ns) / 1e9 * PIXELS_PER_S) + 4
    picture = np.full((STRIP * len(belts), width, 3), 18, np.uint8)
    passages: dict[str, list[BagPassage]] = defaultdict(list)
    for each in told:
        if isinstance(each, BagPassage):
            passages[each.epc.hex()].append(each)
    for number, belt in enumerate(belts):
        strip = _Strip(picture[number * STRIP : (number + 1) * STRIP - 2], belt, start_ns)
        strip.draw_reads(observations, truth)
        strip.draw_beam(observations, told)
        for bag in truth.bags:
            if bag.belt == belt.name and bag.readable:
                strip.draw_verdict(bag, passages[bag.epc or ""])
    path.write_bytes(_png(picture))


class _Strip:
    """The part of the picture that shows one belt."""

    def __init__(self, pixels: Picture, belt: Belt, start_ns: int) -> None:
        self._pixels = pixels
        self._belt = belt
        self._start_ns = start_ns
        pixels[MIDDLE] = 50

    def draw_beam(
        self, observations: Sequence[TagRead | GpioEdge], told: Sequence[Observation]
    ) -> None:
        blocked: int | None = None
        for each in observations:
            if (
                isinstance(each, GpioEdge)
                and f"{each.device}:gpi{each.pin}" == self._belt.photo_eye
            ):
                if blocked is not None and not each.level:
                    self._pixels[:BEAM, blocked : self._column(each.boot_ns) + 1] = 230
                blocked = self._column(each.boot_ns) if each.level else None
        for unread in told:
            if isinstance(unread, UnreadBag) and unread.belt == self._belt.name:
                at = self._column(unread.boot_ns)
                self._pixels[:BEAM, at : at + 3] = WRONG

    def draw_reads(self, observations: Sequence[TagRead | GpioEdge], truth: Truth) -> None:
        bags: dict[str, list[TrueBag]] = defaultdict(list)
        for bag in truth.bags:
            bags[bag.epc or ""].append(bag)
        for read in observations:
            if isinstance(read, TagRead) and f"{read.device}:{read.antenna}" in self._belt.antennas:
                at_us = read.boot_ns / 1000
                near = [each for each in bags[read.epc.hex()] if abs(_passed(each) - at_us) < 2e7]
                if near:
                    self._draw_read(read, near[0])

    def _draw_read(self, read: TagRead, bag: TrueBag) -> None:
        along_m = (read.boot_ns / 1000 - _passed(bag)) / 1e6 * self._belt.speed_mps
        height = MIDDLE + round(along_m / FIELD_M * (STRIP - BEAM))
        if BEAM + 2 < height < STRIP - 2:
            strength = min(max(((read.rssi_dbm or -80.0) + 75) / 50, 0.0), 1.0)
            grey = round(50 + 100 * strength)
            own = (round(255 * strength), round(60 + 180 * strength), round(240 - 200 * strength))
            colour = own if bag.belt == self._belt.name else (grey, grey, grey)
            self._pixels[height, self._column(read.boot_ns)] = colour

    def draw_verdict(self, bag: TrueBag, told: Sequence[BagPassage]) -> None:
        near = [each for each in told if abs(each.boot_ns / 1000 - _passed(bag)) < NEAR_US]
        colour = MISSED
        if near and near[0].ambiguous:
            colour = AMBIGUOUS
        elif near:
            colour = RIGHT if near[0].belt == bag.belt else WRONG
        at = self._column(round(_passed(bag) * 1000))
        self._pixels[MIDDLE - 14 : MIDDLE + 15, at : at + 2] = colour

    def _column(self, at_ns: int) -> int:
        return max(round((at_ns - self._start_ns) / 1e9 * PIXELS_PER_S), 0)


def _passed(bag: TrueBag) -> float:
    return sum(bag.passed_at_us) / 2


def _png(picture: Picture) -> bytes:
    """Encode as PNG (ISO/IEC 15948:2004): 8-bit RGB, every row unfiltered."""
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = picture.reshape(height, -1)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
