"""One's own second factors: added, confirmed, removed."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.second_factors import challenges
from aerocast_hub.auth.second_factors.codes import (
    FactorError,
    begin_totp,
    check_totp,
    make_recovery_codes,
    remove_totp,
)
from aerocast_hub.auth.second_factors.passkeys import (
    RelyingParty,
    add_passkey,
    adding_options,
    remove_passkey,
)
from aerocast_hub.auth.second_factors.sealing import Seal
from aerocast_hub.auth.second_factors.store import Factors, factors_of
from aerocast_hub.auth.second_factors.totp import base32, provisioning_uri
from aerocast_hub.auth.sessions.store import LOG_IN_AGAIN, began_lately
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database

NO_NAME = "passkeys need https and a host name: set base_url, or use an authenticator app"


class NewApp(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator app needs: shown this once.

    Attributes
    ----------
    secret
        To be typed into the app (Base32).
    uri
        The same for a QR code.
    """

    secret: str
    uri: str


class PasskeyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser needs to make a passkey.

    Attributes
    ----------
    challenge
        To be sent back with the passkey.
    options
        JSON for the browser's `PublicKeyCredential.parseCreationOptionsFromJSON`.
    """

    challenge: str
    options: str


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor is in use.

    Attributes
    ----------
    recovery_codes
        Ten codes for paper, shown this once; empty when there were some already.
    """

    recovery_codes: list[str]


class NewPasskey(NamedTuple):
    """A passkey a browser made: its name, the challenge it was made for, and its JSON."""

    name: str
    challenge: str
    credential: str


class OwnFactors:
    """Changes people's own second factors. Every change wants a login of the last minutes."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def list(self, who: Principal) -> Factors:
        """Give what there is."""
        async with self._database.reading() as session:
            return await factors_of(session, UUID(who.user_id))

    async def begin_app(self, who: Principal) -> NewApp:
        """Make a secret for an authenticator app.

        Raises
        ------
        FactorError
            There is one in use, or the login is too long ago; as with everything below.
        """
        async with self._changing(who) as (session, user_id):
            secret = await begin_totp(session, self._seal, user_id)
        return NewApp(secret=base32(secret), uri=provisioning_uri(secret, who.name))

    async def confirm_app(self, who: Principal, code: str) -> Added:
        """Take an authenticator app into use by its first code."""
        async with self._changing(who) as (session, user_id):
            is_right = await check_totp(
                session, self._seal, user_id, code, _now_us(), confirms=True
            )
            if not is_right:
                raise FactorError("this is not the code of this moment: does the clock fit?")
            return await self._added(session, who)

    async def remove_app(self, who: Principal) -> None:
        """Forget the authenticator app."""
        async with self._changing(who) as (session, user_id):
            await remove_totp(session, user_id)
            await self._note(session, who, "second_factor_removed")

    async def begin_passkey(self, who: Principal, party: RelyingParty | None) -> PasskeyOptions:
        """Give what a browser needs to make a passkey."""
        if party is None:
            raise FactorError(NO_NAME)
        async with self._changing(who) as (session, user_id):
            new = await challenges.begin(session, user_id, "add_passkey", _now_us())
            options = await adding_options(session, party, user_id, who.name, new.passkey_challenge)
        return PasskeyOptions(challenge=new.token, options=options)

    async def add_passkey(
        self, who: Principal, party: RelyingParty | None, new: NewPasskey
    ) -> Added:
        """Take a passkey into use."""
        if party is None:
            raise FactorError(NO_NAME)
        async with self._changing(who) as (session, user_id):
            asked = await challenges.count_try(session, new.challenge, "add_passkey", _now_us())
            is_ours = asked is not None and asked.user_id == user_id
            if asked is None or not is_ours or not await challenges.use_up(session, new.challenge):
                raise FactorError("this took too long: add the passkey again")
            await add_passkey(
                session,
                party,
                user_id,
                name=new.name,
                credential=new.credential,
                challenge=asked.passkey_challenge,
                now_us=_now_us(),
            )
            return await self._added(session, who)

    async def remove_passkey(self, who: Principal, passkey_id: str) -> bool:
        """Forget a passkey; False when there is none of this id."""
        async with self._changing(who) as (session, user_id):
            is_gone = await remove_passkey(session, user_id, passkey_id)
            if is_gone:
                await self._note(session, who, "second_factor_removed")
            return is_gone

    async def new_recovery_codes(self, who: Principal) -> Added:
        """Give ten new codes for paper, in place of all before."""
        async with self._changing(who) as (session, user_id):
            factors = await factors_of(session, user_id)
            if not factors.methods:
                raise FactorError("add an authenticator app or a passkey first")
            await self._note(session, who, "recovery_codes_made")
            return Added(recovery_codes=await make_recovery_codes(session, user_id))

    async def _added(self, session: AsyncSession, who: Principal) -> Added:
        await self._note(session, who, "second_factor_added")
        user_id = UUID(who.user_id)
        if (await factors_of(session, user_id)).recovery_codes_left:
            return Added(recovery_codes=[])
        return Added(recovery_codes=await make_recovery_codes(session, user_id))

    async def _note(self, session: AsyncSession, who: Principal, action: audit.Action) -> None:
        after = await factors_of(session, UUID(who.user_id))
        await audit.record(
            session, action, account=who.name, actor=who.name, at_us=_now_us(), after=after
        )

    @asynccontextmanager
    async def _changing(self, who: Principal) -> AsyncIterator[tuple[AsyncSession, UUID]]:
        async with self._database.writing() as session:
            if not await began_lately(session, who.session_id, _now_us()):
                raise FactorError(LOG_IN_AGAIN)
            yield session, UUID(who.user_id)


def _now_us() -> int:
    return time.time_ns() // 1000
