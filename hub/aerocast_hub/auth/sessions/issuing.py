"""Tokens: given when a session begins, renewed while it goes on, refused when it ends."""

import time
from collections.abc import Collection
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit, users
from aerocast_hub.auth.permissions import OWN_ACCOUNT
from aerocast_hub.auth.second_factors.store import factors_of, must_have_one
from aerocast_hub.auth.sessions import refresh
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import (
    Client,
    SessionBounds,
    Way,
    begin_session,
    end_beyond,
    end_sessions,
    record_ended,
    way_of,
)
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S
from aerocast_hub.database.engine import Database

Due = Literal["password", "second_factor"]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a login or a refresh gives (member names of RFC 6749 §5.1).

    Attributes
    ----------
    access_token
        A JWT for the Authorization header.
    refresh_token
        For `/auth/refresh`, once.
    expires_in
        Seconds the access token is good for.
    due
        What its owner must do first: choose a ``password`` of their own, or add a
        ``second_factor``. Until then the token opens their own account and nothing else.
    """

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105  the type's name, no secret
    expires_in: int = ACCESS_TOKEN_S
    due: Due | None = None


class Sessions:
    """Begins, renews and ends sessions.

    Parameters
    ----------
    bounds
        How long sessions idle, and how many an account has.
    factor_roles
        Roles whose accounts must have a second factor.
    """

    def __init__(
        self,
        database: Database,
        keys: TokenKeys,
        standing: Standing,
        bounds: SessionBounds,
        factor_roles: Collection[str] = (),
    ) -> None:
        self._database = database
        self._keys = keys
        self._standing = standing
        self._bounds = bounds
        self._factor_roles = frozenset(factor_roles)

    async def begin(
        self, session: AsyncSession, user_id: UUID, way: Way, client: Client, now_us: int
    ) -> Tokens | None:
        """Begin a session, in the caller's transaction; None when the account is disabled."""
        session_id = await begin_session(
            session, user_id, way, client, now_us, self._bounds.idle_us
        )
        ended = await end_beyond(session, user_id, self._bounds.most, now_us)
        owner = await users.permissions_of(session, user_id) if ended else None
        if owner is not None:
            await record_ended(session, owner.name, owner.name, ended, now_us)
        token = await refresh.first_token(session, user_id, session_id, now_us)
        return await self._tokens(session, user_id, session_id, token, now_us)

    async def renew(self, refresh_token: str, client: Client) -> Tokens | None:
        """Give new tokens for a refresh token; None when it is no good, or was used before."""
        now_us = time.time_ns() // 1000
        async with self._database.writing() as session:
            rotated = await refresh.rotate(
                session, refresh_token, client, now_us, self._bounds.idle_us
            )
            if rotated.is_reused and rotated.user_id is not None:
                owner = await users.permissions_of(session, rotated.user_id)
                await audit.record(
                    session,
                    "token_reused",
                    account=owner.name if owner else str(rotated.user_id),
                    actor="unknown",
                    client=client.address,
                    at_us=now_us,
                )
            tokens = None
            if rotated.user_id and rotated.session_id and rotated.successor:
                tokens = await self._tokens(
                    session, rotated.user_id, rotated.session_id, rotated.successor, now_us
                )
        if rotated.is_reused:
            self._standing.end([str(rotated.session_id)])
        return tokens

    async def logout(self, refresh_token: str, client: Client) -> None:
        """End a session: no token that came from it is good any more."""
        now_us = time.time_ns() // 1000
        async with self._database.writing() as session:
            known = await refresh.session_of(session, refresh_token)
            if known is None:
                return
            user_id, session_id = known
            ended = await end_sessions(session, user_id, now_us, only=session_id)
            owner = await users.permissions_of(session, user_id)
            if owner is not None:
                await audit.record(
                    session,
                    "logout",
                    account=owner.name,
                    actor=owner.name,
                    client=client.address,
                    at_us=now_us,
                )
        self._standing.end(ended)

    async def access_token(
        self, session: AsyncSession, user_id: UUID, session_id: str, now_us: int
    ) -> tuple[str, Due | None] | None:
        """Give an access token of a session that goes on, with what its owner may do now."""
        owner = await users.permissions_of(session, user_id)
        if owner is None:
            return None
        due = await self._due(session, user_id, owner, session_id)
        allowed = frozenset() if due else owner.permissions
        token = self._keys.signer.issue(
            str(user_id),
            owner.name,
            allowed | {OWN_ACCOUNT},
            now_us // 1_000_000,
            airlines=owner.airlines,
            stations=owner.stations,
            session_id=session_id,
            version=owner.version,
        )
        return token, due

    async def _due(
        self, session: AsyncSession, user_id: UUID, owner: users.Owner, session_id: str
    ) -> Due | None:
        way = await way_of(session, session_id)
        # A provider looks after its own passwords and factors; a badge comes with its PIN.
        if way in ("badge", "provider"):
            return None
        if owner.must_change_password:
            return "password"
        if not await must_have_one(session, user_id, self._factor_roles):
            return None
        factors = await factors_of(session, user_id)
        return None if factors.methods else "second_factor"

    async def _tokens(
        self,
        session: AsyncSession,
        user_id: UUID,
        session_id: UUID,
        refresh_token: str,
        now_us: int,
    ) -> Tokens | None:
        issued = await self.access_token(session, user_id, str(session_id), now_us)
        if issued is None:
            return None
        access_token, due = issued
        return Tokens(access_token=access_token, refresh_token=refresh_token, due=due)
