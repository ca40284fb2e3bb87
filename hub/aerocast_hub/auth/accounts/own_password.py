"""Changing one's own password."""

import time
from uuid import UUID

from limits.aio.storage import Storage
from sqlalchemy import update

from aerocast_hub.auth import audit, users
from aerocast_hub.auth.limiting.attempts import LOGINS, Attempts
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import Client, end_sessions
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database


class OwnPassword:
    """Takes new passwords of people who know their present one."""

    def __init__(
        self, database: Database, sessions: Sessions, standing: Standing, tries: Storage
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._standing = standing
        self._passwords = Passwords()
        self._attempts = Attempts("own passwords", LOGINS, tries)

    async def change(
        self, who: Principal, present: str, new: str, client: Client
    ) -> Tokens | TryLater | None:
        """Change somebody's password, end all their sessions and begin a new one.

        None: the present password is wrong.

        Raises
        ------
        UserError
            Nobody should have the new password; the text says why.
        """
        wait_s = await self._attempts.wait_s(who.user_id, client.address)
        if wait_s > 0:
            return TryLater(wait_s)
        user_id, now_us = UUID(who.user_id), time.time_ns() // 1000
        async with self._database.reading() as session:
            known = await users.credentials_of(session, who.name, now_us)
        present_hash = known.password_hash if known else None
        if not await self._passwords.is_right(present, present_hash):
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
