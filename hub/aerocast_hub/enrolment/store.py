"""Claims and certificates in the database: a token is used once, whoever tries at the same time."""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.enrolment.authorities import Authorities
from aerocast_hub.enrolment.certificates import (
    BEGINS_EARLIER,
    Authority,
    Request,
    Term,
    certify_gateway,
    common_name,
    key_digest,
    to_pem,
)
from aerocast_hub.gateways.registry import GatewayRefusedError
from aerocast_hub.gateways.tables import GatewayCertificateRow, GatewayClaimRow, GatewayRow

SECRET_BYTES = 20
PIN_LENGTH = 26
LONGEST_CLAIM_H = 24 * 14


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A token, to be told once.

    Attributes
    ----------
    token
        ``<secret>.<pin>``: the pin lets the gateway know the hub's authority when it meets it.
    """

    site: str
    name: str
    token: str
    expires_at_us: int


class Issued(NamedTuple):
    """A gateway's certificate, in PEM."""

    site: str
    name: str
    certificate: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a certificate without its text."""

    serial: str
    issued_at_us: int
    expires_at_us: int
    revoked_at_us: int | None


async def make_claim(
    session: AsyncSession,
    authorities: Authorities,
    name: tuple[str, str],
    now_us: int,
    hours: float,
) -> Claim:
    """Make a token for a registered gateway; those made for it before are good no more.

    Raises
    ------
    GatewayRefusedError
        It is not registered, is revoked, or its name is too long for a certificate.
    """
    site, gateway = name
    row = await session.scalar(
        select(GatewayRow).where(GatewayRow.site == site, GatewayRow.name == gateway)
    )
    if row is None or row.revoked_at_us is not None:
        raise GatewayRefusedError(
            f"gateway {site}/{gateway} is not registered: aerocast-hub gateway add {site} {gateway}"
        )
    try:
        common_name(site, gateway)
    except ValueError as error:
        raise GatewayRefusedError(str(error)) from error
    secret = _base32(secrets.token_bytes(SECRET_BYTES))
    expires_at_us = now_us + int(hours * 3_600_000_000)
    await session.execute(delete(GatewayClaimRow).where(GatewayClaimRow.gateway_id == row.id))
    session.add(
        GatewayClaimRow(
            token_hash=_hash(secret),
            gateway_id=row.id,
            made_at_us=now_us,
            expires_at_us=expires_at_us,
        )
    )
    await record(
        session,
        "gateway_claimed",
        subject=f"gateway {site}/{gateway}",
        after={"expires_at_us": expires_at_us},
    )
    return Claim(
        site=site,
        name=gateway,
        token=f"{secret}.{pin_of(authorities)}",
        expires_at_us=expires_at_us,
    )


def pin_of(authorities: Authorities) -> str:
    """Give the beginning (130 bits) of the SHA-256 of the authority's certificate, in base 32."""
    told = authorities.issuing.certificate.public_bytes(Encoding.DER)
    return _base32(hashlib.sha256(told).digest())[:PIN_LENGTH]


async def claimant(session: AsyncSession, token: str, now_us: int) -> tuple[str, str] | None:
    """Say whom a token is for, used or not; None when it is none or past its time."""
    row = (
        await session.execute(
            select(GatewayRow.site, GatewayRow.name)
            .join(GatewayClaimRow, GatewayClaimRow.gateway_id == GatewayRow.id)
            .where(
                GatewayClaimRow.token_hash == _hash(token.lower().partition(".")[0]),
                GatewayClaimRow.expires_at_us > now_us,
                GatewayRow.revoked_at_us.is_(None),
            )
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def redeem(
    session: AsyncSession,
    authorities: Authorities,
    token: str,
    request: Request,
    now_us: int,
    days: int,
) -> Issued | None:
    """Give a certificate for a token, which is then used up; None when it is not good (any more).

    Whoever used it may ask again with the same key: its answer may have been lost.
    """
    token_hash = _hash(token.lower().partition(".")[0])
    digest = key_digest(request.public_key)
    used = await session.execute(
        update(GatewayClaimRow)
        .where(
            GatewayClaimRow.token_hash == token_hash,
            GatewayClaimRow.used_at_us.is_(None),
            GatewayClaimRow.expires_at_us > now_us,
            GatewayClaimRow.gateway_id.in_(
                select(GatewayRow.id).where(GatewayRow.revoked_at_us.is_(None))
            ),
        )
        .values(used_at_us=now_us, used_by=digest)
        .returning(GatewayClaimRow.gateway_id)
    )
    gateway_id = used.scalar_one_or_none()
    if gateway_id is None:
        return await _already(session, token_hash, digest, now_us)
    terms = _Terms(authorities.issuing, now_us, days, "gateway_enrolled")
    return await _issue(session, gateway_id, request.public_key, terms)


async def _already(
    session: AsyncSession, token_hash: bytes, digest: bytes, now_us: int
) -> Issued | None:
    row = (
        await session.execute(
            select(GatewayRow.site, GatewayRow.name, GatewayCertificateRow.pem)
            .join(GatewayClaimRow, GatewayClaimRow.gateway_id == GatewayRow.id)
            .join(GatewayCertificateRow, GatewayCertificateRow.gateway_id == GatewayRow.id)
            .where(
                GatewayClaimRow.token_hash == token_hash,
                GatewayClaimRow.used_by == digest,
                GatewayClaimRow.expires_at_us > now_us,
                GatewayCertificateRow.key_digest == digest,
                GatewayCertificateRow.revoked_at_us.is_(None),
            )
        )
    ).first()
    return None if row is None else Issued(*row)


async def renew(
    session: AsyncSession,
    authorities: Authorities,
    present: ec.EllipticCurvePublicKey,
    wished: ec.EllipticCurvePublicKey,
    now_us: int,
    days: int,
) -> Issued | None:
    """Give a certificate for the key a gateway wishes to have next.

    None when its present key has no good certificate. That one stays good until it ends: the
    gateway may not have heard of the new one. A key that has one already is given that again.
    """
    row = await _good(session, key_digest(present), now_us)
    if row is None:
        return None
    digest = key_digest(wished)
    again = (
        await session.execute(
            select(GatewayRow.site, GatewayRow.name, GatewayCertificateRow.pem)
            .join(GatewayRow, GatewayRow.id == GatewayCertificateRow.gateway_id)
            .where(
                GatewayCertificateRow.key_digest == digest,
                GatewayCertificateRow.gateway_id == row.gateway_id,
                GatewayCertificateRow.revoked_at_us.is_(None),
            )
        )
    ).first()
    if again is not None:
        return Issued(*again)
    terms = _Terms(authorities.issuing, now_us, days, "gateway_renewed")
    return await _issue(session, row.gateway_id, wished, terms)


async def why_not(
    session: AsyncSession, present: ec.EllipticCurvePublicKey, now_us: int
) -> Literal["revoked", "ended", "unknown"]:
    """Say why a key's certificate is good no more, to whoever has proved to hold the key."""
    row = (
        await session.execute(
            select(
                GatewayCertificateRow.revoked_at_us,
                GatewayRow.revoked_at_us,
                GatewayCertificateRow.expires_at_us,
            )
            .join(GatewayRow, GatewayRow.id == GatewayCertificateRow.gateway_id)
            .where(GatewayCertificateRow.key_digest == key_digest(present))
        )
    ).first()
    if row is None:
        return "unknown"
    return "ended" if row[0] is None and row[1] is None and row[2] <= now_us else "revoked"


async def owner_of(
    session: AsyncSession, present: ec.EllipticCurvePublicKey, now_us: int
) -> tuple[str, str] | None:
    """Say whose key it is, site and gateway; None when it has no good certificate."""
    row = await _good(session, key_digest(present), now_us)
    gateway = None if row is None else await session.get(GatewayRow, row.gateway_id)
    return None if gateway is None else (gateway.site, gateway.name)


async def is_good(session: AsyncSession, name: tuple[str, str], now_us: int) -> bool:
    """Say whether a gateway is registered, not revoked, and holds a good certificate."""
    site, gateway = name
    found = await session.scalar(
        select(GatewayCertificateRow.serial)
        .join(GatewayRow, GatewayRow.id == GatewayCertificateRow.gateway_id)
        .where(
            GatewayRow.site == site,
            GatewayRow.name == gateway,
            GatewayRow.revoked_at_us.is_(None),
            GatewayCertificateRow.revoked_at_us.is_(None),
            GatewayCertificateRow.expires_at_us > now_us,
        )
        .limit(1)
    )
    return found is not None


async def _good(session: AsyncSession, digest: bytes, now_us: int) -> GatewayCertificateRow | None:
    found: GatewayCertificateRow | None = await session.scalar(
        select(GatewayCertificateRow)
        .join(GatewayRow, GatewayRow.id == GatewayCertificateRow.gateway_id)
        .where(
            GatewayCertificateRow.key_digest == digest,
            GatewayCertificateRow.revoked_at_us.is_(None),
            GatewayCertificateRow.expires_at_us > now_us,
            GatewayRow.revoked_at_us.is_(None),
        )
        .limit(1)
    )
    return found


class _Terms(NamedTuple):
    """Who signs, from when on, for how long, and what the trail calls it."""

    authority: Authority
    now_us: int
    days: int
    action: str


async def _issue(
    session: AsyncSession, gateway_id: int, public_key: ec.EllipticCurvePublicKey, terms: _Terms
) -> Issued:
    authority, now_us, days, action = terms
    gateway = await session.get_one(GatewayRow, gateway_id)
    now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    # Never beyond the authority's own end.
    ends = min(now + timedelta(days=days), authority.certificate.not_valid_after_utc)
    serial = x509.random_serial_number()
    name = common_name(gateway.site, gateway.name)
    term = Term(now - BEGINS_EARLIER, ends)
    pem = to_pem(certify_gateway(authority, public_key, name, serial, term))
    session.add(
        GatewayCertificateRow(
            serial=f"{serial:x}",
            gateway_id=gateway_id,
            issuer=f"{authority.certificate.serial_number:x}",
            key_digest=key_digest(public_key),
            pem=pem,
            issued_at_us=now_us,
            expires_at_us=int(ends.timestamp()) * 1_000_000,
        )
    )
    await session.flush()
    await record(
        session,
        action,
        subject=f"gateway {name}",
        after={"serial": f"{serial:x}", "ends_at_us": int(ends.timestamp()) * 1_000_000},
        actor=f"gateway {name}",
    )
    return Issued(gateway.site, gateway.name, pem)


async def revoked_serials(
    session: AsyncSession, authority: Authority, now_us: int
) -> list[tuple[int, datetime]]:
    """Give what this authority signed, was revoked, and has not ended yet."""
    rows = await session.execute(
        select(GatewayCertificateRow.serial, GatewayCertificateRow.revoked_at_us)
        .where(
            GatewayCertificateRow.issuer == f"{authority.certificate.serial_number:x}",
            GatewayCertificateRow.revoked_at_us.is_not(None),
            GatewayCertificateRow.expires_at_us > now_us,
        )
        .order_by(GatewayCertificateRow.serial)
    )
    return [
        (int(serial, 16), datetime.fromtimestamp(since_us // 1_000_000, UTC))
        for serial, since_us in rows
        if since_us is not None
    ]


async def certificates_of(session: AsyncSession, site: str, name: str) -> list[Certificate]:
    """Give every certificate a gateway was given, the newest first."""
    rows = await session.execute(
        select(
            GatewayCertificateRow.serial,
            GatewayCertificateRow.issued_at_us,
            GatewayCertificateRow.expires_at_us,
            GatewayCertificateRow.revoked_at_us,
        )
        .join(GatewayRow, GatewayRow.id == GatewayCertificateRow.gateway_id)
        .where(GatewayRow.site == site, GatewayRow.name == name)
        .order_by(GatewayCertificateRow.issued_at_us.desc(), GatewayCertificateRow.serial)
    )
    return [
        Certificate(
            serial=serial,
            issued_at_us=issued_at_us,
            expires_at_us=expires_at_us,
            revoked_at_us=revoked_at_us,
        )
        for serial, issued_at_us, expires_at_us, revoked_at_us in rows
    ]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _base32(content: bytes) -> str:
    """Write so that it can be read out, typed, and never looks like an option."""
    return base64.b32encode(content).decode().rstrip("=").lower()
