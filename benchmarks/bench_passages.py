"""Claims: which bag passed which belt, on the simulator's halls, beside rules that others go by.

Six kinds of hall, 420 bags on three belts each, from seeds that no rule was tuned on: tunnels and
overhead gantries, two fadings, 3 and 6 dB of shadowing. Belts stop, jog back and start again;
carts of tagged bags are parked beside them; some bags have no tag that answers. The peers get each
bag's reads picked out for them, so they can miss no bag and tell none twice: only the belt they
name is compared. Also measured: what one core does with 16 readers at 400 reads a second each.

    python benchmarks/bench_passages.py --seeds 20 --picture halls/   # pictures for the eye
"""

import argparse
import gzip
import json
import os
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from aerocast_agent.cli.decode.passage_score import Score, TrueBag, Truth, score
from aerocast_agent.config import Belt
from aerocast_agent.passages import Passages
from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_protocols.observations.every import Observation
from aerocast_simulator.hall import Hall, make_hall
from aerocast_simulator.hall_radio import Fading, Portal
from belt_rules import RULES, Heard
from hall_picture import draw_hall

OURS = "AeroCast"
AROUND_US = 15_000_000  # the reads of a bag that its peers get
SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "devices" / "belts"
READERS, RATE = 16, 400
NS = 1_000_000_000


class Kind(NamedTuple):
    """A kind of hall, and how many percent may be wrong and ambiguous in it."""

    portal: Portal
    fading: Fading
    shadow_db: float
    wrong: float
    ambiguous: float

    def __str__(self) -> str:
        return f"{self.portal}, {self.fading}, {self.shadow_db:.0f} dB"


KINDS = (
    Kind("tunnel", "rician", 3.0, 0.1, 2.0),
    Kind("tunnel", "rayleigh", 3.0, 0.1, 2.0),
    Kind("gantry", "rician", 3.0, 0.8, 4.0),
    Kind("gantry", "rayleigh", 3.0, 0.8, 4.0),
    Kind("gantry", "rician", 6.0, 1.5, 4.0),
    Kind("gantry", "rayleigh", 6.0, 1.5, 4.0),
)


class Played(NamedTuple):
    """One hall: our score, how many bags each rule had wrong, and our time for each observation."""

    score: Score
    wrong: dict[str, int]
    seconds: float
    observations: int


def main() -> None:
    """Play every hall, print a table of each kind and the sums the claims are about."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--bags", type=int, default=420)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--without-eyes", action="store_true", help="as if no belt had a photo eye")
    parser.add_argument("--picture", type=Path, help="folder for a picture of each kind of hall")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    sums: dict[str, int] = defaultdict(int)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for kind in KINDS:
            played = list(
                pool.map(
                    play,
                    [kind] * len(seeds),
                    seeds,
                    [options.bags] * len(seeds),
                    [not options.without_eyes] * len(seeds),
                )
            )
            for name, wrong in _print_kind(kind, played).items():
                sums[name] += wrong
    print("\nwrong in all:", ", ".join(f"{name} {wrong}" for name, wrong in sums.items()))
    edgex = min(sums["EdgeX profile, longest"], sums["EdgeX profile, last"])
    _judge("fewer wrong than the strongest single read", sums[OURS] < sums["strongest single read"])
    _judge("at most 1/5 of the EdgeX mobility profile", sums[OURS] * 5 <= edgex)
    _print_shared()
    _print_load()
    if options.picture is not None:
        options.picture.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            hall = make_hall(
                seeds[0], portal=kind.portal, fading=kind.fading, shadow_db=kind.shadow_db, bags=120
            )
            path = options.picture / f"{kind.portal}-{kind.fading}-{kind.shadow_db:.0f}dB.png"
            told, _ = tell(hall.belts, hall.observations)
            belts = msgspec.convert(hall.belts, list[Belt])
            draw_hall(path, belts, hall.observations, truth_of(hall), told)
            print(f"drawn: {path}")


def play(kind: Kind, seed: int, bags: int, eyes: bool) -> Played:  # noqa: FBT001  for map
    """Make a hall, let ours and the others' rules decide."""
    hall = make_hall(
        seed, portal=kind.portal, fading=kind.fading, shadow_db=kind.shadow_db, bags=bags
    )
    if not eyes:
        for table in hall.belts:
            del table["photo_eye"]
    told, seconds = tell(hall.belts, hall.observations)
    truth = truth_of(hall)
    reads = [each for each in hall.observations if isinstance(each, TagRead)]
    return Played(
        score(truth, told), rules_wrong(truth, hall.belts, reads), seconds, len(hall.observations)
    )


def tell(
    tables: list[dict[str, object]], observations: Sequence[TagRead | GpioEdge]
) -> tuple[list[Observation], float]:
    """Give what the agent tells of a hall, and the processor time that took."""
    passages = Passages(msgspec.convert(tables, list[Belt]))
    started = time.process_time()
    told = [each for observation in observations for each in passages.add(observation)]
    told += passages.advance(observations[-1].boot_ns + 300 * NS)
    return told, time.process_time() - started


def truth_of(hall: Hall) -> Truth:
    """Give what happened, as the score takes it."""
    bags = [bag._asdict() for bag in hall.bags]
    return msgspec.convert({"bags": bags, "parked": [{"epc": p.epc} for p in hall.parked]}, Truth)


def rules_wrong(
    truth: Truth, tables: list[dict[str, object]], reads: Iterable[TagRead]
) -> dict[str, int]:
    """Count the readable bags that each rule puts on a wrong belt."""
    belt_at = {
        place: belt.name for belt in msgspec.convert(tables, list[Belt]) for place in belt.antennas
    }
    by_epc: dict[str, list[TagRead]] = defaultdict(list)
    for read in reads:
        by_epc[read.epc.hex()].append(read)
    wrong = dict.fromkeys(RULES, 0)
    for bag in truth.bags:
        if bag.readable and bag.epc is not None:
            heard = [
                Heard(belt_at[f"{read.device}:{read.antenna}"], read)
                for read in by_epc[bag.epc]
                if _is_near(bag, read)
            ]
            for name, rule in RULES.items():
                wrong[name] += rule(heard) != bag.belt
    return wrong


def _is_near(bag: TrueBag, read: TagRead) -> bool:
    at_us = read.boot_ns / 1000
    return bag.passed_at_us[0] - AROUND_US < at_us < bag.passed_at_us[1] + AROUND_US


def _print_kind(kind: Kind, played: Sequence[Played]) -> dict[str, int]:
    found = Score()
    wrong: dict[str, int] = defaultdict(int)
    for each in played:
        found.add(each.score)
        for name, count in each.wrong.items():
            wrong[name] += count
    print(f"\n{kind}: {len(played)} halls, {found.readable} readable bags")
    print(f"  {OURS:24} wrong {found.wrong / found.readable:7.2%}")
    for name, count in wrong.items():
        print(f"  {name:24} wrong {count / found.readable:7.2%}")
    used = sum(each.seconds for each in played) / sum(each.observations for each in played)
    print(f"  {used * 1e6:.1f} us an observation")
    share = found.readable / 100
    _judge(
        f"wrong {found.wrong / share:.2f} % <= {kind.wrong} %", found.wrong <= kind.wrong * share
    )
    _judge(
        f"ambiguous {found.ambiguous / share:.2f} % <= {kind.ambiguous} %",
        found.ambiguous <= kind.ambiguous * share,
    )
    _judge(f"missed {found.missed / share:.2f} % <= 0.5 %", found.missed <= 0.5 * share)
    _judge(f"told once too often {found.repeated / share:.2f} %", found.repeated <= 0.5 * share)
    median_ms, most_ms = found.error_ms(0.5) or 0.0, found.error_ms(0.95) or 0.0
    _judge(f"time error median {median_ms:.0f} ms <= 100 ms", median_ms <= 100)
    _judge(f"time error 95 % {most_ms:.0f} ms <= 450 ms", most_ms <= 450)
    precision = found.unread_true / max(found.unread_told, 1)
    recall = found.unread_found / max(found.unread, 1)
    _judge(f"unread bags precision {precision:.0%} >= 60 %", precision >= 0.6)
    _judge(f"unread bags recall {recall:.0%} >= 80 %", recall >= 0.8)
    parked = f"parked tags told {found.parked_told} of {found.parked} <= 1/4"
    _judge(parked, found.parked_told * 4 <= found.parked)
    return {OURS: found.wrong, **wrong}


def _print_shared() -> None:
    """Compare on recorded halls, where they are there."""
    for folder in sorted(SHARED.glob("hall-*")):
        tables, observations, truth = _recorded(folder)
        told, _ = tell(tables, observations)
        found = score(truth, told)
        reads = [each for each in observations if isinstance(each, TagRead)]
        wrong = rules_wrong(truth, tables, reads)
        print(f"\n{folder.name}: {found}")
        print("  wrong:", ", ".join(f"{name} {count}" for name, count in wrong.items()))
        _judge("not more wrong than the best rule", found.wrong <= min(wrong.values()))


def _recorded(
    folder: Path,
) -> tuple[list[dict[str, object]], list[TagRead | GpioEdge], Truth]:
    tables = tomllib.loads((folder / "agent.toml").read_text())["belt"]
    observations: list[TagRead | GpioEdge] = []
    with gzip.open(folder / "reads.jsonl.gz", "rt") as lines:
        for line in map(json.loads, lines):
            device, boot_ns = line["device"], line["seen_at_us"] * 1000
            if "gpio" in line:
                edge = GpioEdge(
                    device=device, boot_ns=boot_ns, pin=line["gpio"], level=line["level"]
                )
                observations.append(edge)
            else:
                observations.append(
                    TagRead(
                        device=device,
                        boot_ns=boot_ns,
                        epc=bytes.fromhex(line["epc"]),
                        antenna=line["antenna"],
                        rssi_dbm=line["rssi_dbm"],
                    )
                )
    truth = msgspec.json.decode((folder / "truth.json").read_bytes(), type=Truth)
    return tables, observations, truth


def _print_load() -> None:
    """Measure how much of a core 16 readers at 400 reads a second each take."""
    hall = make_hall(99, portal="gantry", bags=210)
    reads = [each for each in hall.observations if isinstance(each, TagRead)]
    rate = len(reads) / (hall.observations[-1].boot_ns / NS)
    _, used = tell(hall.belts, hall.observations)
    share = used / len(hall.observations) * READERS * RATE
    print(f"\n{READERS} readers at {RATE} reads/s: {share:.0%} of a core", end="")
    print(f" ({rate:.0f} reads/s in the hall measured)")
    _judge("well under one core", share < 0.25)


def _judge(claim: str, holds: bool) -> None:  # noqa: FBT001  what it says
    print(f"  {'holds ' if holds else 'MISSED'} {claim}")


if __name__ == "__main__":
    main()
