"""Refresh tokens: 256 random bits, each good for one use, all from one login in one family.

Using a token revokes it and gives its successor in one statement, so of two requests with the same
token exactly one succeeds. The other, like a thief or the robbed owner after one, shows that the
token is in two hands: the whole family is revoked and its owner logs in again.
"""

import hashlib
import secrets
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.tables import RefreshTokenRow

# A login lasts a shift and some; after it a person types the password again.
FAMILY_S = 12 * 3600
LONGEST_TOKEN = 128


class Rotated(NamedTuple):
    """What became of a refresh token.

    Attributes
    ----------
    user_id
        Whose it was; None when it is unknown or past its time.
    successor
        The next token; None when this one was no good.
    is_reused
        It had been used before: its family is revoked now.
    """

    user_id: UUID | None = None
    successor: str | None = None
    is_reused: bool = False


async def begin_family(session: AsyncSession, user_id: UUID, now_us: int) -> str:
    """Give the first refresh token of a login, and sweep away those past their time."""
    await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_at_us <= now_us))
    return await _issue(session, user_id, uuid4(), now_us + FAMILY_S * 1_000_000)


async def rotate(session: AsyncSession, token: str, now_us: int) -> Rotated:
    """Use a refresh token up and give its successor, or say why not."""
    token_hash = _hash(token)
    used = (
        await session.execute(
            update(RefreshTokenRow)
            .where(
                RefreshTokenRow.token_hash == token_hash,
                RefreshTokenRow.revoked_at_us.is_(None),
                RefreshTokenRow.expires_at_us > now_us,
            )
            .values(revoked_at_us=now_us)
            .returning(
                RefreshTokenRow.user_id, RefreshTokenRow.family, RefreshTokenRow.expires_at_us
            )
        )
    ).one_or_none()
    if used is not None:
        user_id, family, expires_at_us = used
        return Rotated(user_id, await _issue(session, user_id, family, expires_at_us))
    known = (
        await session.execute(
            select(RefreshTokenRow.user_id, RefreshTokenRow.family).where(
                RefreshTokenRow.token_hash == token_hash,
                RefreshTokenRow.revoked_at_us.is_not(None),
                RefreshTokenRow.expires_at_us > now_us,
            )
        )
    ).one_or_none()
    if known is None:
        return Rotated()
    await _revoke(session, known.family, now_us)
    return Rotated(known.user_id, is_reused=True)


async def end_family(session: AsyncSession, token: str, now_us: int) -> UUID | None:
    """Revoke everything that came from the login a token belongs to; say whose it was."""
    known = (
        await session.execute(
            select(RefreshTokenRow.user_id, RefreshTokenRow.family).where(
                RefreshTokenRow.token_hash == _hash(token)
            )
        )
    ).one_or_none()
    if known is None:
        return None
    await _revoke(session, known.family, now_us)
    user_id: UUID = known.user_id
    return user_id


async def _revoke(session: AsyncSession, family: UUID, now_us: int) -> None:
    await session.execute(
        update(RefreshTokenRow)
        .where(RefreshTokenRow.family == family, RefreshTokenRow.revoked_at_us.is_(None))
        .values(revoked_at_us=now_us)
    )


async def _issue(session: AsyncSession, user_id: UUID, family: UUID, expires_at_us: int) -> str:
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(RefreshTokenRow).values(
            token_hash=_hash(token), family=family, user_id=user_id, expires_at_us=expires_at_us
        )
    )
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:LONGEST_TOKEN].encode()).digest()
