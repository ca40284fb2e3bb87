"""Claim: more messages out of the same air than dump1090, none out of noise, faster than it comes.

Peers: antirez's dump1090 by its published count on its own test recording (217), and Debian's
dump1090-mutability run here, on the recording resampled 6/5 because it knows 2.4 MS/s alone
(install the package, or name the program in DUMP1090_MUTABILITY). Figures that need the recordings
or the peer say so where these are missing. `ARGS=--soak` measures a whole minute of noise.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.demodulation import Demodulator, Engine, HeardFrame
from aerocast_protocols.modes.iq import SampleBuffer, Samples
from aerocast_simulator.radio_sky import RadioSky, crowd

IQ = Path(__file__).parents[2] / "shared" / "data" / "adsb" / "iq"
ENGINES: tuple[Engine, Engine] = ("numpy", "numba")
ANTIREZ = 217
RATIO = {"numpy": 1.45, "numba": 1.6}
REAL_TIME = {"numpy": (5.0, 5.0), "numba": (4.0, 8.0)}  # dense, sparse
SECONDS = 3.5
KNOWN = [0x3C0000 + 7919 * number for number in range(200)]
SKY_S, SKY_MESSAGES_S, SKY_DB = 5, 1000.0, 10.0
HERE = Position(43.6293, 1.3638)


class Peer(NamedTuple):
    """What dump1090-mutability gave: its messages, and the processor time it took."""

    frames: list[bytes]
    took_s: float


def main() -> int:
    """Measure everything; exit status 1 when a claim does not hold."""
    program = os.environ.get("DUMP1090_MUTABILITY") or shutil.which("dump1090-mutability")
    if program is None:
        print(
            "dump1090-mutability is missing (Debian package of that name): its figures are left out"
        )
    good = [True]
    if IQ.exists():
        good += list(_recordings(program))
        good += list(_speed(program))
        good += list(_backwards())
    else:
        print(f"recordings are missing: {IQ}")
    good += list(_noise(60 if "--soak" in sys.argv else 10))
    good += list(_sky(program))
    return 0 if all(good) else 1


def _recordings(program: str | None) -> Iterator[bool]:
    samples = _read("modes1_2000k.cu8")
    peer = None if program is None else _peer(program, _resampled(samples))
    said = "missing" if peer is None else str(len(peer.frames))
    for engine in ENGINES:
        count = len(_heard(samples, 2_000_000, engine))
        wanted = RATIO[engine] * ANTIREZ
        if engine == "numba" and peer is not None:
            wanted = max(wanted, len(peer.frames))
        print(
            f"modes1, 2.0 MS/s, {engine}: {count} messages = {count / ANTIREZ:.2f}x antirez's "
            f"{ANTIREZ}, dump1090-mutability {said} (claim: at least {wanted:.0f})"
        )
        yield count >= wanted
    for name in sorted(each.name for each in IQ.glob("rsadsb_*.cs16")):
        samples = _read(name)
        peer = None if program is None else _peer(program, samples)
        counts = {engine: len(_heard(samples, 2_400_000, engine)) for engine in ENGINES}
        print(f"{name}: {counts}, dump1090-mutability {len(peer.frames) if peer else 'missing'}")
        yield peer is None or min(counts.values()) >= len(peer.frames)


def _speed(program: str | None) -> Iterator[bool]:
    for number, (kind, name) in enumerate(
        (("dense", "modes1_2000k.cu8"), ("sparse", "phwl_x1_2000k.cu8"))
    ):
        once = _read(name)
        samples = np.tile(once, round(SECONDS * 2_000_000 / once.size) or 1)
        if program is not None:
            peer = _peer(program, np.tile(_resampled(once), samples.size // once.size))
            factor = samples.size / 2_000_000 / peer.took_s
            print(f"real-time factor, {kind}: dump1090-mutability {factor:.1f}")
        for engine in ENGINES:
            factor = _factor(samples, 2_000_000, engine)
            wanted = REAL_TIME[engine][number]
            print(f"real-time factor, {kind}: {engine} {factor:.1f} (claim: at least {wanted:.0f})")
            yield factor >= wanted


def _backwards() -> Iterator[bool]:
    for file in sorted(IQ.glob("*k.c*")):
        rate = 2_000_000 if "2000k" in file.name else 2_400_000
        samples = _read(file.name)
        known = {
            int.from_bytes(each.frame[1:4], "big")
            for each in _heard(samples, rate, "numba")
            if each.frame[0] >> 3 in {11, 17, 18}
        }
        counts = {
            engine: len(_heard(np.ascontiguousarray(samples[::-1]), rate, engine, known))
            for engine in ENGINES
        }
        print(f"{file.name} backwards, its own aircraft known: {counts} (claim: 0)")
        yield not any(counts.values())


def _noise(seconds: int) -> Iterator[bool]:
    for engine in ENGINES:
        chance = np.random.default_rng(1)
        demodulator = Demodulator(2_000_000, engine)
        for _ in range(seconds):
            for address in KNOWN:
                demodulator.confirm(address)
            parts = chance.standard_normal((2_000_000, 2), np.float32) * np.float32(0.1)
            demodulator.feed(parts.view(np.complex64)[:, 0])
        counts = demodulator.counts
        print(
            f"{seconds} s of noise, {len(KNOWN)} aircraft known, {engine}: "
            f"{counts.candidates} candidates, {counts.accepted} accepted (claim: 0)"
        )
        yield counts.accepted == 0


def _sky(program: str | None) -> Iterator[bool]:
    """Measure recall in a made sky: every message at the same strength, some over each other."""
    for rate in (2_400_000, 2_000_000):
        sky = RadioSky(
            crowd(HERE, SKY_MESSAGES_S),
            rate,
            seed=20240706,
            messages_a_second=SKY_MESSAGES_S,
            snr_db=(SKY_DB, SKY_DB),
        )
        content, sent = bytearray(), Counter[bytes]()
        for number in range(SKY_S * 10):
            content += sky.cu8(number)
            sent.update(each.frame for each in sky.truth(number) if len(each.frame) > 2)
        samples = SampleBuffer("cu8").take(bytes(content))
        total = sent.total()
        recall = {
            engine: _recall(sent, (each.frame for each in _heard(samples, rate, engine)))
            for engine in ENGINES
        }
        shown = ", ".join(f"{engine} {each:.3f}" for engine, each in recall.items())
        line = f"{SKY_S} s of sky, {total} messages at {SKY_DB:.0f} dB, {rate} a second: {shown}"
        if rate != 2_400_000 or program is None:
            print(line)
            continue
        theirs = _recall(sent, _peer(program, samples).frames)
        print(f"{line}, dump1090-mutability {theirs:.3f} (claim: at least that)")
        yield min(recall.values()) >= theirs


def _recall(sent: Counter[bytes], heard: Iterable[bytes]) -> float:
    return (sent & Counter(heard)).total() / sent.total()


def _read(name: str) -> Samples:
    return SampleBuffer("cu8" if name.endswith("cu8") else "cs16").take((IQ / name).read_bytes())


def _heard(
    samples: Samples, rate: int, engine: Engine, known: Iterable[int] = ()
) -> list[HeardFrame]:
    demodulator = Demodulator(rate, engine)
    for address in known:
        demodulator.confirm(address)
    demodulator.feed(samples)
    demodulator.flush()
    return list(demodulator.frames())


def _factor(samples: Samples, rate: int, engine: Engine) -> float:
    demodulator = Demodulator(rate, engine)
    began_s = time.process_time()
    for begin in range(0, samples.size, 131_072):
        demodulator.feed(samples[begin : begin + 131_072])
        list(demodulator.frames())
    return samples.size / rate / (time.process_time() - began_s)


def _resampled(samples: Samples) -> Samples:
    """Give 2.0 MS/s as 2.4: the same spectrum, with empty room on either side."""
    whole = samples[: samples.size - samples.size % 5]
    spectrum = np.fft.fftshift(np.fft.fft(whole))
    wider = np.zeros(whole.size // 5 * 6, np.complex128)
    begin = (wider.size - whole.size) // 2
    wider[begin : begin + whole.size] = spectrum
    return (np.fft.ifft(np.fft.ifftshift(wider)) * 1.2).astype(np.complex64)


def _peer(program: str, samples: Samples) -> Peer:
    numbers = np.clip(samples.view(np.float32) * 32767.0 * 0.7, -32768, 32767).astype("<i2")
    with tempfile.NamedTemporaryFile(suffix=".cs16") as file:
        numbers.tofile(file.name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        put_out = subprocess.run(
            [program, "--ifile", file.name, "--iformat", "SC16", "--raw", "--fix"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    frames = [bytes.fromhex(line[1:-1]) for line in put_out.split() if line.startswith("*")]
    return Peer(frames, took_s)


if __name__ == "__main__":
    sys.exit(main())
