"""How commands reach the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.settings import load_settings

Result = TypeVar("Result")


def with_database(work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Open the configured database, bring it up to date, do ``work`` and close it."""

    async def run() -> Result:
        database = Database(load_settings().database)
        try:
            await migrate(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
