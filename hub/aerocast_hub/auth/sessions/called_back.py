"""Who was called back: sessions, API keys, and accounts that may do something else now."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.api_keys.tables import ApiKeyRow
from aerocast_hub.auth.sessions.tables import SessionRow
from aerocast_hub.auth.tables import UserRow


class CalledBack(NamedTuple):
    """What is good no more.

    Attributes
    ----------
    ended
        Ids of sessions, prefixes of API keys.
    versions
        Account -> the first version (`UserRow.version`) whose tokens are good.
    """

    ended: frozenset[str]
    versions: dict[str, int]


async def called_back_since(session: AsyncSession, since_us: int) -> CalledBack:
    """Give what was called back since then."""
    sessions = await session.scalars(
        select(SessionRow.id).where(SessionRow.ended_at_us >= since_us)
    )
    keys = await session.scalars(
        select(ApiKeyRow.prefix).where(ApiKeyRow.revoked_at_us >= since_us)
    )
    changed = await session.execute(
        select(UserRow.id, UserRow.version).where(UserRow.changed_at_us >= since_us)
    )
    return CalledBack(
        frozenset((*map(str, sessions), *keys)),
        {str(user_id): version for user_id, version in changed},
    )
