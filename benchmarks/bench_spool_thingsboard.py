"""Claims, against thingsboard-gateway 3.8.5's own SQLite storage, in turns in one run.

An event is written for at most 0.30 and drained for at most 0.25 of its processor time; and at
200 events a second, every commit synced (synchronous=FULL), the disk takes at most half the bytes
that it takes with synchronous=NORMAL. Processor time is that of the whole process. Bytes are those
of the device under a file system of its own (root and a loop mount), else those of /proc/PID/io,
which hides the file system's journal.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PEER = HERE / ".venv" / "bin" / "python"
EVENTS, RATE, PACED_S, ROUNDS = 50_000, 200, 10, 5
SECTOR = 512
OURS, THEIRS = "aerocast", "thingsboard"
COMMANDS = {
    OURS: [sys.executable, str(HERE / "our_store.py")],
    THEIRS: [str(PEER), str(HERE / "thingsboard_store.py")],
}


def main() -> None:
    """Measure in turns, print medians and ratios."""
    if not PEER.exists():
        print("thingsboard-gateway is not installed: make peers")
        return
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in COMMANDS}
    with _disk() as (folder, device):
        for number in range(ROUNDS):
            for name, command in COMMANDS.items():
                place = str(folder / f"{name}-{number}")
                told = subprocess.run(
                    [*command, "burst", place, str(EVENTS)], capture_output=True, check=True
                )
                measured = json.loads(told.stdout)
                measured |= _paced([*command, "paced", f"{place}-p"], device)
                for key, value in measured.items():
                    figures[name].setdefault(key, []).append(value)
        print(f"bytes as counted by {device or '/proc/PID/io'}")
    for key, unit, claim in (
        ("write_us", "us CPU to write an event", 0.30),
        ("drain_us", "us CPU to drain an event", 0.25),
        ("paced_us", f"us CPU to write an event at {RATE}/s, net of the pace", None),
        ("bytes", f"bytes to disk for an event at {RATE}/s", 0.5),
    ):
        ours, theirs = (figures[name][key] for name in (OURS, THEIRS))
        for name, each in ((OURS, ours), (THEIRS, theirs)):
            median = statistics.median(each)
            print(f"{name:<12}{median:8.2f} {unit} ({min(each):.2f}-{max(each):.2f})")
        ratio = statistics.median(ours) / statistics.median(theirs)
        said = f"claim: at most {claim}" if claim else "no claim: ours syncs each commit"
        print(f"ratio: {ratio:.2f} ({said})")


def _paced(command: list[str], device: str | None) -> dict[str, float]:
    process = subprocess.Popen(
        [*command, str(RATE), str(PACED_S)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdin is None or process.stdout is None:
        raise SystemExit("no pipes")
    count: Callable[[], int] = (
        (lambda: _device_bytes(device)) if device else (lambda: _process_bytes(process.pid))
    )
    process.stdout.readline()  # ready
    _sync(device)
    before = count()
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()  # done
    _sync(device)  # what the kernel still held back is written too, some time
    written = count() - before
    told, _ = process.communicate("\n")
    said = json.loads(told)
    return {"bytes": written / said["events"], "paced_us": said["paced_us"]}


def _sync(device: str | None) -> None:
    if device:
        subprocess.run(["sync"], check=True)


def _device_bytes(device: str) -> int:
    for line in Path("/proc/diskstats").read_text().splitlines():
        fields = line.split()
        if fields[2] == device:
            return int(fields[9]) * SECTOR
    raise SystemExit(f"{device} is not in /proc/diskstats")


def _process_bytes(pid: int) -> int:
    told = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(told["write_bytes"])


@contextmanager
def _disk() -> Iterator[tuple[Path, str | None]]:
    with tempfile.TemporaryDirectory() as base:
        image, folder = Path(base, "disk.img"), Path(base, "disk")
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(2 * 1024**3)
        device = None
        try:
            subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
            subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
            source = subprocess.run(
                ["findmnt", "-no", "SOURCE", folder], check=True, capture_output=True, text=True
            )
            device = Path(source.stdout.strip()).name
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"no file system of its own: {error}")
        try:
            yield folder, device
        finally:
            if device:
                subprocess.run(["umount", folder], check=True)


if __name__ == "__main__":
    main()
