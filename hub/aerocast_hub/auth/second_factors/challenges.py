"""Logins that wait for their second factor. Callers own the transaction."""

import hashlib
import secrets
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.second_factors.tables import ChallengeRow

GOOD_FOR_S = 300
MOST_TRIES = 5
LONGEST_TOKEN = 128

Purpose = Literal["login", "add_passkey"]


class Challenge(NamedTuple):
    """Whose it is, and what a passkey must sign."""

    user_id: UUID
    passkey_challenge: bytes


class NewChallenge(NamedTuple):
    """What the browser or program holds, and what a passkey must sign."""

    token: str
    passkey_challenge: bytes


async def begin(
    session: AsyncSession, user_id: UUID, purpose: Purpose, now_us: int
) -> NewChallenge:
    """Begin one, and sweep away those past their time."""
    await session.execute(delete(ChallengeRow).where(ChallengeRow.ends_at_us <= now_us))
    new = NewChallenge(secrets.token_urlsafe(32), secrets.token_bytes(32))
    await session.execute(
        insert(ChallengeRow).values(
            token_hash=_hash(new.token),
            user_id=user_id,
            purpose=purpose,
            passkey_challenge=new.passkey_challenge,
            tries=0,
            ends_at_us=now_us + GOOD_FOR_S * 1_000_000,
        )
    )
    return new


async def count_try(
    session: AsyncSession, token: str, purpose: Purpose, now_us: int
) -> Challenge | None:
    """Count a try at it; None when it is unknown, past its time, or tried too often."""
    row = (
        await session.execute(
            update(ChallengeRow)
            .where(
                ChallengeRow.token_hash == _hash(token),
                ChallengeRow.purpose == purpose,
                ChallengeRow.tries < MOST_TRIES,
                ChallengeRow.ends_at_us > now_us,
            )
            .values(tries=ChallengeRow.tries + 1)
            .returning(ChallengeRow.user_id, ChallengeRow.passkey_challenge)
        )
    ).one_or_none()
    return None if row is None else Challenge(*row)


async def use_up(session: AsyncSession, token: str) -> bool:
    """End it; False when somebody else just did."""
    gone = await session.scalar(
        delete(ChallengeRow)
        .where(ChallengeRow.token_hash == _hash(token))
        .returning(ChallengeRow.user_id)
    )
    return gone is not None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:LONGEST_TOKEN].encode()).digest()
