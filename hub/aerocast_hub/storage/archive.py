"""Observations of past months as Parquet files: made, and checked against the database.

A month's file is named by its content (``archive/observations/2026-11-<sha256>.parquet``), so that
what was stored can be told from what was meant to be. Bodies are there as they came, and as JSON
(bytes in base64) for whoever asks with SQL.
"""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aerocast_protocols.batch import decode_observation
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import func, select

from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import gateways, inbox
from aerocast_hub.database.months import Month, read_month
from aerocast_hub.retention.old_months import KeepMonthError
from aerocast_hub.settings import SettingsError
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
    from pyarrow import parquet

FOLDER = "archive/observations"
ROWS_AT_ONCE = 2_000  # a hub that does this answers meanwhile
BATCHES_IN_GROUP = 50  # a file's writer remembers every group of rows until its end
MISSING = "archives need pyarrow and DuckDB: pip install 'aerocast-hub[archive]'"
_KEY = re.compile(rf"{FOLDER}/(\d{{4}}-\d{{2}})-([0-9a-f]{{64}})\.parquet")


class Archived(NamedTuple):
    """A month's file.

    Attributes
    ----------
    sha256
        Of the file, in hex: what its name says.
    size
        Bytes.
    """

    month: Month
    sha256: str
    size: int

    @property
    def key(self) -> str:
        """Where it is in the store."""
        return f"{FOLDER}/{self.month}-{self.sha256}.parquet"


class Verified(NamedTuple):
    """What a file was found to be.

    Attributes
    ----------
    rows
        Observations in it.
    problem
        Why it cannot be relied on; None when it can.
    """

    archived: Archived
    rows: int
    problem: str | None = None


async def list_archives(objects: Objects) -> list[Archived]:
    """Give the months there are, in order."""
    found = []
    async for each in objects.list("archive"):
        named = _KEY.fullmatch(each.key)
        if named:
            found.append(Archived(read_month(named[1]), named[2], each.size))
    return sorted(found)


async def make_archive(
    database: Database,
    objects: Objects,
    month: Month,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Archived | None:
    """Store a month's observations as a file, once; None when there are none.

    Parameters
    ----------
    progress
        Told how many observations are written so far.

    Raises
    ------
    ObjectError
        The store does not take it.
    SettingsError
        pyarrow is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="aerocast-archive-") as folder:
        file = Path(folder, "month.parquet")
        if not await _write(database, month, file, progress):
            return None
        archived = Archived(month, *await asyncio.to_thread(_digest_and_size, file))
        if archived not in await list_archives(objects):
            await objects.put_file(archived.key, file)
        return archived


async def verify_archive(objects: Objects, archived: Archived) -> Verified:
    """Fetch a file again, and see whether it is what its name says and can be read."""
    parquet = _parquet()
    with tempfile.TemporaryDirectory(prefix="aerocast-archive-") as folder:
        file = Path(folder, "month.parquet")
        try:
            digest = await objects.get_file(archived.key, file)
            if digest != archived.sha256:
                return Verified(archived, 0, f"its content is {digest}: it was changed")
            rows: int = (await asyncio.to_thread(parquet.read_metadata, file)).num_rows
        except (ObjectError, OSError, ValueError) as error:
            return Verified(archived, 0, str(error))
    return Verified(archived, rows)


async def archive_before_drop(database: Database, objects: Objects, month: Month) -> None:
    """Make a month's archive and check it against the database.

    Raises
    ------
    KeepMonthError
        It is not whole: the month must stay in the database.
    """
    try:
        archived = await make_archive(database, objects, month)
        if archived is None:
            return
        verified = await verify_archive(objects, archived)
    except (ObjectError, SettingsError) as error:
        raise KeepMonthError(str(error)) from error
    stored = await count_of(database, month)
    if verified.problem is not None:
        raise KeepMonthError(f"{archived.key}: {verified.problem}")
    if verified.rows != stored:
        raise KeepMonthError(f"{archived.key} holds {verified.rows} of {stored} observations")


async def count_of(database: Database, month: Month) -> int:
    """Count a month's observations in the database."""
    received = inbox.ObservationRow.received_at_us
    within = received.between(month.first_us, month.end_us - 1)
    async with database.reading() as session:
        counted = select(func.count()).select_from(inbox.ObservationRow).where(within)
        return await session.scalar(counted) or 0


async def _write(
    database: Database, month: Month, file: Path, progress: Callable[[int], None]
) -> int:
    """Write a month's observations; say how many."""
    parquet, schema = _parquet(), _schema()
    row = inbox.ObservationRow
    async with database.reading() as session:
        known = {each.id: each for each in await session.scalars(select(gateways.GatewayRow))}
        names = {each.id: (each.site, each.name) for each in known.values()}
        asked = (
            select(*row.__table__.columns)
            .where(row.received_at_us.between(month.first_us, month.end_us - 1))
            .order_by(*row.__table__.primary_key)
            .execution_options(yield_per=ROWS_AT_ONCE)
        )
        count = 0
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            found = await session.stream(asked)
            group: list[pa.RecordBatch] = []
            async for some in found.partitions(ROWS_AT_ONCE):
                columns = dict(zip(found.keys(), zip(*some, strict=True), strict=True))
                group.append(await asyncio.to_thread(_batch, columns, names, schema))
                count += len(some)
                if len(group) == BATCHES_IN_GROUP:
                    await asyncio.to_thread(_write_group, writer, group)
                    group = []
                progress(count)
            if group:
                await asyncio.to_thread(_write_group, writer, group)
    return count


def _write_group(writer: "parquet.ParquetWriter", group: Sequence["pa.RecordBatch"]) -> None:
    import pyarrow as pa  # noqa: PLC0415  an extra, loaded where it is used

    writer.write_table(pa.Table.from_batches(group))


def _batch(
    columns: Mapping[str, Sequence[Any]],
    names: Mapping[int, tuple[str, str]],
    schema: "pa.Schema",
) -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415  an extra, loaded where it is used

    told = [names.get(gateway_id, (None, None)) for gateway_id in columns["gateway_id"]]
    of_gateways = {"site": [site for site, _ in told], "gateway": [name for _, name in told]}
    read = {"observation": [_as_json(body) for body in columns["body"]]}
    given = {**columns, **of_gateways, **read}
    return pa.RecordBatch.from_pydict({name: given[name] for name in schema.names}, schema=schema)


def _as_json(body: bytes) -> str | None:
    try:
        return msgspec.json.encode(decode_observation(body)).decode()
    except ProtocolError:
        return None  # of a later version; its body is there


def _schema() -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415  an extra, loaded where it is used

    number, name = pa.int64(), pa.string()
    kinds = {
        "site": name,
        "gateway": name,
        "gateway_id": number,
        "epoch": number,
        "lane": number,
        "sequence": number,
        "kind": name,
        "device": name,
        "boot_ns": number,
        "seen_at_us": number,
        "clock_quality": number,
        "received_at_us": number,
        "body": pa.binary(),
        "observation": name,
    }
    return pa.schema(list(kinds.items()))


def _parquet() -> Any:  # noqa: ANN401  pyarrow carries no types
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise SettingsError(MISSING) from error


def _digest_and_size(file: Path) -> tuple[str, int]:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest(), file.stat().st_size
