"""How far off each aircraft's heading is, learned over days from the winds others met beside it.

A compass off by one degree turns the air vector, and so puts an error of airspeed times 0.017
across the heading into every wind derived from it: 2 m/s at 220 kt. It is the same flight after
flight, and other aircraft in the same air at the same hour do not have it.

Winds are thinned to *cells*: one aircraft in one layer, a quarter of an hour and an eighth of the
compass. A cell is a function of the set of its winds, and what is learned is a function of the set
of cells: neither order nor repetition matters. Pure; needs numpy.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import degrees, floor, radians
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from aerocast_hub.weather.aircraft_wind import AircraftWind, each_once, is_sound

BLOCK_US = 900_000_000
LAYER_FT = 1000.0
SECTORS = 8
MOST_CELLS = 300_000  # about a month at a busy airport; the newest count
# Standard deviations, knots: of one wind of 30 s, and of the air within a cell.
READING_KT, AIR_KT = 1.5, 4.0
PRIOR_DEG = 0.8  # what compasses are off by before anything is known
LARGEST_DEG = 3.0
HUBER_KT = 5.0  # a cell farther off than this pulls with constant force
ROUNDS, REWEIGHTED_EVERY = 60, 10

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Name = TypeVar("Name", str, tuple[int, int])


class Cell(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What one aircraft met in one layer within a quarter of an hour, on about one heading.

    Attributes
    ----------
    block_us
        When the quarter of an hour begins.
    layer
        Altitude in thousands of feet, rounded down.
    sector
        Heading in eighths of the compass, 0 to 7.
    count
        Winds in it.
    east_kt, north_kt
        Their mean vector, as it was derived.
    turning_east_kt, turning_north_kt
        How that changes with an error of the heading, knots a radian.
    """

    block_us: int
    layer: int
    icao: str
    sector: int
    count: int
    east_kt: float
    north_kt: float
    turning_east_kt: float
    turning_north_kt: float


class HeadingBias(msgspec.Struct, frozen=True, kw_only=True):
    """How far off an aircraft's heading is: it says so many degrees too much.

    Attributes
    ----------
    sigma_deg
        Standard deviation of that.
    cells
        What it was learned from.
    """

    bias_deg: float
    sigma_deg: float
    cells: int


UNKNOWN = HeadingBias(bias_deg=0.0, sigma_deg=PRIOR_DEG, cells=0)


def block_of(seen_at_us: int) -> int:
    """Give when the quarter of an hour of a moment begins."""
    return seen_at_us // BLOCK_US * BLOCK_US


def cells_of(winds: Iterable[AircraftWind]) -> list[Cell]:
    """Thin winds to cells; those that say nothing of a heading are passed over."""
    gathered: dict[tuple[int, int, str, int], list[AircraftWind]] = {}
    for wind in each_once(winds):
        if wind.true_heading_deg is None or not wind.true_airspeed_kt or not is_sound(wind):
            continue
        key = (
            block_of(wind.seen_at_us),
            floor(wind.altitude_ft / LAYER_FT),
            wind.icao,
            int(wind.true_heading_deg % 360.0 * SECTORS / 360.0),
        )
        gathered.setdefault(key, []).append(wind)
    return sorted(_cell(*key, met) for key, met in gathered.items())


def learn(cells: Iterable[Cell]) -> dict[str, HeadingBias]:
    """Learn how far off headings are, by aircraft.

    All aircraft at once: in each layer and quarter of an hour the air is one unknown vector, and
    every aircraft has one bias, which is small. Cells that do not fit are held down (Huber).
    """
    kept = sorted(set(cells))[-MOST_CELLS:]
    if not kept:
        return {}
    table = _Table(kept)
    biases = np.zeros(len(table.aircraft))
    held = np.ones(len(kept))
    for turn in range(ROUNDS):
        misfit = table.misfit(biases, held)
        if turn % REWEIGHTED_EVERY == REWEIGHTED_EVERY - 1:
            held = np.minimum(1.0, HUBER_KT / np.maximum(np.hypot(*misfit), 1e-9))
            misfit = table.misfit(biases, held)
        biases = table.biases(misfit, biases, held)
    sigmas = 1.0 / np.sqrt(table.information(held))
    counts = np.bincount(table.of_aircraft)
    return {
        icao: HeadingBias(
            bias_deg=round(degrees(bias), 4), sigma_deg=round(degrees(sigma), 4), cells=int(count)
        )
        for icao, bias, sigma, count in zip(table.aircraft, biases, sigmas, counts, strict=True)
    }


def corrected(
    winds: Iterable[AircraftWind], biases: Mapping[str, HeadingBias]
) -> list[tuple[AircraftWind, tuple[float, float]]]:
    """Give each wind with its vector (knots east, north) freed of what is known of its heading."""
    found = []
    for wind in winds:
        (east, north), (turning_east, turning_north) = wind.vector_kt, wind.turning_kt
        bias = radians(biases.get(wind.icao, UNKNOWN).bias_deg)
        found.append((wind, (east - bias * turning_east, north - bias * turning_north)))
    return found


class _Table:
    """Cells as arrays, and one round of learning from them."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.aircraft, self.of_aircraft = _numbered([cell.icao for cell in cells])
        air, self._of_air = _numbered([(cell.block_us, cell.layer) for cell in cells])
        self._airs = len(air)
        self._vectors = np.array([(cell.east_kt, cell.north_kt) for cell in cells]).T
        self._turning = np.array(
            [(cell.turning_east_kt, cell.turning_north_kt) for cell in cells]
        ).T
        counts = np.array([cell.count for cell in cells])
        self._weights = 1.0 / (AIR_KT**2 + READING_KT**2 / counts)
        self._prior = 1.0 / radians(PRIOR_DEG) ** 2

    def misfit(self, biases: Numbers, held: Numbers) -> Numbers:
        """Give what cells differ by from the mean of their air, shape (2, n)."""
        freed = self._vectors - biases[self.of_aircraft] * self._turning
        weights = self._weights * held
        total = _totals(self._of_air, weights, self._airs)
        means = [_totals(self._of_air, weights * each, self._airs) / total for each in freed]
        left: Numbers = freed - np.array(means)[:, self._of_air]
        return left

    def biases(self, misfit: Numbers, biases: Numbers, held: Numbers) -> Numbers:
        """Give better biases: each explains what its own cells still differ by."""
        wanted = misfit + biases[self.of_aircraft] * self._turning
        weights = self._weights * held
        pull = self._summed(weights * (wanted * self._turning).sum(axis=0))
        found = pull / (self._summed(weights * (self._turning**2).sum(axis=0)) + self._prior)
        return np.clip(found, -radians(LARGEST_DEG), radians(LARGEST_DEG))

    def information(self, held: Numbers) -> Numbers:
        """Give how much is known of each bias: what its own share in the air's mean takes off."""
        weights = self._weights * held
        total = _totals(self._of_air, weights, self._airs)[self._of_air]
        own = self._own(weights)
        free = weights * (1.0 - own / total)
        return self._summed(free * (self._turning**2).sum(axis=0)) + self._prior

    def _own(self, weights: Numbers) -> Numbers:
        """Give what each cell's aircraft weighs in the cell's air altogether."""
        pairs, of_pair = np.unique(
            self._of_air * len(self.aircraft) + self.of_aircraft, return_inverse=True
        )
        return _totals(of_pair, weights, len(pairs))[of_pair]

    def _summed(self, values: Numbers) -> Numbers:
        return _totals(self.of_aircraft, values, len(self.aircraft))


def _totals(of_group: Places, values: Numbers, groups: int) -> Numbers:
    return np.bincount(of_group, values, groups).astype(np.float64)


def _numbered(names: Sequence[Name]) -> tuple[list[Name], Places]:
    """Give the different names in order, and which of them each is."""
    different = sorted(set(names))
    place = {name: number for number, name in enumerate(different)}
    return different, np.array([place[name] for name in names], np.intp)


def _cell(block_us: int, layer: int, icao: str, sector: int, met: Sequence[AircraftWind]) -> Cell:
    vectors = [wind.vector_kt for wind in met]
    turning = [wind.turning_kt for wind in met]
    count = len(met)
    return Cell(
        block_us=block_us,
        layer=layer,
        icao=icao,
        sector=sector,
        count=count,
        east_kt=sum(each[0] for each in vectors) / count,
        north_kt=sum(each[1] for each in vectors) / count,
        turning_east_kt=sum(each[0] for each in turning) / count,
        turning_north_kt=sum(each[1] for each in turning) / count,
    )
