"""Columns sealed at rest: who reads the database's file, or a copy of it, reads nothing of them.

Values are sealed and opened on their way to and from the driver (`data_keys`), by the keys the
database was opened with.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeDecorator

from aerocast_hub.data_keys import DataKeyError, DataKeys, read_data_keys

KeysOf = Callable[[], DataKeys]
_VARIABLE = "AEROCAST_HUB_DATA_KEYS"


class SealedBytes(TypeDecorator[bytes]):
    """Bytes sealed at rest; none at all are kept as they are.

    Parameters
    ----------
    about
        Its table and column: sealed values cannot be moved to another.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, about: str) -> None:
        super().__init__()
        self.about = about

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return _of(dialect).seal(value, self.about) if value else value

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Open."""
        return _of(dialect).open(bytes(value), self.about) if value else value


class SealedText(TypeDecorator[str]):
    """Text sealed at rest.

    Parameters
    ----------
    about
        Its table and column.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, about: str) -> None:
        super().__init__()
        self.about = about

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return None if value is None else _of(dialect).seal(value.encode(), self.about)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Open."""
        return None if value is None else _of(dialect).open(bytes(value), self.about).decode()


def use_keys(dialect: Dialect, keys: KeysOf | None) -> None:
    """Let a database's sealed columns open with these keys, asked for when first needed.

    None: those of the environment variable ``AEROCAST_HUB_DATA_KEYS``.
    """
    dialect.aerocast_keys = _Once(keys or _keys_of_environment)  # type: ignore[attr-defined]  # ours


def keys_of(session: AsyncSession) -> DataKeys:
    """Give the keys of a session's database."""
    return _of(session.get_bind().dialect)


class _Once:
    def __init__(self, give: KeysOf) -> None:
        self._give = give
        self._keys: DataKeys | None = None

    def keys(self) -> DataKeys:
        if self._keys is None:
            self._keys = self._give()
        return self._keys


def _of(dialect: Dialect) -> DataKeys:
    given: _Once = dialect.aerocast_keys  # type: ignore[attr-defined]  # see `use_keys`
    return given.keys()


def _keys_of_environment() -> DataKeys:
    file = os.environ.get(f"{_VARIABLE}_FILE")
    text = os.environ.get(_VARIABLE) if file is None else Path(file).read_text().strip()
    if text is None:
        raise DataKeyError("this database was opened without data keys")
    return read_data_keys(text)
