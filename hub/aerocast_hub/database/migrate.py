"""Bringing a database to this version's tables."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from aerocast_hub.audit.append_only import make_append_only
from aerocast_hub.database.engine import Database
from aerocast_hub.database.partitions import make_partitions
from aerocast_hub.settings import SettingsError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_301_442  # any number of ours: two hubs starting at once migrate one after the other


def alembic_config() -> "Config":
    """Give Alembic's settings; the connection is handed over in ``attributes``."""
    from alembic.config import Config  # noqa: PLC0415  a third of a second, seldom needed

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s")
    return config


async def migrate(database: Database) -> None:
    """Upgrade to the newest tables; nothing happens when the database has them already.

    Raises
    ------
    SettingsError
        A newer version of the hub has laid it out.
    """
    async with database.reading() as session:
        present = await (await session.connection()).run_sync(_present)
    if present == max(known_migrations()):
        return
    if present is not None and present not in known_migrations():
        raise SettingsError(
            f"the database is of a newer hub (migration {present}; this one knows those up to"
            f" {max(known_migrations())}): install that version, or restore a backup made before"
        )
    async with database.writing() as session:
        connection = await session.connection()
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)
        await connection.run_sync(make_append_only)
        await connection.run_sync(make_partitions, time.time_ns() // 1000)


def known_migrations() -> frozenset[str]:
    """Give the names of the migrations this version knows; the newest comes last by name."""
    return frozenset(file.stem for file in (MIGRATIONS / "versions").glob("0*.py"))


def _present(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    present: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return present


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  a third of a second, seldom needed

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
