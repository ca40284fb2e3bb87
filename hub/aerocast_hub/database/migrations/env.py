"""Alembic's entry: runs on the connection `aerocast_hub.database.migrate` hands over."""

from alembic import context

from aerocast_hub.database.every_table import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
