"""Claim: an hour over an airport is told as it was: winds, positions, who parked where and when.

25 aircraft of the simulator in a known wind, with the steps of real transponders, compasses off by
0.7 degrees, a quarter of the frames lost and one in twenty damaged, pauses before stands, and
push-backs. The chain is the gateway's: frames into the aircraft table, observations out. No peer
tells all of this; the truth is the simulator's own.
"""

import argparse
import math
import time
from collections import defaultdict

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.aircraft_winds import Declinations
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind, vector_of
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_protocols.observations.every import Observation
from aerocast_simulator.busy_hour import (
    AIRPORT,
    BusyHour,
    Reception,
    busy_hour,
    stands_geojson,
    transmissions,
)
from aerocast_simulator.flight import KT_IN_MPS
from aerocast_simulator.sky import Flight

NS = 1_000_000_000
YEAR = 2026.0
PHANTOM_M = 500.0
STAND_EVENTS = frozenset({"on_stand", "off_stand"})


def main() -> None:
    """Play the hour and print what was told against what was true."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20260701)
    parser.add_argument("--seconds", type=float, default=3600.0)
    options = parser.parse_args()
    hour = busy_hour(options.seed, declination_deg=Declinations(YEAR, step_deg=0.1).at)
    began_s = time.process_time()
    seen, frames = _listen(hour, options.seed, options.seconds)
    took_s = time.process_time() - began_s
    print(f"{frames} frames heard of {len({f.icao for f in hour.flights})} aircraft", end="; ")
    print(f"simulator and table together took {took_s:.0f} s of processor time")
    _tell_winds(hour, seen, options.seconds)
    _tell_positions(hour, seen)
    _tell_events(hour, seen, options.seconds)


def _listen(hour: BusyHour, seed: int, seconds: float) -> tuple[list[Observation], int]:
    table = AircraftTable(AIRPORT, Stands.from_geojson(stands_geojson()), year=YEAR)
    seen: list[Observation] = []
    frames, ticked_s = 0, 0
    for second, frame in Reception(seed).hear(transmissions(hour, 0.0, seconds)):
        while ticked_s + 1 <= second:
            ticked_s += 1
            seen += table.advance("sky", ticked_s * NS)
        seen += table.update("sky", frame, round(second * NS))
        frames += 1
    for more in range(1, 120):
        seen += table.advance("sky", round((seconds + more) * NS))
    return seen, frames


def _tell_winds(hour: BusyHour, seen: list[Observation], seconds: float) -> None:
    winds = [each for each in seen if isinstance(each, AircraftWeather)]
    errors: list[float] = []
    outside: list[float] = []
    for each in winds:
        truth = hour.air.at(each.altitude_ft)
        told = vector_of(Wind(each.wind_direction_deg, each.wind_speed_kt))
        errors += [
            (one - other) * KT_IN_MPS
            for one, other in zip(told, vector_of(truth.wind), strict=True)
        ]
        if each.temperature_c is not None:
            outside.append(each.temperature_c - truth.temperature_c)
    minutes = sum(_flown_s(flight, seconds) for flight in hour.flights) / 60.0
    print(f"winds: {len(winds)} in {minutes:.0f} aircraft-minutes in flight", end="")
    print(f" = {len(winds) / minutes:.2f} a minute (claim: at least 6)")
    print(f"wind component RMSE: {_rms(errors):.2f} m/s (claim: at most 1.6)")
    print(f"temperature RMSE: {_rms(outside):.2f} K over {len(outside)}")


def _flown_s(flight: Flight, seconds: float) -> int:
    """Give how long it was in the air and transmitting."""
    ends_s = min(flight.silent_from_s, seconds)
    moments = range(math.ceil(flight.starts_s), math.floor(ends_s) + 1)
    return sum(not flight.course.at(float(second)).on_ground for second in moments)


def _tell_positions(hour: BusyHour, seen: list[Observation]) -> None:
    placed = phantoms = 0
    worst_m = 0.0
    for state in seen:
        if not isinstance(state, AircraftState):
            continue
        if state.latitude_deg is None or state.longitude_deg is None:
            continue
        placed += 1
        told = Position(state.latitude_deg, state.longitude_deg)
        # A state carries the last position heard: up to some seconds old.
        apart_m = _apart_m(hour, state.icao, told, state.boot_ns / NS)
        worst_m = max(worst_m, apart_m)
        phantoms += apart_m > PHANTOM_M
    print(f"positions: {placed}, phantoms: {phantoms} (claim: 0), worst {worst_m:.0f} m off")


def _apart_m(hour: BusyHour, icao: str, told: Position, second: float) -> float:
    """Give how far it is from where the aircraft was within the last 30 seconds."""
    courses = [
        flight.course
        for flight in hour.flights
        if flight.icao == icao and flight.starts_s <= second < flight.silent_from_s + 1.0
    ]
    return min(
        (
            distance_m(told, course.at(second - ago_s).position)
            for course in courses
            for ago_s in range(31)
        ),
        default=math.inf,
    )


def _tell_events(hour: BusyHour, seen: list[Observation], seconds: float) -> None:
    told = [each for each in seen if isinstance(each, AircraftGroundEvent)]
    truth = [each for each in hour.events if each.second < seconds - 30.0]
    off_s: dict[str, float] = defaultdict(float)
    missing = []
    for event in truth:
        found = next(
            (
                each
                for each in told
                if (each.icao, each.event, each.stand) == (event.icao, event.event, event.stand)
            ),
            None,
        )
        if found is None:
            missing.append(event)
            continue
        told.remove(found)
        kind = "stand" if event.event in STAND_EVENTS else "runway"
        off_s[kind] = max(off_s[kind], abs(found.boot_ns / NS - event.second))
    extra = [each for each in told if each.boot_ns / NS < seconds - 30.0]
    print(f"ground events: {len(truth)}, missing {len(missing)}, extra {len(extra)} (claim: 0, 0)")
    for each in (*missing, *extra):
        print(f"  {each}")
    print(f"stand times within {off_s['stand']:.1f} s (claim: 30), runway {off_s['runway']:.1f} s")


def _rms(values: list[float]) -> float:
    return math.sqrt(sum(each * each for each in values) / max(len(values), 1))


if __name__ == "__main__":
    main()
