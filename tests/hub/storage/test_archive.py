"""Files of past months, in a folder and in a real S3 endpoint."""

import asyncio
import json
import subprocess
import sys

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.months import Month
from aerocast_hub.database.partitions import make_months
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.retention.forget import DAY_US, forget
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.archive import (
    archive_before_drop,
    list_archives,
    make_archive,
    verify_archive,
)
from aerocast_hub.storage.archive_bounds import Bounds, Question
from aerocast_hub.storage.archive_question import ask_archives
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import open_objects
from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations.bags import BagPassage, TagRead
from sqlalchemy import select

MAY, JUNE = Month(2033, 5), Month(2033, 6)
COLUMNS = (
    "gateway_id", "epoch", "lane", "sequence", "kind", "device", "boot_ns", "seen_at_us",
    "clock_quality", "received_at_us",
)  # fmt: skip


ASK = """
import duckdb, msgspec, sys
from aerocast_hub.storage.archive_answer import NotAnsweredError, answer
from aerocast_hub.storage.archive_bounds import Question
for question in msgspec.json.decode(sys.stdin.buffer.read(), type=list[Question]):
    try:
        said = list(answer(question))
    except (NotAnsweredError, duckdb.Error) as error:
        said = str(error).partition(chr(10))[0]
    print(msgspec.json.encode(said).decode())
"""  # DuckDB stays out of the process of the tests


def row(sequence, received_at_us):
    read = TagRead(device="portal", boot_ns=5, epc=sequence.to_bytes(12), antenna=sequence % 4)
    body = encode_observation(read)
    return Row(1, 7, 2, sequence, "tag_read", "portal", 5, received_at_us, 3, received_at_us, body)


@pytest.fixture
async def stored(database):
    """A thousand observations of May and one of June."""
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")
        await make_months(session, MAY.first_us)
        rows = [row(number, MAY.first_us + number) for number in range(1, 1001)]
        await event_store(database).append(session, [*rows, row(1001, MAY.end_us)])
    return database


async def ask(objects, sql, **bounds):
    archives = await list_archives(objects)
    return [each async for each in ask_archives(objects, archives, sql, Bounds(**bounds))]


async def test_a_month_is_archived_once_checked_and_asked(stored, objects):
    told = []
    archived = await make_archive(stored, objects, MAY, told.append)
    assert told == [1000]
    assert await make_archive(stored, objects, MAY) == archived
    assert await list_archives(objects) == [archived]
    verified = await verify_archive(objects, archived)
    assert (verified.rows, verified.problem) == (1000, None)
    (answer,) = await ask(
        objects,
        "SELECT site, gateway, count(*) AS n, min(observation ->> 'antenna') AS antenna,"
        " max(sequence) AS last FROM observations GROUP BY ALL",
    )
    assert answer == {
        "site": "lfbo", "gateway": "hall-1", "n": 1000, "antenna": "1", "last": 1000,
    }  # fmt: skip


async def test_a_month_is_forgotten_only_once_its_archive_is_whole(stored, objects):
    async def before_drop(month):
        await archive_before_drop(stored, objects, month)

    days = {"record_days": 1, "personal_days": 0}
    gone = await forget(stored, MAY.end_us + DAY_US, before_drop=before_drop, **days)
    assert gone["observations"] == 1000
    (archived,) = await list_archives(objects)
    assert (await verify_archive(objects, archived)).rows == 1000
    async with stored.reading() as session:
        assert list(await session.scalars(select(ObservationRow.sequence))) == [1001]


async def test_an_archive_that_was_changed_is_told_and_keeps_its_month(stored, tmp_path):
    objects = open_objects(load_settings(mode="dev", data_dir=tmp_path))
    archived = await make_archive(stored, objects, MAY)
    (tmp_path / "objects" / archived.key).write_bytes(b"something else")
    verified = await verify_archive(objects, archived)
    assert "it was changed" in verified.problem
    (tmp_path / "objects" / archived.key).write_bytes(b"x" * archived.size)

    async def before_drop(month):
        await archive_before_drop(stored, objects, month)

    days = {"record_days": 1, "personal_days": 0}
    gone = await forget(stored, MAY.end_us + DAY_US, before_drop=before_drop, **days)
    assert "observations" not in gone


async def test_months_are_asked_as_the_database_was_before_they_went(database, objects):
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")
        await add_gateway(session, "lfbo", "hall-2")
        rows = []
        for month in (MAY, JUNE):
            await make_months(session, month.first_us)
            for number in range(1, 601):
                passed = BagPassage(
                    device=f"portal-{number % 3}", boot_ns=number, belt=f"belt-{number % 7}",
                    point="sortation", epc=number.to_bytes(12), sigma_ms=20.0, reads=number % 11,
                    confidence=0.9, licence_plate=None if number % 5 == 0 else f"{number:010d}",
                )  # fmt: skip
                at_us = month.first_us + number * 1_000_003
                body = encode_observation(passed)
                gateway, epoch, seen_us = 1 + number % 2, month.month, at_us - number
                rows.append(
                    Row(gateway, epoch, 1, number, "bag_passage", passed.device, number, seen_us, 3,
                        at_us, body)
                )  # fmt: skip
        await event_store(database).append(session, rows)
        stored = await session.execute(select(ObservationRow.__table__))
        names = {1: "hall-1", 2: "hall-2"}
        known = sorted(
            (
                *(each[name] for name in COLUMNS),
                bytes(each["body"]).hex(),
                names[each["gateway_id"]],
            )
            for each in stored.mappings()
        )
    assert len(known) == 1200

    async def before_drop(month):
        await archive_before_drop(database, objects, month)

    days = {"record_days": 1, "personal_days": 0}
    gone = await forget(database, JUNE.end_us + DAY_US, before_drop=before_drop, **days)
    assert gone["observations"] == 1200
    asked = f"SELECT {', '.join(COLUMNS)}, body, gateway FROM observations ORDER BY ALL"  # noqa: S608  names of ours
    assert [tuple(each.values()) for each in await ask(objects, asked)] == known
    plates = (
        "SELECT observation ->> 'belt' AS belt, count(*) AS bags,"
        " count(*) FILTER (observation ->> 'licence_plate' IS NULL) AS unknown,"
        " CAST(sum(CAST(observation ->> 'reads' AS INT)) AS INT) AS reads,"
        " max(received_at_us) AS last, avg(NULL) AS never FROM observations"
        " WHERE epoch = 6 GROUP BY belt ORDER BY belt"
    )
    june = [each for each in range(1, 601) if each % 7 == 3]
    told = await ask(objects, plates)
    assert [each["belt"] for each in told] == [f"belt-{number}" for number in range(7)]
    assert told[3] == {
        "belt": "belt-3", "bags": len(june), "unknown": sum(each % 5 == 0 for each in june),
        "reads": sum(each % 11 for each in june), "last": JUNE.first_us + max(june) * 1_000_003,
        "never": None,
    }  # fmt: skip


def test_a_question_reads_archives_and_nothing_else(tmp_path):
    file, secret, away = tmp_path / "may.parquet", tmp_path / "secret.csv", tmp_path / "away.csv"
    pq.write_table(pa.table({"sequence": [1, 2]}), file)
    secret.write_text("a,b\n1,2\n")
    refused = "Permission Error: Cannot access"
    expected = {
        f"FROM '{secret}'": refused,
        f"FROM '{tmp_path}/*.parquet'": refused,
        "SELECT * FROM read_csv('/etc/passwd')": refused,
        "SELECT 1 AS a UNION SELECT content FROM read_text('/etc/passwd')": refused,
        "SELECT * FROM glob('/etc/*')": refused,
        "SELECT * FROM read_blob('/proc/self/environ')": refused,
        "SELECT * FROM parquet_metadata('/etc/passwd')": refused,
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x')": refused,
        "SELECT * FROM read_parquet('s3://airport/x')": refused,
        "SELECT * FROM sqlite_scan('hub.db', 'users')": "sqlite_scan",
        "SELECT getenv('HOME')": "getenv does not exist",
        "INSTALL httpfs": "only SELECT is answered, not LOAD",
        "LOAD httpfs": "only SELECT is answered, not LOAD",
        "SET enable_external_access = 1": "only SELECT is answered, not SET",
        f"COPY observations TO '{away}'": "only SELECT is answered, not COPY",
        f"ATTACH '{tmp_path}/other.db'": "only SELECT is answered, not ATTACH",
        "CREATE TABLE a AS SELECT 1": "only SELECT is answered, not CREATE",
        "DROP VIEW observations": "only SELECT is answered, not DROP",
        "PRAGMA database_list": "only SELECT is answered, not PRAGMA",
        "SELECT 1 AS a; SELECT 2 AS a": "it is 2 statements, not one SELECT",
        "": "it is 0 statements",
        "GIVE 1": "Parser Error",
        "SELECT nonsense FROM observations": 'Referenced column "nonsense" not found',
        "SELECT 1 AS a, 2 AS a": "two columns have one name",
    }
    questions = [
        Question(files=[str(file)], spill=str(tmp_path / "spill"), sql=sql, bounds=Bounds())
        for sql in ("SELECT sum(sequence) AS n FROM observations", *expected)
    ]
    asked = msgspec.json.encode(questions)
    done = subprocess.run([sys.executable, "-c", ASK], input=asked, check=True, capture_output=True)
    answered, *refusals = msgspec.json.decode(b"[" + b",".join(done.stdout.splitlines()) + b"]")
    assert answered == [{"columns": ["n"], "why": None}, [3]]
    for (sql, why), said in zip(expected.items(), refusals, strict=True):
        assert why in said, sql
    assert not away.exists()


@pytest.mark.parametrize("engine_kind", ["sqlite"])
async def test_a_question_takes_no_more_than_its_bounds(stored, tmp_path):
    objects = open_objects(load_settings(mode="dev", data_dir=tmp_path))
    await make_archive(stored, objects, MAY)
    # The limit of DuckDB tells it, or that of its process.
    for much in (
        "SELECT range(1_000_000_000) AS a",
        "SELECT list(range) AS a FROM range(200_000_000) GROUP BY range % 2",
    ):
        with pytest.raises(ObjectError, match=r"Out of Memory|--memory-mb|more than \d+ bytes"):
            await ask(objects, much, memory_mb=200)
    endless = "SELECT count(*) AS n FROM observations a, observations b, observations c, range(999)"
    with pytest.raises(ObjectError, match="took more than 1 s: ask for less, or see --seconds"):
        await ask(objects, endless, seconds=1)
    assert len(await ask(objects, "SELECT sequence FROM observations", rows=1000)) == 1000
    with pytest.raises(ObjectError, match="more than 999 rows: see LIMIT, or --rows"):
        await ask(objects, "SELECT sequence FROM observations", rows=999)


def test_the_command_makes_lists_verifies_and_asks(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    assert main(["archive", "make", "2033-05"]) == 1
    assert "nothing was received in 2033-05" in capsys.readouterr().err
    assert main(["archive", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["archive", "query", "SELECT 1"]) == 1
    assert "there is no archive" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["archive", "make", "May"])
    assert "is no month: it is written like 2026-11" in capsys.readouterr().err


@pytest.mark.parametrize("engine_kind", ["sqlite"])
async def test_the_command_answers_in_json_and_in_columns(
    stored, objects, store_environment, capsys
):
    await make_archive(stored, objects, MAY)

    async def query(*words):
        status = await asyncio.to_thread(main, ["archive", "query", *words])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err

    asked = (
        "SELECT kind, count(*) AS n, DATE '2033-05-01' AS day, NULL AS unknown, any_value(body) AS"
        " body, 1.5 AS half, [1, 2] AS some FROM observations GROUP BY kind"
    )
    status, lines, _ = await query(asked, "--json", "--month", "2033-05")
    (told,) = map(json.loads, lines)
    assert bytes.fromhex(told.pop("body"))
    assert (status, told) == (
        0,
        {"kind": "tag_read", "n": 1000, "day": "2033-05-01", "unknown": None, "half": "1.5",
         "some": [1, 2]},
    )  # fmt: skip
    assert await query("SELECT kind, NULL AS none FROM observations LIMIT 1") == (
        0, ["kind\tnone", "tag_read\t-"], ""
    )  # fmt: skip
    status, lines, said = await query("SELECT nothing FROM observations")
    assert (status, lines, said.count("\n")) == (1, [], 1)
    assert said.startswith("aerocast-hub: the question cannot be answered: Binder Error")
    status, _, said = await query("SELECT 1", "--month", "2033-06")
    assert (status, "there is no archive in " in said) == (1, True)
    with pytest.raises(SystemExit):
        await query("SELECT 1", "--rows", "0")
    assert "'0' is not a number from 1 to" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        await query("--help")
    assert "example: aerocast-hub archive query" in capsys.readouterr().out
