"""Accounts that somebody guesses at are locked, and whoever watches is told.

Tries are held back per client and account first (`auth.limiting`); this is for the patient guesser,
who comes from many addresses over days. NIST SP 800-63B-4 §3.2.2 allows 100 wrong tries in a row.
"""

from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.tables import UserRow
from aerocast_hub.events.accounts import AccountLocked, AccountUnlocked
from aerocast_hub.outbox.publish import write_events

LOCK_AFTER = 50


async def note_failure(session: AsyncSession, user_id: UUID, now_us: int) -> bool:
    """Count a wrong password or code; True when this one locked the account."""
    is_last = (UserRow.failed_tries + 1 >= LOCK_AFTER) & UserRow.locked_at_us.is_(None)
    counted = await session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(
            failed_tries=UserRow.failed_tries + 1,
            locked_at_us=case((is_last, now_us), else_=UserRow.locked_at_us),
        )
        .returning(UserRow.failed_tries, UserRow.locked_at_us)
    )
    row = counted.one_or_none()
    is_locked = row is not None and row.failed_tries == LOCK_AFTER and row.locked_at_us == now_us
    if is_locked:
        locked = AccountLocked(at_us=now_us, user_id=str(user_id), after_tries=LOCK_AFTER)
        await write_events(session, [locked])
    return is_locked


async def note_success(session: AsyncSession, user_id: UUID, now_us: int) -> bool:
    """Note that somebody got in; False when the account was locked or disabled in the meantime."""
    noted = await session.scalar(
        update(UserRow)
        .where(
            UserRow.id == user_id, UserRow.locked_at_us.is_(None), UserRow.disabled_at_us.is_(None)
        )
        .values(failed_tries=0, logged_in_at_us=now_us)
        .returning(UserRow.id)
    )
    return noted is not None


async def note_provided(session: AsyncSession, user_id: UUID, now_us: int) -> bool:
    """Note that somebody came in by the identity provider; False when the account is disabled.

    A lock does not concern it: others' guesses at the password here would keep its owner out.
    Nor does it end one.
    """
    noted = await session.scalar(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.disabled_at_us.is_(None))
        .values(logged_in_at_us=now_us)
        .returning(UserRow.id)
    )
    return noted is not None


async def unlock(session: AsyncSession, user_id: UUID, now_us: int) -> bool:
    """Let an account log in again; False when it was not locked."""
    unlocked = await session.scalar(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.locked_at_us.is_not(None))
        .values(failed_tries=0, locked_at_us=None)
        .returning(UserRow.id)
    )
    if unlocked is not None:
        await write_events(session, [AccountUnlocked(at_us=now_us, user_id=str(user_id))])
    return unlocked is not None
