"""Lines of the trail about accounts. No password, token or hash ever goes in."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit import trail

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
    "password_change_failed",
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
    "keys_accepted",
    "keys_rotated",
]
_FAILURES = frozenset(
    {
        "account_locked",
        "badge_login_failed",
        "login_failed",
        "password_change_failed",
        "second_factor_failed",
        "token_reused",
    }
)


async def record(  # noqa: PLR0913  as `trail.record`
    session: AsyncSession,
    action: Action,
    *,
    account: str,
    actor: str,
    at_us: int,
    client: str | None = None,
    before: object = None,
    after: object = None,
) -> None:
    """Add one line to the trail, in the caller's transaction."""
    await trail.record(
        session,
        action,
        subject=account,
        actor=actor,
        client=client,
        at_us=at_us,
        before=before,
        after=after,
        outcome="failure" if action in _FAILURES else "success",
    )
