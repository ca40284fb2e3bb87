"""Alembic's entry: runs on the connection `aerocast_hub.database.migrate` hands over."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from aerocast_hub.database.every_table import METADATA
from aerocast_hub.database.sealed import SealedBytes, SealedText


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Write sealed columns as the bytes the database keeps."""
    if kind == "type" and isinstance(item, SealedBytes | SealedText):
        return "sa.LargeBinary()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    render_item=render_item,
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
