"""Somebody's second factors as a whole. Callers own the transaction."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.second_factors.codes import has_totp, recovery_codes_left, remove_totp
from aerocast_hub.auth.second_factors.passkeys import Passkey, passkeys_of
from aerocast_hub.auth.second_factors.tables import PasskeyRow, RecoveryCodeRow
from aerocast_hub.auth.tables import UserRoleRow

EVERY_ROLE = "*"


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody shows beside the password.

    Attributes
    ----------
    app
        An authenticator app is in use.
    recovery_codes_left
        Codes on paper, each good once.
    """

    app: bool
    passkeys: list[Passkey]
    recovery_codes_left: int

    @property
    def methods(self) -> list[str]:
        """Name the ways a login can go on; none: a password is enough."""
        ways = ["app"] * self.app + ["passkey"] * bool(self.passkeys)
        return ways + ["recovery_code"] * bool(ways and self.recovery_codes_left)


async def factors_of(session: AsyncSession, user_id: UUID) -> Factors:
    """Give somebody's second factors."""
    return Factors(
        app=await has_totp(session, user_id),
        passkeys=await passkeys_of(session, user_id),
        recovery_codes_left=await recovery_codes_left(session, user_id),
    )


async def must_have_one(session: AsyncSession, user_id: UUID, roles: Collection[str]) -> bool:
    """Say whether a role of somebody's must have a second factor; ``*`` names every role."""
    if not roles or EVERY_ROLE in roles:
        return bool(roles)
    has_role = select(UserRoleRow.role).where(
        UserRoleRow.user_id == user_id, UserRoleRow.role.in_(roles)
    )
    return await session.scalar(has_role.limit(1)) is not None


async def remove_all(session: AsyncSession, user_id: UUID) -> None:
    """Forget every second factor of somebody who lost them."""
    await remove_totp(session, user_id)
    await session.execute(delete(PasskeyRow).where(PasskeyRow.user_id == user_id))
    await session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
