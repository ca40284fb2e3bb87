"""Wind and temperature around one aircraft, from what it says of its own motion."""

import math
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Any, Literal, NamedTuple

from aerocast_protocols.modes.commb import HeadingAndSpeed, RoutineReport, TrackAndTurn
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.reports import AirMotion
from aerocast_protocols.modes.wind import Wind, temperature_c, vector_of, wind_of, wind_vector

NS = 1_000_000_000
OLDEST_NS = 5 * NS  # what goes into one wind may not be farther apart
STEEPEST_ROLL_DEG = 5.0  # in a turn heading and track lag behind each other
AVERAGED_NS = 30 * NS  # a wind is the average of so much time
EVERY_NS = 10 * NS  # and one goes out so often
FIRST_AFTER_NS = 2 * NS  # the first need not wait for more
LEAST_STEP_NS = 3 * NS  # averages whose middles are closer are the same readings again
STRONGEST_KT = 250.0
MOST_READINGS = 128
# An aircraft's own word on the wind must agree with what was derived near by, within 10 m/s.
AGREEING_KT, AGREEING_FT, AGREEING_NS = 19.4, 1000.0, 60 * NS


class Ground(NamedTuple):
    """Motion over ground: degrees true, knots."""

    boot_ns: int
    track_deg: float
    ground_speed_kt: float


class Around(NamedTuple):
    """Where an aircraft is; declination in degrees, east positive."""

    position: Position
    altitude_ft: float
    declination_deg: float


class Airflow(NamedTuple):
    """What a wind was derived from: degrees true, knots, the steepest roll, how many readings."""

    true_heading_deg: float
    true_airspeed_kt: float
    roll_deg: float
    readings: int


class WindSample(NamedTuple):
    """The wind over some seconds, where and when their middle was; degrees Celsius."""

    boot_ns: int
    position: Position
    altitude_ft: float
    wind: Wind
    temperature_c: float | None
    airflow: Airflow | None = None
    source: Literal["derived", "bds44"] = "derived"


class _Reading(NamedTuple):
    boot_ns: int
    east_kt: float
    north_kt: float
    outside_c: float | None
    around: Around
    air: tuple[float, float, float] | None  # true heading, true airspeed, roll


class WindCollector:
    """Puts an aircraft's motions over ground and through the air together into winds."""

    def __init__(self) -> None:
        self._ground: Ground | None = None
        self._turn: tuple[int, TrackAndTurn] | None = None
        self._heading: tuple[int, HeadingAndSpeed] | None = None
        self._readings: deque[_Reading] = deque(maxlen=MOST_READINGS)
        self._due_ns: int | None = None
        self._newest_ns = self._centre_ns = -(1 << 62)  # of the last average given
        self._derived: WindSample | None = None
        self._reported_ns: int | None = None

    def move(self, ground: Ground) -> None:
        """Take the motion over ground that ADS-B gives."""
        self._ground = ground

    def ground_at(self, boot_ns: int) -> Ground | None:
        """Give ADS-B's motion over ground when it is fresh."""
        ground = self._ground
        return ground if ground and abs(boot_ns - ground.boot_ns) <= OLDEST_NS else None

    def add(self, boot_ns: int, register: TrackAndTurn | HeadingAndSpeed, around: Around) -> None:
        """Take a register; the declination turns its heading true."""
        if isinstance(register, TrackAndTurn):
            self._turn = (boot_ns, register)
        else:
            self._heading = (boot_ns, register)
        if self._turn is None or self._heading is None:
            return
        (turned_ns, turn), (headed_ns, heading) = self._turn, self._heading
        if abs(turned_ns - headed_ns) > OLDEST_NS:
            return
        if turn.roll is None or abs(turn.roll) > STEEPEST_ROLL_DEG:
            return
        ground = self.ground_at(boot_ns)
        if ground is None or ground.boot_ns < turned_ns:
            ground = Ground(turned_ns, turn.true_track, turn.groundspeed)
        air = (
            heading.magnetic_heading + around.declination_deg,
            turn.true_airspeed,
            abs(turn.roll),
        )
        east_kt, north_kt = wind_vector(ground.track_deg, ground.ground_speed_kt, *air[:2])
        outside_c = temperature_c(turn.true_airspeed, heading.mach)
        self._read(_Reading(boot_ns, east_kt, north_kt, outside_c, around, air))

    def fly(self, boot_ns: int, motion: AirMotion, ground: Ground | None, around: Around) -> None:
        """Take what another program has worked out of an aircraft's registers.

        Its own wind, where it gives one, must agree with what follows from the rest; alone it
        counts too: the program knows the ages of what it was made of. In a turn nothing counts.
        """
        roll_deg = motion.roll_deg
        if roll_deg is not None and abs(roll_deg) > STEEPEST_ROLL_DEG:
            return
        told = motion.wind
        heading_deg = motion.heading_deg(around.declination_deg)
        airspeed_kt = motion.true_airspeed_kt
        if roll_deg is None or heading_deg is None or airspeed_kt is None or ground is None:
            if told is not None:
                self._read(_Reading(boot_ns, *vector_of(told), None, around, None))
            return
        vector = wind_vector(ground.track_deg, ground.ground_speed_kt, heading_deg, airspeed_kt)
        if told is not None and _apart_kt(vector_of(told), vector) > AGREEING_KT:
            return
        outside_c = None if motion.mach is None else temperature_c(airspeed_kt, motion.mach)
        air = (heading_deg, airspeed_kt, abs(roll_deg))
        self._read(_Reading(boot_ns, *vector, outside_c, around, air))

    def hear(self, boot_ns: int, report: RoutineReport, around: Around) -> WindSample | None:
        """Take an aircraft's own word on the wind; give it where it is believed, once in 10 s.

        Other registers look like this one: it must agree with what was derived from the same
        aircraft within a minute and 1,000 ft.
        """
        derived = self._derived
        if derived is None or abs(boot_ns - derived.boot_ns) > AGREEING_NS:
            return None
        if abs(around.altitude_ft - derived.altitude_ft) > AGREEING_FT:
            return None
        wind = Wind(report.wind_direction, report.wind_speed)
        if _apart_kt(vector_of(wind), vector_of(derived.wind)) > AGREEING_KT:
            return None
        if self._reported_ns is not None and abs(boot_ns - self._reported_ns) < EVERY_NS:
            return None
        self._reported_ns = boot_ns
        return WindSample(
            boot_ns,
            around.position,
            around.altitude_ft,
            wind,
            report.static_air_temperature,
            source="bds44",
        )

    def take(self, boot_ns: int) -> WindSample | None:
        """Give the average of the last 30 s, once in 10 s, while there are new readings."""
        if self._due_ns is None or boot_ns < self._due_ns:
            return None
        readings = self._readings
        while readings and readings[0].boot_ns < boot_ns - AVERAGED_NS:
            readings.popleft()
        if not readings or readings[-1].boot_ns <= self._newest_ns:
            self._due_ns = None  # until there is one again
            return None
        # In step with the clock, not with the calls; after a gap from now on.
        self._due_ns = max(self._due_ns + EVERY_NS, boot_ns)
        centre_ns = round(median(each.boot_ns for each in readings))
        if centre_ns - self._centre_ns < LEAST_STEP_NS:
            return None
        self._newest_ns, self._centre_ns = readings[-1].boot_ns, centre_ns
        self._derived = _average(centre_ns, readings)
        return self._derived

    def _read(self, reading: _Reading) -> None:
        if math.hypot(reading.east_kt, reading.north_kt) > STRONGEST_KT:
            return
        self._readings.append(reading)
        if self._due_ns is None:
            self._due_ns = reading.boot_ns + FIRST_AFTER_NS


def _average(centre_ns: int, readings: Sequence[_Reading]) -> WindSample:
    middle = readings[len(readings) // 2]
    temperatures = [each.outside_c for each in readings if each.outside_c is not None]
    return WindSample(
        centre_ns,
        middle.around.position,
        median(each.around.altitude_ft for each in readings),
        wind_of(
            median(each.east_kt for each in readings),
            median(each.north_kt for each in readings),
        ),
        median(temperatures) if temperatures else None,
        _airflow([each.air for each in readings if each.air is not None], len(readings)),
    )


def _airflow(airs: Sequence[tuple[float, float, float]], readings: int) -> Airflow | None:
    """Average what readings were derived from; None where one was not derived here."""
    if len(airs) < readings:
        return None
    east = sum(math.sin(math.radians(heading)) for heading, _, _ in airs)
    north = sum(math.cos(math.radians(heading)) for heading, _, _ in airs)
    return Airflow(
        math.degrees(math.atan2(east, north)) % 360.0,
        median(airspeed for _, airspeed, _ in airs),
        max(roll for _, _, roll in airs),
        readings,
    )


def _apart_kt(one: tuple[float, float], other: tuple[float, float]) -> float:
    return math.hypot(one[0] - other[0], one[1] - other[1])


class Declinations:
    """Magnetic declination by the World Magnetic Model, remembered cell by cell.

    Parameters
    ----------
    year
        Decimal year, 2015 to 2030; others are taken at that border.
    step_deg
        Size of a cell; over a degree it varies by some tenths of a degree.
    """

    def __init__(self, year: float, step_deg: float = 1.0) -> None:
        self._step_deg = step_deg
        self._year = min(max(year, 2015.0), 2029.99)
        self._known: dict[tuple[int, int], float] = {}
        self._model: Any = None  # pygeomag's, which has no types

    def at(self, position: Position) -> float:
        """Give the declination at a place, degrees, east positive."""
        cell = (round(position[0] / self._step_deg), round(position[1] / self._step_deg))
        known = self._known.get(cell)
        if known is None:
            known = self._known[cell] = self._compute(cell)
        return known

    def _compute(self, cell: tuple[int, int]) -> float:
        # Loaded with the first wind: a gateway that hears none does without its tables.
        from pygeomag import (  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; lazy
            GeoMag,
        )

        if self._model is None:
            self._model = GeoMag(base_year=int(self._year))
        # At 5 km: between ground and cruise the declination differs by less than 0.02 degrees.
        found = self._model.calculate(
            glat=cell[0] * self._step_deg, glon=cell[1] * self._step_deg, alt=5.0, time=self._year
        )
        return float(found.d)
