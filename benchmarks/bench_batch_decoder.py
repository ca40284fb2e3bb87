"""Goal: 1,024 frames at a time are decoded at least 20 times as fast as by pyModeS's PipeDecoder.

On the recorded flight where it is at hand (one aircraft, stand to stand), else on a made sky of 20
aircraft. Beside it: whether both say the same, each difference with its reason.
"""

import gzip
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from aerocast_protocols.modes.batch_decoder import BatchDecoder
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.wind import Wind
from aerocast_simulator.flight import Air, Layer, moved
from aerocast_simulator.sky import Flight
from pyModeS import PipeDecoder
from pymodes_differences import differences

RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "adsb" / "msgs"
FLIGHT = "traffic_full_flight_393322_2024-07-06.jsonl.gz"
PARIS, TOULOUSE = Position(49.01, 2.55), Position(43.629, 1.364)
SIZES = (64, 256, 1024, 8192)
ROUNDS = 5
MEASURED = 60_000  # the whole recorded flight

Heard = tuple[list[bytes], list[float]]


def main() -> None:
    """Measure in turns, print medians and ratios, then the differences."""
    recorded = _recorded(FLIGHT)
    streams = {"made sky, 20 aircraft": _made()}
    if recorded is not None:
        streams["recorded flight"] = recorded
    for name, heard in streams.items():
        _measure(name, (heard[0][:MEASURED], heard[1][:MEASURED]))
    if recorded is None:
        print(f"{RECORDINGS} is not here: nothing compared field by field")
        return
    _compare(f"{FLIGHT}, heard in Paris", recorded, PARIS)
    _compare(f"{FLIGHT}, heard in Toulouse", recorded, TOULOUSE)
    for name in ("adsb", "commb_df20", "commb_df21"):
        sample = _recorded(f"sample_data_{name}.csv")
        if sample is not None:
            _compare(f"sample_data_{name}.csv", sample, Position(52.0, 4.4))


def _measure(name: str, heard: Heard) -> None:
    ours: dict[int, list[float]] = {size: [] for size in SIZES}
    theirs = []
    for _ in range(ROUNDS):
        theirs.append(_timed(lambda: _by_pymodes(heard)))
        for size in SIZES:
            ours[size].append(_timed(lambda size=size: _by_us(heard, size)))
    peer_s = statistics.median(theirs)
    count = len(heard[0])
    print(f"{name}: PipeDecoder {count / peer_s:,.0f} frames/s")
    for size in SIZES:
        took_s = statistics.median(ours[size])
        claim = " (goal: at least 20)" if size == 1024 else ""
        print(
            f"  {size:5} at a time: {count / took_s:9,.0f} frames/s, {peer_s / took_s:.1f}x{claim}"
        )


def _compare(name: str, heard: Heard, reference: Position) -> None:
    print(f"{name}: values compared with PipeDecoder's")
    for reason, count in differences(*heard, reference).most_common():
        print(f"  {count:8,} {reason}")


def _timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _by_us(heard: Heard, size: int) -> None:
    frames, times = heard
    decoder = BatchDecoder(PARIS)
    seen_at_s = np.array(times)
    for start in range(0, len(frames), size):
        decoder.decode(frames[start : start + size], seen_at_s[start : start + size])


def _by_pymodes(heard: Heard) -> None:
    pipe = PipeDecoder(surface_ref=tuple(PARIS))
    for digits, at_s in zip(_digits(heard[0]), heard[1], strict=True):
        pipe.decode(digits, timestamp=at_s)


def _digits(frames: Sequence[bytes]) -> list[str]:
    return [frame.hex() for frame in frames]


def _recorded(name: str) -> Heard | None:
    path = RECORDINGS / name
    if not path.exists():
        return None
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        read = [parse_line(line) for line in lines]
    start_us = read[0].heard_at_us or 0
    return (
        [each.frame for each in read],
        [((each.heard_at_us or 0) - start_us) / 1e6 for each in read],
    )


def _made() -> Heard:
    air = Air([Layer(0.0, Wind(270.0, 50.0), -40.0)])
    flights = [
        Flight.overflight(
            f"4b{number:04x}",
            f"TEST{number}",
            moved(PARIS, 18.0 * number, 30_000.0),
            air,
            true_heading_deg=18.0 * number,
            true_airspeed_kt=420.0,
            altitude_ft=30_000.0 + 500.0 * number,
        )
        for number in range(20)
    ]
    sent = sorted(each for flight in flights for each in flight.transmissions(0.0, 120.0))
    return [frame for _, frame in sent], [second for second, _ in sent]


if __name__ == "__main__":
    main()
