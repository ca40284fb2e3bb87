"""The whole database to a file and back, counted on both sides.

SQLite's online backup and PostgreSQL's own pg_dump both take one instant while the hub goes on.
Beside the file stands ``FILE.json``: its SHA-256, and how many rows each table had at that instant.
"""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA
from aerocast_hub.database.migrate import known_migrations
from aerocast_hub.whole_file import make_private

PAGES_AT_ONCE = 2000
Progress = Callable[[str], None]


class BackupError(Exception):
    """It cannot be done; the message names what stands in the way and the mend."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    Attributes
    ----------
    engine
        ``sqlite`` or ``postgresql``: a backup goes back to its own kind.
    migration
        Which tables they are; a newer hub brings them up to date after restoring.
    rows
        By table.
    """

    engine: str
    migration: str
    made_at_us: int
    sha256: str
    rows: Mapping[str, int]


def manifest_of(file: Path) -> Path:
    """Give where the manifest of a backup is."""
    return file.with_name(f"{file.name}.json")


async def back_up(address: str, file: Path, progress: Progress) -> Manifest:
    """Write the database to a new file, and its manifest beside it.

    Raises
    ------
    BackupError
        Either file is there already, the database does not answer, or a tool is missing.
    """
    for each in (file, manifest_of(file)):
        if await asyncio.to_thread(each.exists):
            raise BackupError(f"{each} is there already: nothing is written over")
    url = make_url(address)
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        await asyncio.to_thread(make_private, unfinished)
        if url.get_backend_name() == "sqlite":
            migration, rows = await asyncio.to_thread(_copy_sqlite, url, unfinished, progress)
        else:
            migration, rows = await _dump(url, unfinished, progress)
        digest = await asyncio.to_thread(_sha256, unfinished)
        manifest = Manifest(
            engine=url.get_backend_name(),
            migration=migration,
            made_at_us=time.time_ns() // 1000,
            sha256=digest,
            rows=rows,
        )
        await asyncio.to_thread(_finish, unfinished, file, msgspec.json.encode(manifest))
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupError(f"{file}: {_said(error)}") from error
    finally:
        await asyncio.to_thread(unfinished.unlink, missing_ok=True)
    return manifest


def _finish(unfinished: Path, file: Path, manifest: bytes) -> None:
    """Let the two files of a backup stand, or neither."""
    try:
        manifest_of(file).write_bytes(manifest)
        unfinished.rename(file)
    except OSError:
        manifest_of(file).unlink(missing_ok=True)
        raise


async def restore(address: str, file: Path, progress: Progress) -> Manifest:
    """Fill an empty database from a backup, and count what came.

    Raises
    ------
    BackupError
        The database is not empty, the file is not what its manifest says, or not every row came.
    """
    url = make_url(address)
    manifest = await asyncio.to_thread(_read_manifest, file, url.get_backend_name())
    try:
        if url.get_backend_name() == "sqlite":
            await asyncio.to_thread(_put_back_sqlite, url, file)
        else:
            await _put_back(url, file, progress)
        there = await _count(address)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupError(f"{file}: {_said(error)}") from error
    wrong = [name for name, count in manifest.rows.items() if there.get(name) != count]
    if wrong:
        name = wrong[0]
        raise BackupError(f"{name} has {there.get(name)} rows of {manifest.rows[name]}: start over")
    return manifest


def _copy_sqlite(url: URL, to: Path, progress: Progress) -> tuple[str, dict[str, int]]:
    if not url.database or not Path(url.database).exists():
        raise BackupError(f"there is no database {url.database}")

    def tell(_status: int, left: int, total: int) -> None:
        progress(f"{100 * (total - left) // max(total, 1)} % of {url.database}")

    source = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)
    copy = sqlite3.connect(to)
    try:
        source.backup(copy, pages=PAGES_AT_ONCE, progress=tell)
        (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise BackupError(f"{url.database} is damaged: {verdict}")
        names = [
            name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        rows = {
            name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  a table of ours
            for name in names
            if name in METADATA.tables
        }
        (migration,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        copy.close()
        source.close()
    return migration, rows


async def _dump(url: URL, to: Path, progress: Progress) -> tuple[str, dict[str, int]]:
    database = Database(url.render_as_string(hide_password=False))
    try:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            # pg_dump sees what this transaction sees: counts and rows are of one instant.
            snapshot = await connection.scalar(text("SELECT pg_export_snapshot()"))
            rows = await connection.run_sync(_counted)
            migration = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            options = ["--format=custom", f"--snapshot={snapshot}", f"--file={to}", "--verbose"]
            await _run("pg_dump", [*options, "--no-owner", _named(url)], url, progress)
    finally:
        await database.close()
    return str(migration), rows


async def _put_back(url: URL, file: Path, progress: Progress) -> None:
    database = Database(url.render_as_string(hide_password=False))
    try:
        async with database.engine.connect() as connection:
            if await connection.run_sync(lambda there: inspect(there).get_table_names()):
                raise BackupError(f"database {url.database} has tables: restore to an empty one")
    finally:
        await database.close()
    options = ["--exit-on-error", "--no-owner", "--single-transaction", "--verbose"]
    await _run("pg_restore", [*options, f"--dbname={_named(url)}", str(file)], url, progress)


def _put_back_sqlite(url: URL, file: Path) -> None:
    if not url.database:
        raise BackupError("DATABASE_URL names no file")
    to = Path(url.database)
    beside = [to, to.with_name(f"{to.name}-wal"), to.with_name(f"{to.name}-shm")]
    for each in beside:
        if each.exists():
            raise BackupError(f"{each} is there already: move it away first")
    to.parent.mkdir(parents=True, exist_ok=True)
    unfinished = to.with_name(f"{to.name}.unfinished")
    make_private(unfinished)
    shutil.copyfile(file, unfinished)
    unfinished.rename(to)


async def _count(address: str) -> dict[str, int]:
    database = Database(address)
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(_counted)
    finally:
        await database.close()


def _counted(connection: Connection) -> dict[str, int]:
    names = set(inspect(connection).get_table_names()) & set(METADATA.tables)
    counted = {
        name: connection.scalar(text(f"SELECT count(*) FROM {name}"))  # noqa: S608  a table of ours
        for name in sorted(names)
    }
    return {name: count or 0 for name, count in counted.items()}


async def _run(tool: str, arguments: list[str], url: URL, progress: Progress) -> None:
    """Run one of PostgreSQL's tools; the password travels in the environment, seen by nobody."""
    program = shutil.which(tool)
    if program is None:
        raise BackupError(f"{tool} is not installed: apt install postgresql-client")
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = url.password
    process = await asyncio.create_subprocess_exec(
        program, *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )
    last = ""
    if process.stderr is not None:
        async for line in process.stderr:
            last = line.decode(errors="replace").strip()
            progress(last)
    if await process.wait() != 0:
        raise BackupError(f"{tool} failed: {last}")


def _named(url: URL) -> str:
    """Give the address as PostgreSQL's tools read it, without the password."""
    plain = url.set(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False)


def _read_manifest(file: Path, engine: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(manifest_of(file).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{manifest_of(file)} cannot be read: {_said(error)}") from error
    if manifest.engine != engine:
        raise BackupError(f"{file} is of {manifest.engine}, DATABASE_URL names {engine}")
    if manifest.migration not in known_migrations():
        raise BackupError(
            f"{file} is of a newer hub (migration {manifest.migration}): restore it with that one"
        )
    try:
        digest = _sha256(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {_said(error)}") from error
    if digest != manifest.sha256:
        raise BackupError(f"{file} is not what was backed up: its content has changed")
    return manifest


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0]
