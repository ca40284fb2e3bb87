"""One hub for all tests of a file, with people who begin anew for each of them."""

import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.audit.tables import AuditRow
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.database import Base
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient
from sqlalchemy import delete, func, select

PASSWORD = "correct horse battery"  # noqa: S105  of nobody
_WRITTEN = {
    mapper.local_table
    for mapper in Base.registry.mappers
    if mapper.class_.__module__.startswith("aerocast_hub.auth.") or mapper.class_ is OutboxRow
}
OF_PEOPLE = [table for table in reversed(Base.metadata.sorted_tables) if table in _WRITTEN]


class HashedBefore:
    """Gives one hash, made once: hashing is slow, and `test_passwords` tests it."""

    made = None

    async def hash(self, password, about=()):  # noqa: ARG002  as `Passwords` is called
        HashedBefore.made = HashedBefore.made or await Passwords().hash(password)
        return HashedBefore.made


def settings_of(database_url, folder):
    return load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", broker_url="none:"
    )


@pytest.fixture(scope="module")
def settings(shared_database_url, tmp_path_factory):
    return settings_of(shared_database_url, tmp_path_factory.mktemp("hub"))


@pytest.fixture
def database_url(shared_database_url):
    return shared_database_url


@pytest.fixture
async def database(database_url):
    """The file's database, opened: without accounts, or anything they did but the trail of it."""
    opened = Database(database_url)
    async with opened.writing() as session:
        for table in OF_PEOPLE:
            await session.execute(delete(table))
    yield opened
    await opened.close()


@pytest.fixture
async def trail(database):
    """Gives the lines written since the test began."""

    async with database.reading() as session:
        began = await session.scalar(select(func.max(AuditRow.number))) or 0

    async def lines():
        since = select(AuditRow).where(AuditRow.number > began).order_by(AuditRow.number)
        async with database.reading() as session:
            return list(await session.scalars(since))

    return lines


@pytest.fixture
async def people(database, trail):
    """The accounts of `add_people`; lines of the trail tell that they were added."""
    await add_people(database)


async def add_people(database):
    """An account for each of the roles people have, named like the role."""
    async with database.writing() as session:
        await seed_roles(session)
        for role in ("admin", "operator", "viewer"):
            await add_user(session, HashedBefore(), NewUser(role, PASSWORD, role), now_us=1)


def hub_of(settings):
    """A client of a hub that has not started."""
    return AsyncTestClient(create_app(settings, SERVICES), raise_server_exceptions=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_hub(settings):
    async with hub_of(settings) as client:
        yield client


@pytest.fixture
def hub(running_hub, people):
    """The file's, as it is to a browser that never saw it."""
    running_hub.cookies.clear()
    return running_hub
