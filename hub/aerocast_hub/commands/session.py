"""How commands reach the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aerocast_hub.audit.acting import COMMAND_LINE, Acting, acting
from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.settings import load_settings

Result = TypeVar("Result")


def with_database(
    work: Callable[[Database], Awaitable[Result]], *, change: str | None = None
) -> Result:
    """Open the configured database, bring it up to date, do ``work`` and close it.

    Parameters
    ----------
    change
        What the work changes, ``import flights``: a line of the trail tells it when the work wrote
        none itself. None: it changes nothing, or always writes its own.
    """

    async def run() -> Result:
        settings = load_settings()
        database = Database(settings.database, data_keys=settings.sealing_keys)
        try:
            await migrate(database)
            with acting(Acting(actor=COMMAND_LINE)) as somebody:
                done = await work(database)
                if change is not None and not somebody.recorded:
                    async with database.writing() as session:
                        await record(session, "command", subject=change)
                return done
        finally:
            await database.close()

    return asyncio.run(run())
