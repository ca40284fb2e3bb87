"""A PostgreSQL database as a test left it, made as good as new: that is a tenth of making one.

Nothing is taken on trust: a database whose tables, triggers, functions or settings are no more what
they were, or that has grown, is not used again.
"""

import asyncpg

MOST_BYTES = 20 * 1024 * 1024  # a new one has half of that
_DISMISS = """
SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Neither keys nor what guards the trail is in the way of a replica's word.
_EMPTY = """
DO $$ DECLARE each record; BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  FOR each IN
    SELECT oid::regclass AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP
    EXECUTE format('DELETE FROM %s', each.name);
  END LOOP;
  FOR each IN SELECT * FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    PERFORM setval(
      format('%I.%I', each.schemaname, each.sequencename)::regclass, each.start_value, false
    );
  END LOOP;
END $$
"""
_SHAPE = """
SELECT md5(string_agg(told, '|' ORDER BY told)) FROM (
  SELECT concat_ws(' ', 'relation', oid::regclass, relkind, reloptions) AS told
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, atttypid, attnotnull)
    FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relkind IN ('r', 'p')
  UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled)
    FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', 'key', conrelid::regclass, conname, convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'index', indexrelid::regclass, indisvalid)
    FROM pg_index JOIN pg_class ON indexrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'function', proname, md5(prosrc))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'schema', nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
  UNION ALL SELECT concat_ws(' ', 'setting', setconfig) FROM pg_db_role_setting
    JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()
  UNION ALL SELECT concat_ws(' ', 'migrated to', version_num) FROM alembic_version
) AS shape
"""


async def shape_of(folder, name):
    """Give what tells whether a database has the tables, and what guards them, of another."""
    connection = await asyncpg.connect(host=str(folder), user="hub", database=name)
    try:
        return await connection.fetchval(_SHAPE)
    finally:
        await connection.close()


async def make_new(folder, name, shape):
    """Send everybody away and take everything out; say whether it is as good as new."""
    connection = await asyncpg.connect(host=str(folder), user="hub", database=name)
    try:
        await connection.execute(_DISMISS)
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        if size > MOST_BYTES or await connection.fetchval(_SHAPE) != shape:
            return False
        await connection.execute(_EMPTY)
    except asyncpg.PostgresError:  # as somebody left it, it cannot even be asked
        return False
    else:
        return True
    finally:
        await connection.close()
