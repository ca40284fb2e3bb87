"""Claim: our Beast framer splits a stream at least three times as fast as pyModeS's.

Also printed: what one frame costs the aircraft table. The stream is made here: 20 aircraft, a fixed
seed's bytes as timestamps, so that every thirtieth frame or so has escapes.
"""

import random
import statistics
import time
from collections.abc import Callable

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.stands import Stands
from aerocast_protocols.modes.beast import BeastBuffer, encode_beast
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind
from aerocast_simulator.flight import Air, Layer, moved
from aerocast_simulator.sky import Flight
from pyModeS.cli._source import _parse_beast_buffer

HERE = Position(43.6293, 1.3638)
AIR = Air([Layer(0.0, Wind(270.0, 50.0), -40.0)])
CHUNK = 4096
ROUNDS = 7


def main() -> None:
    """Measure in turns, print medians and their ratio."""
    heard = _transmissions()
    rng = random.Random(20240706)  # noqa: S311 - the same stream every time
    stream = b"".join(
        encode_beast(frame, ticks_12mhz=rng.getrandbits(48) >> 1, signal=rng.randrange(256))
        for _, frame in heard
    )
    ours_s, theirs_s = [], []
    for _ in range(ROUNDS):
        ours_s.append(_timed(lambda: _ours(stream), len(heard)))
        theirs_s.append(_timed(lambda: _theirs(stream), len(heard)))
    ours, theirs = statistics.median(ours_s), statistics.median(theirs_s)
    print(f"aerocast: {1 / ours:,.0f} frames/s   pyModeS: {1 / theirs:,.0f} frames/s")
    print(f"ratio: {theirs / ours:.2f} (claim: at least 3)")
    table_s = _timed(lambda: _table(heard), len(heard))
    print(f"aircraft table: {table_s * 1e6:.1f} us a frame")


def _transmissions() -> list[tuple[float, bytes]]:
    flights = [
        Flight.overflight(
            f"4b{number:04x}",
            f"TEST{number}",
            moved(HERE, 18.0 * number, 30_000.0),
            AIR,
            true_heading_deg=18.0 * number,
            true_airspeed_kt=420.0,
            altitude_ft=30_000.0 + 500.0 * number,
        )
        for number in range(20)
    ]
    return sorted(each for flight in flights for each in flight.transmissions(0.0, 180.0))


def _timed(work: Callable[[], int], expected: int) -> float:
    began = time.process_time()
    count = work()
    took_s = time.process_time() - began
    if count != expected:
        raise SystemExit(f"{count} frames came out, {expected} went in")
    return took_s / expected


def _ours(stream: bytes) -> int:
    buffer, count = BeastBuffer(), 0
    for start in range(0, len(stream), CHUNK):
        buffer.feed(stream[start : start + CHUNK])
        for _ in buffer.frames():
            count += 1
    return count


def _theirs(stream: bytes) -> int:
    rest, count = b"", 0
    for start in range(0, len(stream), CHUNK):
        frames, rest = _parse_beast_buffer(rest + stream[start : start + CHUNK])
        count += len(frames)
    return count


def _table(heard: list[tuple[float, bytes]]) -> int:
    table = AircraftTable(HERE, Stands())
    for second, frame in heard:
        table.update("sky", frame, round(second * 1e9))
    return len(heard)


if __name__ == "__main__":
    main()
