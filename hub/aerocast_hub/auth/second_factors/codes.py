"""Codes of authenticator apps and on paper, in the database. Callers own the transaction."""

import base64
import hashlib
import secrets
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.second_factors.sealing import Seal
from aerocast_hub.auth.second_factors.tables import RecoveryCodeRow, TotpRow
from aerocast_hub.auth.second_factors.totp import SECRET_BYTES, step_of

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits: what is hashed needs no slow hash


class FactorError(Exception):
    """A second factor cannot be added or removed; the text says why."""


async def begin_totp(session: AsyncSession, seal: Seal, user_id: UUID) -> bytes:
    """Make a secret for an authenticator app; it is in use once a code of it was typed.

    Raises
    ------
    FactorError
        There is one in use.
    """
    await session.execute(
        delete(TotpRow).where(TotpRow.user_id == user_id, TotpRow.confirmed_at_us.is_(None))
    )
    if await has_totp(session, user_id):
        raise FactorError("an authenticator app is in use already: remove it first")
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = seal.close(secret, user_id.bytes)
    await session.execute(
        insert(TotpRow).values(
            user_id=user_id, sealed_secret=sealed, confirmed_at_us=None, last_step=-1
        )
    )
    return secret


async def check_totp(
    session: AsyncSession, seal: Seal, user_id: UUID, code: str, now_us: int, *, confirms: bool
) -> bool:
    """Use a code of an authenticator app up; False when it is wrong or was used before.

    Parameters
    ----------
    confirms
        It is the first code of a new secret, not one of a secret in use.
    """
    row = await session.scalar(select(TotpRow).where(TotpRow.user_id == user_id))
    if row is None or (row.confirmed_at_us is None) != confirms:
        return False
    step = step_of(seal.open(row.sealed_secret, user_id.bytes), code, now_us // 1_000_000)
    if step is None:
        return False
    # Of two who come with one code at once, the database lets one in.
    used = await session.scalar(
        update(TotpRow)
        .where(TotpRow.user_id == user_id, TotpRow.last_step < step)
        .values(last_step=step, confirmed_at_us=func.coalesce(TotpRow.confirmed_at_us, now_us))
        .returning(TotpRow.user_id)
    )
    return used is not None


async def has_totp(session: AsyncSession, user_id: UUID) -> bool:
    """Say whether an authenticator app is in use."""
    in_use = select(TotpRow.user_id).where(
        TotpRow.user_id == user_id, TotpRow.confirmed_at_us.is_not(None)
    )
    return await session.scalar(in_use) is not None


async def remove_totp(session: AsyncSession, user_id: UUID) -> None:
    """Forget the authenticator app."""
    await session.execute(delete(TotpRow).where(TotpRow.user_id == user_id))


async def make_recovery_codes(session: AsyncSession, user_id: UUID) -> list[str]:
    """Give new codes for paper, in place of all before."""
    await session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    await session.execute(
        insert(RecoveryCodeRow),
        [{"code_hash": _hash(code), "user_id": user_id, "used_at_us": None} for code in codes],
    )
    return codes


async def use_recovery_code(session: AsyncSession, user_id: UUID, code: str, now_us: int) -> bool:
    """Use a code on paper up; False when it is wrong or was used before."""
    used = await session.scalar(
        update(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.code_hash == _hash(code),
            RecoveryCodeRow.user_id == user_id,
            RecoveryCodeRow.used_at_us.is_(None),
        )
        .values(used_at_us=now_us)
        .returning(RecoveryCodeRow.user_id)
    )
    return used is not None


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> int:
    """Count the codes on paper that are not used up."""
    counted = await session.scalar(
        select(func.count())
        .select_from(RecoveryCodeRow)
        .where(RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at_us.is_(None))
    )
    return counted or 0


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _hash(code: str) -> bytes:
    letters = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(letters.encode()).digest()
