"""A hub starts with the keys its database is used with, or says which are others."""

import asyncio
import shutil

import pytest
from aerocast_hub.auth.token_keys import TokenKeys, key_states, rotate
from aerocast_hub.cli import main
from aerocast_hub.data_keys import data_keys_in
from aerocast_hub.database.engine import Database
from aerocast_hub.privacy.rotation import seal_anew
from aerocast_hub.settings import SettingsError, load_settings
from aerocast_hub.shared_keys.checking import check_keys, note_token_keys
from aerocast_hub.shared_keys.tables import SharedKeyRow
from sqlalchemy import select

REFUSALS = {
    "data.keys": r"the data keys \(DATA_KEYS, or data.keys in DATA_DIR\) are others",
    "secret.key": r"the secret key \(SECRET_KEY, or secret.key in DATA_DIR\) is another",
    "token_keys": r"the token keys \(the folder token_keys in DATA_DIR\) are others",
}


class Hub:
    """What a hub opens its database with: the keys in its folder, and no other."""

    def __init__(self, address, folder, *, is_signing=True):
        self.settings = load_settings(mode="dev", data_dir=folder)
        self.database = Database(address, data_keys=lambda: data_keys_in(folder))
        self.keys = TokenKeys(folder, is_signing=is_signing)

    async def start(self):
        await check_keys(self.database, self.settings, self.keys)

    async def write(self, work, *given):
        async with self.database.writing() as session:
            return await work(session, *given)

    async def marks(self):
        async with self.database.reading() as session:
            rows = await session.scalars(select(SharedKeyRow))
            return {each.name: each.mark for each in rows}


@pytest.fixture
async def hub_in(database_url, tmp_path):
    """Make hubs of one database by the name of their folder."""
    made = []

    def make(name, **chosen):
        made.append(Hub(database_url, tmp_path / name, **chosen))
        return made[-1]

    yield make
    for each in made:
        await each.database.close()


async def test_the_first_hub_says_which_keys_are_right_and_those_that_share_them_start(hub_in):
    first, again = hub_in("one"), hub_in("one")
    await first.start()
    marks = await first.marks()
    await again.start()
    assert await again.marks() == marks
    assert marks.keys() == {"secret", "tokens"}
    assert first.settings.signing_key() not in str(marks)


@pytest.mark.parametrize("which", REFUSALS)
async def test_a_hub_with_another_key_is_told_which_and_leaves_no_trace(hub_in, tmp_path, which):
    first = hub_in("one")
    await first.start()
    marks = await first.marks()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    other = tmp_path / "two" / which
    shutil.rmtree(other) if other.is_dir() else other.unlink()
    with pytest.raises(SettingsError, match=REFUSALS[which]):
        await hub_in("two").start()
    assert await first.marks() == marks
    await first.start()


async def test_of_two_that_start_at_once_with_other_keys_one_is_refused(hub_in):
    starts = [hub_in(each).start() for each in ("one", "two")]
    ended = await asyncio.gather(*starts, return_exceptions=True)
    (refused,) = filter(None, ended)
    assert isinstance(refused, SettingsError)


async def test_a_service_that_signs_nothing_notes_no_token_keys_before_there_are_some(hub_in):
    weather, people = hub_in("one", is_signing=False), hub_in("one")
    await weather.start()
    assert (await weather.marks()).keys() == {"secret"}
    await people.start()
    await weather.start()
    assert (await weather.marks()).keys() == {"secret", "tokens"}


async def test_token_keys_that_were_rotated_are_the_right_ones(hub_in, tmp_path):
    first = hub_in("one")
    await first.start()
    shutil.copytree(tmp_path / "one", tmp_path / "stale")
    for is_compromised in (False, True):
        rotate(tmp_path / "one", is_compromised=is_compromised)
        ids = [each.id for each in key_states(tmp_path / "one")]
        await first.write(note_token_keys, ids)
        await hub_in("one").start()
    with pytest.raises(SettingsError, match=REFUSALS["token_keys"]):
        await hub_in("stale").start()


async def test_data_keys_are_rotated_while_hubs_run_and_the_old_one_is_refused_then(
    hub_in, tmp_path
):
    first = hub_in("one")
    await first.start()
    shutil.copytree(tmp_path / "one", tmp_path / "stale")
    keys = data_keys_in(tmp_path / "one")
    keys.add_new()
    command = hub_in("one")
    await seal_anew(command.database)
    await first.start()  # it reads the file again
    keys.drop_old()
    await hub_in("one").start()
    with pytest.raises(SettingsError, match=REFUSALS["data.keys"]):
        await hub_in("stale").start()


async def test_when_keys_are_lost_the_next_hub_that_starts_says_which_are_right(
    hub_in, database_url, tmp_path, monkeypatch, capsys
):
    first, other = hub_in("one"), hub_in("two")
    await first.start()
    monkeypatch.delenv("AEROCAST_HUB_DATA_KEYS")
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path / "two"))
    assert await asyncio.to_thread(main, ["keys", "rotate"]) == 2
    assert "aerocast-hub: the data keys" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["keys", "accept"]) == 0
    await other.start()
    with pytest.raises(SettingsError, match="aerocast-hub keys accept"):
        await first.start()
