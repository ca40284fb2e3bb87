"""``aerocast-agent enrol``: a certificate for this gateway, and a configuration that uses it."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.settings import add_config
from aerocast_agent.config import Config, Spool
from aerocast_agent.config_file import ConfigError, read_config
from aerocast_agent.enrolment.enrolling import enrol, is_enrolled, renew
from aerocast_agent.enrolment.hub import EnrolmentError, HubAddress, Identity
from aerocast_agent.enrolment.identity import (
    AUTHORITY,
    CERTIFICATE,
    LOGIN,
    WEB_AUTHORITY,
    folder_of,
    make_folder,
    read_dates,
    web_authorities,
    write_private,
)
from aerocast_agent.toml_edit import EditError, set_keys


def run(arguments: Sequence[str]) -> int:
    """Enrol with a token from the hub, or renew now what the daemon would renew in time."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent enrol",
        description="Make a key on this gateway, have the hub certify it for a one-time token, and "
        "write both beside the spool and into agent.toml. The daemon renews it by itself.",
        epilog="Example: sudo aerocast-agent enrol --hub https://hub.lfbo.example --token TOKEN "
        "(the token comes from 'aerocast-hub gateway claim SITE NAME')",
    )
    add_config(parser)
    parser.add_argument("--hub", help="the hub's address; default: [hub] http of the configuration")
    parser.add_argument("--token", help="the token, or - to read it from standard input")
    parser.add_argument("--ca", type=Path, help="PEM of whom to trust for the hub's address")
    parser.add_argument("--renew", action="store_true", help="renew now; takes no token")
    parser.add_argument("--json", action="store_true", help="print a JSON line")
    options = parser.parse_args(arguments)
    file = Path(options.config)
    try:
        settings = read_config(file) if file.exists() else None
    except ConfigError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return WRONG_USAGE
    url = options.hub or (settings.hub.http if settings is not None else None)
    if url is None or options.renew == (options.token is not None):
        parser.error("say --hub and --token, or --renew")
    try:
        return _enrol(options, url.rstrip("/"), file, settings)
    except EnrolmentError as error:
        return _fail(str(error), as_json=options.json)
    except OSError as error:
        mend = "try with sudo" if isinstance(error, PermissionError) else "ask again"
        return _fail(f"{error}; the token stays good here: {mend}", as_json=options.json)


def _enrol(options: argparse.Namespace, url: str, file: Path, settings: Config | None) -> int:
    spool = settings.spool if settings is not None else Spool()
    folder = folder_of(spool.path)
    if options.ca is not None:
        make_folder(folder)
        write_private(folder / WEB_AUTHORITY, options.ca.read_bytes())
    hub = HubAddress(url, web_authorities(folder))
    if options.renew:
        if not is_enrolled(folder):
            return _fail(f"{folder}: nothing to renew: enrol with a token", as_json=options.json)
        identity = renew(hub, folder)
    else:
        token = sys.stdin.readline().strip() if options.token == "-" else options.token  # noqa: S105  where it comes from
        name = None
        if settings is not None:
            name = f"{settings.gateway.site}/{settings.gateway.name}"
        identity = enrol(hub, token, folder, name)
    try:
        _configure(file, settings, _hub_table(identity, url, folder), identity)
    except EditError as error:
        return _fail(f"enrolled, but {file}: {error}", as_json=options.json)
    return _tell(identity, folder, file, as_json=options.json)


def _hub_table(identity: Identity, url: str, folder: Path) -> dict[str, str | None]:
    changed: dict[str, str | None] = {
        "http": url,
        "certificate": str(folder / CERTIFICATE),
        "ca": str(folder / AUTHORITY),
        "key": None,  # it is in the certificate's file
    }
    if identity.broker is not None:
        changed |= {"broker": identity.broker, "broker_v3": identity.broker_v3}
    if identity.login is not None:
        changed["login"] = str(folder / LOGIN)
    return changed


def _configure(
    file: Path, settings: Config | None, table: Mapping[str, str | None], identity: Identity
) -> None:
    """Write what changed into agent.toml; without one, begin one."""
    if settings is None:
        text = set_keys("", "gateway", {"site": identity.site, "name": identity.name})
        mode = 0o640
    else:
        text, mode = file.read_text(), file.stat().st_mode & 0o777
    edited = set_keys(text, "hub", table)
    if settings is not None and edited == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.stat() if file.exists() else file.parent.stat()
    write_private(file, edited.encode())
    file.chmod(mode)
    if os.geteuid() == 0:
        os.chown(file, before.st_uid, before.st_gid)


def _tell(identity: Identity, folder: Path, file: Path, *, as_json: bool) -> int:
    dates = read_dates(folder)
    told = {
        "site": identity.site,
        "name": identity.name,
        "certificate": str(folder / CERTIFICATE),
        "renew_at_us": dates.renew_at_us if dates else None,
        "ends_at_us": dates.ends_at_us if dates else None,
        "broker": identity.broker,
        "config": str(file),
    }
    if as_json:
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return WELL
    sys.stdout.write(
        f"{identity.site}/{identity.name} is certified until {_day(told['ends_at_us'])}; the "
        f"daemon renews that by itself from {_day(told['renew_at_us'])}.\n{file} now names it.\n"
        "Next: sudo systemctl restart aerocast-agent; aerocast-agent doctor\n"
    )
    return WELL


def _day(at_us: object) -> str:
    return f"{datetime.fromtimestamp(int(str(at_us)) // 1_000_000, UTC):%Y-%m-%d}"


def _fail(message: str, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(msgspec.json.encode({"error": message}).decode() + "\n")
    else:
        sys.stderr.write(f"aerocast-agent: {message}\n")
    return REFUSED
