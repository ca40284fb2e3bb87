"""Two hub processes on one database: what one is told, the other keeps to."""

import asyncio
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from aerocast_hub.auth.accounts.locking import LOCK_AFTER
from aerocast_hub.auth.limiting.attempts import LOGINS
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.database.engine import Database

from tests.hub.auth.conftest import PASSWORD, HashedBefore
from tests.hub.browser.conftest import Hub

PEOPLE = ("ana", "bo", "cy", "dee", "eli")
HEARD_WITHIN_S = 60  # the bounds are 2 and 5 s; the machine may be busy


@pytest.fixture(scope="module")
def hubs(tmp_path_factory, migrated_sqlite):
    """Two processes with one data folder, and accounts nobody else uses."""
    first, second = (Hub(tmp_path_factory.mktemp(name)) for name in ("first", "second"))
    second.environment["AEROCAST_HUB_DATA_DIR"] = first.environment["AEROCAST_HUB_DATA_DIR"]
    for each in (first, second):
        each.environment["AEROCAST_HUB_BROKER_URL"] = "none:"
    data = first.folder / "data"
    data.mkdir()
    shutil.copyfile(migrated_sqlite, data / "hub.db")
    asyncio.run(add_people(f"sqlite+aiosqlite:///{data / 'hub.db'}"))
    with _running(first), _running(second):
        yield first, second


async def add_people(address):
    database = Database(address)
    async with database.writing() as session:
        await seed_roles(session)
        for name in PEOPLE:
            await add_user(session, HashedBefore(), NewUser(name, PASSWORD, "viewer"), now_us=1)
    await database.close()


@contextmanager
def _running(hub):
    hub.start()
    yield
    hub.stop()


def log_in(hub, name, password=PASSWORD):
    return httpx.post(
        f"{hub.base}/auth/login", json={"name": name, "password": password}, timeout=60
    )


def bearer(tokens):
    return {"authorization": f"Bearer {tokens.json()['access_token']}"}


def ask(hub, headers):
    return httpx.get(f"{hub.base}/api/gateways", headers=headers, timeout=60).status_code


def at_once(work, hubs, times):
    """Do something many times at once, turn and turn about at the two."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(work, [hubs[n % 2] for n in range(times)]))


def until_refused(hub, headers):
    waits_until_s = time.monotonic() + HEARD_WITHIN_S
    while ask(hub, headers) == 200:
        assert time.monotonic() < waits_until_s, "the other process never heard of it"
        time.sleep(0.1)


def test_of_refreshes_at_both_exactly_one_wins_and_the_session_dies(hubs):
    tokens = log_in(hubs[0], "ana")
    spent = {"refresh_token": tokens.json()["refresh_token"]}

    def refresh(hub):
        return httpx.post(f"{hub.base}/auth/refresh", json=spent, timeout=60)

    answers = at_once(refresh, hubs, 8)
    won = [each for each in answers if each.status_code == 200]
    assert len(won) == 1
    assert [each.status_code for each in answers].count(401) == 7
    spent = {"refresh_token": won[0].json()["refresh_token"]}
    assert [refresh(each).status_code for each in hubs] == [401, 401]
    for each in hubs:
        until_refused(each, bearer(tokens))


def test_guessing_at_both_is_held_back_as_at_one(hubs):
    answers = at_once(lambda hub: log_in(hub, "bo", "wrong horse battery"), hubs, 12)
    statuses = [each.status_code for each in answers]
    assert statuses.count(401) == LOGINS.together
    assert statuses.count(429) == 12 - LOGINS.together
    assert [log_in(each, "bo").status_code for each in hubs] == [429, 429]


def test_an_account_locked_by_one_is_locked_at_the_other(hubs):
    database = sqlite3.connect(f"{hubs[0].environment['AEROCAST_HUB_DATA_DIR']}/hub.db", timeout=30)
    with database:
        database.execute("UPDATE users SET failed_tries = ? WHERE name = 'cy'", [LOCK_AFTER - 2])
    wrong = at_once(lambda hub: log_in(hub, "cy", "wrong horse battery"), hubs, 4)
    assert {each.status_code for each in wrong} == {401}
    assert log_in(hubs[0], "cy").status_code == 401
    raised = "SELECT count(*) FROM outbox WHERE kind = 'account_locked'"
    assert database.execute(raised).fetchone() == (1,)
    database.close()


def test_an_api_key_revoked_at_one_is_refused_at_the_other(hubs):
    here = bearer(log_in(hubs[0], "dee"))
    asked = {"name": "display", "scopes": ["gateways:read"]}
    made = httpx.post(f"{hubs[0].base}/auth/me/keys", json=asked, headers=here, timeout=60).json()
    key = {"x-api-key": made["key"]}
    assert [ask(each, key) for each in hubs] == [200, 200]
    path = f"/auth/me/keys/{made['details']['prefix']}"
    assert httpx.delete(f"{hubs[0].base}{path}", headers=here, timeout=60).status_code == 204
    assert ask(hubs[0], key) == 401
    until_refused(hubs[1], key)


def test_a_session_ended_at_one_is_over_at_the_other(hubs):
    phone, here = log_in(hubs[1], "eli"), bearer(log_in(hubs[0], "eli"))
    assert ask(hubs[1], bearer(phone)) == 200
    listed = httpx.get(f"{hubs[0].base}/auth/me/sessions", headers=here, timeout=60).json()
    other = next(each["id"] for each in listed if not each["is_this"])
    path = f"{hubs[0].base}/auth/me/sessions/{other}"
    assert httpx.delete(path, headers=here, timeout=60).status_code == 204
    until_refused(hubs[1], bearer(phone))


def test_tokens_of_one_are_good_at_the_other_and_keys_change_at_both(hubs):
    old = log_in(hubs[0], "dee")
    assert ask(hubs[1], bearer(old)) == 200
    hubs[0].command("keys", "rotate")
    new = log_in(hubs[1], "dee")
    assert [ask(each, bearer(tokens)) for each in hubs for tokens in (old, new)] == [200] * 4
    hubs[0].command("keys", "rotate", "--compromised")
    for each in hubs:
        until_refused(each, bearer(old))
    assert ask(hubs[0], bearer(log_in(hubs[1], "dee"))) == 200
