"""Past months asked by SQL: one question, in a process of its own that has bounds and no secrets.

DuckDB reads the archives' files and nothing else there (`archive_answer`). Of a folder they are
read where they are; of S3 they are first copied to ``TMPDIR``, and checked against their names.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

import msgspec

from aerocast_hub.settings import SettingsError
from aerocast_hub.storage.archive import MISSING, Archived
from aerocast_hub.storage.archive_bounds import Bounds, Question, Said
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import Objects

LONGEST_ROW = 16 * 1024 * 1024
_KEPT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")

Row = Mapping[str, object]


async def ask_archives(
    objects: Objects, archives: Sequence[Archived], sql: str, bounds: Bounds | None = None
) -> AsyncGenerator[Row, None]:
    """Ask months by SQL: they are the table ``observations``.

    Raises
    ------
    ObjectError
        A file cannot be had, or the question cannot be answered within its bounds: in one line.
    SettingsError
        DuckDB is not installed.
    """
    if find_spec("duckdb") is None:
        raise SettingsError(MISSING)
    if not archives:
        raise ObjectError(f"there is no archive {objects.where}: see aerocast-hub archive make")
    bounds = bounds or Bounds()
    with tempfile.TemporaryDirectory(prefix="aerocast-archive-") as folder:
        files = await _files(objects, archives, Path(folder))
        question = Question(files=files, spill=f"{folder}/spill", sql=sql, bounds=bounds)
        async with aclosing(_answer(question, folder)) as rows:
            async for row in rows:
                yield row


async def _files(objects: Objects, archives: Sequence[Archived], folder: Path) -> list[str]:
    if objects.folder is not None:
        return [str(objects.folder / each.key) for each in archives]
    needed = sum(each.size for each in archives)
    free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
    if needed > free:
        raise ObjectError(
            f"the archives have {needed} bytes and {folder.parent} has {free} free: "
            "name a --month, or another TMPDIR"
        )
    files = []
    for each in archives:
        file = folder / f"{each.month}-{each.sha256}.parquet"
        digest = await objects.get_file(each.key, file)
        if digest != each.sha256:
            raise ObjectError(f"{each.key}: its content is {digest}: it was changed")
        files.append(str(file))
    return files


async def _answer(question: Question, folder: str) -> AsyncGenerator[Row, None]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aerocast_hub.storage.archive_answer",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, cwd=folder, limit=LONGEST_ROW,
        env=environment | {"HOME": folder, "TMPDIR": folder},
    )  # fmt: skip
    told, answered = process.stdin, process.stdout
    if told is None or answered is None:
        raise RuntimeError("a process was started without the pipes asked for")
    names: list[str] = []
    until_s = asyncio.get_running_loop().time() + question.bounds.seconds
    try:
        told.write(msgspec.json.encode(question))
        told.write_eof()
        while line := await _line(answered, until_s, question.bounds.seconds):
            said: Said = _decoder.decode(line)
            if isinstance(said, list):
                yield dict(zip(names, said, strict=True))
            elif said.why is not None:
                raise ObjectError(f"the question cannot be answered: {said.why}")
            else:
                names = said.columns
        status = await process.wait()
    except (asyncio.LimitOverrunError, ValueError) as error:
        raise ObjectError(f"a row of the answer has more than {LONGEST_ROW} bytes") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise ObjectError(
            f"the question was ended ({status}): it needs more than {question.bounds.memory_mb} MB "
            "of memory, see --memory-mb"
        )


async def _line(answered: asyncio.StreamReader, until_s: float, seconds: int) -> bytes:
    try:
        async with asyncio.timeout_at(until_s):
            return await answered.readline()
    except TimeoutError as error:
        raise ObjectError(
            f"the question took more than {seconds} s: ask for less, or see --seconds"
        ) from error


_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
