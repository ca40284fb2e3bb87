"""A month of arrivals with known truth, made by another model than the one that is measured.

Carts, tugs and people are played one by one: chocks, a belt loader that has to come from elsewhere,
bags of their own size off the aircraft, carts that leave when full, tugs that are few, traffic on
the apron, a belt that takes bags one at a time. Handlers differ in people and habits, one gets
faster in mid-month, nights are slow; now and then something breaks. Storms close the ramp: no
duration of the hub's model occurs here, and none of its distributions.
"""

import random
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from aerocast_hub.orientation.arrival_learning import FinishedArrival, Kind
from aerocast_hub.orientation.arrival_times import MINUTE_US, Closure

DAY_MIN = 1440
START_US = 1_719_792_000_000_000  # 1 July 2024

_STANDS = {
    f"{pier}{number}": 1.2 + 0.55 * place + extra
    for pier, extra in (("A", 0.0), ("B", 1.0), ("R", 4.5))
    for place, number in enumerate(range(1, 9))
}  # minutes of driving on an empty apron
_TYPES = {
    "AT76": (35, 60, 1),
    "E190": (50, 90, 1),
    "A320": (90, 160, 1),
    "B738": (90, 165, 1),
    "A333": (180, 280, 2),
    "B77W": (220, 330, 2),
}  # bags: from, to; loaders
_SHARES = (10, 14, 34, 22, 12, 8)


class Handler(NamedTuple):
    """Who unloads: people at the hold, tugs for a flight, how long a loader takes to come."""

    people: int
    tugs: int
    loader_min: float


_HANDLERS = {
    "Swift": Handler(3, 3, 1.0),
    "Apron One": Handler(2, 2, 1.8),
    "Rampco": Handler(2, 1, 2.6),
}


class Arrival(NamedTuple):
    """One arrival: what was known when it reached its stand, and when its bags came, minutes.

    ``off_ramp_min`` is when each cart reached the building.
    """

    on_block_min: float
    bags: int
    kind: Kind
    first_min: float
    last_min: float
    off_ramp_min: tuple[float, ...]

    def finished(self, number: int, closed: list[tuple[float, float]]) -> FinishedArrival:
        """Give it as the hub learns from it: minutes of an open ramp."""
        return FinishedArrival(
            flight_id=f"{number:06d}",
            on_block_us=us(self.on_block_min),
            first_min=self.first_min
            - self.on_block_min
            - overlap_min(closed, self.on_block_min, self.first_min),
            rest_min=self.last_min - self.first_min,
            bags=self.bags,
            kind=self.kind,
        )


def month(
    seed: int, days: int = 30, a_day: int = 160
) -> tuple[list[Arrival], list[tuple[float, float]]]:
    """Play a month; give its arrivals in order of time, and when the ramp was closed, minutes."""
    rng = random.Random(seed)  # noqa: S311  a simulation, no secret
    closed = _storms(rng, days)
    arrivals = []
    for day in range(days):
        for _ in range(a_day):
            hour = rng.choices(
                range(24),
                [1, 1, 0, 0, 1, 3, 6, 9, 10, 9, 8, 8, 8, 8, 8, 8, 9, 10, 10, 9, 8, 7, 5, 3],
            )[0]
            arrivals.append(_arrival(rng, day * DAY_MIN + hour * 60 + rng.uniform(0, 60), closed))
    return sorted(arrivals), closed


def known_closures(closed: list[tuple[float, float]], now_min: float) -> list[Closure]:
    """Give the closures as they are known at a moment: of one that lasts nobody knows the end."""
    return [
        Closure(us(start), us(end) if end <= now_min else None)
        for start, end in closed
        if now_min - 180 <= start <= now_min
    ]


def us(minutes: float) -> int:
    """Give a moment of the month, UTC microseconds."""
    return START_US + round(minutes * MINUTE_US)


def overlap_min(closed: list[tuple[float, float]], start: float, end: float) -> float:
    """Give how long the ramp was closed between two moments, minutes."""
    return sum(max(0.0, min(end, until) - max(start, since)) for since, until in closed)


def _storms(rng: random.Random, days: int) -> list[tuple[float, float]]:
    closed: list[tuple[float, float]] = []
    for day in range(days):
        if rng.random() > 0.35:
            continue
        at = day * DAY_MIN + rng.triangular(720, 1300, 1000)
        for _ in range(rng.randint(1, 3)):
            length = rng.choice((rng.uniform(8, 25), rng.uniform(20, 70)))
            closed.append((at, at + length))
            at += length + rng.uniform(25, 90)
    return closed


def _arrival(rng: random.Random, at: float, closed: list[tuple[float, float]]) -> Arrival:
    stand = rng.choice(sorted(_STANDS))
    aircraft_type = rng.choices(sorted(_TYPES, key=list(_TYPES).index), _SHARES)[0]
    name = rng.choices(sorted(_HANDLERS), (3, 2, 4))[0] if stand[0] != "R" else "Rampco"
    handler = _HANDLERS[name]
    if name == "Rampco" and at > 18 * DAY_MIN:
        handler = handler._replace(tugs=2, loader_min=1.4)  # a new contract
    low, high, loaders = _TYPES[aircraft_type]
    bags = rng.randint(low, high) // rng.choice((1, 1, 1, 2))
    night = 1.35 if at % DAY_MIN < 300 or at % DAY_MIN > 1320 else 1.0
    work = rng.gammavariate(6, 0.35)  # chocks, cones, doors
    work += night * (handler.loader_min * rng.weibullvariate(1.0, 1.1) + 0.6 * (loaders - 1))
    if rng.random() < 0.03:
        work += 4 * rng.paretovariate(1.8)  # a loader that does not start, a hold jammed
    drive = _STANDS[stand]
    carts = _carts(rng, (bags, handler, loaders, drive * night), work)
    off_ramp = tuple(_after(at, open_min, closed) for open_min, _ in carts)
    on_belt: list[float] = []
    belt_free = 0.0
    for there, (_, load) in zip(off_ramp, carts, strict=True):  # bag by bag, indoors
        belt_free = max(belt_free, there + rng.uniform(0.6, 1.6))
        for _ in range(load):
            on_belt.append(belt_free)
            belt_free += 0.012 + rng.expovariate(24.0)
    return Arrival(at, bags, Kind(stand, name, aircraft_type), on_belt[0], on_belt[-1], off_ramp)


def _carts(
    rng: random.Random, job: tuple[int, Handler, int, float], work: float
) -> list[tuple[float, int]]:
    """Give when each cart reaches the belt, minutes of an open ramp, and how many bags it has."""
    bags, handler, loaders, drive = job
    tugs = [work] * handler.tugs
    heapify(tugs)
    arrived = []
    while bags > 0:
        load = min(35, bags)
        work += load * rng.lognormvariate(-2.05, 0.25) * 1.4 / (handler.people * loaders)
        leaves = max(work, heappop(tugs))
        there = leaves + drive * rng.uniform(0.85, 1.3) + (rng.random() < 0.1) * rng.uniform(1, 5)
        heappush(tugs, there + drive + 1.0)
        arrived.append((there, load))
        bags -= load
    return sorted(arrived)


def _after(start: float, work: float, closed: list[tuple[float, float]]) -> float:
    """Give when work that stands still in closures is done."""
    at = start
    for since, until in sorted(closed):
        if until <= at or at + work <= since:
            continue
        work -= max(0.0, since - at)
        at = until
    return at + work
