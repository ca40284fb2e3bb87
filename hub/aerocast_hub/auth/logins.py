"""Logging in: from a name and a password, a badge and its PIN, to tokens."""

import time
from functools import partial
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
from limits.aio.storage import Storage
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit, badges, users
from aerocast_hub.auth.accounts.locking import note_failure, note_success
from aerocast_hub.auth.limiting.attempts import LOGINS, Attempts
from aerocast_hub.auth.passwords import Passwords, is_outdated
from aerocast_hub.auth.second_factors import challenges
from aerocast_hub.auth.second_factors.codes import check_totp, use_recovery_code
from aerocast_hub.auth.second_factors.passkeys import RelyingParty, use_passkey, using_options
from aerocast_hub.auth.second_factors.sealing import Seal
from aerocast_hub.auth.second_factors.store import factors_of
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.auth.sessions.store import Client, Way
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher


class TryLater(NamedTuple):
    """Too many tries: how long to wait, in seconds."""

    wait_s: float


class SecondFactorAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The password is right; now show the second factor.

    Attributes
    ----------
    challenge
        To be sent back with it, to `/auth/login/second`.
    methods
        Of ``app``, ``passkey``, ``recovery_code``.
    passkey_options
        JSON for the browser's `PublicKeyCredential.parseRequestOptionsFromJSON`; None without
        passkeys, or where the hub has no name browsers take passkeys for.
    expires_in
        Seconds there are for it.
    """

    challenge: str
    methods: list[str]
    passkey_options: str | None = None
    expires_in: int = challenges.GOOD_FOR_S


class Proof(NamedTuple):
    """A second factor: one of them is given.

    Attributes
    ----------
    code
        Of the authenticator app, or on paper.
    credential
        What a passkey signed, as the browser's JSON.
    """

    code: str = ""
    credential: str = ""


class Logins:
    """Lets people in; counts how often somebody tried."""

    def __init__(
        self, database: Database, sessions: Sessions, tries: Storage, seal: Seal, news: Publisher
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._seal = seal
        self._news = news
        self._passwords = Passwords()
        self._attempts = Attempts("logins", LOGINS, tries)
        self._codes = Attempts("second factors", LOGINS, tries)

    async def login(
        self, name: str, password: str, client: Client, party: RelyingParty | None = None
    ) -> Tokens | SecondFactorAsked | TryLater | None:
        """Give tokens for a right password, or ask for the second factor.

        An unknown, disabled or locked account and a wrong password get one answer, None, after the
        same work.
        """
        account = users.normal_name(name)[: users.LONGEST_NAME]
        wait_s = await self._attempts.wait_s(account, client.address)
        if wait_s > 0:
            return TryLater(wait_s)
        now_us = _now_us()
        async with self._database.reading() as session:
            known = await users.credentials_of(session, account, now_us)
        is_right = await self._passwords.is_right(password, known.password_hash if known else None)
        if known is None or known.password_hash is None or not is_right:
            # Nobody's account is counted on too: it must take no less time.
            await self._fail(known.user_id if known else uuid4(), account, "login_failed", client)
            return None
        await self._attempts.forget(account, client.address)
        new_hash = None
        if is_outdated(known.password_hash):
            new_hash = await self._passwords.hash_again(password)
        async with self._database.writing() as session:
            if new_hash is not None:
                await users.keep_hash(session, known.user_id, new_hash)
            factors = await factors_of(session, known.user_id)
            if factors.methods:
                return await self._ask(session, known.user_id, factors.methods, party)
            return await self._enter(session, known.user_id, account, "password", client)

    async def second_factor(
        self, challenge: str, proof: Proof, client: Client, party: RelyingParty | None = None
    ) -> Tokens | TryLater | None:
        """Give tokens for a right second factor; None when it is wrong or comes too late."""
        now_us = _now_us()
        async with self._database.writing() as session:
            asked = await challenges.count_try(session, challenge, "login", now_us)
        if asked is None:
            return None
        wait_s = await self._codes.wait_s(str(asked.user_id), client.address)
        if wait_s > 0:
            return TryLater(wait_s)
        async with self._database.writing() as session:
            owner = await users.permissions_of(session, asked.user_id)
            is_right = await self._is_right(session, asked, proof, party)
            if owner is not None and is_right and await challenges.use_up(session, challenge):
                tokens = await self._enter(
                    session, asked.user_id, owner.name, "second_factor", client
                )
            else:
                tokens = None
        if tokens is None:
            account = owner.name if owner else str(asked.user_id)
            await self._fail(asked.user_id, account, "second_factor_failed", client)
        else:
            await self._codes.forget(str(asked.user_id), client.address)
        return tokens

    async def login_by_badge(
        self, place: badges.Place, pin: str, client: Client
    ) -> Tokens | TryLater | None:
        """Give tokens to whoever showed a badge at a gateway just now and knows its PIN.

        Badge and PIN are two factors by themselves: no other is asked for. The showing is used up,
        whatever comes of it. No badge shown, nobody's badge, a disabled account and a wrong PIN get
        one answer, None, after the same work.
        """
        reader = f"badge at {place.site}/{place.gateway}"
        wait_s = await self._attempts.wait_s(reader, client.address)
        if wait_s > 0:
            return TryLater(wait_s)
        async with self._database.writing() as session:
            badge_hash = await badges.take_showing(session, place, _now_us())
            holder = await badges.holder_of(session, badge_hash) if badge_hash else None
        is_right = await self._passwords.is_right(pin, holder.pin_hash if holder else None)
        if holder is None or not is_right:
            account = holder.name if holder else reader
            user_id = holder.user_id if holder else uuid4()
            await self._fail(user_id, account, "badge_login_failed", client, reader)
            return None
        async with self._database.writing() as session:
            tokens = await self._enter(
                session, holder.user_id, holder.name, "badge", client, reader
            )
        await self._attempts.forget(reader, client.address)
        return tokens

    async def _ask(
        self, session: AsyncSession, user_id: UUID, methods: list[str], party: RelyingParty | None
    ) -> SecondFactorAsked:
        new = await challenges.begin(session, user_id, "login", _now_us())
        options = None
        if "passkey" in methods and party is not None:
            options = await using_options(session, party, user_id, new.passkey_challenge)
        return SecondFactorAsked(challenge=new.token, methods=methods, passkey_options=options)

    async def _is_right(
        self,
        session: AsyncSession,
        asked: challenges.Challenge,
        proof: Proof,
        party: RelyingParty | None,
    ) -> bool:
        now_us = _now_us()
        if proof.credential:
            return party is not None and await use_passkey(
                session,
                party,
                asked.user_id,
                credential=proof.credential,
                challenge=asked.passkey_challenge,
                now_us=now_us,
            )
        is_code = await check_totp(
            session, self._seal, asked.user_id, proof.code, now_us, confirms=False
        )
        return is_code or await use_recovery_code(session, asked.user_id, proof.code, now_us)

    async def _enter(
        self,
        session: AsyncSession,
        user_id: UUID,
        account: str,
        way: Way,
        client: Client,
        actor: str | None = None,
    ) -> Tokens | None:
        now_us = _now_us()
        if not await note_success(session, user_id, now_us):
            return None
        await audit.record(
            session,
            "badge_login_ok" if way == "badge" else "login_ok",
            account=account,
            actor=actor or account,
            client=client.address,
            at_us=now_us,
        )
        return await self._sessions.begin(session, user_id, way, client, now_us)

    async def _fail(
        self,
        user_id: UUID,
        account: str,
        action: audit.Action,
        client: Client,
        actor: str | None = None,
    ) -> None:
        now_us = _now_us()
        record = partial(audit.record, account=account, client=client.address, at_us=now_us)
        async with self._database.writing() as session:
            await record(session, action, actor=actor or account)
            is_locked = await note_failure(session, user_id, now_us)
            if is_locked:
                await record(session, "account_locked", actor="the hub")
        if is_locked:
            self._news.wake()


def _now_us() -> int:
    return time.time_ns() // 1000
