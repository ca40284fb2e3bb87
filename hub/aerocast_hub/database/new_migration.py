"""For developers: `python -m aerocast_hub.database.new_migration "what it adds"`.

Writes the step from the last migration to the tables as they stand in the code. Until the first
release, `--anew` writes 0001 over instead. Then: `ruff check --fix` and `ruff format`.
"""

import argparse
import asyncio
import tempfile

from alembic import command
from sqlalchemy import Connection

from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import MIGRATIONS, alembic_config, migrate

VERSIONS = MIGRATIONS / "versions"


async def write_migration(message: str, *, anew: bool) -> None:
    """Write the next migration (or the first one over)."""
    if anew:
        for old in VERSIONS.glob("0*.py"):
            old.unlink()
    number = f"{len(list(VERSIONS.glob('0*.py'))) + 1:04d}"

    def generate(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=number)

    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/empty.db")
        try:
            await migrate(database)
            async with database.writing() as session:
                await (await session.connection()).run_sync(generate)
        finally:
            await database.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write the next migration from the tables.")
    parser.add_argument("message", help="what it adds")
    parser.add_argument("--anew", action="store_true", help="write 0001 over (before release)")
    arguments = parser.parse_args()
    asyncio.run(write_migration(arguments.message, anew=arguments.anew))


if __name__ == "__main__":
    main()
