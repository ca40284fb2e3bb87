"""Databases of earlier releases come up to date and keep what they hold."""

import sqlite3
from contextlib import closing

import pytest
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.observations import list_stored
from aerocast_hub.gateways.views import loss_accounts

from tests.hub.old_databases import FOLDER, PLATE, dump, fill, thaw
from tests.hub.test_database import differences

OF_TODAY = "of today"


@pytest.mark.parametrize("release", [OF_TODAY, *sorted(file.stem for file in FOLDER.glob("*.sql"))])
async def test_a_database_of_a_release_comes_up_to_date_with_what_it_holds(release, tmp_path):
    if release == OF_TODAY:
        await fill(tmp_path / "today.db")
        frozen = dump(tmp_path / "today.db")
    else:
        frozen = (FOLDER / f"{release}.sql").read_text()
    file = tmp_path / "hub.db"
    thaw(frozen, file)
    database = Database(f"sqlite+aiosqlite:///{file}")
    try:
        await migrate(database)
        async with database.reading() as session:
            assert await (await session.connection()).run_sync(differences) == []
            (account,) = await loss_accounts(session)
            bag = await find_bag(session, PLATE)
            stored = await list_stored(session)
    finally:
        await database.close()
    assert (account.received, account.unexplained) == (3, 0)
    assert len(stored) == 3
    assert bag is not None
    with closing(sqlite3.connect(file)) as opened:
        assert opened.execute("PRAGMA foreign_key_check").fetchall() == []
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
