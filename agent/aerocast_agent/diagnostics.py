"""Everything that helps whoever looks from afar, in one file: checks, state, configuration, log.

No secret is in it: what agent.toml calls a password, token or key, and users in addresses, are
masked. Nor is anything of a passenger: observations stay in the spool.
"""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from aerocast_agent import VERSION
from aerocast_agent.config import Config
from aerocast_agent.doctor.check import Check
from aerocast_agent.status import Status

MASK = "***"
LOG_LINES = 5000
LOG_WITHIN_S = 20
LARGEST_LOG = 16 * 1024 * 1024
_SECRET = re.compile(r"(password|passwd|secret|token|api_?key|pin)(?!_file)", re.IGNORECASE)
_USER_IN_ADDRESS = re.compile(r"(\w+://)[^/@\s]+@")


def masked(value: object) -> object:
    """Give a configuration, as JSON has it, without its secrets."""
    if isinstance(value, dict):
        return {
            key: MASK if _SECRET.search(key) and isinstance(each, str) else masked(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [masked(each) for each in value]
    return _USER_IN_ADDRESS.sub(rf"\1{MASK}@", value) if isinstance(value, str) else value


def write_bundle(
    file: Path, settings: Config | None, status: Status | None, checks: Iterable[Check]
) -> None:
    """Write the bundle, a ZIP file.

    Raises
    ------
    OSError
        It cannot be written.
    """
    with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in _parts(settings, status, checks):
            bundle.writestr(name, content)


def _parts(
    settings: Config | None, status: Status | None, checks: Iterable[Check]
) -> Iterator[tuple[str, bytes]]:
    yield "version.json", msgspec.json.encode({"agent_version": VERSION})
    if settings is not None:
        told = masked(msgspec.json.decode(msgspec.json.encode(settings)))
        yield "config.json", msgspec.json.format(msgspec.json.encode(told))
    if status is not None:
        yield "status.json", msgspec.json.format(msgspec.json.encode(status))
    yield "doctor.jsonl", b"".join(msgspec.json.encode(each) + b"\n" for each in checks)
    yield "log.txt", _log()


def _log() -> bytes:
    """Give the newest lines of the daemon's log, or why there are none."""
    journal = shutil.which("journalctl")
    if journal is None:
        return b"there is no journal on this machine\n"
    command = [
        journal,
        "-u",
        "aerocast-agent",
        "-n",
        str(LOG_LINES),
        "--no-pager",
        "-o",
        "short-iso",
    ]
    try:
        told = subprocess.run(command, capture_output=True, timeout=LOG_WITHIN_S, check=False)  # noqa: S603  found by its name
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the journal cannot be read: {error}\n".encode()
    lines = (told.stdout or told.stderr)[-LARGEST_LOG:].decode(errors="replace")
    return _USER_IN_ADDRESS.sub(rf"\1{MASK}@", lines).encode()
