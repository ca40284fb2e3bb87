"""The simulated airport's day: its stands, flights, bags and passengers."""

import json
import math
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

SITE = "lfbo"
GATEWAY = "hall-1"
AIRPORT = "TLS"
LATITUDE_DEG, LONGITUDE_DEG, ALTITUDE_M = 43.6293, 1.3638, 152.0
# Stand -> where its aircraft's nose wheel stops.
STANDS = {"B12": (43.62916, 1.37403), "B14": (43.62836, 1.37503), "B16": (43.62756, 1.37603)}
STAND_RADIUS_M = 35.0
METRES_PER_DEG = 111_320.0

_SURNAMES = (
    "ABADIE", "BERNARD", "CAZENAVE", "DELMAS", "ESTEVE", "FABRE", "GARCIA", "HOFFMANN", "IBANEZ",
    "JACQUET", "KELLER", "LACOSTE", "MARTIN", "NOGUES", "OLSEN", "PUJOL", "QUERCY", "ROSSI",
    "SERRES", "TORRES", "URBAIN", "VIDAL", "WEBER", "YILMAZ", "ZAMORA",
)  # fmt: skip


class Bag(NamedTuple):
    """A checked bag and whose it is."""

    licence_plate: str
    surname: str
    passenger: str


class PlannedFlight(NamedTuple):
    """A flight of the day.

    Attributes
    ----------
    is_arrival
        True when it comes to this airport, False when it leaves from it.
    on_final_s
        Arrivals: seconds after the start at which it is heard on final.
    """

    flight: str
    callsign: str
    icao: str
    registration: str
    other_airport: str
    is_arrival: bool
    on_final_s: float
    stand: str
    reclaim: str | None
    gate: str | None
    bags: tuple[Bag, ...]


def plan(rng: random.Random, bags_each: int = 8) -> list[PlannedFlight]:
    """Plan three arrivals and one departure; the first arrival is on final at the start."""
    serials = iter(rng.sample(range(100_000, 999_999), 8 * bags_each))
    surnames = list(_SURNAMES) * 3
    rng.shuffle(surnames)
    people = iter(surnames)

    def bags(airline: str) -> tuple[Bag, ...]:
        owners = [next(people) for _ in range((bags_each + 1) // 2)]
        return tuple(
            Bag(f"0{airline}{next(serials):06d}", owners[n // 2], f"{owners[n // 2]}/A{n // 2 + 1}")
            for n in range(bags_each)
        )

    rows = (
        ("AF6126", "AFR61XK", "39bd24", "F-HZUA", "ORY", True, 0.0, "B12", "057"),
        ("U24537", "EJU45TL", "440a1c", "OE-LKE", "NCE", True, 25.0, "B14", "888"),
        ("LH2218", "DLH8KT", "3c6714", "D-AIXT", "MUC", True, 50.0, "B16", "220"),
        ("BA0375", "BAW375", "4075e1", "G-TTNH", "LHR", False, 0.0, "A03", "125"),
    )
    return [
        PlannedFlight(
            flight, callsign, icao, registration, other, arrives, final_s, stand,
            "4" if arrives else None, None if arrives else "12", bags(airline),
        )
        for flight, callsign, icao, registration, other, arrives, final_s, stand, airline in rows
    ]  # fmt: skip


def write_flights(path: Path, flights: list[PlannedFlight], now: datetime) -> None:
    """Write what ``aerocast-hub import flights`` reads."""
    lines: list[dict[str, str | None]] = []
    for each in flights:
        off_block, on_block = _scheduled(each, now)
        start, end = _ends(each)
        lines.append(
            {
                "flight": each.flight,
                "date": off_block.date().isoformat(),
                "callsign": each.callsign,
                "icao": each.icao,
                "registration": each.registration,
                "from": start,
                "to": end,
                "scheduled_off_block": _iso(off_block),
                "scheduled_on_block": _iso(on_block),
                "stand": each.stand,
                "reclaim": each.reclaim,
                "gate": each.gate,
            }
        )
    _write_lines(path, lines)


def departs_on(flight: PlannedFlight, now: datetime) -> date:
    """Give the day of a flight, as the schedule written at ``now`` has it."""
    return _scheduled(flight, now)[0].date()


def write_bags(path: Path, flights: list[PlannedFlight], now: datetime) -> None:
    """Write what ``aerocast-hub import bags`` reads."""
    lines: list[dict[str, str | None]] = []
    for each in flights:
        off_block, _ = _scheduled(each, now)
        start, end = _ends(each)
        lines += [
            {
                "licence_plate": bag.licence_plate,
                "flight": each.flight,
                "flight_date": off_block.date().isoformat(),
                "from": start,
                "to": end,
                "surname": bag.surname,
                "passenger": bag.passenger,
            }
            for bag in each.bags
        ]
    _write_lines(path, lines)


def write_stands(path: Path) -> None:
    """Write the stands' polygons as GeoJSON, twelve corners each."""
    features = []
    for name, (latitude, longitude) in STANDS.items():
        ring = []
        for corner in range(13):
            angle = 2 * math.pi * (corner % 12) / 12
            north_m, east_m = STAND_RADIUS_M * math.cos(angle), STAND_RADIUS_M * math.sin(angle)
            east_deg = east_m / (METRES_PER_DEG * math.cos(math.radians(latitude)))
            ring.append([longitude + east_deg, latitude + north_m / METRES_PER_DEG])
        features.append(
            {
                "type": "Feature",
                "properties": {"stand": name},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _scheduled(flight: PlannedFlight, now: datetime) -> tuple[datetime, datetime]:
    """Give off-block and on-block, UTC: an arrival is due when it will really park."""
    if flight.is_arrival:
        on_block = now + timedelta(seconds=flight.on_final_s + 30)
        return on_block - timedelta(minutes=70), on_block
    off_block = now + timedelta(minutes=55)
    return off_block, off_block + timedelta(minutes=105)


def _ends(flight: PlannedFlight) -> tuple[str, str]:
    here_and_there = (flight.other_airport, AIRPORT)
    return here_and_there if flight.is_arrival else here_and_there[::-1]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_lines(path: Path, lines: list[dict[str, str | None]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
