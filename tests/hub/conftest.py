"""Every store test runs on SQLite and on a real PostgreSQL; those marked so on two of them.

``AEROCAST_TEST_DATABASES=postgresql,postgresql-18`` (or ``sqlite``) runs every test of the hub that
opens a database on those named, whatever it asks for itself.
"""

import asyncio
import base64
import itertools
import os
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate

from tests.hub.emptied import make_new, shape_of
from tests.hub.postgresql import find_binaries, find_embedded_binaries, running_postgresql

_numbers = itertools.count(1)
_shapes = {}  # of templates, by server
_left = defaultdict(list)  # databases nobody uses at present, by server and template
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
        metafunc.parametrize("engine_kind", asked.split(","), scope="module")
    elif metafunc.definition.get_closest_marker("every_database"):
        metafunc.parametrize(
            "engine_kind", ["sqlite", "postgresql", "postgresql-18"], scope="module"
        )
    elif not is_chosen:
        metafunc.parametrize("engine_kind", ["sqlite", "postgresql"], scope="module")


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
        _shapes[folder, "template_hub"] = _run(shape_of(folder, "template_hub"))
        yield folder


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """An SQLite file with every table and nothing in them, for all tests: copy it."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _run(_migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    """Applications under test take nothing in unless the test says so."""
    monkeypatch.setenv("AEROCAST_HUB_BROKER_URL", "none:")


@pytest.fixture(scope="module")
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
    with one_on(server, "template1") as address:
        yield address


@pytest.fixture
def database_url(engine_kind, request, tmp_path):
    """A database of this test's own, with every table and nothing in them."""
    with _of_every_table(engine_kind, request, tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def shared_database_url(engine_kind, request, tmp_path_factory):
    """The same for all tests of a file that ask for it: what they write is in nobody's way."""
    with _of_every_table(engine_kind, request, tmp_path_factory.mktemp("shared")) as address:
        yield address


@contextmanager
def _of_every_table(engine_kind, request, folder):
    if engine_kind == "sqlite":
        file = folder / "hub.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
        yield f"sqlite+aiosqlite:///{file}"
        return
    server = request.getfixturevalue(engine_kind.replace("-", "_"))
    with one_on(server, "template_hub") as address:
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
    with one_on(postgresql, "template_hub") as address:
        opened = Database(address)
        yield opened
        await opened.close()


@contextmanager
def one_on(folder, template):
    """A database for one test; the next may have it under another name, made as good as new."""
    name, made_before = f"test_{next(_numbers)}", _left[folder, template]
    if made_before:
        _run(_execute(folder, f"ALTER DATABASE {made_before.pop()} RENAME TO {name}"))
    else:
        # Files are copied (PostgreSQL 15): writing them to the log too takes three times as long.
        copy = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
        _run(_execute(folder, copy))
    yield _address(folder, name)
    shape = _shapes.get((folder, template))
    if shape is not None and _run(make_new(folder, name, shape)):
        made_before.append(name)
    else:  # or hundreds of them would fill the disk
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
