"""Files of past months, in a folder and in a real S3 endpoint."""

import os

import obstore
import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.months import Month
from aerocast_hub.database.partitions import make_months
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.retention.forget import DAY_US, forget
from aerocast_hub.settings import SettingsError, load_settings
from aerocast_hub.storage.archive import (
    archive_before_drop,
    ask_archives,
    list_archives,
    make_archive,
    verify_archive,
)
from aerocast_hub.storage.objects import ObjectError, open_objects
from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations import TagRead
from obstore.store import S3Store
from sqlalchemy import select

from tests.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, seaweedfs

MAY = Month(2033, 5)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with seaweedfs(tmp_path_factory.mktemp("weed")) as address:
        store = S3Store(
            BUCKET,
            config={
                "endpoint": address,
                "access_key_id": ACCESS_KEY,
                "secret_access_key": SECRET_KEY,
                "region": "us-east-1",
            },
            client_options={"allow_http": True},
        )
        obstore.put(store, "first", b"makes the bucket")
        yield address


@pytest.fixture(params=["folder", "s3"])
def objects(request, tmp_path):
    if request.param == "folder":
        return open_objects(load_settings(mode="dev", data_dir=tmp_path))
    settings = load_settings(
        mode="dev",
        data_dir=tmp_path,
        objects_url=f"s3://{BUCKET}/{tmp_path.name}",
        s3_endpoint=request.getfixturevalue("endpoint"),
        s3_access_key=ACCESS_KEY,
        s3_secret_key=SECRET_KEY,
    )
    return open_objects(settings)


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


async def ask(objects, sql):
    return [each async for each in ask_archives(objects, await list_archives(objects), sql)]


async def test_a_month_is_archived_once_checked_and_asked(stored, objects):
    archived = await make_archive(stored, objects, MAY)
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


async def test_a_question_reads_archives_and_nothing_else(stored, objects, tmp_path):
    await make_archive(stored, objects, MAY)
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    questions = [f"FROM '{secret}'", "SELECT nonsense", "SET enable_external_access = 1"]
    for question in questions:
        with pytest.raises(ObjectError, match="cannot be answered"):
            await ask(objects, question)


async def test_objects_are_never_written_over_and_keys_stay_in_their_folders(objects, tmp_path):
    file = tmp_path / "iq.bin"
    file.write_bytes(os.urandom(100_000))
    await objects.put_file("captures/iq.bin", file)
    with pytest.raises(ObjectError, match="nothing is written over"):
        await objects.put_file("captures/iq.bin", file)
    assert [each.size async for each in objects.list("captures")] == [100_000]
    await objects.get_file("captures/iq.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == file.read_bytes()
    await objects.delete("captures/iq.bin")
    await objects.delete("captures/iq.bin")
    with pytest.raises(ObjectError, match="cannot be had"):
        await objects.get_file("captures/iq.bin", tmp_path / "back.bin")
    for key in ("captures", "captures/../x", "/etc/passwd", "others/x", "captures//x"):
        with pytest.raises(ObjectError, match="is no key"):
            await objects.put_file(key, file)


def test_s3_without_credentials_is_refused_by_name(tmp_path):
    settings = load_settings(mode="dev", data_dir=tmp_path, objects_url="s3://airport")
    with pytest.raises(SettingsError, match="s3_access_key and s3_secret_key are missing"):
        open_objects(settings)


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


def test_the_command_puts_lists_gets_and_deletes(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path / "data"))
    file, back = tmp_path / "hall-1.iq", tmp_path / "back.iq"
    file.write_bytes(bytes(1000))
    assert main(["objects", "put", "captures/hall-1.iq", str(file)]) == 0
    assert main(["objects", "put", "captures/hall-1.iq", str(file)]) == 1
    assert "nothing is written over" in capsys.readouterr().err
    assert main(["objects", "list", "captures", "--json"]) == 0
    assert capsys.readouterr().out == '{"key":"captures/hall-1.iq","bytes":1000}\n'
    assert main(["objects", "get", "captures/hall-1.iq", str(back)]) == 0
    assert back.read_bytes() == bytes(1000)
    assert main(["objects", "get", "captures/hall-1.iq", str(back)]) == 1
    assert main(["objects", "delete", "captures/hall-1.iq"]) == 0
    assert main(["objects", "put", "elsewhere/x", str(file)]) == 1
    assert "is no key: it is KIND/NAME" in capsys.readouterr().err
