"""What gateways ask over HTTPS: their first certificate, the next ones, and whom to trust."""

import base64
import binascii
import math
import time
from typing import Annotated, Any, NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import (
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
    ValidationException,
)
from litestar.params import FromPath, JSONBody

from aerocast_hub.audit.trail import record
from aerocast_hub.auth.caller import client_of
from aerocast_hub.auth.limiting.attempts import Attempts, Limits
from aerocast_hub.broker_url import EMBEDDED, NONE, is_amqp, parse_broker_url
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.authorities import Authorities, load_authorities
from aerocast_hub.enrolment.certificates import (
    LONGEST_REQUEST,
    CertificateError,
    common_name,
    is_signed_by,
    read_key,
    read_request,
)
from aerocast_hub.enrolment.certificates import Request as CertificateRequest
from aerocast_hub.enrolment.revocation import Revocations
from aerocast_hub.enrolment.store import (
    LONGEST_CLAIM_H,
    Certificate,
    Claim,
    Issued,
    certificates_of,
    claimant,
    make_claim,
    redeem,
    renew,
    why_not,
)
from aerocast_hub.gateways.registry import GatewayRefusedError
from aerocast_hub.inbox.broker_login import gateways_login
from aerocast_hub.settings import Settings
from aerocast_hub.web.description.unchanged import UNCHANGED

# A hall full of gateways may stand behind one address.
ENROLMENTS = Limits(together=60, client=600, account=60)
# A broker may ask every second; the answer is kept.
LISTS = Limits(together=600, client=600, account=600)
PEM = "application/x-pem-file"
WRONG_TOKEN = "the token is not good, or not any more: 'aerocast-hub gateway claim' gives a new one"  # noqa: S105  words about tokens
NOT_RENEWED = {
    "revoked": "this gateway's certificate is revoked; what it has seen is safe with it",
    "ended": "this gateway's certificate has ended; 'aerocast-hub gateway claim' gives a token to "
    "enrol anew",
    "unknown": "this gateway's certificate is not of this hub; 'aerocast-hub gateway claim' gives "
    "a token to enrol here",
}
RENEWAL = b"aerocast renewal v1\0"
"""What a gateway signs with its present key when it asks for the next certificate: this, then the
request as sent. A signature made for anything else is good for nothing here."""

Pem = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_REQUEST)]


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token, and the certificate request of a key made on the gateway (PEM)."""

    token: Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
    request: Pem


class Renewal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present certificate, the request of the next key, and the present key's word for it.

    Attributes
    ----------
    signature
        Base64 of ECDSA with SHA-256 over ``aerocast renewal v1``, a zero byte, and ``request``.
    """

    certificate: Pem
    request: Pem
    signature: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class BrokerLogin(msgspec.Struct, frozen=True, kw_only=True):
    """User and password for a broker that asks for them."""

    user: str
    password: str


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a gateway known.

    Attributes
    ----------
    certificate, authority
        PEM: its certificate, and whom to trust.
    broker, broker_v3
        Where to connect, over MQTT 5 and over 3.1.1; None: as before.
    """

    site: str
    name: str
    certificate: str
    authority: str
    broker: str | None = None
    broker_v3: str | None = None
    login: BrokerLogin | None = None


class ClaimWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a token shall be good, hours."""

    hours: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_CLAIM_H)] = 24.0


class EnrolmentController(Controller):
    """Certificates for gateways."""

    path = "/api/enrolment"
    tags = ("Gateways",)

    @get(
        "/authority",
        operation_id="GetAuthority",
        media_type=PEM,
        opt={"public": True},
        sync_to_thread=False,
    )
    def authority(self, settings: NamedDependency[Settings]) -> str:
        """Give whom to trust, as PEM."""
        return load_authorities(settings).bundle()

    @get(
        "/revoked",
        operation_id="GetRevoked",
        responses=UNCHANGED,
        media_type=PEM,
        opt={"public": True},
    )
    async def revoked(
        self,
        request: Request[Any, Any, State],
        revocations: NamedDependency[Revocations],
        list_tries: NamedDependency[Attempts],
    ) -> Response[str]:
        """Give the certificates that are good no more: each authority's list, PEM after PEM.

        It is new within 2 seconds of a revocation. Sent with the ``ETag`` it had (in
        ``If-None-Match``), the question is answered 304 while the lists are the same.

        Raises
        ------
        TooManyRequestsException
            Too many questions from there.
        """
        await count_try(list_tries, "list", client_of(request))
        signed = await revocations.signed()
        headers = {"ETag": f'"{signed.mark}"', "Cache-Control": "no-cache"}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response("", status_code=304, media_type=PEM, headers=headers)
        return Response(signed.pem, media_type=PEM, headers=headers)

    @post("/", operation_id="Enrol", status_code=201, opt={"public": True})
    async def enrol(
        self,
        data: JSONBody[Enrolment],
        request: Request[Any, Any, State],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        enrolment_tries: NamedDependency[Attempts],
    ) -> Identity:
        """Give a gateway its certificate for a token, which is then used up.

        Raises
        ------
        PermissionDeniedException
            The token is wrong, past its time or used; which of them is not said.
        ValidationException
            The request is none, or for another gateway than the token; the token stays good.
        TooManyRequestsException
            Too many tries from there.
        """
        await count_try(enrolment_tries, "enrol", client_of(request))
        authorities, now_us = load_authorities(settings), time.time_ns() // 1000
        wished = _read(data.request)
        async with database.reading() as session:
            who = await claimant(session, data.token, now_us)
        if who is None:
            await _refuse_token(database)
        _check_name(wished, who)
        async with database.writing() as session:
            issued = await redeem(
                session, authorities, data.token, wished, now_us, settings.certificate_days
            )
        if issued is None:
            await _refuse_token(database)
        return _identity(issued, authorities, settings)

    @post("/renewal", operation_id="Renew", status_code=201, opt={"public": True})
    async def renewal(
        self,
        data: JSONBody[Renewal],
        request: Request[Any, Any, State],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        enrolment_tries: NamedDependency[Attempts],
    ) -> Identity:
        """Give a gateway its next certificate on its present key's word.

        Raises
        ------
        PermissionDeniedException
            The certificate is not good any more, or the word is not its key's.
        ValidationException
            Something cannot be read.
        TooManyRequestsException
            Too many tries from there.
        """
        await count_try(enrolment_tries, "renew", client_of(request))
        wished = _read(data.request)
        present = _present(data)
        authorities, now_us = load_authorities(settings), time.time_ns() // 1000
        async with database.writing() as session:
            issued = await renew(
                session,
                authorities,
                present,
                wished.public_key,
                now_us,
                settings.certificate_days,
            )
        if issued is None:
            async with database.reading() as session:
                reason = await why_not(session, present, now_us)
            raise PermissionDeniedException(NOT_RENEWED[reason])
        return _identity(issued, authorities, settings)


class ClaimController(Controller):
    """Tokens and certificates of gateways, for operators."""

    path = "/api/gateways/{site:str}/{name:str}"
    tags = ("Gateways",)

    @post("/claim", operation_id="ClaimGateway", opt={"permission": "gateways:write"})
    async def claim(
        self,
        site: FromPath[str],
        name: FromPath[str],
        data: JSONBody[ClaimWish],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
    ) -> Claim:
        """Make the token a gateway enrols with, once; those made for it before are good no more.

        Raises
        ------
        NotFoundException
            It is not registered, or is revoked.
        """
        try:
            async with database.writing() as session:
                return await make_claim(
                    session,
                    load_authorities(settings),
                    (site, name),
                    time.time_ns() // 1000,
                    data.hours,
                )
        except GatewayRefusedError as error:
            raise NotFoundException(str(error)) from error

    @get(
        "/certificates",
        operation_id="ListGatewayCertificates",
        opt={"permission": "gateways:read"},
    )
    async def certificates(
        self, site: FromPath[str], name: FromPath[str], database: NamedDependency[Database]
    ) -> list[Certificate]:
        """Give every certificate a gateway was given, the newest first."""
        async with database.reading() as session:
            return await certificates_of(session, site, name)


async def _refuse_token(database: Database) -> NoReturn:
    async with database.writing() as session:
        await record(session, "gateway_enrolled", subject="gateway unknown", outcome="failure")
    raise PermissionDeniedException(WRONG_TOKEN)


async def count_try(tries: Attempts, what: str, client: str) -> None:
    """Count a gateway's question.

    Raises
    ------
    TooManyRequestsException
        Too many from there.
    """
    wait_s = math.ceil(await tries.wait_s(f"{what} {client}", client))
    if wait_s:
        raise TooManyRequestsException(
            f"too many tries: wait {wait_s} s", headers={"Retry-After": str(wait_s)}
        )


def _read(pem: str) -> CertificateRequest:
    try:
        return read_request(pem)
    except CertificateError as error:
        raise ValidationException(str(error)) from error


def _check_name(wished: CertificateRequest, who: tuple[str, str]) -> None:
    expected = common_name(*who)
    if wished.common_name not in {None, expected}:
        raise ValidationException(
            f"the token is for gateway {expected}, the request for {wished.common_name!r}: "
            "mend [gateway] in agent.toml, or take that gateway's token"
        )


def _present(data: Renewal) -> ec.EllipticCurvePublicKey:
    """Give the key a renewal is asked with. Whose it is, the database knows: no certificate says.

    Raises
    ------
    PermissionDeniedException
        The key has not signed this.
    ValidationException
        Something cannot be read.
    """
    try:
        key = read_key(data.certificate)
        signature = base64.b64decode(data.signature, validate=True)
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValidationException("certificate is PEM, signature is base64") from error
    if key is None:
        raise PermissionDeniedException(NOT_RENEWED["unknown"])
    if not is_signed_by(key, signature, RENEWAL + data.request.encode()):
        raise PermissionDeniedException("the signature is not of the certificate's key")
    return key


def _identity(issued: Issued, authorities: Authorities, settings: Settings) -> Identity:
    broker, broker_v3 = _brokers(settings)
    is_embedded = settings.broker_url.get_secret_value() == EMBEDDED
    login = gateways_login(settings.signing_key()) if is_embedded else None
    return Identity(
        site=issued.site,
        name=issued.name,
        certificate=issued.certificate,
        authority=authorities.bundle(),
        broker=broker,
        broker_v3=broker_v3,
        login=None if login is None else BrokerLogin(user=login.user, password=login.password),
    )


def _brokers(settings: Settings) -> tuple[str | None, str | None]:
    """Say where gateways connect, without anybody's password."""
    if settings.gateway_broker_url is not None:
        return settings.gateway_broker_url, None
    url = settings.broker_url.get_secret_value()
    if url == NONE or is_amqp(url):
        return None, None
    if url == EMBEDDED:
        host = "mqtt://127.0.0.1"
        return (
            f"{host}:{settings.embedded_broker_port}",
            f"{host}:{settings.embedded_broker_v3_port}",
        )
    address = parse_broker_url(url)
    scheme = "mqtts" if address.is_encrypted else "mqtt"
    return f"{scheme}://{address.host}:{address.port}", None
