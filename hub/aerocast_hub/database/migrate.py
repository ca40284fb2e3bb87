"""Bringing a database to this version's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from aerocast_hub.database.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_301_442  # any number of ours: two hubs starting at once migrate one after the other


def alembic_config() -> Config:
    """Give Alembic's settings; the connection is handed over in ``attributes``."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s")
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to ``revision``; nothing happens when the database is there already."""
    async with database.writing() as session:
        connection = await session.connection()
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
