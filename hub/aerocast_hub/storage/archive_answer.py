"""The process that answers one question about archives: it has bounds, and sees nothing but them.

``python -m aerocast_hub.storage.archive_answer`` reads a `Question` from standard input and writes
lines of JSON: the columns' names, each row as an array (bytes in hex), or why there is no answer.
"""

import resource
import sys
from collections.abc import Iterator, Sequence

import duckdb
import msgspec

from aerocast_hub.storage.archive_bounds import About, Question

ROWS_AT_ONCE = 1000
THREADS = 2
SPILL = "20GB"  # on the disk of TMPDIR, for what does not fit into memory
MEGABYTE = 1024 * 1024
ADDRESSES = 1024 * MEGABYTE  # of the program itself, before any row


class NotAnsweredError(Exception):
    """The question is none that is answered; the message says why."""


def answer(question: Question) -> Iterator[Sequence[object] | About]:
    """Give the columns' names, then the rows.

    Raises
    ------
    NotAnsweredError
        It is not one SELECT, or its answer has too many rows.
    duckdb.Error
        It cannot be read, or asks for what there is not.
    """
    statements = duckdb.extract_statements(question.sql)
    if len(statements) != 1:
        raise NotAnsweredError(f"it is {len(statements)} statements, not one SELECT")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise NotAnsweredError(f"only SELECT is answered, not {kind.name}")
    most = question.bounds.rows
    with duckdb.connect() as asked:
        _shut_in(asked, question)
        found = asked.execute(statements[0])
        names = [column[0] for column in found.description or ()]
        if len(set(names)) < len(names):
            raise NotAnsweredError("two columns have one name: rename one with AS")
        yield About(columns=names)
        count = 0
        while some := found.fetchmany(ROWS_AT_ONCE):
            for row in some:
                count += 1
                if count > most:
                    raise NotAnsweredError(f"there are more than {most} rows: see LIMIT, or --rows")
                yield [value.hex() if isinstance(value, bytes) else value for value in row]


def _shut_in(asked: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Make the table, and leave nothing else of this machine to be read or written."""
    for setting, value in (
        ("threads", THREADS),
        ("temp_directory", question.spill),
        ("memory_limit", f"{question.bounds.memory_mb}MB"),
        ("max_temp_directory_size", SPILL),
        ("autoinstall_known_extensions", False),
        ("autoload_known_extensions", False),
        ("allow_community_extensions", False),
        ("allowed_paths", question.files),
        ("enable_external_access", False),
        ("lock_configuration", True),
    ):
        asked.execute(f"SET {setting} = ?", [value])
    files = ", ".join("'" + file.replace("'", "''") + "'" for file in question.files)
    asked.execute(f"CREATE VIEW observations AS SELECT * FROM read_parquet([{files}])")  # noqa: S608  files of ours


def main() -> int:
    """Answer; 1 when there is no answer."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    bytes_most = 2 * question.bounds.memory_mb * MEGABYTE + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (bytes_most, bytes_most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    encoder = msgspec.json.Encoder(enc_hook=str)
    out = sys.stdout.buffer
    try:
        for each in answer(question):
            out.write(encoder.encode(each) + b"\n")
    except (NotAnsweredError, duckdb.Error, MemoryError, OverflowError) as error:
        said = str(error).partition("\n")[0] or "it needs more memory, see --memory-mb"
        for file in question.files:
            said = said.replace(file, "the archive")
        out.write(encoder.encode(About(why=said[:1000])) + b"\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
