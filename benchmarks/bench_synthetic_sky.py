"""Claim: in made air at 10 dB, 1,000 messages/s, we hear at least what dump1090-mutability does.

The air is the simulator's, from a fixed seed: Poisson arrivals, sub-sample delays, carriers off by
300 kHz (deviation), overlaps, 200 Mode A/C replies a second. dump1090-mutability (Debian's, for
2.4 MS/s only) gets the same bytes in the same run; a message counts as heard when the same frame
comes out within a millisecond of when it was sent, once each. "Not so sent" are the other frames.
"""

import argparse
import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.demodulation import TICKS_PER_S, Demodulator, Engine
from aerocast_protocols.modes.iq import SampleBuffer
from aerocast_simulator.radio_sky import SLICE_S, RadioSky, Sent, crowd

HERE = Position(43.6293, 1.3638)
SEED = 20260701
PEER = "dump1090-mutability"
NEAR_S = 1e-3
_LINE = re.compile(rb"@([0-9A-Fa-f]{12})([0-9A-Fa-f]{14}(?:[0-9A-Fa-f]{14})?);")


class Air(NamedTuple):
    """What to hear: messages a second, range of strengths in dB."""

    messages: float
    snr_db: tuple[float, float]


class Heard(NamedTuple):
    """A frame and when it was heard, seconds."""

    second: float
    frame: bytes


CLAIMED = Air(1000.0, (10.0, 10.0))
AIRS = (CLAIMED, Air(50.0, (0.0, 40.0)), Air(1000.0, (0.0, 40.0)), Air(3000.0, (0.0, 40.0)))


def main() -> None:
    """Make each air, let everyone listen, print what was heard of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--peer", default=shutil.which(PEER), help="path of dump1090-mutability")
    options = parser.parse_args()
    if options.peer is None:
        print(f"{PEER} is not here (Debian package {PEER}): ours alone")
    for rate in (2_400_000, 2_000_000):
        for air in AIRS:
            _listen(rate, air, options.seconds, options.peer)


def _listen(rate: int, air: Air, seconds: float, peer: str | None) -> None:
    sky = RadioSky(
        crowd(HERE, air.messages),
        rate,
        seed=SEED,
        messages_a_second=air.messages,
        snr_db=air.snr_db,
    )
    pieces, truth = [], []
    for number in range(round(seconds / SLICE_S)):
        pieces.append(sky.cu8(number))
        truth += [sent for sent in sky.truth(number) if len(sent.frame) > 2]
    low, high = air.snr_db
    claim = " (claimed)" if air == CLAIMED and rate == 2_400_000 else ""
    print(f"{rate / 1e6} MS/s, {air.messages:.0f} messages/s, {low:.0f} to {high:.0f} dB{claim}")
    engines: list[Engine] = ["numpy"]
    if importlib.util.find_spec("numba") is not None:
        engines.append("numba")
    ours = []
    for engine in engines:
        began_s = time.process_time()
        heard = _ours(pieces, rate, engine)
        ours.append(
            _tell(f"aerocast {engine}", heard, truth, time.process_time() - began_s, seconds)
        )
    if peer is not None and rate == 2_400_000:
        began_s = time.perf_counter()
        heard = _theirs(peer, pieces)
        theirs = _tell(PEER, heard, truth, time.perf_counter() - began_s, seconds)
        print(
            "  ratio:",
            ", ".join(
                f"{engine} {true / max(theirs, 1):.2f}"
                for engine, true in zip(engines, ours, strict=True)
            ),
        )


def _ours(pieces: Sequence[bytes], rate: int, engine: Engine) -> list[Heard]:
    samples, demodulator = SampleBuffer("cu8"), Demodulator(rate, engine)
    for piece in pieces:
        demodulator.feed(samples.take(piece))
    demodulator.flush()
    return [Heard(each.ticks_12mhz / TICKS_PER_S, each.frame) for each in demodulator.frames()]


def _theirs(peer: str, pieces: Sequence[bytes]) -> list[Heard]:
    said = subprocess.run(
        [peer, "--ifile", "-", "--iformat", "UC8", "--fix", "--raw", "--mlat"],
        input=b"".join(pieces),
        capture_output=True,
        check=False,
    ).stdout
    return [
        Heard(int(ticks, 16) / TICKS_PER_S, bytes.fromhex(frame.decode()))
        for ticks, frame in _LINE.findall(said)
    ]


def _tell(
    who: str, heard: Sequence[Heard], truth: Iterable[Sent], took_s: float, seconds: float
) -> int:
    """Print a line; give how many messages were heard as they were sent."""
    waiting: dict[bytes, list[float]] = {}
    sent = 0
    for each in truth:
        waiting.setdefault(each.frame, []).append(each.second)
        sent += 1
    true = 0
    for each in heard:
        moments = waiting.get(each.frame, [])
        near = [moment for moment in moments if abs(moment - each.second) < NEAR_S]
        if near:
            moments.remove(near[0])
            true += 1
    print(
        f"  {who:<20} {true} of {sent} = {true / sent:.3f}, {len(heard) - true} not so sent,"
        f" {seconds / took_s:.1f} x real time"
    )
    return true


if __name__ == "__main__":
    main()
