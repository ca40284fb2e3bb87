"""``aerocast-agent install --systemd``: the units this package carries, put where they belong."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aerocast_agent.cli import REFUSED, WELL

UNITS = Path(__file__).parents[1] / "systemd"
PLACES = {
    "aerocast-agent.service": "etc/systemd/system/aerocast-agent.service",
    "aerocast-agent.sysusers.conf": "usr/lib/sysusers.d/aerocast-agent.conf",
    "aerocast-agent.tmpfiles.conf": "usr/lib/tmpfiles.d/aerocast-agent.conf",
    "60-aerocast.rules": "etc/udev/rules.d/60-aerocast.rules",
}
COMMANDS = (
    ("systemd-sysusers",),
    ("systemd-tmpfiles", "--create"),
    ("systemctl", "daemon-reload"),
    ("udevadm", "control", "--reload"),
)
SHIPPED_COMMAND = "/opt/aerocast/bin/aerocast-agent"


def run(arguments: Sequence[str]) -> int:
    """Put the units in place, make the service's user and folders; start nothing."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent install",
        description="Install this gateway's service: unit, user, folders and rules for serial "
        "devices. Nothing is started. Files that are there already are brought up to date.",
        epilog="Example: sudo aerocast-agent install --systemd",
    )
    parser.add_argument("--systemd", action="store_true", required=True, help="for systemd")
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="another root, for images: nothing is run"
    )
    parser.add_argument("--json", action="store_true", help="JSON lines")
    options = parser.parse_args(arguments)
    try:
        for name, place in PLACES.items():
            _put(name, options.root / place, as_json=options.json)
        if options.root == Path("/"):
            for command in COMMANDS:
                subprocess.run(command, check=True, capture_output=True)  # noqa: S603  our own words
    except PermissionError as error:
        return _fail(f"{error}; try with sudo", as_json=options.json)
    except OSError as error:
        return _fail(str(error), as_json=options.json)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        return _fail(f"{' '.join(error.cmd)}: {said}", as_json=options.json)
    if not options.json:
        sys.stdout.write(
            "Next: sudo aerocast-agent enrol --hub https://HUB --token TOKEN\n"
            "      sudo systemctl enable --now aerocast-agent; aerocast-agent doctor\n"
        )
    return WELL


def _put(name: str, file: Path, *, as_json: bool) -> None:
    """Write one file; the unit runs the command that this very one is beside."""
    content = (UNITS / name).read_text()
    own = Path(sys.argv[0]).absolute()
    if own.name == "aerocast-agent" and own.exists():
        content = content.replace(SHIPPED_COMMAND, str(own))
    before = file.read_text() if file.exists() else None
    if before != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(content)
        beside.chmod(0o644)
        beside.replace(file)
    did = "kept" if before == content else "written" if before is None else "replaced"
    told = msgspec.json.encode({"file": str(file), "state": did}).decode()
    sys.stdout.write((told if as_json else f"{did:<9}{file}") + "\n")


def _fail(message: str, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(msgspec.json.encode({"error": message}).decode() + "\n")
    else:
        sys.stderr.write(f"aerocast-agent: {message}\n")
    return REFUSED
