"""Claim: METARs are read 15 times as fast as by avwx-engine and 3 times as by python-metar.

And TAFs with their timeline at least four times as fast as avwx-engine reads them without one. A
real cache file of the whole world's METARs, and real TAFs; turn about, each in a process of its
own, that reads the file three times; processor time. The claims are of the median reading. The
first one, before any group is remembered, is told beside it: there python-metar is about a third
as fast. Also printed, without claim: metar-taf-parser-mivek.
"""

import csv
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PEER = HERE / ".venv" / "bin" / "python"
WEATHER = HERE.parents[1] / "shared" / "data" / "weather"
PARSER = str(HERE / "weather_parsers.py")
ROUNDS = 5
CLAIMS = {
    "metar": {"avwx": 15.0, "python-metar": 3.0, "mivek": None},
    "taf": {"avwx": 4.0, "mivek": None},
}


def main() -> None:
    """Measure in turns, print medians and ratios."""
    if not PEER.exists():
        print("avwx-engine, metar and metar-taf-parser-mivek are not installed: make peers")
        return
    cache, collection = WEATHER / "awc_metars_20250814T1840Z.csv.gz", WEATHER / "metaf_real.json"
    if not (cache.exists() and collection.exists()):
        print("shared data of the weather is not here: nothing to measure")
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind, reports in (("metar", _metars(cache)), ("taf", _tafs(collection))):
            file = Path(folder) / kind
            file.write_text("\n".join(json.dumps(report) for report in reports))
            _compare(kind, file, len(reports))


def _compare(kind: str, file: Path, count: int) -> None:
    told: dict[str, list[dict[str, float]]] = {"aerocast": [], **{p: [] for p in CLAIMS[kind]}}
    for _ in range(ROUNDS):
        for parser, each in told.items():
            python = sys.executable if parser == "aerocast" else str(PEER)
            done = subprocess.run(
                [python, PARSER, parser, kind, str(file)], capture_output=True, check=True
            )
            each.append(json.loads(done.stdout))
    ours = told["aerocast"]
    print(f"{count} {kind.upper()}s, reports a second: the first reading, the median of three")
    for parser, each in told.items():
        first, usual = (_median(each, name) for name in ("first", "median"))
        print(f"{parser:<13}{first:9,.0f} {usual:9,.0f}   raised {each[0]['raised']:.0f}", end="")
        if parser == "aerocast":
            print()
            continue
        at_first, ratio = _median(ours, "first") / first, _median(ours, "median") / usual
        claim = CLAIMS[kind][parser]
        print(f"   ours is {at_first:.1f}, {ratio:.1f} times as fast", end=" ")
        print("(no claim)" if claim is None else f"(claim: at least {claim:.0f})")


def _median(told: list[dict[str, float]], name: str) -> float:
    return statistics.median(each[name] for each in told)


def _metars(cache: Path) -> list[tuple[str, str]]:
    lines = gzip.decompress(cache.read_bytes()).decode().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("raw_text,"))
    return [(row[0], "2025-08-14") for row in csv.reader(lines[start + 1 :])]


def _tafs(collection: Path) -> list[tuple[str, str]]:
    return [(case["raw"], case["date"]) for case in json.loads(collection.read_text())["taf"]]


if __name__ == "__main__":
    main()
