"""What `diagnose` and `send` have in common: hand files to the hub, and say what came of it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aerocast_agent.cli import REFUSED, WELL
from aerocast_agent.config import Config
from aerocast_agent.enrolment.enrolling import is_enrolled
from aerocast_agent.enrolment.hub import EnrolmentError, HubAddress
from aerocast_agent.enrolment.identity import folder_of, web_authorities
from aerocast_agent.enrolment.sending import FileStored, Kind, send_file


def send_all(settings: Config, kind: Kind, files: Sequence[Path], *, as_json: bool) -> int:
    """Send files, one after the other; exit status 1 when one was not taken."""
    status = WELL
    for file in files:
        try:
            stored = _send(settings, kind, file)
        except (EnrolmentError, OSError) as error:
            status = REFUSED
            sys.stderr.write(f"aerocast-agent: {file}: {error}\n")
            if as_json:
                told = {"error": str(error), "input": str(file)}
                sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            continue
        if as_json:
            sys.stdout.write(msgspec.json.encode(stored).decode() + "\n")
        else:
            sys.stdout.write(f"{file}: {stored.size} bytes are in the hub's store, {stored.key}\n")
    return status


def _send(settings: Config, kind: Kind, file: Path) -> FileStored:
    folder = folder_of(settings.spool.path)
    if settings.hub.http is None or not is_enrolled(folder):
        raise EnrolmentError(
            "the hub takes files of enrolled gateways alone: see aerocast-agent enrol"
        )
    hub = HubAddress(settings.hub.http.rstrip("/"), web_authorities(folder))
    return send_file(hub, folder, kind, file)
