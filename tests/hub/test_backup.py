"""A database to a file and back, on each engine by its own tool."""

import json
import sqlite3

import msgspec
import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.backup import BackupError, back_up, manifest_of, restore
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from sqlalchemy import text

from tests.hub.inbox.wire import GATEWAY, SITE, tags


@pytest.fixture
async def kept(database, database_url, tmp_path):
    """A backup of a hub that has taken in a hundred observations; gives its file."""
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    inbox = Inbox(database, {}, Publisher(database, Metrics()), Metrics())
    await inbox.receive([tags(1, 100)])
    seen = []
    manifest = await back_up(database_url, tmp_path / "kept", seen.append)
    assert manifest.rows["observations"] == 100
    assert seen
    return tmp_path / "kept"


async def accounts(address):
    database = Database(address)
    try:
        await migrate(database)
        async with database.reading() as session:
            return await loss_accounts(session)
    finally:
        await database.close()


async def test_what_was_backed_up_is_restored_to_an_empty_database(
    kept, database_url, empty_database_url
):
    empty = empty_database_url.replace("hub.db", "restored.db")
    manifest = await restore(empty, kept, lambda _line: None)
    assert manifest.rows["gateways"] == 1
    assert await accounts(empty) == await accounts(database_url)
    database = Database(empty)
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM observations")) == 100
    await database.close()


async def test_nothing_is_written_over(kept, database_url):
    with pytest.raises(BackupError, match="is there already: nothing is written over"):
        await back_up(database_url, kept, lambda _line: None)
    with pytest.raises(BackupError, match=r"has tables|is there already: move it away"):
        await restore(database_url, kept, lambda _line: None)


async def test_a_backup_that_was_changed_is_refused(kept, empty_database_url):
    empty = empty_database_url.replace("hub.db", "restored.db")
    with kept.open("r+b") as file:
        file.seek(100)
        file.write(b"spoiled")
    with pytest.raises(BackupError, match="its content has changed"):
        await restore(empty, kept, lambda _line: None)
    manifest_of(kept).unlink()
    with pytest.raises(BackupError, match="cannot be read"):
        await restore(empty, kept, lambda _line: None)


async def test_a_row_that_did_not_come_is_told(kept, empty_database_url):
    empty = empty_database_url.replace("hub.db", "restored.db")
    manifest = msgspec.json.decode(manifest_of(kept).read_bytes())
    manifest["rows"]["observations"] = 101
    manifest_of(kept).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BackupError, match="observations has 100 rows of 101"):
        await restore(empty, kept, lambda _line: None)


def test_the_commands_back_up_and_restore(monkeypatch, tmp_path, capsys, migrated_sqlite):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", f"sqlite:///{migrated_sqlite}")
    file = str(tmp_path / "kept")
    assert main(["backup", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["users"] == 0
    assert main(["backup", file]) == 2
    assert "nothing is written over" in capsys.readouterr().err
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert main(["restore", file]) == 0
    assert "restored and counted" in capsys.readouterr().out
    assert sqlite3.connect(tmp_path / "new.db").execute("PRAGMA quick_check").fetchone() == ("ok",)
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", "postgresql://hub@nowhere.invalid/hub")
    assert main(["restore", file]) == 2
    assert "is of sqlite, DATABASE_URL names postgresql" in capsys.readouterr().err
