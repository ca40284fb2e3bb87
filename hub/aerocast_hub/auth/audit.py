"""The trail of what touched accounts. No password, token or hash ever goes in."""

from typing import Literal
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.tables import AuditRow

Action = Literal[
    "login_ok",
    "login_failed",
    "logout",
    "token_reused",
    "user_added",
    "user_disabled",
    "badge_assigned",
    "badge_revoked",
    "badge_login_ok",
    "badge_login_failed",
    "role_put",
    "role_removed",
    "user_bound",
    "link_made",
    "link_revoked",
    "user_enabled",
    "account_locked",
    "account_unlocked",
    "password_changed",
    "password_reset",
    "second_factor_failed",
    "second_factor_added",
    "second_factor_removed",
    "second_factors_removed",
    "recovery_codes_made",
    "sessions_ended",
    "api_key_made",
    "api_key_revoked",
    "provider_linked",
    "keys_rotated",
]


async def record(
    session: AsyncSession,
    action: Action,
    *,
    account: str,
    actor: str,
    at_us: int,
    client: str | None = None,
) -> None:
    """Add one line to the trail, in the caller's transaction."""
    await session.execute(
        insert(AuditRow).values(
            id=uuid4(),
            at_us=at_us,
            action=action,
            account=account[:64],
            actor=actor[:64],
            client=client[:64] if client else None,
        )
    )
