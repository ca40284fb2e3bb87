"""Sessions in the database: begun, listed, ended. Callers own the transaction."""

from collections.abc import Collection
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.bulk import few_or_digest
from aerocast_hub.auth import audit
from aerocast_hub.auth.sessions.tables import RefreshTokenRow, SessionRow

# A login lasts a shift and some; after it a person logs in again.
SESSION_S = 12 * 3600
_SESSION_US = SESSION_S * 1_000_000
# What changes how one logs in, or hands out a key, wants a login this fresh.
FRESH_US = 15 * 60 * 1_000_000
LOG_IN_AGAIN = "log in again first: this wants a login of the last 15 minutes"
# A session that was ended is remembered until its last access token is past its time.
KEPT_US = 3600 * 1_000_000

Way = Literal["password", "badge", "second_factor", "provider"]


class SessionBounds(NamedTuple):
    """How far sessions go.

    Attributes
    ----------
    idle_us
        Microseconds after which a session that is not renewed is over.
    most
        How many one account has at once; one more ends the one that was idle longest.
    """

    idle_us: int
    most: int


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
        UTC microseconds; ``used_at_us`` is when it was last renewed, ``expires_at_us`` when it is
        over unless it is renewed before.
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
    session: AsyncSession, user_id: UUID, way: Way, client: Client, now_us: int, idle_us: int
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
            expires_at_us=now_us + min(_SESSION_US, idle_us),
        )
    )
    return session_id


async def use_session(
    session: AsyncSession, session_id: UUID, client: Client, now_us: int, idle_us: int
) -> bool:
    """Note that a session is used, and hold it until the transaction ends; False: it is over.

    Whoever renews a session and whoever ends it come by here first, so one waits for the other.
    """
    at_the_latest_us = SessionRow.began_at_us + _SESSION_US
    idle_at_us = now_us + idle_us
    expires_at_us = case((at_the_latest_us < idle_at_us, at_the_latest_us), else_=idle_at_us)
    used = await session.scalar(
        update(SessionRow)
        .where(
            SessionRow.id == session_id,
            SessionRow.ended_at_us.is_(None),
            SessionRow.expires_at_us > now_us,
        )
        .values(used_at_us=now_us, expires_at_us=expires_at_us, **_seen(client))
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
    asked = [SessionRow.user_id == user_id]
    if only is not None:
        asked.append(SessionRow.id == only)
    ending = [each for each in await _hold(session, *asked) if str(each) != but]
    await _end(session, ending, now_us)
    return {str(each) for each in ending}


async def end_beyond(session: AsyncSession, user_id: UUID, most: int, now_us: int) -> set[str]:
    """End those of somebody's sessions that are more than ``most``, the longest idle first."""
    beyond = [each.id for each in (await sessions_of(session, user_id, now_us))[most:]]
    ending = await _hold(session, SessionRow.id.in_(beyond)) if beyond else []
    await _end(session, ending, now_us)
    return {str(each) for each in ending}


async def record_ended(
    session: AsyncSession, account: str, actor: str, ended: Collection[str], now_us: int
) -> None:
    """Add the line of the trail that tells which of an account's sessions were ended."""
    before = {"sessions": few_or_digest(sorted(ended))}
    await audit.record(
        session, "sessions_ended", account=account, actor=actor, at_us=now_us, before=before
    )


async def _hold(session: AsyncSession, *which: ColumnElement[bool]) -> list[UUID]:
    """Hold sessions that go on until the transaction ends, in the one order all hold them in."""
    asked = select(SessionRow.id).where(*which, SessionRow.ended_at_us.is_(None))
    return list(await session.scalars(asked.order_by(SessionRow.id).with_for_update()))


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
