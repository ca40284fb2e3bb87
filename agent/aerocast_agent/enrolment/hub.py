"""Ask the hub for a certificate over HTTPS. On loopback plain HTTP will do: a token is a secret."""

import http.client
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from aerocast_agent.broker_login import LOOPBACK
from aerocast_agent.enrolment.identity import CERTIFICATE

WITHIN_S = 20.0
LARGEST_ANSWER = 256 * 1024


class EnrolmentError(Exception):
    """The hub was not reached, or does not give a certificate; the message says what mends it.

    Attributes
    ----------
    refused
        True when the hub answered and said no.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class Present(NamedTuple):
    """What a gateway has: its key and certificate in one text, and the certificate alone."""

    pem: str
    certificate: str


def present_in(folder: Path) -> Present:
    """Read what an enrolled gateway has.

    Raises
    ------
    EnrolmentError
        It is damaged.
    OSError
        It is not there, or may not be read.
    """
    pem = (folder / CERTIFICATE).read_text(errors="replace")
    key, begins, certificate = pem.partition("-----BEGIN CERTIFICATE")
    if "PRIVATE KEY" not in key or not begins:
        raise EnrolmentError(
            f"{folder / CERTIFICATE} holds no key and certificate any more: enrol the gateway anew"
            " with a token from the hub (`aerocast-agent enrol --help`)"
        )
    return Present(pem, begins + certificate)


class BrokerLogin(msgspec.Struct, frozen=True, kw_only=True):
    """User and password for a broker that asks for them."""

    user: str
    password: str


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub gives: see its own API's description."""

    site: str
    name: str
    certificate: str
    authority: str
    broker: str | None = None
    broker_v3: str | None = None
    login: BrokerLogin | None = None


class _Problem(msgspec.Struct):
    detail: str | None = None
    title: str | None = None


class HubAddress(msgspec.Struct, frozen=True):
    """Where the hub is, and whom to trust there.

    Attributes
    ----------
    url
        ``https://host``; ``http://`` on loopback only.
    authorities
        PEM files to trust beside what this machine trusts.
    """

    url: str
    authorities: tuple[Path, ...] = ()


def check_url(url: str) -> None:
    """Refuse an address that would carry secrets in the clear.

    Raises
    ------
    EnrolmentError
        It is none, or it is not encrypted.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EnrolmentError(f"--hub {url}: expected https://host")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise EnrolmentError(
            f"--hub {url}: over plain http anybody on the way could read the token; use https://"
        )


def ask(hub: HubAddress, path: str, question: dict[str, str]) -> Identity:
    """Ask for a certificate.

    Raises
    ------
    EnrolmentError
        There is none; ``refused`` when the hub says so.
    """
    content = _exchange(hub, trusting(hub), "POST", path, msgspec.json.encode(question))
    try:
        return msgspec.json.decode(content, type=Identity)
    except msgspec.DecodeError as error:
        raise EnrolmentError(f"{hub.url}{path}: the answer is no hub's: {error}") from error


def fetch_unverified(hub: HubAddress, path: str) -> str:
    """Fetch what will be checked by other means than who gave it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _exchange(hub, context, "GET", path, None).decode(errors="replace")


def trusting(hub: HubAddress) -> ssl.SSLContext:
    """Give what verifies the hub's web address.

    Raises
    ------
    EnrolmentError
        A file cannot be used.
    """
    context = ssl.create_default_context()
    for file in hub.authorities:
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise EnrolmentError(f"{file}: {error}") from error
    return context


class NotTrustedError(EnrolmentError):
    """The hub's certificate is not of anybody trusted here."""


def _exchange(
    hub: HubAddress, context: ssl.SSLContext, method: str, path: str, body: bytes | None
) -> bytes:
    parts = urlsplit(hub.url)
    connection = (
        http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=WITHIN_S, context=context
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=WITHIN_S)
    )
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        connection.request(method, parts.path.rstrip("/") + path, body, headers)
        answer = connection.getresponse()
        content = answer.read(LARGEST_ANSWER + 1)
    except ssl.SSLCertVerificationError as error:
        raise NotTrustedError(
            f"{hub.url}: its certificate is not trusted here ({error.verify_message}); "
            "--ca FILE names whom to trust"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EnrolmentError(
            f"{hub.url}: {error}; see that the hub runs and can be reached"
        ) from error
    finally:
        connection.close()
    if len(content) > LARGEST_ANSWER:
        raise EnrolmentError(f"{hub.url}{path}: the answer is no hub's: too long")
    if answer.status >= 400:
        raise refusal(hub, answer.status, content)
    return content


def refusal(hub: HubAddress, status: int, content: bytes) -> EnrolmentError:
    """Give what the hub says when it says no."""
    try:
        problem = msgspec.json.decode(content, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    told = problem.detail or problem.title or f"status {status}"
    # Too many tries and faults of the hub's pass; a no stays a no.
    return EnrolmentError(f"{hub.url}: {told}", refused=status < 500 and status != 429)
