"""A baggage hall before any radio: how its belts run, and what lies on them. Needs numpy.

Belts run side by side along x; every portal stands at x = 0. Metres, seconds, and one seed: the
same seed is the same hall. Belts stop, jog back a little and start again, as they do when a bag is
jammed; carts with tagged bags are parked beside them; some bags have no tag that answers.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from aerocast_protocols.epc.bag_tag import BagTag, encode_bag_tag

Numbers = npt.NDArray[np.float64]

STEP_S = 0.02  # of everything that moves
FIRST_S = 2.0  # the belts run this long before the first bag
REACH_M = 6.0  # how far from the portal a tag can be heard at all
BAG_LENGTH_M = (0.45, 0.85)
RAMP_S = 0.3  # a belt takes this long to its speed, and to stop
STOP_EVERY_S = 70.0
JOG_SHARE = 0.5  # of the stops: back a little, then on
JOG_M = (0.2, 0.8)
TOUCHING_SHARE = 0.06
DEAD_SHARE = 0.025
RECIRCULATED_SHARE = 0.015
ROUND_TRIP_S = (40.0, 150.0)
WET_SHARE = 0.09
RETAIL_SHARE = 0.5
CARTS = (1, 3)


class BeltPlan(NamedTuple):
    """One belt: its name, where it lies, how fast it runs, and where it is at every step.

    Attributes
    ----------
    travel_m
        How far it has run, at every ``STEP_S``; shape (steps,).
    """

    name: str
    device: str
    y_m: float
    speed_mps: float
    travel_m: Numbers


class Item(NamedTuple):
    """A tag, or a bag without one that answers.

    Attributes
    ----------
    x_m, y_m, z_m
        Where the tag is: x at every step, shape (steps,); z above the belt.
    axis, outward
        Unit vectors: its dipole, and away from the bag it hangs on.
    loss_db
        What wetness costs it, one way.
    kind
        ``bag``, ``parked`` or ``retail``.
    """

    epc: bytes
    kind: str
    x_m: Numbers
    y_m: float
    z_m: float
    axis: Numbers
    outward: Numbers
    loss_db: float
    answers: bool


class Bag(NamedTuple):
    """A bag on a belt; ``front_m``: how far its tag is behind its front."""

    item: Item
    belt: int
    length_m: float
    front_m: float
    touching: bool
    recirculated: bool


class Plan(NamedTuple):
    """A hall before any radio."""

    seconds: float
    belts: tuple[BeltPlan, ...]
    bags: tuple[Bag, ...]
    others: tuple[Item, ...]


def make_plan(rng: np.random.Generator, bags: int, belts: int, spacing_m: float) -> Plan:
    """Lay ``bags`` bags on ``belts`` belts, ``spacing_m`` from middle to middle."""
    speeds = rng.uniform(1.0, 2.5, belts)
    each = [bags // belts + (number < bags % belts) for number in range(belts)]
    places = [_lay(rng, count) for count in each]
    moving_s = max(
        place[-1][0] / speed for place, speed in zip(places, speeds, strict=True) if place
    )
    stops = [_stops(rng, moving_s) for _ in range(belts)]
    seconds = FIRST_S + moving_s + max(sum(length + 2.0 for _, length, _ in stop) for stop in stops)
    steps = round((seconds + 2 * REACH_M) / STEP_S)
    lines = tuple(
        BeltPlan(
            name=f"belt-{number + 1}",
            device=f"portal-{number + 1}",
            y_m=number * spacing_m,
            speed_mps=round(float(speed), 3),
            travel_m=_travel(round(float(speed), 3), stops[number], steps),
        )
        for number, speed in enumerate(speeds)
    )
    laid = [
        _bag(rng, lines, number, place)
        for number, line in enumerate(places)
        for place in line
        if lines[number].travel_m[-1] > place[0] + REACH_M
    ]
    laid += _recirculated(rng, lines, laid)
    return Plan(steps * STEP_S, lines, tuple(laid), (*_carts(rng, lines), *_retail(rng, laid)))


def passes(at_m: Numbers) -> Numbers:
    """Give the moments at which something at ``at_m``, shape (steps,), is in the portal's plane."""
    behind = at_m < 0
    (changes,) = np.nonzero(behind[1:] != behind[:-1])
    before, after = at_m[changes], at_m[changes + 1]
    return np.asarray((changes + before / (before - after)) * STEP_S, np.float64)


def _lay(rng: np.random.Generator, count: int) -> list[tuple[float, float, bool]]:
    """Give for each bag: how far behind the portal its front starts, its length, if it touches."""
    placed: list[tuple[float, float, bool]] = []
    front_m = 4.0
    for _ in range(count):
        touching = bool(placed) and rng.random() < TOUCHING_SHARE
        front_m += 0.0 if touching else 0.15 + rng.exponential(1.3)
        length_m = float(rng.uniform(*BAG_LENGTH_M))
        placed.append((front_m, length_m, touching))
        front_m += length_m
    return placed


def _stops(rng: np.random.Generator, moving_s: float) -> list[tuple[float, float, float]]:
    """Give (after so long moving, stands for so long, metres it jogs back)."""
    stops: list[tuple[float, float, float]] = []
    at_s = rng.exponential(STOP_EVERY_S) + 4.0
    while at_s < moving_s:
        stands_s = float(np.clip(rng.lognormal(2.2, 0.8), 3.0, 60.0))
        jog_m = float(rng.uniform(*JOG_M)) if rng.random() < JOG_SHARE else 0.0
        stops.append((at_s, stands_s, jog_m))
        at_s += 4.0 + rng.exponential(STOP_EVERY_S)
    return stops


def _travel(speed: float, stops: list[tuple[float, float, float]], steps: int) -> Numbers:
    pieces: list[Numbers] = []
    ran_s = 0.0
    for at_s, stands_s, jog_m in stops:
        pieces.append(np.full(round((at_s - ran_s) / STEP_S), speed))
        pieces.append(np.zeros(round(stands_s / STEP_S)))
        if jog_m:
            pieces.append(np.full(round(jog_m / (speed / 2) / STEP_S), -speed / 2))
            pieces.append(np.zeros(round(1.0 / STEP_S)))
        ran_s = at_s
    moved = np.concatenate([*pieces, np.full(steps, speed)])[:steps]
    width = round(RAMP_S / STEP_S)
    ramped = np.convolve(moved, np.full(width, 1 / width))[:steps]
    return np.asarray(np.cumsum(ramped) * STEP_S - speed * FIRST_S, np.float64)


def _bag(
    rng: np.random.Generator,
    lines: tuple[BeltPlan, ...],
    number: int,
    place: tuple[float, float, bool],
    again: Item | None = None,
) -> Bag:
    behind_m, length_m, touching = place
    line = lines[number]
    front_m = float(rng.uniform(0.1, 0.9)) * length_m
    outward = _direction(rng)
    outward[2] = abs(outward[2])
    item = Item(
        epc=again.epc if again else _plate(rng),
        kind="bag",
        x_m=line.travel_m - behind_m - front_m,
        y_m=line.y_m + float(rng.uniform(-0.2, 0.2)),
        z_m=float(rng.uniform(0.1, 0.5)),
        axis=_direction(rng),
        outward=outward,
        loss_db=float(rng.uniform(3.0, 10.0)) if rng.random() < WET_SHARE else 0.0,
        answers=again is not None or rng.random() >= DEAD_SHARE,
    )
    return Bag(item, number, length_m, front_m, touching, again is not None)


def _recirculated(
    rng: np.random.Generator, lines: tuple[BeltPlan, ...], laid: list[Bag]
) -> list[Bag]:
    """Send some bags past once more, where a belt has room for them."""
    again: list[Bag] = []
    for bag in laid:
        if not bag.item.answers or rng.random() >= RECIRCULATED_SHARE:
            continue
        passed = passes(bag.item.x_m)
        if not passed.size:
            continue
        back_s = float(passed[-1] + rng.uniform(*ROUND_TRIP_S))
        number = int(rng.integers(len(lines)))
        travel_m = lines[number].travel_m
        if back_s > (travel_m.size - 1) * STEP_S - 8.0:
            continue
        behind_m, length_m = float(travel_m[round(back_s / STEP_S)]), bag.length_m
        beside = [each for each in (*laid, *again) if each.belt == number]
        starts = [float(travel_m[0] - each.item.x_m[0] - each.front_m) for each in beside]
        if all(
            behind_m + length_m + 0.1 < start or start + each.length_m + 0.1 < behind_m
            for start, each in zip(starts, beside, strict=True)
        ):
            again.append(_bag(rng, lines, number, (behind_m, length_m, False), bag.item))
    return again


def _carts(rng: np.random.Generator, lines: tuple[BeltPlan, ...]) -> list[Item]:
    """Park carts of tagged bags beside the outermost belts: in, stand, and away."""
    items: list[Item] = []
    steps = lines[0].travel_m.size
    seconds = np.arange(steps) * STEP_S
    for _ in range(int(rng.integers(*CARTS, endpoint=True))):
        comes_s = float(rng.uniform(5.0, 0.4 * seconds[-1]))
        goes_s = comes_s + float(rng.uniform(0.3, 0.55) * seconds[-1])
        y_m = lines[0].y_m - float(rng.uniform(1.2, 2.2))
        if rng.random() < 0.5:
            y_m = lines[-1].y_m + float(rng.uniform(1.2, 2.2))
        stands_m = float(rng.uniform(-1.5, 1.5))
        rolling = np.interp(seconds, [comes_s, comes_s + 5, goes_s, goes_s + 5], [-7.0, 0, 0, 7.0])
        items += [
            Item(
                epc=_plate(rng),
                kind="parked",
                x_m=rolling + stands_m + float(rng.uniform(-0.5, 0.5)),
                y_m=y_m + float(rng.uniform(-0.2, 0.2)),
                z_m=float(rng.uniform(-0.3, 0.5)),
                axis=_direction(rng),
                outward=_direction(rng),
                loss_db=0.0,
                answers=True,
            )
            for _ in range(int(rng.integers(2, 5)))
        ]
    return items


def _retail(rng: np.random.Generator, bags: list[Bag]) -> list[Item]:
    """Put shop tags (SGTIN-96) into suitcases: they ride along and take air time."""
    return [
        bag.item._replace(
            epc=b"\x30" + rng.bytes(11), kind="retail", axis=_direction(rng), answers=True
        )
        for bag in bags
        if rng.random() < RETAIL_SHARE
    ]


def _plate(rng: np.random.Generator) -> bytes:
    return encode_bag_tag(BagTag(f"{rng.integers(10**10):010d}", int(rng.integers(1, 366))))


def _direction(rng: np.random.Generator) -> Numbers:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector), np.float64)
