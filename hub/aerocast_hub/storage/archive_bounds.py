"""What is asked of archives, within which bounds, and what the process that answers says."""

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a question may take.

    Attributes
    ----------
    memory_mb
        Of memory, by DuckDB; its process has twice as much and a gigabyte of addresses.
    seconds
        Until the last row is there.
    rows
        Of the answer.
    """

    memory_mb: int = 1024
    seconds: int = 300
    rows: int = 1_000_000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the process of its own is told: the files, the folder for what does not fit, the SQL."""

    files: list[str]
    spill: str
    sql: str
    bounds: Bounds


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What that process says beside rows: the columns' names first, or why there is no answer."""

    columns: list[str] = []
    why: str | None = None


Said = About | list[object]
