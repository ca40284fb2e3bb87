"""A simulated baggage hall: what its readers and photo eyes report, and what really happened.

``python -m aerocast_simulator.hall FOLDER --seed 7`` writes one as ``aerocast-agent decode
passages`` takes it: reads.jsonl.gz, agent.toml and truth.json. Needs numpy (extra ``radio``).
"""

import argparse
import gzip
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from aerocast_protocols.epc.bag_tag import decode_bag_tag
from aerocast_protocols.observations.bags import GpioEdge, TagRead

from aerocast_simulator.hall_inventory import inventory
from aerocast_simulator.hall_plan import STEP_S, Bag, BeltPlan, Item, Plan, make_plan, passes
from aerocast_simulator.hall_radio import Air, Antenna, Fading, Portal, make_antennas
from aerocast_simulator.toml_text import to_toml

EPOCH_US = 1_795_000_000_000_000  # where a written hall begins
EYE_OFF_M = 0.05
EYE_LATE_S = 0.004
DROPOUT_SHARE = 0.04  # of the bags: the beam looks through under a handle
DROPOUT_S = (0.02, 0.08)
FLUTTERS = 2  # a belt: straps and paper
FLUTTER_S = (0.02, 0.08)
FEWEST_READS = 3  # by its own belt, that make a bag readable


class Truth(NamedTuple):
    """What really happened to a bag; names are the keys of truth.json.

    Attributes
    ----------
    passed_at_us
        First and last time its tag was in the plane of the antennas.
    eye_us
        From when to when it broke the beam.
    """

    bag: int
    belt: str
    epc: str
    plate: str
    passed_at_us: tuple[int, int]
    eye_us: tuple[int, int]
    touching: bool
    wet: bool
    dead: bool
    recirculated: bool
    stopped_in_field: bool
    reversed_in_field: bool
    reads_own: int
    reads_other: int
    readable: bool


class Parked(NamedTuple):
    """A tag on a cart beside the belts, and when it was there."""

    epc: str
    from_us: int
    to_us: int


class Hall(NamedTuple):
    """Everything about one hall.

    Attributes
    ----------
    belts
        The ``[[belt]]`` tables of an agent.toml.
    observations
        Reads and edges, in order of time.
    """

    seed: int
    belts: list[dict[str, object]]
    observations: list[TagRead | GpioEdge]
    bags: list[Truth]
    parked: list[Parked]


def make_hall(  # noqa: PLR0913  each is a property of the hall
    seed: int,
    *,
    portal: Portal = "tunnel",
    fading: Fading = "rician",
    shadow_db: float = 3.0,
    bags: int = 420,
    belts: int = 3,
    spacing_m: float = 1.5,
) -> Hall:
    """Make a hall and let its bags pass.

    Parameters
    ----------
    shadow_db
        Standard deviation of the shadowing in reported RSSI.
    """
    rng = np.random.default_rng([seed, belts, bags])
    plan = make_plan(rng, bags, belts, spacing_m)
    antennas = make_antennas(rng, portal, belts, spacing_m)
    air = Air(rng, portal, fading, shadow_db, 28.0 if portal == "gantry" else 27.0)
    reads = _read(rng, plan, antennas, air, spacing_m)
    edges = [edge for number in range(belts) for edge in _edges(rng, plan, number)]
    observations: list[TagRead | GpioEdge] = [*reads, *edges]
    observations.sort(key=lambda each: each.boot_ns)
    truths = _truths(plan, reads)
    return Hall(
        seed,
        [_belt_table(plan, antennas, number, reads) for number in range(belts)],
        observations,
        truths,
        [_parked(item) for item in plan.others if item.kind == "parked"],
    )


def write_hall(hall: Hall, folder: Path) -> None:
    """Write reads.jsonl.gz, agent.toml and truth.json into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / "reads.jsonl.gz", "wt", encoding="utf-8") as file:
        for each in hall.observations:
            line: dict[str, object] = {"seen_at_us": _us(each.boot_ns), "device": each.device}
            if isinstance(each, TagRead):
                line |= {"antenna": each.antenna, "epc": each.epc.hex(), "rssi_dbm": each.rssi_dbm}
            else:
                line |= {"gpio": each.pin, "level": each.level}
            file.write(json.dumps(line) + "\n")
    truth = {
        "version": 1,
        "seed": hall.seed,
        "bags": [_shifted(bag)._asdict() for bag in hall.bags],
        "parked": [
            {"epc": tag.epc, "from_us": tag.from_us + EPOCH_US, "to_us": tag.to_us + EPOCH_US}
            for tag in hall.parked
        ],
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    devices = [f"portal-{number + 1}" for number in range(len(hall.belts))]
    configuration: dict[str, object] = {
        "gateway": {"site": "xsim", "name": "hall-1"},
        "device": [{"name": name, "kind": "llrp", "host": "127.0.0.1"} for name in devices],
        "belt": hall.belts,
    }
    (folder / "agent.toml").write_text(to_toml(configuration), encoding="utf-8")


def main() -> None:
    """Write one hall into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--portal", choices=["tunnel", "gantry"], default="tunnel")
    parser.add_argument("--fading", choices=["rician", "rayleigh"], default="rician")
    parser.add_argument("--shadow-db", type=float, default=3.0)
    parser.add_argument("--bags", type=int, default=420)
    options = vars(parser.parse_args())
    folder = options.pop("folder")
    write_hall(make_hall(options.pop("seed"), **options), folder)


def _read(
    rng: np.random.Generator,
    plan: Plan,
    antennas: list[Antenna],
    air: Air,
    spacing_m: float,
) -> list[TagRead]:
    sighted: dict[str, dict[int, dict[int, list[tuple[bytes, float]]]]] = defaultdict(dict)
    for antenna in antennas:
        sighted[antenna.device][antenna.port] = defaultdict(list)
    for item in (*(bag.item for bag in plan.bags), *plan.others):
        if not item.answers:
            continue
        for antenna in antennas:
            link = air.link(item, antenna, antenna.belt * spacing_m, spacing_m)
            heard = sighted[antenna.device][antenna.port]
            for step, rssi_dbm in zip(link.steps, link.rssi_dbm, strict=True):
                heard[step].append((item.epc, rssi_dbm))
    chance = random.Random(int(rng.integers(1 << 62)))  # noqa: S311  a simulation
    quantum_db = 0.5 if rng.random() < 0.5 else 1.0
    return [
        read
        for device, ports in sighted.items()
        for read in inventory(chance, device, ports, plan.seconds, quantum_db)
    ]


def _edges(rng: np.random.Generator, plan: Plan, number: int) -> list[GpioEdge]:
    """Give the edges of one belt's photo eye."""
    line = plan.belts[number]
    blocked = np.zeros(line.travel_m.size + 1, bool)
    eye_m = float(rng.uniform(-EYE_OFF_M, EYE_OFF_M))
    for bag in plan.bags:
        if bag.belt == number:
            blocked[:-1] |= _covers(bag, eye_m)
    (changes,) = np.nonzero(blocked[1:] != blocked[:-1])
    moments = [float((step + 1 + rng.uniform(-0.5, 0.5)) * STEP_S) for step in changes]
    windows = list(zip(moments[::2], moments[1::2], strict=False))
    cut: list[tuple[float, float]] = []
    for start_s, end_s in windows:
        length_s = float(rng.uniform(*DROPOUT_S))
        if rng.random() < DROPOUT_SHARE and end_s - start_s > 3 * length_s:
            middle_s = float(rng.uniform(start_s + length_s, end_s - 2 * length_s))
            cut += [(start_s, middle_s), (middle_s + length_s, end_s)]
        else:
            cut.append((start_s, end_s))
    for _ in range(FLUTTERS):
        start_s = float(rng.uniform(0, plan.seconds - 1))
        end_s = start_s + float(rng.uniform(*FLUTTER_S))
        if all(end_s < window[0] - 0.01 or start_s > window[1] + 0.01 for window in cut):
            cut.append((start_s, end_s))
    return [
        GpioEdge(
            device=line.device,
            boot_ns=round((at_s + rng.exponential(EYE_LATE_S)) * 1e9),
            pin=1,
            level=level,
        )
        for window in cut
        for at_s, level in zip(window, (1, 0), strict=True)
    ]


def _covers(bag: Bag, eye_m: float) -> npt.NDArray[np.bool_]:
    """Say at which steps a bag is in a beam."""
    front_m = bag.item.x_m + bag.front_m
    return np.asarray((front_m > eye_m) & (front_m - bag.length_m < eye_m), np.bool_)


def _truths(plan: Plan, reads: list[TagRead]) -> list[Truth]:
    by_epc: dict[bytes, list[TagRead]] = defaultdict(list)
    for read in reads:
        by_epc[read.epc].append(read)
    truths: list[Truth] = []
    for bag in plan.bags:
        line = plan.belts[bag.belt]
        passed = passes(bag.item.x_m)
        (covered,) = np.nonzero(_covers(bag, 0.0))
        if not passed.size or not covered.size:
            continue
        (near,) = np.nonzero(np.abs(bag.item.x_m) < 2.0)
        moved = np.diff(bag.item.x_m[near])
        from_ns, to_ns = near[0] * STEP_S * 1e9 - 8e9, near[-1] * STEP_S * 1e9 + 8e9
        seen = [each for each in by_epc[bag.item.epc] if from_ns < each.boot_ns < to_ns]
        own = sum(each.device == line.device for each in seen)
        truths.append(
            Truth(
                bag=len(truths),
                belt=line.name,
                epc=bag.item.epc.hex(),
                plate=decode_bag_tag(bag.item.epc).licence_plate,
                passed_at_us=(round(passed[0] * 1e6), round(passed[-1] * 1e6)),
                eye_us=(round(covered[0] * STEP_S * 1e6), round((covered[-1] + 1) * STEP_S * 1e6)),
                touching=bag.touching,
                wet=bag.item.loss_db > 0,
                dead=not bag.item.answers,
                recirculated=bag.recirculated,
                stopped_in_field=bool(np.any(np.abs(moved) < 1e-6)),
                reversed_in_field=bool(np.any(moved < -1e-6)),
                reads_own=own,
                reads_other=len(seen) - own,
                readable=own >= FEWEST_READS,
            )
        )
    return truths


def _belt_table(
    plan: Plan, antennas: list[Antenna], number: int, reads: list[TagRead]
) -> dict[str, object]:
    line: BeltPlan = plan.belts[number]
    return {
        "name": line.name,
        "point": "sortation",
        "antennas": [f"{each.device}:{each.port}" for each in antennas if each.belt == number],
        "siblings": [each.name for each in plan.belts if each is not line],
        "speed_mps": round(line.speed_mps, 2),
        "field_m": _field_m(plan, number, reads),
        "photo_eye": f"{line.device}:gpi1",
    }


def _field_m(plan: Plan, number: int, reads: list[TagRead]) -> float:
    """Measure the field as a technician does: how far a bag goes between first and last read."""
    line = plan.belts[number]
    first: dict[bytes, int] = {}
    last: dict[bytes, int] = {}
    for read in reads:
        if read.device == line.device:
            first.setdefault(read.epc, read.boot_ns)
            last[read.epc] = read.boot_ns
    spans = [
        float(np.interp([first[epc] / 1e9, last[epc] / 1e9], steps, bag.item.x_m) @ [-1, 1])
        for bag in plan.bags
        if bag.belt == number and not bag.recirculated and (epc := bag.item.epc) in first
        for steps in [np.arange(bag.item.x_m.size) * STEP_S]
    ]
    return round(float(np.median(spans)), 1) if spans else 2.0


def _parked(item: Item) -> Parked:
    (there,) = np.nonzero(np.abs(item.x_m) < 4.0)
    return Parked(
        item.epc.hex(), round(there[0] * STEP_S * 1e6), round((there[-1] + 1) * STEP_S * 1e6)
    )


def _us(boot_ns: int) -> int:
    return EPOCH_US + boot_ns // 1000


def _shifted(bag: Truth) -> Truth:
    passed, eye = bag.passed_at_us, bag.eye_us
    return bag._replace(
        passed_at_us=(passed[0] + EPOCH_US, passed[1] + EPOCH_US),
        eye_us=(eye[0] + EPOCH_US, eye[1] + EPOCH_US),
    )


if __name__ == "__main__":
    main()
