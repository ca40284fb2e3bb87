"""Claim: of connections said to fail with some probability, that share does.

Months of `airport_month`, each arrival with people who change aircraft: they get off by their row,
walk at their own pace, queue at a border by the hour; their bag comes with the first or second
cart, is sorted on belts that clog at peaks and sometimes goes round. None of it is made by the
hub's model. The airport keeps its file up to date: every night from what it measured in the last
five days (nine tenths of each stage, and what one in a hundred passes); the hub learns unloading by
itself. From day 8 on every connection is judged while the aircraft is in the air, when it reaches
its stand, and a quarter of an hour later, then for a bag twice: as the hub knows it where no reader
sees the sorter's inlet, and where one does.

The bar: in every tenth of probability, what was said and what happened lie within 5 points. None is
left out. How far chance alone may have moved a figure is the interval of 95 % beside it, made of
whole days: flights of a day share its storms, passengers of a flight its bags. Where that reaches
beyond the bar the tenth is marked ``close``: more months may put it on the other side.

The peer is what boards show today: short when less time than the minimum connection time is left
(Brier scores).

    python benchmarks/bench_missed_connections.py --months 8 --picture reliability.svg
"""

import argparse
import random
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from math import inf, sqrt
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from aerocast_hub.ground_times import Changing, Handling, Stage
from aerocast_hub.orientation.arrival_learning import FinishedArrival, expected_work, learn
from aerocast_hub.orientation.arrival_times import MINUTE_US, Progress
from aerocast_hub.orientation.connection import ChangingBag, Connecting
from aerocast_hub.orientation.connection_risk import connection_risk
from airport_month import DAY_MIN, Arrival, known_closures, month, us
from msgspec.structs import replace

FIRST_DAY_MEASURED = 7
MINIMUM_MIN = 45
BINS, WITHIN = 10, 0.05
Z95 = 1.96  # of a normal distribution: 95 % lie between this and its negative
PLATE = "0220123456"
EACH = 4  # connections of an arrival
DAYS_IN_FILE = 5
BOARDING_MIN, MAKE_UP_MIN = 15.0, 20.0
IN_THE_AIR_MIN, ON_STAND_MIN = 40.0, 15.0


class Change(NamedTuple):
    """One change of aircraft and how it really went, minutes of the month."""

    due: float
    arrival: Arrival
    departs: float
    way: float
    border: float
    at_gate: float
    inside: float
    made_up: float
    leave: float


class Judged(NamedTuple):
    """What was said, what happened, whether there was less time than the minimum, and the day."""

    said: float
    missed: bool
    is_short: bool
    day: int


class Tenth(NamedTuple):
    """What was said and what happened between two tenths of probability.

    ``off`` is half the interval in which the gap between them lies, in 95 of 100 such benchmarks.
    """

    low: float
    said: float
    came: float
    off: float
    cases: int

    @property
    def verdict(self) -> str:
        """Whether they lie within the bar, with all of the interval or not."""
        gap = abs(self.said - self.came)
        if gap > WITHIN:
            return "WRONG"
        return "met" if gap + self.off <= WITHIN else "close"


def main() -> None:
    """Play the months, judge their connections, print and draw how true that was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--months", type=int, default=8, help="how many, each with a seed of its own"
    )
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="an SVG file to draw the curves in")
    options = parser.parse_args()
    judged: dict[str, list[Judged]] = defaultdict(list)
    seeds = range(options.first_seed, options.first_seed + options.months)
    with ProcessPoolExecutor() as pool:
        for found in pool.map(_play, seeds):
            for who, some in found.items():
                judged[who] += some
    print(f"{options.months} months, seeds {seeds[0]} to {seeds[-1]}")
    verdicts = [each.verdict for who, found in judged.items() for each in _print(who, found)]
    if options.picture:
        options.picture.write_text(_svg(judged), encoding="utf-8")
        print(f"drawn in {options.picture}")
    wrong, close = verdicts.count("WRONG"), verdicts.count("close")
    print(
        f"\nthe bar, every tenth within 5 points: {'missed' if wrong else 'met'} "
        f"({len(verdicts)} tenths, {wrong} wrong, {close} close)"
    )
    sys.exit(1 if wrong else 0)


def _play(seed: int) -> dict[str, list[Judged]]:
    arrivals, closed = month(seed, a_day=120)
    rng = random.Random(seed + 1)  # noqa: S311  a simulation, no secret
    changes = [[_change(rng, each) for _ in range(EACH)] for each in arrivals]
    return _judge(seed, arrivals, changes, closed)


def _change(rng: random.Random, arrival: Arrival) -> Change:
    on_block = arrival.on_block_min
    hour = on_block % DAY_MIN / 60
    peak = 1.0 if 7 <= hour <= 10 or 16 <= hour <= 19 else 0.0
    late = rng.choice((rng.uniform(-8, 4), rng.gammavariate(1.3, 9)))
    stand = arrival.kind.stand or "A1"
    row = rng.random()
    leave = 2.5 + rng.gammavariate(3, 0.5) + row * (6 + arrival.bags / 30)
    if stand[0] == "R":
        leave += rng.uniform(3, 8)  # a bus
    way = 4 + 1.1 * int(stand[1:]) + (4 if stand[0] == "B" else 0) + rng.choice((0, 5, 10))
    border = rng.gammavariate(2 + 2 * peak, 2.2) if rng.random() < 0.9 else rng.uniform(15, 25)
    walked = way * rng.lognormvariate(0.0, 0.16)
    cart = min(len(arrival.off_ramp_min) - 1, rng.random() < 0.3)
    inside = arrival.off_ramp_min[cart] + rng.uniform(0.5, 2.0)
    sorting = 5 + rng.weibullvariate(6 + 3 * peak, 1.6)
    while rng.random() < 0.08:
        sorting += rng.uniform(4, 9)  # once more round
    return Change(
        due=on_block - late,
        arrival=arrival,
        departs=on_block - late + rng.choice((rng.uniform(35, 75), rng.uniform(40, 100))),
        way=way,
        border=border,
        at_gate=on_block + leave + walked + border,
        inside=inside,
        made_up=inside + sorting if rng.random() > 0.005 else inf,
        leave=leave,
    )


def _judge(
    seed: int,
    arrivals: list[Arrival],
    changes: list[list[Change]],
    closed: list[tuple[float, float]],
) -> dict[str, list[Judged]]:
    finished: list[FinishedArrival] = []
    found: dict[str, list[Judged]] = defaultdict(list)
    learned, learned_on = learn([], Handling()), -1
    handling, changing = Handling(), Changing()
    for number, (arrival, some) in enumerate(zip(arrivals, changes, strict=True)):
        day = int(arrival.on_block_min // DAY_MIN)
        if day != learned_on:
            if day >= FIRST_DAY_MEASURED:
                lately = [some for some in changes[:number] if _age(some, day) < DAYS_IN_FILE]
                handling, changing = _file_of([each for some in lately for each in some])
            over_us = us(day * DAY_MIN) - 120 * MINUTE_US
            past = [each for each in finished if each.on_block_us < over_us]
            learned, learned_on = learn(past, handling), day
        if day >= FIRST_DAY_MEASURED:
            first = expected_work(learned, arrival.kind, handling).first
            for change in some:
                known = Connecting(
                    inbound="AF1",
                    outbound="AF2",
                    progress=Progress(),
                    departs_us=us(change.departs),
                    minimum_min=MINIMUM_MIN,
                    crosses_border=True,
                    way_min=change.way,
                    handling=handling,
                    changing=changing,
                    learned=first,
                )
                _judge_one(change, known, closed, (100 * seed + day, found))
        finished.append(arrival.finished(number, closed))
    return found


def _judge_one(
    change: Change,
    known: Connecting,
    closed: list[tuple[float, float]],
    into: tuple[int, dict[str, list[Judged]]],
) -> None:
    day, found = into
    on_block = change.arrival.on_block_min
    missed = change.at_gate > change.departs - BOARDING_MIN
    bag_missed = change.made_up > change.departs - MAKE_UP_MIN
    in_the_air = Progress(
        off_block_due_us=us(change.due - 114),
        on_block_due_us=us(change.due),
        airborne_us=us(change.due - 100),
    )
    on_stand = Progress(on_block_due_us=us(change.due), on_block_us=us(on_block))
    moments = (
        ("in the air", min(change.due, on_block) - IN_THE_AIR_MIN, in_the_air),
        ("on its stand", on_block, on_stand),
        ("15 min later", on_block + ON_STAND_MIN, on_stand),
    )
    for when, now, progress in moments:
        if change.made_up <= now:
            continue  # make-up was seen: nothing is left to tell
        comes_by = change.due if when == "in the air" else max(on_block, now)
        is_short = change.departs - comes_by < MINIMUM_MIN
        asked = replace(known, progress=progress, closures=tuple(known_closures(closed, now)))
        risk = connection_risk(asked, [ChangingBag(licence_plate=PLATE)], us(now))
        if when != "15 min later" and risk.passenger is not None:
            said = risk.passenger.probability
            found[f"passenger, {when}"].append(Judged(said, missed, is_short, day))
        said = risk.bags[0].miss.probability
        found[f"bag, {when}"].append(Judged(said, bag_missed, is_short, day))
    if change.made_up > now:
        watched = replace(asked, changing=replace(asked.changing, inlet_is_watched=True))
        bag = ChangingBag(licence_plate=PLATE)
        if change.inside <= now:
            bag = ChangingBag(licence_plate=PLATE, at="inside", seen_us=us(change.inside))
        said = connection_risk(watched, [bag], us(now)).bags[0].miss.probability
        found["bag, 15 min later, inlet watched"].append(Judged(said, bag_missed, is_short, day))


def _file_of(changes: list[Change]) -> tuple[Handling, Changing]:
    """Write the airport's file from what it measured, stage by stage."""
    injection_min = Handling().injection.median_min
    handling = Handling(
        in_the_air=_quantiles_of([each.arrival.on_block_min - each.due for each in changes])
    )
    walking = _stage(
        [
            (each.at_gate - each.arrival.on_block_min - each.leave - each.border) / each.way
            for each in changes
        ]
    )
    return handling, Changing(
        leave_aircraft=_quantiles_of([each.leave for each in changes]),
        walk_early=walking.early_min,
        walk_late=walking.late_min,
        border=_quantiles_of([each.border for each in changes]),
        behind_first=_quantiles_of(
            [each.inside - each.arrival.first_min + injection_min for each in changes]
        ),
        sorting=_quantiles_of(
            [each.made_up - each.inside for each in changes if each.made_up < inf]
        ),
        boarding_closes_min=BOARDING_MIN,
        make_up_closes_min=MAKE_UP_MIN,
    )


def _age(some: list[Change], day: int) -> float:
    return day - some[0].arrival.on_block_min / DAY_MIN


def _quantiles_of(measured: list[float]) -> tuple[float, ...]:
    hundredths = quantiles(measured, n=100)
    return tuple(hundredths[each - 1] for each in (*range(10, 100, 10), 99))


def _stage(measured: list[float]) -> Stage:
    tenths = quantiles(measured, n=10)
    low, middle, high = tenths[0], tenths[4], tenths[8]
    z90 = 1.2816  # of a normal distribution: 90 % lies below
    return Stage(middle, (middle - low) / z90, (high - middle) / z90)


def _print(who: str, found: list[Judged]) -> list[Tenth]:
    """Print one curve; give its tenths."""
    brier = sum((each.said - each.missed) ** 2 for each in found) / len(found)
    board = sum((each.is_short - each.missed) ** 2 for each in found) / len(found)
    share = sum(each.missed for each in found) / len(found)
    print(
        f"\n{who}: {len(found)} connections, {share:.1%} missed; Brier {brier:.3f}, "
        f"of the board's word {board:.3f} ({brier / board:.2f})"
    )
    tenths = _tenths(found)
    for each in tenths:
        line = [" "] * 51
        line[round(each.said * 50)] = "|"
        is_same = round(each.said * 50) == round(each.came * 50)
        line[round(each.came * 50)] = "X" if is_same else "o"
        gap = f"{100 * (each.came - each.said):+4.1f} \N{PLUS-MINUS SIGN} {100 * each.off:3.1f}"
        print(
            f"  {each.low:.1f} {''.join(line)} said {each.said:5.1%} came {each.came:5.1%}: "
            f"{gap} of {each.cases:6} {each.verdict}"
        )
    return tenths


def _tenths(found: list[Judged]) -> list[Tenth]:
    by_tenth: dict[int, list[Judged]] = defaultdict(list)
    for each in found:
        by_tenth[min(BINS - 1, int(each.said * BINS))].append(each)
    return [_tenth(low / BINS, some) for low, some in sorted(by_tenth.items())]


def _tenth(low: float, some: list[Judged]) -> Tenth:
    said = sum(each.said for each in some) / len(some)
    came = sum(each.missed for each in some) / len(some)
    by_day: dict[int, float] = defaultdict(float)
    for each in some:
        by_day[each.day] += (each.missed - each.said) - (came - said)
    off = Z95 * sqrt(sum(each**2 for each in by_day.values())) / len(some)
    return Tenth(low, said, came, off, len(some))


def _svg(judged: dict[str, list[Judged]]) -> str:
    colours = ("#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be185d")
    size, edge = 320, 44
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + 260} {size + 2 * edge}" '
            'font-family="sans-serif" font-size="12">'
        ),
        "<title>Missed connections: said and happened</title>",
        f'<rect x="{edge}" y="{edge}" width="{size}" height="{size}" fill="none" stroke="#888"/>',
        (
            f'<path d="M{edge} {edge + size}L{edge + size} {edge}" stroke="#888" '
            'stroke-dasharray="4 4"/>'
        ),
        f'<text x="{edge + size / 2}" y="{size + edge + 32}" text-anchor="middle">said</text>',
        (
            f'<text x="12" y="{edge + size / 2}" transform="rotate(-90 12 {edge + size / 2})" '
            'text-anchor="middle">happened</text>'
        ),
    ]
    for place, (who, found) in enumerate(judged.items()):
        marks = [
            (edge + size * each.said, edge + size * (1 - each.came), size * each.off)
            for each in _tenths(found)
        ]
        colour = colours[place % len(colours)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in marks)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, off in marks:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            interval = f"M{x:.1f} {y - off:.1f}V{y + off:.1f}"
            parts.append(f'<path d="{interval}" stroke="{colour}" stroke-width="1"/>')
        top = edge + 16 + 18 * place
        parts.append(f'<text x="{edge + size + 16}" y="{top}" fill="{colour}">{who}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
