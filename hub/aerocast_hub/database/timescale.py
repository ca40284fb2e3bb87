"""Observations in a hypertable of TimescaleDB, where an airport chooses so at its first migration.

TimescaleDB takes over what `partitions` does otherwise: chunks of a day of receipt instead of
months, compressed after a week, and counts by the hour kept up to date (``observations_by_hour``).
Its Debian packages are not Debian's, so tests run the statements on PostgreSQL with functions of
TimescaleDB's documented signatures in its place, and, where ``make timescale`` was run, on its 2.23
in WebAssembly: one session, no COPY, no background workers. Never on a server under load. They are
of its 2.13 and later.
"""

from sqlalchemy import Connection, text

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
COMPRESSED_AFTER_DAYS = 7

# A partitioned table cannot become a hypertable: an ordinary one of the same make takes its place.
FLATTEN = (
    "CREATE TABLE observations_flat (LIKE observations INCLUDING ALL)",
    "DROP TABLE observations",
    "ALTER TABLE observations_flat RENAME TO observations",
    "ALTER INDEX observations_flat_pkey RENAME TO pk_observations",
    "ALTER INDEX observations_flat_kind_seen_at_us_idx RENAME TO ix_observations_kind_seen_at_us",
    (
        "ALTER INDEX observations_flat_gateway_id_kind_seen_at_us_idx"
        " RENAME TO ix_observations_gateway_id_kind_seen_at_us"
    ),
)

HYPERTABLE = (
    "CREATE EXTENSION IF NOT EXISTS timescaledb",
    f"SELECT create_hypertable('observations', by_range('received_at_us', {DAY_US}))",
    (
        "CREATE OR REPLACE FUNCTION aerocast_now_us() RETURNS bigint LANGUAGE sql STABLE AS"
        " 'SELECT CAST(extract(epoch FROM now()) * 1000000 AS bigint)'"
    ),
    "SELECT set_integer_now_func('observations', 'aerocast_now_us')",
    # A gateway's lane is read in its order, and times of a boot lie close together.
    (
        "ALTER TABLE observations SET (timescaledb.compress,"
        " timescaledb.compress_segmentby = 'gateway_id',"
        " timescaledb.compress_orderby = 'epoch, lane, sequence')"
    ),
    (
        "SELECT add_compression_policy('observations',"
        f" compress_after => CAST({COMPRESSED_AFTER_DAYS * DAY_US} AS bigint))"
    ),
    (
        "CREATE MATERIALIZED VIEW observations_by_hour WITH (timescaledb.continuous) AS"  # noqa: S608  our own number
        f" SELECT time_bucket(CAST({HOUR_US} AS bigint), received_at_us) AS hour_us,"
        " gateway_id, kind, count(*) AS observations"
        " FROM observations GROUP BY hour_us, gateway_id, kind WITH NO DATA"
    ),
    (
        "SELECT add_continuous_aggregate_policy('observations_by_hour',"
        f" start_offset => CAST({3 * DAY_US} AS bigint), end_offset => CAST({HOUR_US} AS bigint),"
        " schedule_interval => INTERVAL '1 hour')"
    ),
)


class TimescaleError(Exception):
    """TimescaleDB cannot keep the observations; the message says why and what mends it."""


def take_over(connection: Connection) -> bool:
    """Make a hypertable of the empty table; False when it is one already.

    Raises
    ------
    TimescaleError
        It is no PostgreSQL, TimescaleDB is not installed there, or observations are stored.
    """
    if connection.dialect.name != "postgresql":
        raise TimescaleError("TimescaleDB is an extension of PostgreSQL: set database_url to one")
    available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'"
    if not connection.scalar(text(available)):
        raise TimescaleError(
            "this server has no timescaledb: install its package there, or migrate without it"
        )
    if is_hypertable(connection):
        return False
    if connection.scalar(text("SELECT EXISTS (SELECT FROM observations)")):
        raise TimescaleError(
            "observations are stored by months already: TimescaleDB is chosen before the first one"
        )
    for statement in (*FLATTEN, *HYPERTABLE):
        connection.execute(text(statement))
    return True


def is_hypertable(connection: Connection) -> bool:
    """Say whether TimescaleDB keeps the observations."""
    if connection.scalar(text("SELECT to_regclass('timescaledb_information.hypertables')")) is None:
        return False
    asked = "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_name = :name"
    return bool(connection.scalar(text(asked), {"name": "observations"}))


def drop_chunks(connection: Connection, first_us: int, end_us: int) -> None:
    """Forget what was received between two midnights, chunk by chunk."""
    asked = (
        "SELECT drop_chunks('observations', older_than => CAST(:end AS bigint),"
        " newer_than => CAST(:first AS bigint))"
    )
    connection.execute(text(asked), {"first": first_us, "end": end_us})
