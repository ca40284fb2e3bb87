"""Sessions in the database: begun, listed, ended. Callers own the transaction."""

from collections.abc import Collection
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.sessions.tables import RefreshTokenRow, SessionRow

# A login lasts a shift and some; after it a person logs in again.
SESSION_S = 12 * 3600
# What changes how one logs in, or hands out a key, wants a login this fresh.
FRESH_US = 15 * 60 * 1_000_000
# A session that was ended is remembered until its last access token is past its time.
KEPT_US = 3600 * 1_000_000

Way = Literal["password", "badge", "second_factor", "provider"]


class Client(NamedTuple):
    """Who is at the other end: a network address, and what the browser calls itself."""

    address: str
    browser: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session that goes on.

    Attributes
    ----------
    way
        How it began: ``password``, ``badge``, ``second_factor`` or ``provider``.
    client, browser
        Where it was last used from: a network address, and what the browser calls itself.
    began_at_us, used_at_us, expires_at_us
        UTC microseconds; ``used_at_us`` is when it was last renewed.
    is_this
        It is the one that asks.
    """

    id: UUID
    way: str
    client: str
    browser: str
    began_at_us: int
    used_at_us: int
    expires_at_us: int
    is_this: bool = False


async def begin_session(
    session: AsyncSession, user_id: UUID, way: Way, client: Client, now_us: int
) -> UUID:
    """Begin a session, and sweep away those past their time."""
    await session.execute(delete(SessionRow).where(SessionRow.expires_at_us <= now_us - KEPT_US))
    session_id = uuid4()
    await session.execute(
        insert(SessionRow).values(
            id=session_id,
            user_id=user_id,
            way=way,
            **_seen(client),
            began_at_us=now_us,
            used_at_us=now_us,
            expires_at_us=now_us + SESSION_S * 1_000_000,
        )
    )
    return session_id


async def use_session(session: AsyncSession, session_id: UUID, client: Client, now_us: int) -> bool:
    """Note that a session is used, and hold it until the transaction ends; False: it is over.

    Whoever renews a session and whoever ends it come by here first, so one waits for the other.
    """
    used = await session.scalar(
        update(SessionRow)
        .where(
            SessionRow.id == session_id,
            SessionRow.ended_at_us.is_(None),
            SessionRow.expires_at_us > now_us,
        )
        .values(used_at_us=now_us, **_seen(client))
        .returning(SessionRow.id)
    )
    return used is not None


async def way_of(session: AsyncSession, session_id: str) -> str | None:
    """Say how a session began; None when it is unknown."""
    if not session_id:
        return None
    return await session.scalar(select(SessionRow.way).where(SessionRow.id == UUID(session_id)))


async def began_lately(session: AsyncSession, session_id: str | None, now_us: int) -> bool:
    """Say whether a session goes on and began within ``FRESH_US``; an API key's never did."""
    if session_id is None:
        return False
    fresh = select(SessionRow.id).where(
        SessionRow.id == UUID(session_id),
        SessionRow.ended_at_us.is_(None),
        SessionRow.began_at_us > now_us - FRESH_US,
    )
    return await session.scalar(fresh) is not None


async def sessions_of(
    session: AsyncSession, user_id: UUID, now_us: int, this: str | None = None
) -> list[Session]:
    """Give somebody's sessions that go on, the last used first."""
    rows = await session.scalars(
        select(SessionRow)
        .where(
            SessionRow.user_id == user_id,
            SessionRow.ended_at_us.is_(None),
            SessionRow.expires_at_us > now_us,
        )
        .order_by(SessionRow.used_at_us.desc(), SessionRow.id)
    )
    return [
        Session(
            id=row.id,
            way=row.way,
            client=row.client,
            browser=row.browser,
            began_at_us=row.began_at_us,
            used_at_us=row.used_at_us,
            expires_at_us=row.expires_at_us,
            is_this=str(row.id) == this,
        )
        for row in rows
    ]


async def end_sessions(
    session: AsyncSession,
    user_id: UUID,
    now_us: int,
    *,
    only: UUID | None = None,
    but: str | None = None,
) -> set[str]:
    """End somebody's sessions: all, ``only`` one, or all ``but`` one. Gives their ids.

    No refresh token of theirs is good from the commit on; their access tokens are refused as soon
    as each process of the hub has heard of it (`Standing`).
    """
    asked = [SessionRow.user_id == user_id, SessionRow.ended_at_us.is_(None)]
    if only is not None:
        asked.append(SessionRow.id == only)
    going_on = await session.scalars(
        select(SessionRow.id).where(*asked).order_by(SessionRow.id).with_for_update()
    )
    ending = [each for each in going_on if str(each) != but]
    await _end(session, ending, now_us)
    return {str(each) for each in ending}


async def ended_since(session: AsyncSession, since_us: int) -> frozenset[str]:
    """Give the sessions that were ended since then."""
    rows = await session.scalars(select(SessionRow.id).where(SessionRow.ended_at_us >= since_us))
    return frozenset(str(each) for each in rows)


async def _end(session: AsyncSession, ending: Collection[UUID], now_us: int) -> None:
    if not ending:
        return
    await session.execute(
        update(SessionRow).where(SessionRow.id.in_(ending)).values(ended_at_us=now_us)
    )
    await session.execute(
        update(RefreshTokenRow)
        .where(RefreshTokenRow.session_id.in_(ending), RefreshTokenRow.revoked_at_us.is_(None))
        .values(revoked_at_us=now_us)
    )


def _seen(client: Client) -> dict[str, str]:
    return {"client": client.address[:64], "browser": client.browser[:160]}
