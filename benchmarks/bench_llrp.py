"""Claims: tag reports are decoded three times, and come in four times, as fast as by sllurp.

Against sllurp 3.0 in processes of its own, in turns in one run; what comes in comes over loopback
TCP, and nothing is lost. "CPU" is a client's whole processor time from its first report to its
last; a machine with other work to do lengthens the wall time of both.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROUNDS = 5
OURS, THEIRS = "aerocast", "sllurp"
CLIENTS = {OURS: HERE / "llrp_client.py", THEIRS: HERE / "sllurp_client.py"}
CORPORA = [("plain", 1), ("plain", 32), ("full", 1), ("full", 8), ("full", 32)]
SESSIONS = [("plain", 1), ("full", 8)]


def main() -> None:
    """Measure in turns, print medians and ratios."""
    for kind, each in CORPORA:
        _decoding(kind, each)
    for kind, each in SESSIONS:
        _over_tcp(kind, each)


def _decoding(kind: str, each: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(ROUNDS):
        for name, client in CLIENTS.items():
            told = _run(client, "decode", kind, str(each))
            rates[name].append(told["reports"] / told["cpu_s"])
    ours, theirs = (statistics.median(rates[name]) for name in CLIENTS)
    print(
        f"decode, {kind} reports, {each} in a message: {ours:,.0f}/s, sllurp {theirs:,.0f}/s:"
        f" {ours / theirs:.1f}x (at least 3x)"
    )


def _over_tcp(kind: str, each: int) -> None:
    figures: dict[str, dict[str, list[float]]] = {
        name: {"cpu_s": [], "wall_s": []} for name in CLIENTS
    }
    reports = 0
    for _ in range(ROUNDS):
        for name, client in CLIENTS.items():
            told = _session(client, kind, each)
            reports = int(told["reports"])
            for figure, values in figures[name].items():
                values.append(told[figure])
    for figure, what in (("wall_s", "wall"), ("cpu_s", "CPU")):
        ours, theirs = (reports / statistics.median(figures[name][figure]) for name in CLIENTS)
        print(
            f"over TCP, {kind}, {each} in a message, {what}: {ours:,.0f} reports/s,"
            f" sllurp {theirs:,.0f}/s: {ours / theirs:.1f}x (at least 4x);"
            f" {reports:,} of {reports:,} came"
        )


def _session(client: Path, kind: str, each: int) -> dict[str, float]:
    """Let a reader in another process tell of many reports, and a client take them."""
    reader = subprocess.Popen(
        [sys.executable, HERE / "llrp_player.py", kind, str(each)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with reader:
        assert reader.stdout is not None  # noqa: S101  it is a pipe
        port, sent = reader.stdout.readline().split()
        told = _run(client, "session", port, sent)
        reader.terminate()
    if told["reports"] != int(sent):
        raise SystemExit(f"{client.name}: {told['reports']} of {sent} reports came")
    return told


def _run(client: Path, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, client, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
