"""Changing one's own password."""

import time
from functools import partial
from uuid import UUID

from limits.aio.storage import Storage
from sqlalchemy import update

from aerocast_hub.auth import audit, users
from aerocast_hub.auth.accounts.locking import note_failure
from aerocast_hub.auth.limiting.attempts import LOGINS, Attempts
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.second_factors.store import factors_of
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import LOG_IN_AGAIN, Client, began_lately, end_sessions
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database


class OwnPassword:
    """Takes new passwords of people who know their present one."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        standing: Standing,
        tries: Storage,
        passwords: Passwords,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._standing = standing
        self._passwords = passwords
        self._attempts = Attempts("own passwords", LOGINS, tries)

    async def change(
        self, who: Principal, present: str, new: str, client: Client
    ) -> Tokens | TryLater | None:
        """Change somebody's password, end all their sessions and begin a new one.

        None: the present password is wrong.

        Raises
        ------
        UserError
            Nobody should have the new password; the text says why. Or the account has a second
            factor, and the login it was shown at is too long ago: the session that begins here is
            a fresh one, and would let a password alone remove the factor.
        """
        wait_s = await self._attempts.wait_s(who.user_id, client.address)
        if wait_s > 0:
            return TryLater(wait_s)
        user_id, now_us = UUID(who.user_id), time.time_ns() // 1000
        async with self._database.reading() as session:
            known = await users.credentials_of(session, who.name, now_us)
            is_fresh = await began_lately(session, who.session_id, now_us)
            if not is_fresh and (await factors_of(session, user_id)).methods:
                raise UserError(LOG_IN_AGAIN)
        present_hash = known.password_hash if known else None
        if not await self._passwords.is_right(present, present_hash):
            await self._fail(user_id, who.name, client, now_us)
            return None
        await self._attempts.forget(who.user_id, client.address)
        if new == present:
            raise UserError("the new password is the present one: choose another")
        try:
            new_hash = await self._passwords.hash(new, (who.name,))
        except ValueError as error:
            raise UserError(str(error)) from error
        async with self._database.writing() as session:
            # Only while the password that was shown is the one in force.
            changed = await session.scalar(
                update(UserRow)
                .where(UserRow.id == user_id, UserRow.password_hash == present_hash)
                .values(password_hash=new_hash, change_by_us=None)
                .returning(UserRow.id)
            )
            if changed is None:
                return None
            ended = await end_sessions(session, user_id, now_us)
            await audit.record(
                session,
                "password_changed",
                account=who.name,
                actor=who.name,
                client=client.address,
                at_us=now_us,
            )
            tokens = await self._sessions.begin(session, user_id, "password", client, now_us)
        self._standing.end(ended)
        return tokens

    async def _fail(self, user_id: UUID, account: str, client: Client, now_us: int) -> None:
        """Note a guess: whoever found a login left open has no more of them than anybody else."""
        record = partial(audit.record, account=account, client=client.address, at_us=now_us)
        async with self._database.writing() as session:
            await record(session, "password_change_failed", actor=account)
            if await note_failure(session, user_id, now_us):
                await record(session, "account_locked", actor="the hub")
