"""How strongly antennas and tags hear each other in a baggage hall. Needs numpy.

What a reader reports is the way there and back: a fade of 5 dB costs 10 dB of RSSI. Per tag and
antenna: free space, both patterns, the bag in the way, the portal's walls, then one of two fadings:

``rician``
    A direct ray and its mirror image in the floor, log-normal shadowing that changes over half a
    metre or some seconds, and small echoes 6 dB below (Rice).
``rayleigh``
    No ray prevails: eight rays from all round, each with its own bearing (Rayleigh), and the same
    shadowing.
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from aerocast_simulator.hall_plan import REACH_M, STEP_S, Item, Numbers

Portal = Literal["tunnel", "gantry"]
Fading = Literal["rician", "rayleigh"]

WAVE_M = 299_792_458 / 866.9e6
ANTENNA_DBI, TAG_DBI = 6.0, 2.0
BACK_DB = 18.0  # below the main lobe, behind an antenna
SCATTERED_DB = 6.0  # a tag gives back so much less than it gets
LOST_DB = 8.0  # one way: circular to linear 3, cable 2, a tag that lies on a bag 3
TAG_HEARS_DBM = -18.0
POLARISATION_FLOOR = 0.18  # end-on, a dipole still gets this much of the field from echoes
BODY_DB = 6.0  # through the bag it hangs on, one way
WALL_DB = (0.0, 1.0)  # through the wall of a tunnel, one way, each of the two in between
SHADOW_M, SHADOW_S = 0.5, 3.0  # over which shadowing changes
ECHO_DB = -6.0
ECHOES = 8
FLOOR_M = -0.6  # below the belt
MIRROR = -0.45
WALK_RAD_S = 0.6  # how fast echoes turn on a belt that stands, from what moves around it


class Antenna(NamedTuple):
    """An antenna: where it is, and the unit vector it looks along."""

    device: str
    port: int
    belt: int
    place: Numbers
    looks: Numbers


class Link(NamedTuple):
    """A tag as one antenna hears it.

    Attributes
    ----------
    steps
        The steps at which the tag has the power to answer.
    rssi_dbm
        What the reader would report at them.
    """

    steps: list[int]
    rssi_dbm: list[float]


def make_antennas(
    rng: np.random.Generator, portal: Portal, belts: int, spacing_m: float
) -> list[Antenna]:
    """Hang two to four antennas around each belt: in a tunnel, or on a gantry above it."""
    antennas: list[Antenna] = []
    for belt in range(belts):
        y_m = belt * spacing_m
        if portal == "tunnel":
            sides = [("left", (-0.65, 0.35), (1, 0)), ("right", (0.65, 0.35), (-1, 0))]
            sides += [("top", (0.0, 1.0), (0, -1)), ("under", (0.0, -0.35), (0, 1))]
            chosen = rng.permutation(4)[: int(rng.integers(2, 5))]
            hung = [(sides[index][1], sides[index][2]) for index in sorted(chosen)]
        else:
            above_m = float(rng.uniform(1.2, 1.6))
            count = int(rng.integers(3, 5))
            hung = [((side, above_m), (-side, -1.0)) for side in np.linspace(-0.45, 0.45, count)]
        for port, ((aside_m, up_m), looks) in enumerate(hung, start=1):
            along_m = float(rng.uniform(-0.15, 0.15))
            looking = np.array([0.0, *looks])
            antennas.append(
                Antenna(
                    device=f"portal-{belt + 1}",
                    port=port,
                    belt=belt,
                    place=np.array([along_m, y_m + aside_m, up_m]),
                    looks=looking / np.linalg.norm(looking),
                )
            )
    return antennas


class Air:
    """The air of one hall.

    Parameters
    ----------
    shadow_db
        Standard deviation of the shadowing in reported RSSI, there and back.
    power_dbm
        What readers give to their antennas.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        portal: Portal,
        fading: Fading,
        shadow_db: float,
        power_dbm: float,
    ) -> None:
        self._rng = rng
        self._is_tunnel = portal == "tunnel"
        self._fading = fading
        self._shadow_db = shadow_db
        self._power_dbm = power_dbm
        self._wall_db = float(rng.uniform(*WALL_DB))

    def link(self, item: Item, antenna: Antenna, belt_y_m: float, spacing_m: float) -> Link:
        """Give when ``antenna`` has ``item`` in its field, and how strongly."""
        span = np.abs(item.x_m) < REACH_M
        (steps,) = np.nonzero(span)
        if not steps.size:
            return Link([], [])
        place = np.stack(
            [item.x_m[steps], np.full(steps.size, item.y_m), np.full(steps.size, item.z_m)], axis=1
        )
        way = place - antenna.place
        far = np.maximum(np.linalg.norm(way, axis=1), 0.2)
        way /= far[:, None]
        one_way_db = (
            ANTENNA_DBI
            + TAG_DBI
            - 20 * np.log10(4 * math.pi * far / WAVE_M)
            + _pattern_db(way @ antenna.looks)
            + _dipole_db(way @ item.axis)
            - BODY_DB * np.maximum(0.0, way @ item.outward)
            - item.loss_db
            - LOST_DB
        )
        if self._is_tunnel:
            walls = 2 * round(abs(item.y_m - belt_y_m) / spacing_m)
            one_way_db -= self._wall_db * walls
        one_way_db += self._fade_db(item.x_m[steps], far, place[:, 2], antenna.place[2])
        at_tag_dbm = self._power_dbm + one_way_db
        heard = at_tag_dbm > TAG_HEARS_DBM
        rssi = at_tag_dbm[heard] - SCATTERED_DB + one_way_db[heard]
        return Link(steps[heard].tolist(), rssi.tolist())

    def _fade_db(self, x_m: Numbers, far_m: Numbers, z_m: Numbers, up_m: float) -> Numbers:
        moved = np.abs(np.diff(x_m, prepend=x_m[0]))
        shadow = self._shadow_db / 2 * self._drift(np.hypot(moved / SHADOW_M, STEP_S / SHADOW_S))
        rng = self._rng
        bearing = np.cos(rng.uniform(0, 2 * math.pi, ECHOES))
        turn = rng.normal(0.0, WALK_RAD_S, ECHOES)
        start = rng.uniform(0, 2 * math.pi, ECHOES)
        seconds = np.arange(x_m.size) * STEP_S
        phase = 2 * math.pi / WAVE_M * np.outer(x_m, bearing) + np.outer(seconds, turn) + start
        echoes = np.exp(1j * phase).sum(axis=1) / math.sqrt(ECHOES)
        if self._fading == "rayleigh":
            field = echoes
        else:
            # The mirrored ray goes by the floor, sqrt(d^2 + 4 h1 h2) long.
            further = np.hypot(far_m, 2 * np.sqrt((z_m - FLOOR_M) * (up_m - FLOOR_M))) - far_m
            mirrored = MIRROR * np.exp(2j * math.pi / WAVE_M * further) * far_m / (far_m + further)
            power = 10 ** (ECHO_DB / 10)
            field = (1 + mirrored + math.sqrt(power) * echoes) / math.sqrt(1 + power)
        return np.asarray(shadow + 20 * np.log10(np.maximum(np.abs(field), 1e-3)), np.float64)

    def _drift(self, passed: Numbers) -> Numbers:
        """Give a Gauss-Markov walk of deviation 1 that forgets by exp(-passed) a step."""
        kept = np.exp(-passed)
        fresh = np.sqrt(1 - kept**2) * self._rng.normal(size=passed.size)
        walk = np.empty(passed.size)
        now = float(self._rng.normal())
        for step in range(passed.size):
            now = kept[step] * now + fresh[step]
            walk[step] = now
        return walk


def _pattern_db(cosine: Numbers) -> Numbers:
    front = 20 * np.log10(np.maximum(cosine, 1e-3))
    return np.asarray(np.maximum(front, -BACK_DB), np.float64)


def _dipole_db(cosine: Numbers) -> Numbers:
    across = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    return np.asarray(20 * np.log10(np.maximum(across, POLARISATION_FLOOR)), np.float64)
