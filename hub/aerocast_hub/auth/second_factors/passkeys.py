"""Passkeys and security keys (W3C WebAuthn Level 3). Callers own the transaction.

The library ``webauthn`` checks what authenticators say; it is loaded when the first one does.
"""

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.second_factors.codes import FactorError
from aerocast_hub.auth.second_factors.tables import PasskeyRow
from aerocast_hub.client_address import read_networks

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST_PASSKEYS = 20
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card"})


class RelyingParty(NamedTuple):
    """Whom passkeys are for: the hub's host, and its address as browsers write it."""

    id: str
    origin: str


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey as its owner sees it.

    Attributes
    ----------
    id
        Its credential id, in hexadecimal digits.
    added_at_us, used_at_us
        UTC microseconds.
    """

    id: str
    name: str
    added_at_us: int
    used_at_us: int | None


class _Response(msgspec.Struct, frozen=True):
    transports: list[str] = []


class _Sent(msgspec.Struct, frozen=True):
    response: _Response


def relying_party(address: str) -> RelyingParty | None:
    """Say whom passkeys are for, by the hub's address; None where browsers know no passkeys.

    They want a name (no network address) and https, or this very machine (WebAuthn §5.1.2).
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        read_networks(host)
    except ValueError:
        is_name = True
    else:
        is_name = False
    if not is_name or (parts.scheme != "https" and host != "localhost"):
        return None
    return RelyingParty(host, f"{parts.scheme}://{parts.netloc}")


async def passkeys_of(session: AsyncSession, user_id: UUID) -> list[Passkey]:
    """Give somebody's passkeys, the oldest first."""
    rows = await session.scalars(_of(user_id))
    return [
        Passkey(
            id=row.credential_id.hex(),
            name=row.name,
            added_at_us=row.added_at_us,
            used_at_us=row.used_at_us,
        )
        for row in rows
    ]


async def adding_options(
    session: AsyncSession, party: RelyingParty, user_id: UUID, account: str, challenge: bytes
) -> str:
    """Give what a browser needs to make a passkey, as JSON.

    Raises
    ------
    FactorError
        There are ``MOST_PASSKEYS`` already.
    """
    import webauthn  # noqa: PLC0415  most of a second, seldom needed
    from webauthn.helpers import structs  # noqa: PLC0415  likewise

    present = await _descriptors(session, user_id)
    if len(present) >= MOST_PASSKEYS:
        raise FactorError(f"there are {MOST_PASSKEYS} passkeys already: remove one first")
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name="AeroCast",
        user_name=account,
        user_id=user_id.bytes,
        challenge=challenge,
        exclude_credentials=present,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return webauthn.options_to_json(options)


async def add_passkey(  # noqa: PLR0913  all of it stands in the one row
    session: AsyncSession,
    party: RelyingParty,
    user_id: UUID,
    *,
    name: str,
    credential: str,
    challenge: bytes,
    now_us: int,
) -> Passkey:
    """Keep a passkey a browser made, by what it sent as JSON.

    Raises
    ------
    FactorError
        It was made for another challenge or site, is none, or is known already.
    """
    import webauthn  # noqa: PLC0415  most of a second, seldom needed
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415  likewise

    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
        sent = msgspec.json.decode(credential, type=_Sent)
    except (WebAuthnException, msgspec.MsgspecError, RecursionError) as error:
        raise FactorError("this passkey was not made for us, or not just now") from error
    if await session.get(PasskeyRow, made.credential_id) is not None:
        raise FactorError("this passkey is known already")
    await session.execute(
        insert(PasskeyRow).values(
            credential_id=made.credential_id,
            user_id=user_id,
            name=name.strip() or "passkey",
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            transports=",".join(sorted(_TRANSPORTS.intersection(sent.response.transports))),
            added_at_us=now_us,
            used_at_us=None,
        )
    )
    return Passkey(
        id=made.credential_id.hex(),
        name=name.strip() or "passkey",
        added_at_us=now_us,
        used_at_us=None,
    )


async def using_options(
    session: AsyncSession, party: RelyingParty, user_id: UUID, challenge: bytes
) -> str:
    """Give what a browser needs to use a passkey of somebody's, as JSON."""
    import webauthn  # noqa: PLC0415  most of a second, seldom needed

    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=await _descriptors(session, user_id),
    )
    return webauthn.options_to_json(options)


async def use_passkey(
    session: AsyncSession,
    party: RelyingParty,
    user_id: UUID,
    *,
    credential: str,
    challenge: bytes,
    now_us: int,
) -> bool:
    """Check what a passkey signed; False when it is not one of theirs or signed something else.

    A passkey that counts its uses and comes with a count we have seen was copied: it is refused.
    """
    import webauthn  # noqa: PLC0415  most of a second, seldom needed
    from webauthn.helpers import parse_authentication_credential_json  # noqa: PLC0415  likewise
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415  likewise

    try:
        shown = parse_authentication_credential_json(credential)
        row = await session.get(PasskeyRow, shown.raw_id)
        if row is None or row.user_id != user_id:
            return False
        checked = webauthn.verify_authentication_response(
            credential=shown,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
        )
    except (WebAuthnException, RecursionError):
        return False
    # Of two who come with one count at once, the database lets one in.
    used = await session.scalar(
        update(PasskeyRow)
        .where(PasskeyRow.credential_id == shown.raw_id, PasskeyRow.sign_count == row.sign_count)
        .values(sign_count=checked.new_sign_count, used_at_us=now_us)
        .returning(PasskeyRow.user_id)
    )
    return used is not None


async def remove_passkey(session: AsyncSession, user_id: UUID, passkey_id: str) -> bool:
    """Forget a passkey of somebody's; False when there is none of this id."""
    try:
        credential_id = bytes.fromhex(passkey_id)
    except ValueError:
        return False
    gone = await session.scalar(
        delete(PasskeyRow)
        .where(PasskeyRow.credential_id == credential_id, PasskeyRow.user_id == user_id)
        .returning(PasskeyRow.user_id)
    )
    return gone is not None


async def _descriptors(
    session: AsyncSession, user_id: UUID
) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import structs  # noqa: PLC0415  most of a second, seldom needed

    return [
        structs.PublicKeyCredentialDescriptor(
            id=row.credential_id,
            transports=[
                structs.AuthenticatorTransport(each) for each in row.transports.split(",") if each
            ],
        )
        for row in await session.scalars(_of(user_id))
    ]


def _of(user_id: UUID) -> Select[PasskeyRow]:
    return select(PasskeyRow).where(PasskeyRow.user_id == user_id).order_by(PasskeyRow.added_at_us)
