"""Refresh tokens: 256 random bits, each good for one use, all of one login in one session.

Using a token revokes it and gives its successor in one statement, so of two requests with the same
token exactly one succeeds. The other, like a thief or the robbed owner after one, shows that the
token is in two hands: the whole session ends and its owner logs in again.
"""

import hashlib
import secrets
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.sessions.store import SESSION_S, Client, end_sessions, use_session
from aerocast_hub.auth.sessions.tables import RefreshTokenRow

LONGEST_TOKEN = 128


class Rotated(NamedTuple):
    """What became of a refresh token.

    Attributes
    ----------
    user_id, session_id
        Whose it was, and of which login; None when it is unknown or past its time.
    successor
        The next token; None when this one was no good.
    is_reused
        It had been used before: its session is over now.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    successor: str | None = None
    is_reused: bool = False


async def first_token(session: AsyncSession, user_id: UUID, session_id: UUID, now_us: int) -> str:
    """Give the first refresh token of a session.

    A session that idles is over earlier; its tokens are remembered all the same, so that one used
    twice is told.
    """
    return await _issue(session, user_id, session_id, now_us + SESSION_S * 1_000_000)


async def rotate(
    session: AsyncSession, token: str, client: Client, now_us: int, idle_us: int
) -> Rotated:
    """Use a refresh token up and give its successor, or say why not."""
    token_hash = _hash(token)
    is_it = (RefreshTokenRow.token_hash == token_hash, RefreshTokenRow.expires_at_us > now_us)
    known = (
        await session.execute(
            select(
                RefreshTokenRow.user_id, RefreshTokenRow.session_id, RefreshTokenRow.expires_at_us
            ).where(*is_it)
        )
    ).one_or_none()
    if known is None:
        return Rotated()
    user_id, session_id, expires_at_us = known
    if not await use_session(session, session_id, client, now_us, idle_us):
        return Rotated(user_id, session_id)
    used = await session.scalar(
        update(RefreshTokenRow)
        .where(*is_it, RefreshTokenRow.revoked_at_us.is_(None))
        .values(revoked_at_us=now_us)
        .returning(RefreshTokenRow.user_id)
    )
    if used is None:
        await end_sessions(session, user_id, now_us, only=session_id)
        return Rotated(user_id, session_id, is_reused=True)
    return Rotated(user_id, session_id, await _issue(session, user_id, session_id, expires_at_us))


async def session_of(session: AsyncSession, token: str) -> tuple[UUID, UUID] | None:
    """Say whose token it is and of which session; None when it is unknown."""
    known = await session.execute(
        select(RefreshTokenRow.user_id, RefreshTokenRow.session_id).where(
            RefreshTokenRow.token_hash == _hash(token)
        )
    )
    row = known.one_or_none()
    return None if row is None else (row.user_id, row.session_id)


async def _issue(session: AsyncSession, user_id: UUID, session_id: UUID, expires_at_us: int) -> str:
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(RefreshTokenRow).values(
            token_hash=_hash(token),
            session_id=session_id,
            user_id=user_id,
            expires_at_us=expires_at_us,
        )
    )
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:LONGEST_TOKEN].encode()).digest()
