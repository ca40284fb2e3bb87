"""Wind and temperature around one aircraft, from what it says of its own motion."""

from statistics import median
from typing import Any, NamedTuple

from aerocast_protocols.modes.commb import HeadingAndSpeed, TrackAndTurn
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind, temperature_c, vector_of, wind_from, wind_of

NS = 1_000_000_000
OLDEST_NS = 5 * NS  # what goes into one wind may not be farther apart
STEEPEST_ROLL_DEG = 5.0  # in a turn heading and track lag behind each other
AVERAGED_NS = 10 * NS  # one wind goes out for so much time
STRONGEST_KT = 250.0
MOST_SAMPLES = 64


class Ground(NamedTuple):
    """Motion over ground: degrees true, knots."""

    boot_ns: int
    track_deg: float
    ground_speed_kt: float


class WindSample(NamedTuple):
    """The wind over some seconds: ``boot_ns`` is their middle; temperature in degrees Celsius."""

    boot_ns: int
    wind: Wind
    temperature_c: float | None


class WindCollector:
    """Puts an aircraft's motions over ground and through the air together into winds."""

    def __init__(self) -> None:
        self._ground: Ground | None = None
        self._turn: tuple[int, TrackAndTurn] | None = None
        self._heading: tuple[int, HeadingAndSpeed] | None = None
        self._samples: list[tuple[int, float, float, float | None]] = []

    def move(self, ground: Ground) -> None:
        """Take the motion over ground that ADS-B gives."""
        self._ground = ground

    def ground_at(self, boot_ns: int) -> Ground | None:
        """Give ADS-B's motion over ground when it is fresh."""
        ground = self._ground
        return ground if ground and abs(boot_ns - ground.boot_ns) <= OLDEST_NS else None

    def add(
        self, boot_ns: int, register: TrackAndTurn | HeadingAndSpeed, declination_deg: float
    ) -> None:
        """Take a register; ``declination_deg`` (east positive) turns its heading true."""
        if isinstance(register, TrackAndTurn):
            self._turn = (boot_ns, register)
        else:
            self._heading = (boot_ns, register)
        if self._turn is None or self._heading is None or len(self._samples) >= MOST_SAMPLES:
            return
        (turned_ns, turn), (headed_ns, heading) = self._turn, self._heading
        if abs(turned_ns - headed_ns) > OLDEST_NS:
            return
        if turn.roll is None or abs(turn.roll) > STEEPEST_ROLL_DEG:
            return
        ground = self.ground_at(boot_ns)
        if ground is None or ground.boot_ns < turned_ns:
            ground = Ground(turned_ns, turn.true_track, turn.groundspeed)
        wind = wind_from(
            ground.track_deg,
            ground.ground_speed_kt,
            heading.magnetic_heading + declination_deg,
            turn.true_airspeed,
        )
        if wind.speed_kt <= STRONGEST_KT:
            outside_c = temperature_c(turn.true_airspeed, heading.mach)
            self._samples.append((boot_ns, *vector_of(wind), outside_c))

    def take(self, boot_ns: int) -> WindSample | None:
        """Give the average of the last seconds, once there are enough of them."""
        samples = self._samples
        if not samples or 0 <= boot_ns - samples[0][0] < AVERAGED_NS:
            return None
        self._samples = []
        temperatures = [each[3] for each in samples if each[3] is not None]
        return WindSample(
            (samples[0][0] + samples[-1][0]) // 2,
            wind_of(median(each[1] for each in samples), median(each[2] for each in samples)),
            median(temperatures) if temperatures else None,
        )


class Declinations:
    """Magnetic declination by the World Magnetic Model, one value a degree (it varies slowly).

    Parameters
    ----------
    year
        Decimal year, 2015 to 2030; others are taken at that border.
    """

    def __init__(self, year: float) -> None:
        self._year = min(max(year, 2015.0), 2029.99)
        self._known: dict[tuple[int, int], float] = {}
        self._model: Any = None  # pygeomag's, which has no types

    def at(self, position: Position) -> float:
        """Give the declination at a place, degrees, east positive."""
        cell = (round(position[0]), round(position[1]))
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
        found = self._model.calculate(glat=cell[0], glon=cell[1], alt=5.0, time=self._year)
        return float(found.d)
