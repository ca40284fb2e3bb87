"""An hour over an airport, with its truth: who landed, parked, left and flew by, in which wind.

Everything is drawn from one seed: the same seed is the same hour.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind

from aerocast_simulator.flight import Air, Arrival, GroundPath, Layer, moved
from aerocast_simulator.sky import Flight, Transmission
from aerocast_simulator.taxiing import LIFT_OFF_MPS, Departure, Leg, TaxiIn

AIRPORT = Position(43.6293, 1.3638)
ELEVATION_FT = 500.0
RUNWAY_DEG = 320.0
ROLL_M, TAXIWAY_M, STAND_DEPTH_M, STAND_APART_M = 1800.0, 300.0, 80.0, 60.0
STAND_HALF_M = 25.0
STANDS = 20
HEARD_S = 600.0  # how long an aircraft is heard in flight before landing, or after take-off
HEADING_BIAS_DEG = 0.7
SLOT_S = 210.0
LAYERS = (
    Layer(500.0, Wind(310.0, 14.0), 12.0),
    Layer(5000.0, Wind(290.0, 28.0), 4.0),
    Layer(10000.0, Wind(270.0, 45.0), -6.0),
    Layer(24000.0, Wind(255.0, 65.0), -32.0),
    Layer(39000.0, Wind(250.0, 85.0), -56.0),
)


class TrueEvent(NamedTuple):
    """What truly happened, seconds since the start; ``stand`` for stand events."""

    icao: str
    event: str
    second: float
    stand: str | None = None


class BusyHour(NamedTuple):
    """The hour.

    Attributes
    ----------
    flights
        Each with the time it is heard; an aircraft that arrives and leaves again is two.
    events
        Every ground event that can be heard, in order of time.
    """

    air: Air
    flights: tuple[Flight, ...]
    events: tuple[TrueEvent, ...]


def busy_hour(
    seed: int,
    *,
    arrivals: int = 11,
    departures: int = 7,
    overflights: int = 7,
    declination_deg: float | Callable[[Position], float] = 0.0,
) -> BusyHour:
    """Draw an hour: arrivals (two of which leave again), departures, overflights.

    Every aircraft's compass is off by 0.7 degrees, to one side or the other.
    """
    rng = random.Random(seed)  # noqa: S311 - the same hour every time
    air = Air(LAYERS, declination_deg)
    made = _Made(rng, air)
    stands = rng.sample(range(STANDS), arrivals + departures)
    for number in range(arrivals):
        lands_s = HEARD_S / 2 + number * SLOT_S + rng.uniform(0.0, 60.0)
        parked_s = made.arrive(f"39{number:04x}", f"AFR{number:03d}", stands[number], lands_s)
        if number < 2:
            made.depart(f"39{number:04x}", f"AFR9{number:02d}", stands[number], parked_s + 1200.0)
    for number in range(departures):
        pushes_s = 240.0 + number * (SLOT_S + 150.0) + rng.uniform(0.0, 60.0)
        made.depart(f"4b{number:04x}", f"SWR{number:03d}", stands[arrivals + number], pushes_s)
    for number in range(overflights):
        made.fly_over(f"3c{number:04x}", f"DLH{number:03d}", number * 400.0)
    return BusyHour(air, tuple(made.flights), tuple(sorted(made.events, key=lambda e: e.second)))


def stands_geojson() -> bytes:
    """Write the stands as a gateway's file of polygons."""
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"stand": stand_name(number)},
                    "geometry": {"type": "Polygon", "coordinates": [_square(stand_place(number))]},
                }
                for number in range(STANDS)
            ],
        }
    ).encode()


def stand_name(number: int) -> str:
    """Name a stand."""
    return f"T{number + 1}"


def stand_place(number: int) -> Position:
    """Give the middle of a stand: they stand in a row along the taxiway."""
    return moved(_abeam(number), RUNWAY_DEG + 90.0, STAND_DEPTH_M)


class Reception(NamedTuple):
    """What of the air reaches a gateway.

    Attributes
    ----------
    lost, damaged
        Shares of the frames that are not heard, and that are heard with some bits turned.
    """

    seed: int
    lost: float = 0.25
    damaged: float = 0.05

    def hear(self, sent: Iterable[Transmission]) -> Iterator[Transmission]:
        """Give what is heard of what is sent."""
        rng = random.Random(self.seed)  # noqa: S311 - the same losses every time
        for second, frame in sent:
            if rng.random() < self.lost:
                continue
            if rng.random() < self.damaged:
                yield Transmission(second, _damaged(frame, rng))
            else:
                yield Transmission(second, frame)


def transmissions(
    hour: BusyHour, from_s: float, to_s: float, *, step_s: float = 1.0
) -> Iterator[Transmission]:
    """Give everything sent in [from_s, to_s), in order."""
    while from_s < to_s:
        until_s = min(from_s + step_s, to_s)
        yield from sorted(
            each for flight in hour.flights for each in flight.transmissions(from_s, until_s)
        )
        from_s = until_s


class _Made:
    """Collects an hour's flights and events while it is drawn."""

    def __init__(self, rng: random.Random, air: Air) -> None:
        self.flights: list[Flight] = []
        self.events: list[TrueEvent] = []
        self._rng = rng
        self._air = air

    def arrive(self, icao: str, callsign: str, stand: int, lands_s: float) -> float:
        """Let one land, wait at its exit, taxi, wait before its stand, and park: give when."""
        rng = self._rng
        touchdown, gate = _touchdown(), _exit()
        stopped_s = lands_s + rng.uniform(40.0, 50.0)
        path = GroundPath(RUNWAY_DEG, (touchdown, gate))
        landing = Arrival(
            path, self._air, lands_s=lands_s, parked_by_s=stopped_s, elevation_ft=ELEVATION_FT
        )
        taxis_s = stopped_s + rng.uniform(10.0, 90.0)
        corner = moved(gate, RUNWAY_DEG + 90.0, TAXIWAY_M)
        waits_s = taxis_s + rng.uniform(150.0, 220.0)
        enters_s = waits_s + rng.choice([20.0, 100.0, 170.0])
        parked_s = enters_s + rng.uniform(35.0, 50.0)
        legs = (
            Leg((gate, corner, _abeam(stand)), taxis_s, waits_s),
            Leg((_abeam(stand), stand_place(stand)), enters_s, parked_s),
        )
        self._add(
            icao,
            callsign,
            TaxiIn(landing, legs, ELEVATION_FT),
            max(lands_s - HEARD_S, 0.0),
            parked_s + rng.choice([5.0, 40.0, 150.0]),
        )
        self.events += [
            TrueEvent(icao, "landed", lands_s),
            TrueEvent(icao, "on_stand", parked_s, stand_name(stand)),
        ]
        return parked_s

    def depart(self, icao: str, callsign: str, stand: int, pushes_s: float) -> None:
        """Let one wake up on its stand, be pushed back, wait, taxi, wait and take off."""
        rng = self._rng
        pushed_s = pushes_s + rng.uniform(50.0, 80.0)
        taxis_s = pushed_s + rng.uniform(60.0, 150.0)
        holds_s = taxis_s + rng.uniform(150.0, 220.0)
        rolls_s = holds_s + rng.uniform(30.0, 120.0)
        lifts_s = rolls_s + 2.0 * ROLL_M / LIFT_OFF_MPS
        corner = moved(_touchdown(), RUNWAY_DEG + 90.0, TAXIWAY_M)
        legs = (
            Leg((stand_place(stand), _abeam(stand)), pushes_s, pushed_s, is_backwards=True),
            Leg((_abeam(stand), corner, _touchdown()), taxis_s, holds_s),
            Leg((_touchdown(), _exit()), rolls_s, lifts_s, ends_mps=LIFT_OFF_MPS),
        )
        course = Departure(legs, self._air, ELEVATION_FT)
        self._add(icao, callsign, course, pushes_s - rng.uniform(60.0, 200.0), lifts_s + HEARD_S)
        self.events += [
            TrueEvent(icao, "off_stand", pushes_s, stand_name(stand)),
            TrueEvent(icao, "airborne", lifts_s),
        ]

    def fly_over(self, icao: str, callsign: str, starts_s: float) -> None:
        """Let one pass high above."""
        rng = self._rng
        heading_deg = rng.uniform(0.0, 360.0)
        altitude_ft = 1000.0 * rng.randrange(24, 40)
        over = moved(AIRPORT, heading_deg + 90.0, rng.uniform(-60_000.0, 60_000.0))
        flight = Flight.overflight(
            icao,
            callsign,
            moved(over, heading_deg + 180.0, 220.0 * (starts_s + 450.0)),
            self._air,
            true_heading_deg=heading_deg,
            true_airspeed_kt=rng.uniform(400.0, 460.0),
            altitude_ft=altitude_ft,
            starts_s=starts_s,
            ends_s=starts_s + 900.0,
            heading_bias_deg=self._bias_deg(),
        )
        self.flights.append(flight)

    def _add(
        self,
        icao: str,
        callsign: str,
        course: TaxiIn | Departure,
        starts_s: float,
        silent_from_s: float,
    ) -> None:
        self.flights.append(
            Flight(
                icao,
                callsign,
                course,
                self._air,
                starts_s=starts_s,
                silent_from_s=silent_from_s,
                heading_bias_deg=self._bias_deg(),
            )
        )

    def _bias_deg(self) -> float:
        return self._rng.choice([-HEADING_BIAS_DEG, HEADING_BIAS_DEG])


def _touchdown() -> Position:
    return moved(AIRPORT, RUNWAY_DEG + 180.0, ROLL_M / 2)


def _exit() -> Position:
    return moved(AIRPORT, RUNWAY_DEG, ROLL_M / 2)


def _abeam(number: int) -> Position:
    """Give the place on the taxiway beside a stand."""
    along_m = (number - STANDS / 2) * STAND_APART_M
    return moved(moved(AIRPORT, RUNWAY_DEG, along_m), RUNWAY_DEG + 90.0, TAXIWAY_M)


def _square(middle: Position) -> list[tuple[float, float]]:
    corners = [
        moved(middle, RUNWAY_DEG + turned, STAND_HALF_M * 2.0**0.5)
        for turned in (45.0, 135.0, 225.0, 315.0, 45.0)
    ]
    return [(corner.longitude_deg, corner.latitude_deg) for corner in corners]


def _damaged(frame: bytes, rng: random.Random) -> bytes:
    content = int.from_bytes(frame, "big")
    for _ in range(rng.randint(1, 12)):
        content ^= 1 << rng.randrange(len(frame) * 8)
    return content.to_bytes(len(frame), "big")
