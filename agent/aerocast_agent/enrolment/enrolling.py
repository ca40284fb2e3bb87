"""Enrol with a token, and renew with the present key: what is asked, checked and written.

A key that waits for its answer lies in ``waiting.key``: when the answer is lost, asking again with
the same token and the same key gives the same certificate.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from aerocast_agent.enrolment import keys
from aerocast_agent.enrolment.hub import (
    EnrolmentError,
    HubAddress,
    Identity,
    NotTrustedError,
    ask,
    check_url,
    fetch_unverified,
    present_in,
)
from aerocast_agent.enrolment.identity import (
    AUTHORITY,
    CERTIFICATE,
    DATES,
    LOGIN,
    WAITING_KEY,
    Dates,
    make_folder,
    read_dates,
    write_private,
)

ENROL, RENEW, AUTHORITIES = "/api/enrolment", "/api/enrolment/renewal", "/api/enrolment/authority"


def enrol(hub: HubAddress, token: str, folder: Path, name: str | None) -> Identity:
    """Get the first certificate for a token, and write what it takes to speak.

    Parameters
    ----------
    name
        ``site/gateway`` of the configuration: the hub says no when the token is for another. None:
        the hub decides.

    Raises
    ------
    EnrolmentError
        There is no certificate; the token stays good unless the message says otherwise.
    OSError
        It cannot be written; ask again with the same token.
    """
    check_url(hub.url)
    make_folder(folder)
    key = _waiting_key(folder)
    question = {"token": token, "request": keys.request_for(key, name)}
    pin = token.partition(".")[2]
    try:
        identity = ask(hub, ENROL, question)
    except NotTrustedError:
        if not pin:
            raise
        identity = ask(_by_pin(hub, pin, folder), ENROL, question)
    if pin and not keys.has_pin(identity.authority, pin):
        raise EnrolmentError(
            f"{hub.url} is not the hub that gave this token: its authority is another", refused=True
        )
    _write(identity, key, folder)
    return identity


def renew(hub: HubAddress, folder: Path) -> Identity:
    """Get the next certificate on the present key's word, and write it.

    Raises
    ------
    EnrolmentError
        There is none; ``refused``: the present one is good no more.
    OSError
        The present one cannot be read, or the next one not be written.
    """
    key = _waiting_key(folder)
    identity = _ask_by_key(hub, folder, key)
    _write(identity, key, folder)
    return identity


def ask_standing(hub: HubAddress, folder: Path) -> None:
    """Ask whether the present certificate is good: whose key asks for itself is given no other.

    Raises
    ------
    EnrolmentError
        It is not (``refused``), or the hub cannot be asked.
    """
    _ask_by_key(hub, folder, (folder / CERTIFICATE).read_text())


def _ask_by_key(hub: HubAddress, folder: Path, wished: str) -> Identity:
    """Ask for a certificate of the wished key on the present key's word."""
    check_url(hub.url)
    present = present_in(folder)
    request = keys.request_for(wished, None)
    question = {
        "certificate": present.certificate,
        "request": request,
        "signature": keys.sign_renewal(present.pem, request),
    }
    return ask(hub, RENEW, question)


def _by_pin(hub: HubAddress, pin: str, folder: Path) -> HubAddress:
    """Trust the authority the token's pin means: the token came from the hub by another way."""
    authority = fetch_unverified(hub, AUTHORITIES)
    try:
        is_meant = keys.has_pin(authority, pin)
    except ValueError:
        is_meant = False
    if not is_meant:
        raise EnrolmentError(
            f"{hub.url}: neither this machine nor the token vouches for its certificate; "
            "--ca FILE names whom to trust"
        )
    write_private(folder / AUTHORITY, authority.encode())
    return HubAddress(hub.url, (*hub.authorities, folder / AUTHORITY))


def _waiting_key(folder: Path) -> str:
    file = folder / WAITING_KEY
    try:
        return file.read_text()
    except FileNotFoundError:
        key = keys.make_key()
        write_private(file, key.encode())
        return key


def _write(identity: Identity, key: str, folder: Path) -> None:
    if not keys.belongs(identity.certificate, key):
        raise EnrolmentError("the hub's answer is for another key than ours")
    term = keys.term_of(identity.certificate)
    files: Mapping[str, str] = {
        AUTHORITY: identity.authority,
        CERTIFICATE: key + identity.certificate,
        DATES: msgspec.json.encode(dates_of(term.begins, term.ends)).decode(),
    }
    if identity.login is not None:
        write_private(
            folder / LOGIN, f"{identity.login.user}\n{identity.login.password}\n".encode()
        )
    for name, content in files.items():
        write_private(folder / name, content.encode())
    (folder / WAITING_KEY).unlink(missing_ok=True)


def dates_of(begins: datetime, ends: datetime) -> Dates:
    """Give a certificate's dates; it is to be renewed at two thirds of its life."""
    begins_us, ends_us = (int(each.timestamp()) * 1_000_000 for each in (begins, ends))
    return Dates(
        issued_at_us=begins_us,
        renew_at_us=begins_us + (ends_us - begins_us) * 2 // 3,
        ends_at_us=ends_us,
    )


def is_enrolled(folder: Path) -> bool:
    """Say whether there is a certificate to renew."""
    return read_dates(folder) is not None and (folder / CERTIFICATE).exists()
