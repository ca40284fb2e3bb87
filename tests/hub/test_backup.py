"""A database to a file and back, on each engine by its own tool."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess

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
from aerocast_hub.settings import SettingsError
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_simulator.processes import command_path
from sqlalchemy import text

from tests.hub.inbox.wire import GATEWAY, SITE, tags
from tests.hub.postgresql import find_embedded_binaries


@pytest.fixture(autouse=True)
def own_tools(engine_kind, monkeypatch):
    """An older pg_dump refuses a newer server: each is asked with its own."""
    if engine_kind == "postgresql-18":
        path = os.pathsep.join((str(find_embedded_binaries()), os.environ["PATH"]))
        monkeypatch.setenv("PATH", path)


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


def only_its_owners(folder):
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


async def test_nobody_else_on_the_machine_reads_a_database_or_a_backup(
    kept, database_url, tmp_path
):
    before = os.umask(0o022)
    try:
        await back_up(database_url, tmp_path / "again", print)
        assert (tmp_path / "again").stat().st_mode & 0o777 == 0o600
        if database_url.startswith("sqlite"):
            fresh = tmp_path / "fresh" / "hub.db"
            await accounts(f"sqlite+aiosqlite:///{fresh}")
            made = only_its_owners(fresh.parent)
            shutil.rmtree(fresh.parent)
            await restore(f"sqlite+aiosqlite:///{fresh}", kept, print)
            assert made
            assert only_its_owners(fresh.parent)
    finally:
        os.umask(before)


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


async def test_what_a_newer_hub_laid_out_is_left_to_it(kept, database, empty_database_url):
    manifest = msgspec.json.decode(manifest_of(kept).read_bytes())
    manifest_of(kept).write_bytes(msgspec.json.encode(manifest | {"migration": "9999"}))
    with pytest.raises(BackupError, match=r"of a newer hub \(migration 9999\)"):
        await restore(empty_database_url.replace("hub.db", "new.db"), kept, lambda _line: None)
    async with database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"of a newer hub \(migration 9999; .* up to \d{4}\)"):
        await migrate(database)
    async with database.writing() as session:
        await session.execute(
            text("UPDATE alembic_version SET version_num = :was"), {"was": manifest["migration"]}
        )


async def test_a_row_that_did_not_come_is_told(kept, empty_database_url):
    empty = empty_database_url.replace("hub.db", "restored.db")
    manifest = msgspec.json.decode(manifest_of(kept).read_bytes())
    manifest["rows"]["observations"] = 101
    manifest_of(kept).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BackupError, match="observations has 100 rows of 101"):
        await restore(empty, kept, lambda _line: None)


def test_the_commands_back_up_and_restore(monkeypatch, tmp_path, capsys, migrated_sqlite):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    used = shutil.copyfile(migrated_sqlite, tmp_path / "used.db")
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", f"sqlite:///{used}")
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


def test_who_looks_on_sees_how_far_it_is_on_a_line_that_is_gone_at_the_end(
    tmp_path, migrated_sqlite
):
    used = shutil.copyfile(migrated_sqlite, tmp_path / "used.db")
    address = {"AEROCAST_HUB_MODE": "dev", "AEROCAST_HUB_DATABASE_URL": f"sqlite:///{used}"}
    screen, terminal = os.openpty()
    subprocess.run(
        [command_path("aerocast-hub"), "backup", tmp_path / "kept"],
        env=os.environ | address,
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=True,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: all was read, and nobody has the terminal any more
        while True:
            shown += os.read(screen, 65_536)
    os.close(screen)
    shown = shown.decode()
    assert f"100 % of {used}"[:79] in shown
    assert shown.endswith("\r\033[K")
