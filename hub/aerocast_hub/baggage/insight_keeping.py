"""Reports over every bag of a day or a week: made now and then for all who look, on every hub.

They read up to a hundred thousand observations, and a page that shows them asks again whenever a
bag moves; what a day was like does not change by the second. Each says until when it counts. Who
sees some rows only shares with those who see the same.
"""

import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.clock_skew import StrayClock
from aerocast_hub.baggage.insight import Performance, gateway_clocks, performance
from aerocast_hub.cache.answers import Answers
from aerocast_hub.database.engine import Database

KEPT_S = 30.0
CLOCKS_KEPT_S = 300.0  # they are compared over a week
HOUR_US = 3_600_000_000

Report = TypeVar("Report")


class InsightKept:
    """Gives reports of now, newly made or kept."""

    def __init__(self, database: Database, answers: Answers) -> None:
        self._database = database
        self._answers = answers
        # Another version of the hub beside this one may know other fields.
        self._release = version("aerocast-hub")

    async def performance(self, hours: int) -> Performance:
        """Tell how the last hours went, as of half a minute ago at most."""

        async def make(session: AsyncSession) -> Performance:
            until_us = time.time_ns() // 1000
            return await performance(session, until_us - hours * HOUR_US, until_us)

        return await self._kept(f"performance {hours}", KEPT_S, make, Performance)

    async def clocks(self) -> list[StrayClock]:
        """Diagnose the gateways' clocks, as of five minutes ago at most."""

        async def make(session: AsyncSession) -> list[StrayClock]:
            return await gateway_clocks(session, time.time_ns() // 1000)

        return await self._kept("gateway clocks", CLOCKS_KEPT_S, make, list[StrayClock])

    async def _kept(
        self,
        name: str,
        lifetime_s: float,
        make: Callable[[AsyncSession], Awaitable[Report]],
        kind: type[Report],
    ) -> Report:
        async def made() -> bytes:
            async with self._database.reading() as session:
                return msgspec.msgpack.encode(await make(session))

        kept = await self._answers.remembered(f"{self._release} {name}", lifetime_s, made)
        return msgspec.msgpack.decode(kept, type=kind)
