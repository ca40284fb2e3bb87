"""Guessing is held back: in the database by all processes together, in Redis, in memory."""

import asyncio

import pytest
from aerocast_hub.auth.limiting.attempts import FINDS, LOGINS, WINDOW_S, Attempts
from aerocast_hub.auth.limiting.storage import DatabaseStorage, attempts_storage
from aerocast_hub.auth.limiting.tables import AttemptCountRow
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import SettingsError, load_settings
from limits.aio.storage import MemoryStorage
from sqlalchemy import func, select

from tests.clock import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts(database, clock):
    return Attempts("logins", LOGINS, DatabaseStorage(database, clock), clock)


async def allowed(attempts, tries):
    return [await attempts.wait_s(*each) for each in tries].count(0.0)


async def test_a_client_may_try_an_account_five_times_and_then_waits(attempts, clock):
    assert await allowed(attempts, [("ada", "192.0.2.1")] * 20) == LOGINS.together
    clock.now_s += 100
    assert await attempts.wait_s("ada", "192.0.2.1") == WINDOW_S - 100


async def test_waiting_the_time_given_is_enough(attempts, clock):
    await allowed(attempts, [("ada", "192.0.2.1")] * 20)
    clock.now_s += await attempts.wait_s("ada", "192.0.2.1")
    assert await attempts.wait_s("ada", "192.0.2.1") == 0.0


async def test_tries_that_come_at_once_are_each_counted(attempts):
    waits = await asyncio.gather(*(attempts.wait_s("ada", "192.0.2.1") for _ in range(30)))
    assert waits.count(0.0) == LOGINS.together


async def test_processes_on_one_database_count_together(database_url, database, clock):
    other = Database(database_url)
    both = [
        Attempts("logins", LOGINS, DatabaseStorage(each, clock), clock)
        for each in (database, other)
    ]
    waits = await asyncio.gather(*(both[n % 2].wait_s("ada", "192.0.2.1") for n in range(30)))
    await other.close()
    assert waits.count(0.0) == LOGINS.together


async def test_an_attacker_elsewhere_does_not_lock_the_owner_out(attempts):
    await allowed(attempts, [("ada", "203.0.113.9")] * 20)
    assert await attempts.wait_s("ada", "192.0.2.1") == 0.0


async def test_getting_in_clears_the_count(attempts):
    await allowed(attempts, [("ada", "192.0.2.1")] * 4)
    await attempts.forget("ada", "192.0.2.1")
    assert await allowed(attempts, [("ada", "192.0.2.1")] * 20) == LOGINS.together


async def test_a_try_that_is_taken_back_does_not_count(attempts):
    for counting in (attempts, in_memory(LOGINS)):
        await allowed(counting, [("ada", "192.0.2.1")] * 2)
        for _ in range(50):
            assert await counting.wait_s("ada", "192.0.2.1") == 0.0
            await counting.take_back("ada", "192.0.2.1")
        assert await allowed(counting, [("ada", "192.0.2.1")] * 20) == LOGINS.together - 2
        elsewhere = [("ada", f"192.0.2.{n}") for n in range(2, 60)]
        assert await allowed(counting, elsewhere) == LOGINS.account - LOGINS.together


async def test_logins_and_lookups_have_counts_of_their_own(database, clock):
    storage = DatabaseStorage(database, clock)
    logins, finds = (Attempts(what, LOGINS, storage, clock) for what in ("logins", "finds"))
    await allowed(logins, [("ada", "192.0.2.1")] * 20)
    assert await finds.wait_s("ada", "192.0.2.1") == 0.0


async def test_counts_that_ended_are_swept_away_and_name_nobody(attempts, database, clock):
    await allowed(attempts, [("ada", "192.0.2.1")])
    async with database.reading() as session:
        keys = " ".join(await session.scalars(select(AttemptCountRow.key)))
    assert "ada" not in keys
    assert "192.0.2.1" not in keys
    clock.now_s += WINDOW_S + 61
    await allowed(attempts, [("bob", "192.0.2.2")])
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AttemptCountRow)) == 3


def in_memory(limits):
    return Attempts("tries", limits, MemoryStorage())


async def test_a_client_that_tries_many_accounts_waits():
    tries = [(f"user-{n}", "192.0.2.1") for n in range(200)]
    assert await allowed(in_memory(LOGINS), tries) == LOGINS.client


async def test_an_ipv6_client_does_not_get_away_by_changing_its_address():
    tries = [("ada", f"2001:db8::{n:x}") for n in range(20)]
    assert await allowed(in_memory(LOGINS), tries) == LOGINS.together


async def test_an_account_tried_from_many_clients_waits():
    tries = [("ada", f"192.0.2.{n}") for n in range(100)]
    assert await allowed(in_memory(LOGINS), tries) == LOGINS.account


async def test_a_client_held_back_on_one_account_is_not_held_back_on_others_for_it():
    attempts = in_memory(LOGINS)
    await allowed(attempts, [("ada", "192.0.2.1")] * 200)
    tries = [(f"user-{n}", "192.0.2.1") for n in range(30)]
    assert await allowed(attempts, tries) == 30


async def test_passengers_behind_one_address_do_not_keep_each_other_out():
    tries = [(f"{n:010}", "192.0.2.1") for n in range(800)]
    assert await allowed(in_memory(FINDS), tries) == 800


async def test_while_the_count_does_not_answer_a_process_counts_by_itself(tmp_path, caplog):
    broken = Database(f"sqlite+aiosqlite:///{tmp_path / 'no-tables.db'}")
    attempts = Attempts("logins", LOGINS, DatabaseStorage(broken))
    assert await allowed(attempts, [("ada", "192.0.2.1")] * 20) == LOGINS.together
    await broken.close()
    assert caplog.text.count("counted by this process alone") == 1


async def test_memory_is_chosen_by_its_name(database):
    settings = load_settings(mode="dev", tries_in="memory")
    assert isinstance(attempts_storage(settings, database, None), MemoryStorage)


def test_counting_in_redis_needs_one():
    with pytest.raises(SettingsError, match="redis_url is missing: tries_in is redis"):
        load_settings(mode="dev", tries_in="redis")
