"""Logging in, staying in, logging out: from a name and a password to tokens."""

import time
from typing import NamedTuple
from uuid import UUID

import msgspec
from limits.aio.storage import Storage
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit, badges, refresh, users
from aerocast_hub.auth.limiting.attempts import LOGINS, Attempts
from aerocast_hub.auth.passwords import Passwords, is_outdated
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S, TokenKeys
from aerocast_hub.database.engine import Database


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
    """

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105  the type's name, no secret
    expires_in: int = ACCESS_TOKEN_S


class TryLater(NamedTuple):
    """Too many tries: how long to wait, in seconds."""

    wait_s: float


class Logins:
    """Gives tokens for passwords; remembers how often somebody tried."""

    def __init__(self, database: Database, keys: TokenKeys, tries: Storage) -> None:
        self._database = database
        self._keys = keys
        self._passwords = Passwords()
        self._attempts = Attempts("logins", LOGINS, tries)

    async def login(self, name: str, password: str, client: str) -> Tokens | TryLater | None:
        """Give tokens for a right password.

        An unknown or disabled account and a wrong password get one answer, None, after the same
        work.
        """
        account = users.normal_name(name)[: users.LONGEST_NAME]
        wait_s = await self._attempts.wait_s(account, client)
        if wait_s > 0:
            return TryLater(wait_s)
        async with self._database.reading() as session:
            known = await users.credentials_of(session, account)
        is_right = await self._passwords.is_right(password, known.password_hash if known else None)
        now_us = _now_us()
        if known is None or not is_right:
            async with self._database.writing() as session:
                await audit.record(
                    session,
                    "login_failed",
                    account=account,
                    actor=account,
                    client=client,
                    at_us=now_us,
                )
            return None
        await self._attempts.forget(account, client)
        new_hash = (
            await self._passwords.hash(password) if is_outdated(known.password_hash) else None
        )
        async with self._database.writing() as session:
            if new_hash is not None:
                await users.keep_hash(session, known.user_id, new_hash)
            refresh_token = await refresh.begin_family(session, known.user_id, now_us)
            await audit.record(
                session, "login_ok", account=account, actor=account, client=client, at_us=now_us
            )
            return await self._tokens(session, known.user_id, refresh_token, now_us)

    async def login_by_badge(
        self, place: badges.Place, pin: str, client: str
    ) -> Tokens | TryLater | None:
        """Give tokens to whoever showed a badge at a gateway just now and knows its PIN.

        The showing is used up, whatever comes of it. No badge shown, nobody's badge, a disabled
        account and a wrong PIN get one answer, None, after the same work.
        """
        reader = f"badge at {place.site}/{place.gateway}"
        wait_s = await self._attempts.wait_s(reader, client)
        if wait_s > 0:
            return TryLater(wait_s)
        now_us = _now_us()
        async with self._database.writing() as session:
            badge_hash = await badges.take_showing(session, place, now_us)
            holder = await badges.holder_of(session, badge_hash) if badge_hash else None
        is_right = await self._passwords.is_right(pin, holder.pin_hash if holder else None)
        async with self._database.writing() as session:
            if holder is None or not is_right:
                account = holder.name if holder else reader
                await audit.record(
                    session,
                    "badge_login_failed",
                    account=account,
                    actor=reader,
                    client=client,
                    at_us=now_us,
                )
                return None
            refresh_token = await refresh.begin_family(session, holder.user_id, now_us)
            await audit.record(
                session,
                "badge_login_ok",
                account=holder.name,
                actor=reader,
                client=client,
                at_us=now_us,
            )
            tokens = await self._tokens(session, holder.user_id, refresh_token, now_us)
        await self._attempts.forget(reader, client)
        return tokens

    async def renew(self, refresh_token: str, client: str) -> Tokens | None:
        """Give new tokens for a refresh token; None when it is no good, or was used before."""
        now_us = _now_us()
        async with self._database.writing() as session:
            rotated = await refresh.rotate(session, refresh_token, now_us)
            if rotated.is_reused and rotated.user_id is not None:
                owner = await users.permissions_of(session, rotated.user_id)
                await audit.record(
                    session,
                    "token_reused",
                    account=owner.name if owner else str(rotated.user_id),
                    actor="unknown",
                    client=client,
                    at_us=now_us,
                )
            if rotated.user_id is None or rotated.successor is None:
                return None
            return await self._tokens(session, rotated.user_id, rotated.successor, now_us)

    async def logout(self, refresh_token: str, client: str) -> None:
        """End a login: no token that came from it refreshes again."""
        now_us = _now_us()
        async with self._database.writing() as session:
            user_id = await refresh.end_family(session, refresh_token, now_us)
            owner = await users.permissions_of(session, user_id) if user_id else None
            if owner is not None:
                await audit.record(
                    session,
                    "logout",
                    account=owner.name,
                    actor=owner.name,
                    client=client,
                    at_us=now_us,
                )

    async def _tokens(
        self, session: AsyncSession, user_id: UUID, refresh_token: str, now_us: int
    ) -> Tokens | None:
        owner = await users.permissions_of(session, user_id)
        if owner is None:
            return None
        access_token = self._keys.signer.issue(
            str(user_id),
            owner.name,
            owner.permissions,
            now_us // 1_000_000,
            airlines=owner.airlines,
            stations=owner.stations,
        )
        return Tokens(access_token=access_token, refresh_token=refresh_token)


def _now_us() -> int:
    return time.time_ns() // 1000
