"""Every store test runs on SQLite and on a real PostgreSQL; those marked so on two of them.

``AEROCAST_TEST_DATABASES=postgresql,postgresql-18`` (or ``sqlite``) runs every test of the hub that
opens a database on those named, whatever it asks for itself.
"""

import asyncio
import base64
import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate

from tests.hub.postgresql import find_binaries, find_embedded_binaries, running_postgresql

_numbers = itertools.count(1)
# One key for whatever a test opens a database with: itself, an application, a command.
os.environ.setdefault("AEROCAST_HUB_DATA_KEYS", base64.b64encode(bytes(range(32))).decode())


def pytest_generate_tests(metafunc):
    """Choose the databases: the environment does, else the test's mark, else these two."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "engine_kind" not in metafunc.fixturenames or any("engine_kind" in m.args[0] for m in marks):
        return
    of_its_own = metafunc._arg2fixturedefs["engine_kind"][-1]
    is_chosen = of_its_own.func is not engine_kind.__wrapped__
    asked = os.environ.get("AEROCAST_TEST_DATABASES")
    if asked and not of_its_own.params:
        metafunc.parametrize("engine_kind", asked.split(","))
    elif metafunc.definition.get_closest_marker("every_database"):
        metafunc.parametrize("engine_kind", ["sqlite", "postgresql", "postgresql-18"])
    elif not is_chosen:
        metafunc.parametrize("engine_kind", ["sqlite", "postgresql"])


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of our own; gives the folder of its socket."""
    with _with_template(find_binaries()) as folder:
        yield folder


@pytest.fixture(scope="session")
def postgresql_18():
    """The same of version 18."""
    with _with_template(find_embedded_binaries()) as folder:
        yield folder


@contextmanager
def _with_template(binaries):
    with running_postgresql(binaries) as folder:
        _run(_execute(folder, "CREATE DATABASE template_hub"))
        _run(_migrate(_address(folder, "template_hub")))
        yield folder


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """An SQLite file with every table and nothing in them."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _run(_migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    """Applications under test take nothing in unless the test says so."""
    monkeypatch.setenv("AEROCAST_HUB_BROKER_URL", "none:")


@pytest.fixture
def engine_kind(request):
    """Which database the test runs on; a file may choose one, as its own fixture."""
    return request.param


@pytest.fixture
def empty_database_url(engine_kind, request, tmp_path):
    """A database without any table."""
    if engine_kind == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}"
        return
    server = request.getfixturevalue(engine_kind.replace("-", "_"))
    with _postgresql_database(server, "template1") as address:
        yield address


@pytest.fixture
def database_url(engine_kind, request, tmp_path):
    """A database of this test's own, with every table and nothing in them."""
    if engine_kind == "sqlite":
        file = tmp_path / "hub.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
        yield f"sqlite+aiosqlite:///{file}"
        return
    server = request.getfixturevalue(engine_kind.replace("-", "_"))
    with _postgresql_database(server, "template_hub") as address:
        yield address


@pytest.fixture
async def database(database_url):
    """The same, opened."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def postgresql_database(postgresql):
    """A PostgreSQL database of this test's own, opened: for what only PostgreSQL does."""
    with _postgresql_database(postgresql, "template_hub") as address:
        opened = Database(address)
        yield opened
        await opened.close()


@contextmanager
def _postgresql_database(folder, template):
    """A database for one test; dropped after it, or hundreds of them would fill the disk."""
    name = f"test_{next(_numbers)}"
    _run(_execute(folder, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield _address(folder, name)
    _run(_execute(folder, f"DROP DATABASE {name} WITH (FORCE)"))


def _address(folder, name):
    return f"postgresql+asyncpg://hub@/{name}?host={folder}"


async def _execute(folder, statement):
    connection = await asyncpg.connect(host=str(folder), user="hub", database="postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(address):
    database = Database(address)
    try:
        await migrate(database)
    finally:
        await database.close()


def _run(work):
    """Run a coroutine to its end, whether or not a loop is running here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
