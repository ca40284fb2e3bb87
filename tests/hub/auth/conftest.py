import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

PASSWORD = "correct horse battery"  # noqa: S105  of nobody


class HashedBefore:
    """Gives one hash, made once: hashing is slow, and `test_passwords` tests it."""

    made = None

    async def hash(self, password, about=()):  # noqa: ARG002  as `Passwords` is called
        HashedBefore.made = HashedBefore.made or await Passwords().hash(password)
        return HashedBefore.made


@pytest.fixture
def settings(database_url, tmp_path):
    return load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )


@pytest.fixture
async def people(database):
    """An account for each of the roles people have, named like the role."""
    async with database.writing() as session:
        await seed_roles(session)
        for role in ("admin", "operator", "viewer"):
            await add_user(session, HashedBefore(), NewUser(role, PASSWORD, role), now_us=1)


@pytest.fixture
async def hub(settings, people):
    async with AsyncTestClient(
        create_app(settings, SERVICES), raise_server_exceptions=False
    ) as client:
        yield client
