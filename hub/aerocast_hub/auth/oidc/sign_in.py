"""Logging in at the provider: there, and back with a session."""

import hashlib
import logging
import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from limits.aio.storage import Storage
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.accounts.locking import note_provided
from aerocast_hub.auth.bindings import binding_of
from aerocast_hub.auth.limiting.attempts import SIGN_INS, Attempts
from aerocast_hub.auth.oidc.claims import name_of, read_mapping, roles_of
from aerocast_hub.auth.oidc.provider import Provider, ProviderError
from aerocast_hub.auth.oidc.tables import IdentityRow, SignInRow
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import (
    LOG_IN_AGAIN,
    Client,
    began_lately,
    end_sessions,
    record_ended,
)
from aerocast_hub.auth.tables import RoleRow, UserRoleRow, UserRow
from aerocast_hub.auth.users import NewUser, UserError, add_user, call_tokens_back
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import Settings

BACK = "/login/provider/back"
GOOD_FOR_S = 600
PROVIDER = "identity provider"

_log = logging.getLogger(__name__)


class SentAway(NamedTuple):
    """Where the browser goes, and what it must bring back in a cookie."""

    address: str
    state: str


class CameBack(NamedTuple):
    """Tokens and the page to go to; without tokens, the account was linked."""

    tokens: Tokens | None
    next_page: str


class SignInError(Exception):
    """It cannot be; the text is for the person.

    Attributes
    ----------
    status
        What a page that says so is answered with.
    """

    status = 403


class NoProviderError(SignInError):
    """The hub has none."""

    status = 404


class ProviderAwayError(SignInError):
    """It does not answer."""

    status = 503


class SignIn:
    """Sends people to the provider and takes them back."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        sessions: Sessions,
        standing: Standing,
        tries: Storage,
    ) -> None:
        self._database = database
        self._attempts = Attempts("sign ins", SIGN_INS, tries)
        self._sessions = sessions
        self._standing = standing
        self._back = f"{(settings.base_url or '').rstrip('/')}{BACK}"
        self._claim = settings.oidc_roles_claim
        self._mapping = read_mapping(settings.oidc_roles)
        self.name = settings.oidc_name
        self._provider: Provider | None = None
        if settings.oidc_issuer is not None and settings.oidc_client_id is not None:
            secret = settings.oidc_client_secret
            self._provider = Provider(
                settings.oidc_issuer,
                settings.oidc_client_id,
                secret.get_secret_value() if secret is not None else None,
                settings.oidc_scopes,
            )

    @property
    def is_offered(self) -> bool:
        """Say whether there is a provider."""
        return self._provider is not None

    async def wait_s(self, client: str) -> float:
        """Count somebody who wants to be sent there: each of them is kept until they come back.

        Gives how long to wait, seconds; 0: they may go now.
        """
        return await self._attempts.wait_s(f"sign in {client}", client)

    async def begin(self, next_page: str, link_user_id: UUID | None = None) -> SentAway:
        """Send somebody to the provider: to log in, or to link an account.

        Raises
        ------
        SignInError
            There is no provider, or it does not answer.
        """
        provider = self._asked()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        now_us = time.time_ns() // 1000
        try:
            address = await provider.address(self._back, state, nonce, verifier)
        except ProviderError as error:
            _log.warning("nobody can be sent to the provider: %s", error)
            raise ProviderAwayError(
                "the identity provider does not answer: try again later"
            ) from error
        async with self._database.writing() as session:
            await session.execute(delete(SignInRow).where(SignInRow.ends_at_us <= now_us))
            await session.execute(
                insert(SignInRow).values(
                    state_hash=_hash(state),
                    nonce=nonce,
                    verifier=verifier,
                    next_page=next_page[:2048],
                    link_user_id=link_user_id,
                    ends_at_us=now_us + GOOD_FOR_S * 1_000_000,
                )
            )
        return SentAway(address, state)

    async def begin_link(self, user_id: UUID, session_id: str | None) -> SentAway:
        """Send somebody to the provider to link their account: another way in, for good.

        Raises
        ------
        SignInError
            The login is too long ago, there is no provider, or it does not answer.
        """
        self._asked()
        async with self._database.reading() as session:
            if not await began_lately(session, session_id, time.time_ns() // 1000):
                raise SignInError(LOG_IN_AGAIN)
        return await self.begin("/account", user_id)

    async def finish(self, state: str, kept: str | None, code: str, client: Client) -> CameBack:
        """Take somebody back from the provider.

        Parameters
        ----------
        kept
            The state in the browser's cookie: only who was sent away comes back.

        Raises
        ------
        SignInError
            They were not sent by us or too long ago, the provider says nothing to be believed, or
            nobody gave them a role here.
        """
        provider = self._asked()
        if kept is None or not secrets.compare_digest(_hash(state), _hash(kept)):
            raise SignInError("this login was not begun in this browser: begin again")
        async with self._database.writing() as session:
            row = (
                await session.execute(
                    delete(SignInRow)
                    .where(
                        SignInRow.state_hash == _hash(state),
                        SignInRow.ends_at_us > time.time_ns() // 1000,
                    )
                    .returning(
                        SignInRow.nonce,
                        SignInRow.verifier,
                        SignInRow.next_page,
                        SignInRow.link_user_id,
                    )
                )
            ).one_or_none()
        if row is None:
            raise SignInError("this login took too long, or was used: begin again")
        try:
            claims = await provider.redeem(code, self._back, row.verifier, row.nonce)
        except ProviderError as error:
            _log.warning("somebody came back from the provider in vain: %s", error)
            raise SignInError("the identity provider did not confirm this login") from error
        async with self._database.writing() as session:
            if row.link_user_id is not None:
                await self._link(session, provider, claims, row.link_user_id)
                return CameBack(None, row.next_page)
            tokens = await self._enter(session, provider, claims, client)
        await self._standing.look()  # other roles, or none, hold at once
        if tokens is None:
            raise SignInError("nobody gives you a role here any more: ask an administrator")
        return CameBack(tokens, row.next_page)

    def _asked(self) -> Provider:
        if self._provider is None:
            raise NoProviderError("this hub has no identity provider")
        return self._provider

    async def _link(
        self, session: AsyncSession, provider: Provider, claims: Mapping[str, object], user: UUID
    ) -> None:
        if await _identity(session, provider, claims) is not None:
            raise SignInError("this identity belongs to an account already")
        await _keep(session, provider, claims, user, made_here=False)

    async def _enter(
        self,
        session: AsyncSession,
        provider: Provider,
        claims: Mapping[str, object],
        client: Client,
    ) -> Tokens | None:
        """Begin a session; None when the provider gives no role any more: all others end."""
        now_us = time.time_ns() // 1000
        roles = roles_of(claims, self._claim, self._mapping)
        there_are = await session.scalars(select(RoleRow.name).where(RoleRow.name.in_(roles)))
        known_roles = sorted(there_are)
        identity = await _identity(session, provider, claims)
        if identity is None:
            user_id = await self._make(session, provider, claims, known_roles)
        else:
            user_id = identity.user_id
            if identity.made_here:
                await _give_roles(session, user_id, known_roles)
                if not known_roles:
                    return None
        name = await session.scalar(select(UserRow.name).where(UserRow.id == user_id))
        if not await note_provided(session, user_id, now_us):
            raise SignInError("this account is disabled: ask an administrator")
        tokens = await self._sessions.begin(session, user_id, "provider", client, now_us)
        account = name or str(user_id)
        await audit.record(
            session,
            "login_ok",
            account=account,
            actor=account,
            client=client.address,
            at_us=now_us,
        )
        if tokens is None:
            raise SignInError("this account is disabled: ask an administrator")
        return tokens

    async def _make(
        self,
        session: AsyncSession,
        provider: Provider,
        claims: Mapping[str, object],
        roles: list[str],
    ) -> UUID:
        if not roles:
            raise SignInError("nobody gave you a role here: ask an administrator")
        now_us = time.time_ns() // 1000
        new = NewUser(name_of(claims), None, roles[0])
        try:
            user = await add_user(session, Passwords(), new, now_us=now_us, actor=PROVIDER)
        except UserError as error:
            raise SignInError(
                "there is an account of your name: log in to it and link it, on its page"
            ) from error
        await _keep(session, provider, claims, user.id, made_here=True)
        await _give_roles(session, user.id, roles)
        return user.id


async def _identity(
    session: AsyncSession, provider: Provider, claims: Mapping[str, object]
) -> IdentityRow | None:
    return await session.get(IdentityRow, (provider.issuer, str(claims["sub"])[:255]))


async def _keep(
    session: AsyncSession,
    provider: Provider,
    claims: Mapping[str, object],
    user_id: UUID,
    *,
    made_here: bool,
) -> None:
    now_us = time.time_ns() // 1000
    await session.execute(
        insert(IdentityRow).values(
            issuer=provider.issuer,
            subject=str(claims["sub"])[:255],
            user_id=user_id,
            linked_at_us=now_us,
            made_here=made_here,
        )
    )
    name = await session.scalar(select(UserRow.name).where(UserRow.id == user_id))
    account = name or str(user_id)
    await audit.record(session, "provider_linked", account=account, actor=account, at_us=now_us)


async def _give_roles(session: AsyncSession, user_id: UUID, roles: list[str]) -> None:
    """Give an account the provider's roles in place of those it had; none at all throws it out."""
    name = await session.scalar(select(UserRow.name).where(UserRow.id == user_id))
    before = await binding_of(session, str(name))
    if before.roles == roles:
        return
    await session.execute(delete(UserRoleRow).where(UserRoleRow.user_id == user_id))
    if roles:
        given = [{"user_id": user_id, "role": role} for role in roles]
        await session.execute(insert(UserRoleRow), given)
    now_us = time.time_ns() // 1000
    await call_tokens_back(session, now_us, UserRow.id == user_id)
    if not roles and (ended := await end_sessions(session, user_id, now_us)):
        await record_ended(session, before.name, PROVIDER, ended, now_us)
    await audit.record(
        session,
        "user_bound",
        account=before.name,
        actor=PROVIDER,
        at_us=now_us,
        before=before,
        after=await binding_of(session, before.name),
    )


def _hash(state: str) -> bytes:
    return hashlib.sha256(state[:128].encode()).digest()
