"""Claim: a recorded flight is told from stand to stand, its winds agree and make a smooth profile.

The recording is shared data (Paris to Toulouse, 80 minutes, 57,793 frames of one aircraft), heard
once by a gateway at either airport; the truth was read off its surface positions and speeds.
Without the recording this measures nothing and says so.
"""

import gzip
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.wind import Wind, vector_of, wind_of
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_protocols.observations.every import Observation

DATA = Path(__file__).parents[2] / "shared" / "data" / "adsb"
RECORDING = DATA / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
NS = 1_000_000_000
YEAR = 2024.5
KT_IN_MPS = 0.514444
CLOSE_NS, CLOSE_FT = 30 * NS, 500.0
LAYER_FT = 2000.0
FASTEST_MPS, MARGIN_M = 300.0, 500.0
GATEWAYS = {
    "Paris": ((49.01, 2.55), (("off_stand", "off_stand_s"), ("airborne", "airborne_s"))),
    "Toulouse": ((43.629, 1.364), (("landed", "landed_s"), ("on_stand", "stopped_s"))),
}


class _Moment(msgspec.Struct):
    value: float
    sigma: float
    stand: str | None = None


def main() -> None:
    """Let either gateway hear the flight, and print what was told against what was true."""
    if not RECORDING.exists():
        print(f"{RECORDING.name} is not here: nothing measured")
        return
    frames = _frames()
    truth = json.loads((DATA / "flight_393322_truth.json").read_bytes())
    stands = Stands.from_geojson((DATA / "flight_393322_stands.geojson").read_bytes())
    middle_ns = frames[-1][0] * 6 // 10  # of the cruise
    for name, (reference, expected) in GATEWAYS.items():
        began_s = time.process_time()
        seen = _listen(frames, reference, stands)
        took_s = time.process_time() - began_s
        print(f"gateway at {name}: {len(frames)} frames in {took_s:.1f} s of processor time")
        _tell_events(seen, expected, truth)
        _tell_jumps(seen)
        winds = [each for each in seen if isinstance(each, AircraftWeather)]
        _tell_scatter(winds)
        climbs = name == "Paris"
        _plot([each for each in winds if (each.boot_ns < middle_ns) is climbs])


def _frames() -> list[tuple[int, bytes]]:
    with gzip.open(RECORDING, "rt") as lines:
        read = [parse_line(line) for line in lines]
    first_us = read[0].heard_at_us or 0
    return [(((each.heard_at_us or 0) - first_us) * 1000, each.frame) for each in read]


def _listen(
    frames: Sequence[tuple[int, bytes]], reference: tuple[float, float], stands: Stands
) -> list[Observation]:
    table = AircraftTable(reference, stands, year=YEAR)
    seen: list[Observation] = []
    ticked_ns = 0
    for boot_ns, frame in frames:
        while boot_ns - ticked_ns >= NS:
            ticked_ns += NS
            seen += table.advance("sky", ticked_ns)
        seen += table.update("sky", frame, boot_ns)
    for second in range(1, 121):
        seen += table.advance("sky", frames[-1][0] + second * NS)
    return seen


def _tell_events(
    seen: Sequence[Observation], expected: Sequence[tuple[str, str]], truth: dict[str, object]
) -> None:
    told = [each for each in seen if isinstance(each, AircraftGroundEvent)]
    for event, key in expected:
        true = msgspec.convert(truth[key], _Moment)
        found = [each for each in told if (each.event, each.stand) == (event, true.stand)]
        off = ", ".join(f"{each.boot_ns / NS - true.value:+.1f} s" for each in found) or "MISSING"
        print(f"  {event} at {true.stand or 'the runway'}: {off} (claim: {true.sigma + 10:.0f})")
    print(f"  other ground events: {len(told) - len(expected)} (claim: 0; holds are no stands)")


def _tell_jumps(seen: Sequence[Observation]) -> None:
    last: tuple[float, Position] | None = None
    placed = phantoms = 0
    for state in seen:
        if not isinstance(state, AircraftState) or state.latitude_deg is None:
            continue
        here = (state.boot_ns / NS, Position(state.latitude_deg, state.longitude_deg or 0.0))
        placed += 1
        if last is not None:
            # A state may carry a position heard some seconds before it.
            reach_m = FASTEST_MPS * (here[0] - last[0] + 10.0) + MARGIN_M
            phantoms += distance_m(last[1], here[1]) > reach_m
        last = here
    print(f"  positions: {placed}, impossible jumps: {phantoms} (claim: 0)")


def _tell_scatter(winds: Sequence[AircraftWeather]) -> None:
    """Each wind against the mean of the others of 30 s and 500 ft around it."""
    vectors = [_vector_mps(each) for each in winds]
    apart_mps, apart_k = [], []
    for index, one in enumerate(winds):
        near = [
            other
            for other, each in enumerate(winds)
            if other != index
            and abs(each.boot_ns - one.boot_ns) <= CLOSE_NS
            and abs(each.altitude_ft - one.altitude_ft) <= CLOSE_FT
        ]
        if not near:
            continue
        east, north = (statistics.mean(vectors[each][axis] for each in near) for axis in (0, 1))
        apart_mps.append(math.hypot(vectors[index][0] - east, vectors[index][1] - north))
        outside = [winds[each].temperature_c for each in near]
        known = [each for each in outside if each is not None]
        if one.temperature_c is not None and known:
            apart_k.append(abs(one.temperature_c - statistics.mean(known)))
    print(
        f"  winds: {len(winds)}, local scatter {statistics.mean(apart_mps):.2f} m/s mean,", end=""
    )
    print(f" {statistics.median(apart_mps):.2f} median (claim: 0.8),", end="")
    print(f" {statistics.mean(apart_k):.2f} K")


def _plot(winds: Sequence[AircraftWeather]) -> None:
    """Draw the profile: a line a layer, a mark a metre a second."""
    layers: dict[int, list[AircraftWeather]] = defaultdict(list)
    for each in winds:
        layers[int(each.altitude_ft // LAYER_FT)].append(each)
    print("  profile of its climb or descent: altitude, wind, spread in the layer, temperature")
    for layer in sorted(layers, reverse=True):
        vectors = [_vector_mps(each) for each in layers[layer]]
        east, north = (statistics.mean(each[axis] for each in vectors) for axis in (0, 1))
        wind = wind_of(east, north)
        spread = statistics.mean(math.hypot(e - east, n - north) for e, n in vectors)
        known = [e.temperature_c for e in layers[layer] if e.temperature_c is not None]
        outside = f"{statistics.mean(known):5.1f} C" if known else "      "
        print(
            f"{layer * LAYER_FT + LAYER_FT / 2:7.0f} ft {wind.direction_deg:4.0f} deg"
            f" {wind.speed_kt:5.1f} m/s +-{spread:4.1f} {outside} |{' ' * round(wind.speed_kt)}*"
        )


def _vector_mps(told: AircraftWeather) -> tuple[float, float]:
    return vector_of(Wind(told.wind_direction_deg, told.wind_speed_kt * KT_IN_MPS))


if __name__ == "__main__":
    main()
