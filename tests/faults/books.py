"""The hub's database, prepared and read without starting a command for each."""

import contextlib

from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts


@contextlib.asynccontextmanager
async def books(hub):
    """Open the database of a hub on this machine."""
    database = Database(f"sqlite+aiosqlite:///{hub.folder / 'hub.db'}")
    try:
        yield database
    finally:
        await database.close()


async def prepare(hub, site, gateway):
    """Lay it out and add a gateway."""
    async with books(hub) as database:
        await migrate(database)
        async with database.writing() as session:
            await add_gateway(session, site, gateway)


async def accounts(hub):
    """Give every gateway's loss account."""
    async with books(hub) as database, database.reading() as session:
        return await loss_accounts(session)
