"""Objects: put, listed, got back, deleted and forgotten; in a folder and in a real S3 endpoint."""

import asyncio
import hashlib
import json

import pytest
from aerocast_hub.cli import main
from aerocast_hub.settings import SettingsError, load_settings
from aerocast_hub.storage.expiry import DAY_US, is_over, old_objects
from aerocast_hub.storage.keys import ObjectError, days_kept, read_days
from aerocast_hub.storage.objects import LARGEST_AT_ONCE, PIECE, Stored, open_objects
from aerocast_hub.storage.refusals import why_refused
from hypothesis import given
from hypothesis import strategies as st

from tests.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY

FOLDERS = st.sampled_from(("captures", "captures/lfbo", "captures/lfbo/hall-1", "exports"))
KEYS = st.sampled_from(
    ("captures/a", "captures/lfbo/a", "captures/lfbo/hall-1/a", "exports/a", "backups/a")
)


def digest_of(file):
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def written(file, megabytes):
    """A file whose every 8 bytes are others."""
    with file.open("wb") as out:
        for number in range(megabytes):
            out.write(b"".join((number << 32 | at).to_bytes(8) for at in range(131_072)))
    return file


async def test_objects_are_never_written_over_and_keys_stay_in_their_folders(objects, tmp_path):
    file, back = written(tmp_path / "iq", 1), tmp_path / "back.iq"
    await objects.put_file("captures/day.iq", file)
    with pytest.raises(ObjectError, match="nothing is written over"):
        await objects.put_file("captures/day.iq", file)
    assert [each.size async for each in objects.list("captures")] == [2**20]
    assert await objects.get_file("captures/day.iq", back) == digest_of(file) == digest_of(back)
    await objects.delete("captures/day.iq")
    await objects.delete("captures/day.iq")
    with pytest.raises(ObjectError, match=r"cannot be had, in .*: it is not there: see"):
        await objects.get_file("captures/day.iq", tmp_path / "none")
    assert not list(tmp_path.glob("none*"))
    odd = ("captures", "captures/../x", "/etc/passwd", "others/x", "captures//x", "captures/\n")
    for key in (*odd, "captures/" + "x" * 512):
        with pytest.raises(ObjectError, match="is no key"):
            await objects.put_file(key, file)


async def test_large_files_go_in_pieces_and_come_back_in_pieces(objects, tmp_path):
    file, back = written(tmp_path / "iq", 20), tmp_path / "back"
    assert file.stat().st_size > max(LARGEST_AT_ONCE, 2 * PIECE)
    await objects.put_file("captures/day.iq", file)
    with pytest.raises(ObjectError, match="nothing is written over"):
        await objects.put_file("captures/day.iq", file)
    digest = await objects.get_file("captures/day.iq", back)
    assert digest == digest_of(file) == digest_of(back)
    empty = tmp_path / "empty"
    empty.touch()
    await objects.put_file("captures/empty", empty)
    await objects.get_file("captures/empty", tmp_path / "nothing")
    assert (tmp_path / "nothing").stat().st_size == 0


async def test_objects_are_old_when_their_nearest_folder_says_so(objects, tmp_path):
    file = tmp_path / "small"
    file.write_bytes(b"small")
    keys = ("captures/a", "captures/lfbo/b", "captures/lfbo/hall-1/c", "exports/d", "bundles/e")
    for key in keys:
        await objects.put_file(key, file)
    (now_us,) = {each.stored_at_us async for each in objects.list("exports")}
    days = read_days("captures=30, captures/lfbo=7,bundles=1")

    async def old(after_days):
        at_us = now_us + after_days * DAY_US + 60_000_000
        return sorted([each.key async for each in old_objects(objects, days, at_us)])

    assert await old(0) == []
    assert await old(1) == ["bundles/e"]
    assert await old(8) == ["bundles/e", "captures/lfbo/b", "captures/lfbo/hall-1/c"]
    assert await old(36_000) == sorted(key for key in keys if key != "exports/d")


@given(st.dictionaries(FOLDERS, st.integers(1, 500)), KEYS, st.integers(0, 600), st.integers(0, 99))
def test_what_is_old_stays_old_and_others_folders_change_nothing(days, key, age, more):
    stored, day = Stored(key, 1, 0), DAY_US
    text = ",".join(f"{folder}={kept}" for folder, kept in reversed(days.items()))
    assert days_kept(key, read_days(text)) == days_kept(key, days)
    if is_over(stored, days, age * day):
        assert is_over(stored, days, (age + more) * day)
    own = {folder: kept for folder, kept in days.items() if key.startswith(f"{folder}/")}
    assert is_over(stored, own, age * day) == is_over(stored, days, age * day)
    assert is_over(stored, days, age * day) == bool(own and own[max(own, key=len)] <= age)


@pytest.mark.parametrize(
    ("days", "why"),
    [
        ("others=1", "'others' is no key"),
        ("captures", "'captures' is not FOLDER=DAYS"),
        ("captures=0", "of 1 to 36500"),
        ("captures=-1", "of 1 to 36500"),
        ("captures=1,captures=2", "captures is there twice"),
    ],
)
def test_days_that_are_none_are_refused_by_name(days, why):
    with pytest.raises(SettingsError, match="objects_days") as told:
        load_settings(mode="dev", objects_days=days)
    assert why in str(told.value)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (
            {"s3_endpoint": "http://127.0.0.1:9"},
            "it does not answer: see that it runs, S3_ENDPOINT",
        ),
        ({"s3_secret_key": "another"}, "S3_SECRET_KEY"),
        ({"s3_access_key": "another"}, "S3_ACCESS_KEY"),
    ],
)
async def test_a_store_that_is_away_or_refuses_is_named_with_the_mend(
    endpoint, tmp_path, changed, why
):
    given = {
        "objects_url": f"s3://{BUCKET}/{tmp_path.name}", "s3_endpoint": endpoint,
        "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY,
    } | changed  # fmt: skip
    objects = open_objects(load_settings(mode="dev", data_dir=tmp_path, **given))
    file = tmp_path / "small"
    file.write_bytes(b"small")

    async def listed():
        return [each async for each in objects.list("captures")]

    for work in (
        objects.put_file("captures/a", file),
        objects.get_file("captures/a", tmp_path / "back"),
        objects.refuse_taken("captures/a"),
        objects.delete("captures/a"),
        listed(),
    ):
        with pytest.raises(ObjectError) as told:
            await work
        said = str(told.value)
        assert f"s3://{BUCKET}/{tmp_path.name} at {given['s3_endpoint']}: " in said
        assert why in said
        assert "\n" not in said
        assert SECRET_KEY not in said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("404 <Error><Code>NoSuchBucket</Code></Error>", "there is no such bucket: make it there"),
        ("status code: 403 <Code>AccessDenied</Code>", "may not do this there"),
        ("status code: 503 Busy", "it answers 503"),
        ("status code: 400 <Code>Odd</Code>", "it answers Odd"),
        ("Unable to open file x: Permission denied (os error 13)\n\nDebug", "Permission denied"),
    ],
)
def test_what_stores_answer_is_told_in_a_line(said, why):
    assert why in why_refused(said)
    assert "Debug" not in why_refused(said)


def test_s3_without_credentials_is_refused_by_name(tmp_path):
    settings = load_settings(mode="dev", data_dir=tmp_path, objects_url="s3://airport")
    with pytest.raises(SettingsError, match="s3_access_key and s3_secret_key are missing"):
        open_objects(settings)
    (tmp_path / "file").touch()
    url = f"file://{tmp_path}/file/objects"
    with pytest.raises(SettingsError, match=r"objects_url: .*/file/objects cannot be made"):
        open_objects(load_settings(mode="dev", data_dir=tmp_path, objects_url=url))


async def test_captures_are_put_listed_got_and_deleted(store_environment, tmp_path, capsys):
    async def hub(*words):
        status = await asyncio.to_thread(main, ["objects", *map(str, words)])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err

    file, back = tmp_path / "hall-1.iq", tmp_path / "back.iq"
    file.write_bytes(bytes(1000))
    key = "captures/lfbo/hall-1.iq"
    status, lines, _ = await hub("put", key, file, "--json")
    assert (status, json.loads(lines[0])) == (0, {"key": key, "done": "put", "bytes": 1000})
    status, _, said = await hub("put", key, file)
    assert (status, "nothing is written over" in said) == (1, True)
    for folder in ("captures", "captures/lfbo"):
        _, lines, _ = await hub("list", folder, "--json")
        (told,) = map(json.loads, lines)
        assert (told["key"], told["bytes"]) == (key, 1000)
        assert told["stored_at"].endswith("+00:00")
    assert (await hub("list", "captures/lfpg", "--json"))[1] == []
    assert (await hub("get", key, back))[0] == 0
    assert digest_of(back) == digest_of(file)
    status, _, said = await hub("get", key, back)
    assert (status, "is there already" in said) == (1, True)
    assert await hub("expire") == (0, [], "")
    assert (await hub("delete", key))[0] == 0
    status, _, said = await hub("get", key, tmp_path / "none.iq")
    assert (status, "cannot be had" in said) == (1, True)
    assert "is no key: it is KIND/NAME" in (await hub("put", "elsewhere/x", file))[2]
    with pytest.raises(SystemExit):
        await hub("list", "elsewhere")
