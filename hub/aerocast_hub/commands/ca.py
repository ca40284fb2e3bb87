"""`aerocast-hub ca show|export|issue|rotate`: who signs gateways' certificates."""

import argparse
import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.enrolment.authorities import (
    Authorities,
    begin_rotation,
    finish_rotation,
    load_authorities,
)
from aerocast_hub.enrolment.certificates import (
    BEGINS_EARLIER,
    HUB,
    SERVER_LASTS,
    CertificateError,
    Term,
    certify_service,
    key_to_pem,
    to_pem,
)
from aerocast_hub.enrolment.revocation import write_for_brokers
from aerocast_hub.enrolment.store import pin_of
from aerocast_hub.settings import Settings, load_settings
from aerocast_hub.whole_file import write_whole

EXAMPLE = """examples:
  aerocast-hub ca show
  aerocast-hub ca issue broker --host broker.lfbo.example --out /etc/mosquitto/certs
  aerocast-hub ca issue hub --out /etc/aerocast-hub
  aerocast-hub ca export /etc/mosquitto/certs
  aerocast-hub ca rotate; later, when brokers trust it: aerocast-hub ca rotate --finish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="who signs, who is trusted besides, until when")
    export = actions.add_parser("export", help="write what brokers read: authority.pem, crl.pem")
    export.add_argument("folder", type=Path)
    issue = actions.add_parser("issue", help="a key and certificate for a broker, or for a hub")
    issue.add_argument("what", choices=["broker", "hub"])
    issue.add_argument("--host", action="append", default=[], help="name or address; repeat it")
    issue.add_argument("--out", type=Path, required=True, help="folder for the .pem and .key")
    rotate = actions.add_parser("rotate", help="make the next authority; --finish: it signs")
    rotate.add_argument("--finish", action="store_true", help="the next one signs from now on")
    for each in (show, export, issue, rotate):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when a certificate cannot be made as asked."""
    settings = load_settings()
    if arguments.action == "rotate":
        authorities = (finish_rotation if arguments.finish else begin_rotation)(settings)
        _write(settings)
        return _show(authorities, as_json=arguments.json)
    if arguments.action == "export":
        folder = _write(settings, arguments.folder)
        _tell([str(folder / name) for name in ("authority.pem", "crl.pem")], as_json=arguments.json)
        return 0
    if arguments.action == "issue":
        return _issue(settings, arguments)
    return _show(load_authorities(settings), as_json=arguments.json)


def _write(settings: Settings, folder: Path | None = None) -> Path:
    async def work() -> Path:
        database = Database(settings.database)
        try:
            await migrate(database)
            return await write_for_brokers(database, settings, folder)
        finally:
            await database.close()

    return asyncio.run(work())


def _issue(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.what == "broker" and not arguments.host:
        complain("a broker's certificate names its hosts: --host NAME")
        return 2
    authority = load_authorities(settings).issuing
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC).replace(microsecond=0)
    name = HUB if arguments.what == "hub" else arguments.host[0]
    try:
        certificate = certify_service(
            authority,
            key.public_key(),
            name,
            arguments.host,
            x509.random_serial_number(),
            Term(now - BEGINS_EARLIER, now + SERVER_LASTS),
        )
    except (CertificateError, ValueError) as error:
        complain(str(error))
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = [arguments.out / f"{arguments.what}.pem", arguments.out / f"{arguments.what}.key"]
    write_whole(files[1], key_to_pem(key).encode())
    write_whole(files[0], to_pem(certificate).encode(), mode=0o644)
    _tell([str(file) for file in files], as_json=arguments.json)
    return 0


def _show(authorities: Authorities, *, as_json: bool) -> int:
    for number, authority in enumerate(authorities.every()):
        certificate = authority.certificate
        waits = authorities.has_next and number == 1
        told = {
            "state": "issuing" if number == 0 else "next" if waits else "former",
            "serial": f"{certificate.serial_number:x}",
            "ends": certificate.not_valid_after_utc.date().isoformat(),
            "sha256": _digest(certificate),
            "pin": pin_of(authorities) if number == 0 else None,
        }
        if as_json:
            print_json(told)
        else:
            print_line(
                f"{told['state']:<8} until {told['ends']}  serial {told['serial']}\n"
                f"         SHA-256 {told['sha256']}"
            )
    return 0


def _digest(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _tell(files: list[str], *, as_json: bool) -> None:
    for file in files:
        if as_json:
            print_json({"file": file})
        else:
            print_line(file)
