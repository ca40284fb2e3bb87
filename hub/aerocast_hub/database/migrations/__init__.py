"""Steps from one version's tables to the next; Alembic reads this folder."""
