"""The parts that let people and programs in, put together for an application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from limits.aio.storage import Storage

from aerocast_hub.auth.accounts.own_password import OwnPassword
from aerocast_hub.auth.api_keys.checking import ApiKeys
from aerocast_hub.auth.guard import PermissionGuard
from aerocast_hub.auth.limiting.rates import Rates
from aerocast_hub.auth.limiting.storage import rates_storage
from aerocast_hub.auth.logins import Logins
from aerocast_hub.auth.oidc.sign_in import SignIn
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.second_factors.own_factors import OwnFactors
from aerocast_hub.auth.second_factors.sealing import Seal
from aerocast_hub.auth.sessions.cookies import SessionCookies
from aerocast_hub.auth.sessions.issuing import Sessions
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import SessionBounds
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.running import running
from aerocast_hub.settings import Settings


class Access(NamedTuple):
    """What handlers and the guard ask; members are named as handlers ask for them."""

    logins: Logins
    sessions: Sessions
    standing: Standing
    api_keys: ApiKeys
    own_password: OwnPassword
    own_factors: OwnFactors
    session_cookies: SessionCookies
    sign_in: SignIn
    rates: Rates

    def guard(self, keys: TokenKeys) -> PermissionGuard:
        """Give the guard before every handler."""
        return PermissionGuard(keys, self.standing, self.api_keys, self.session_cookies, self.rates)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of who was called back, count, and write down the use of keys, beside the block."""
        async with (
            running(self.standing.keep_looking()),
            running(self.api_keys.keep_writing()),
            running(self.rates.keep_telling()),
        ):
            try:
                yield
            finally:
                await self.api_keys.write()


def build_access(
    settings: Settings,
    database: Database,
    keys: TokenKeys,
    tries: Storage,
    publisher: Publisher,
    redis: RedisConnection | None,
) -> Access:
    """Put the parts together; nothing is touched yet."""
    standing, seal = Standing(database), Seal(settings.signing_key)
    bounds = SessionBounds(settings.session_idle_minutes * 60_000_000, settings.sessions_most)
    sessions = Sessions(database, keys, standing, bounds, settings.factor_roles)
    return Access(
        logins=Logins(database, sessions, tries, seal, publisher),
        sessions=sessions,
        standing=standing,
        api_keys=ApiKeys(database, standing),
        own_password=OwnPassword(
            database, sessions, standing, tries, Passwords(settings.password_list)
        ),
        own_factors=OwnFactors(database, seal),
        sign_in=SignIn(settings, database, sessions, standing, tries),
        rates=Rates(settings.account_requests_per_s, rates_storage(redis)),
        session_cookies=SessionCookies(is_https=(settings.base_url or "").startswith("https:")),
    )
