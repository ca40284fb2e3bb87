"""API keys in the database. Callers own the transaction."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.api_keys.tables import ApiKeyRow
from aerocast_hub.auth.permissions import EVERYTHING, OWN_ACCOUNT, PERMISSIONS, grants_all
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.users import Owner, permissions_of

DAY_US = 24 * 3600 * 1_000_000
LONGEST_DAYS = 366
MOST_KEYS = 50
# Found in a log or a repository, a key says what it is: scanners look for such beginnings.
_KEY = re.compile(r"aerocast_([0-9a-f]{12})_[0-9a-f]{64}")
LONGEST_KEY = 96


class KeyRefusedError(Exception):
    """A key cannot be made; the text says why."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without what it is.

    Attributes
    ----------
    prefix
        The part of the key that names it.
    scopes
        Permissions it was given; it has those of them its owner has.
    made_at_us, expires_at_us, used_at_us, revoked_at_us
        UTC microseconds; the last use to the minute.
    """

    prefix: str
    name: str
    user: str
    scopes: list[str]
    made_at_us: int
    made_by: str
    expires_at_us: int
    used_at_us: int | None = None
    revoked_at_us: int | None = None


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new API key: what it is is shown this once, and never again."""

    key: str
    details: ApiKey


class Wanted(NamedTuple):
    """A key to be."""

    name: str
    scopes: frozenset[str]
    days: int


class KeyStanding(NamedTuple):
    """A key that is good now: whose it is, and what it may."""

    user_id: UUID
    prefix: str
    owner: Owner
    permissions: frozenset[str]
    expires_at_us: int


async def make_key(
    session: AsyncSession,
    user_id: UUID,
    wanted: Wanted,
    *,
    may: frozenset[str],
    now_us: int,
    actor: str,
) -> MadeKey:
    """Make a key for an account.

    Parameters
    ----------
    may
        What whoever asks may do: nobody hands out more.

    Raises
    ------
    KeyRefusedError
        The account is disabled or gone, has ``MOST_KEYS``, or a scope is none or too much.
    """
    owner = await permissions_of(session, user_id)
    if owner is None:
        raise KeyRefusedError(f"there is no user {user_id} who may log in")
    unknown = sorted(wanted.scopes - PERMISSIONS)
    if unknown or not wanted.scopes:
        wrong = f"there is no permission {unknown[0][:64]!r}" if unknown else "name a scope"
        raise KeyRefusedError(f"{wrong}; there are {', '.join(sorted(PERMISSIONS - _NEVER))}")
    if not (grants_all(owner.permissions, wanted.scopes) and grants_all(may, wanted.scopes)):
        raise KeyRefusedError("a key can do no more than its owner, and no more than its maker")
    if wanted.scopes & _NEVER:
        raise KeyRefusedError(f"no key looks after its owner's account: leave out {OWN_ACCOUNT}")
    if not 1 <= wanted.days <= LONGEST_DAYS:
        raise KeyRefusedError(f"a key is good for 1 to {LONGEST_DAYS} days, not {wanted.days}")
    live = (ApiKeyRow.user_id == user_id, ApiKeyRow.revoked_at_us.is_(None))
    there_are = await session.scalar(
        select(func.count()).select_from(ApiKeyRow).where(*live, ApiKeyRow.expires_at_us > now_us)
    )
    if (there_are or 0) >= MOST_KEYS:
        raise KeyRefusedError(f"there are {MOST_KEYS} keys already: revoke one first")
    prefix = secrets.token_hex(6)
    key = f"aerocast_{prefix}_{secrets.token_hex(32)}"
    details = ApiKey(
        prefix=prefix,
        name=wanted.name,
        user=owner.name,
        scopes=sorted(wanted.scopes),
        made_at_us=now_us,
        made_by=actor,
        expires_at_us=now_us + wanted.days * DAY_US,
    )
    await session.execute(
        insert(ApiKeyRow).values(
            prefix=prefix,
            key_hash=_hash(key),
            user_id=user_id,
            name=details.name,
            scopes=" ".join(details.scopes),
            made_at_us=now_us,
            made_by=actor[:64],
            expires_at_us=details.expires_at_us,
        )
    )
    await audit.record(
        session, "api_key_made", account=owner.name, actor=actor, at_us=now_us, after=details
    )
    return MadeKey(key=key, details=details)


_NEVER = frozenset({OWN_ACCOUNT})


async def list_keys(
    session: AsyncSession, now_us: int, user_id: UUID | None = None
) -> list[ApiKey]:
    """Give the keys that are good, of one account or of all, the newest first."""
    asked = select(ApiKeyRow, UserRow.name).join(UserRow, UserRow.id == ApiKeyRow.user_id)
    asked = asked.where(ApiKeyRow.revoked_at_us.is_(None), ApiKeyRow.expires_at_us > now_us)
    if user_id is not None:
        asked = asked.where(ApiKeyRow.user_id == user_id)
    rows = await session.execute(asked.order_by(ApiKeyRow.made_at_us.desc(), ApiKeyRow.prefix))
    return [
        ApiKey(
            prefix=row.prefix,
            name=row.name,
            user=user,
            scopes=row.scopes.split(),
            made_at_us=row.made_at_us,
            made_by=row.made_by,
            expires_at_us=row.expires_at_us,
            used_at_us=row.used_at_us,
        )
        for row, user in rows
    ]


async def revoke_key(
    session: AsyncSession, user_id: UUID, prefix: str, *, now_us: int, actor: str
) -> bool:
    """Take a key of an account's out of use; False when it has no such key."""
    revoked = await session.scalar(
        update(ApiKeyRow)
        .where(
            ApiKeyRow.prefix == prefix.replace("\x00", "?"),
            ApiKeyRow.user_id == user_id,
            ApiKeyRow.revoked_at_us.is_(None),
        )
        .values(revoked_at_us=now_us)
        .returning(ApiKeyRow.user_id)
    )
    if revoked is None:
        return False
    name = await session.scalar(select(UserRow.name).where(UserRow.id == user_id))
    account = name or str(user_id)
    before = {"prefix": prefix}
    await audit.record(
        session, "api_key_revoked", account=account, actor=actor, at_us=now_us, before=before
    )
    return True


async def key_standing(session: AsyncSession, key: str, now_us: int) -> KeyStanding | None:
    """Say whose key it is and what it may; None when it is no good."""
    shape = _KEY.fullmatch(key)
    if shape is None:
        return None
    row = await session.get(ApiKeyRow, shape[1])
    if (
        row is None
        or not hmac.compare_digest(row.key_hash, _hash(key))
        or row.revoked_at_us is not None
        or row.expires_at_us <= now_us
    ):
        return None
    owner = await permissions_of(session, row.user_id)
    if owner is None:
        return None
    scopes = frozenset(row.scopes.split()) - _NEVER
    allowed = scopes if EVERYTHING in owner.permissions else scopes & owner.permissions
    return KeyStanding(row.user_id, row.prefix, owner, allowed, row.expires_at_us)


async def note_uses(session: AsyncSession, used_at_us: Mapping[str, int]) -> None:
    """Write down when keys were last used."""
    for prefix, at_us in sorted(used_at_us.items()):
        await session.execute(
            update(ApiKeyRow).where(ApiKeyRow.prefix == prefix).values(used_at_us=at_us)
        )


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
