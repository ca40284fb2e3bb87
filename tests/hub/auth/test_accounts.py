"""Accounts: added, locked, unlocked, shut; passwords chosen and changed."""

import asyncio

import pytest
from aerocast_hub.alerts.watch import take_in
from aerocast_hub.auth.accounts.locking import LOCK_AFTER, note_failure
from aerocast_hub.auth.accounts.password_policy import weakness
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.permissions import Role
from aerocast_hub.auth.roles import put_role
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.events.accounts import AccountLocked, AccountUnlocked
from aerocast_hub.events.every import decode_event
from aerocast_hub.outbox.tables import OutboxRow
from sqlalchemy import select, update

from tests.hub.auth.conftest import PASSWORD, HashedBefore
from tests.hub.auth.people import bearer, entered, id_of, log_in

NEW = "a belt that hums quietly"


async def change(hub, headers, present=PASSWORD, new=NEW):
    asked = {"present": present, "new": new}
    return await hub.post("/auth/me/password", json=asked, headers=headers)


async def events(database):
    async with database.reading() as session:
        rows = await session.scalars(select(OutboxRow.body).order_by(OutboxRow.id))
        decoded = [decode_event(each) for each in rows]
    return [each for each in decoded if isinstance(each, AccountLocked | AccountUnlocked)]


async def nearly_lock(database, name="viewer"):
    async with database.writing() as session:
        almost = update(UserRow).where(UserRow.name == name).values(failed_tries=LOCK_AFTER - 1)
        await session.execute(almost)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "a password has 12 to 1024 characters, not 5"),
        ("x" * 1025, "a password has 12 to 1024 characters, not 1025"),
        ("password1234", "this is a very common password"),
        ("P@ssw0rd2026", "among the first to be tried"),
        ("qwertyuiop123456", "similar to a commonly used password"),
        ("quietquietquiet", "only slightly harder to guess"),
        ("anna-aerocast-anna", "little more than the account's name"),
        ("aaaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
    ],
)
def test_passwords_that_are_tried_first_are_refused_with_the_reason(password, why):
    assert why in weakness(password, ("anna",))


@pytest.mark.parametrize("password", [PASSWORD, NEW, "öäü gräßlich schöne Koffer", "tQ8#kPz1vLm4"])
def test_long_ones_will_do_whatever_they_are_made_of(password):
    assert weakness(password, ("anna",)) is None


async def test_changing_the_password_ends_every_other_session(hub):
    phone, here = await entered(hub), await entered(hub)
    changed = await change(hub, here)
    assert changed.status_code == 200
    for old in (phone, here):
        assert (await hub.get("/api/gateways", headers=old)).status_code == 401
    assert (await hub.get("/api/gateways", headers=bearer(changed))).status_code == 200
    assert (await log_in(hub)).status_code == 401
    assert (await log_in(hub, password=NEW)).status_code == 200


async def test_a_new_password_needs_the_present_one_and_must_be_fit(hub):
    here = await entered(hub)
    assert (await change(hub, here, present="wrong horse battery")).status_code == 401
    weak = await change(hub, here, new="viewer-viewer")
    assert weak.status_code == 400
    assert "little more than the account's name" in weak.json()["detail"]
    same = await change(hub, here, new=PASSWORD)
    assert "choose another" in same.json()["detail"]
    assert (await hub.get("/api/gateways", headers=here)).status_code == 200


async def test_guessing_the_present_password_is_held_back(hub):
    here = await entered(hub)
    tries = [await change(hub, here, present=f"guess {n}") for n in range(7)]
    assert [each.status_code for each in tries] == [401] * 5 + [429] * 2


async def test_guessing_the_present_password_is_told_and_locks_as_at_the_login(
    hub, database, trail
):
    here = await entered(hub, "operator")
    await nearly_lock(database, "operator")
    assert (await change(hub, here, present="wrong horse battery")).status_code == 401
    assert [(line.action, line.subject, line.outcome) for line in await trail()][-2:] == [
        ("password_change_failed", "operator", "failure"),
        ("account_locked", "operator", "failure"),
    ]
    assert (await change(hub, here)).status_code == 401
    assert (await log_in(hub, "operator")).status_code == 401


async def test_who_is_added_chooses_a_password_before_anything_else(hub):
    admin = await entered(hub, "admin")
    added = await hub.post("/auth/users", json={"name": "Bo", "role": "viewer"}, headers=admin)
    first = added.json()["password"]
    tokens = await log_in(hub, "bo", first)
    assert tokens.json()["due"] == "password"
    assert (await hub.get("/api/gateways", headers=bearer(tokens))).status_code == 403
    chosen = await change(hub, bearer(tokens), present=first)
    assert chosen.json().get("due") is None
    assert (await hub.get("/api/gateways", headers=bearer(chosen))).status_code == 200


async def test_a_first_password_is_good_for_three_days(hub, database):
    admin = await entered(hub, "admin")
    added = await hub.post("/auth/users", json={"name": "bo", "role": "viewer"}, headers=admin)
    async with database.writing() as session:
        late = update(UserRow).where(UserRow.name == "bo").values(change_by_us=5)
        await session.execute(late)
    assert (await log_in(hub, "bo", added.json()["password"])).status_code == 401


async def test_an_administrator_gives_a_new_first_password(hub):
    here, admin = await entered(hub), await entered(hub, "admin")
    path = f"/auth/users/{await id_of(hub, 'viewer')}/password"
    given = await hub.post(path, headers=admin)
    assert (await hub.get("/api/gateways", headers=here)).status_code == 401
    assert (await log_in(hub)).status_code == 401
    assert (await log_in(hub, password=given.json()["password"])).json()["due"] == "password"


async def test_too_many_wrong_passwords_lock_an_account_until_somebody_unlocks_it(hub, database):
    await nearly_lock(database)
    here = await entered(hub, "operator")
    assert (await log_in(hub, password="wrong horse battery")).status_code == 401  # noqa: S106  nobody's
    assert (await log_in(hub)).status_code == 401
    assert (await hub.get("/api/gateways", headers=here)).status_code == 200
    viewer, admin = await id_of(hub, "viewer"), await entered(hub, "admin")
    unlock = {"state": "unlocked"}
    done = await hub.patch(f"/auth/users/{viewer}", json=unlock, headers=admin)
    assert done.json()["locked_at_us"] is None
    assert (await log_in(hub)).status_code == 200
    locked, unlocked = await events(database)
    assert (locked.user_id, locked.after_tries) == (viewer, LOCK_AFTER)
    assert isinstance(unlocked, AccountUnlocked)


async def test_a_right_password_begins_the_count_anew(hub, database):
    await nearly_lock(database)
    assert (await log_in(hub)).status_code == 200
    assert (await log_in(hub, password="wrong horse battery")).status_code == 401  # noqa: S106  nobody's
    assert (await log_in(hub)).status_code == 200


async def test_of_many_wrong_tries_at_once_exactly_one_locks(people, database):
    await nearly_lock(database)
    async with database.reading() as session:
        viewer = await session.scalar(select(UserRow.id).where(UserRow.name == "viewer"))

    async def fail(at_us):
        async with database.writing() as session:
            return await note_failure(session, viewer, at_us)

    assert [*await asyncio.gather(*(fail(n) for n in range(10, 16)))].count(True) == 1
    assert len(await events(database)) == 1


async def test_a_locked_account_is_an_alert_until_it_is_unlocked(database):
    locked = AccountLocked(at_us=1, user_id="u-1", after_tries=50)
    async with database.writing() as session:
        (raised,) = await take_in(session, [locked, locked])
        (cleared,) = await take_in(session, [AccountUnlocked(at_us=2, user_id="u-1")])
    assert (raised.alert_kind, raised.subject) == ("account_locked", "account u-1")
    assert "50 wrong passwords" in raised.reason
    assert cleared.alert_id == raised.alert_id


async def test_a_disabled_account_is_out_at_once_and_comes_back(hub):
    here, admin = await entered(hub), await entered(hub, "admin")
    path = f"/auth/users/{await id_of(hub, 'viewer')}"
    await hub.patch(path, json={"state": "disabled"}, headers=admin)
    assert (await hub.get("/api/gateways", headers=here)).status_code == 401
    assert (await log_in(hub)).status_code == 401
    await hub.patch(path, json={"state": "enabled"}, headers=admin)
    assert (await log_in(hub)).status_code == 200


async def test_nobody_shuts_themselves_or_the_last_administrator_out(hub, database):
    admin = await entered(hub, "admin")
    own = f"/auth/users/{await id_of(hub, 'admin')}"
    refused = await hub.patch(own, json={"state": "disabled"}, headers=admin)
    assert "their own account" in refused.json()["detail"]


async def test_who_looks_after_accounts_does_not_thereby_become_more(hub, database):
    async with database.writing() as session:
        clerk = Role("looks after accounts", frozenset({"users:read", "users:write"}))
        every = frozenset({"*"})
        await put_role(session, "clerk", clerk, may=every, now_us=1, actor="test")
        await add_user(session, HashedBefore(), NewUser("kim", PASSWORD, "clerk"), now_us=1)
    kim, admin = await entered(hub, "kim"), await id_of(hub, "admin")
    tried = [
        await hub.post("/auth/users", json={"name": "x", "role": "admin"}, headers=kim),
        await hub.post(f"/auth/users/{admin}/password", headers=kim),
        await hub.patch(f"/auth/users/{admin}", json={"state": "disabled"}, headers=kim),
        await hub.delete(f"/auth/users/{admin}/second-factors", headers=kim),
        await hub.delete(f"/auth/users/{admin}/sessions", headers=kim),
        await hub.post(
            f"/auth/users/{admin}/keys",
            json={"name": "k", "scopes": ["users:write", "flights:read"]},
            headers=kim,
        ),
    ]
    assert [each.status_code for each in tried] == [400] * 6, [each.text for each in tried]


async def test_who_looks_after_accounts_takes_no_key_of_who_may_more(hub, database):
    async with database.writing() as session:
        clerk = Role("looks after accounts", frozenset({"users:read", "users:write"}))
        await put_role(session, "clerk", clerk, may=frozenset({"*"}), now_us=1, actor="test")
        await add_user(session, HashedBefore(), NewUser("kim", PASSWORD, "clerk"), now_us=1)
    kim, admin = await entered(hub, "kim"), await entered(hub, "admin")
    asked = {"name": "feed", "scopes": ["flights:read"]}
    made = (await hub.post("/auth/me/keys", json=asked, headers=admin)).json()
    id_, prefix = await id_of(hub, "admin"), made["details"]["prefix"]
    tried = [
        await hub.delete(f"/auth/users/{id_}/keys/{prefix}", headers=kim),
        await hub.post(
            f"/people/{id_}",
            data={"what": "key", "key": prefix},
            headers=kim | {"sec-fetch-site": "same-origin"},
        ),
    ]
    assert [each.status_code for each in tried] == [400] * 2, [each.text for each in tried]
    assert (await hub.get("/api/flights", headers={"x-api-key": made["key"]})).status_code == 200


async def test_ones_own_account_is_not_looked_after_around_its_own_page(hub):
    """A key would make itself another one; a login left open would lose its second factor."""
    admin, id_ = await entered(hub, "admin"), await id_of(hub, "admin")
    asked = {"name": "again", "scopes": ["users:write"]}
    key = (await hub.post("/auth/me/keys", json=asked, headers=admin)).json()["key"]
    tried = [
        await hub.post(f"/auth/users/{id_}/keys", json=asked, headers={"x-api-key": key}),
        await hub.post(f"/auth/users/{id_}/keys", json=asked, headers=admin),
        await hub.post(f"/auth/users/{id_}/password", headers=admin),
        await hub.delete(f"/auth/users/{id_}/second-factors", headers=admin),
    ]
    assert [each.status_code for each in tried] == [400] * 4, [each.text for each in tried]
    assert (
        tried[-1].json()["detail"] == "this is your own account: on its page, after a fresh login"
    )


@pytest.mark.parametrize(
    "name",
    [
        "hub",
        "Command Line",
        "identity provider",
        "nobody",
        "gateway lfbo/hall-1",
        "\uff41\uff4e\uff4e\uff41",
    ],
)
async def test_nobody_is_called_what_the_trail_calls_others(hub, name):
    admin = await entered(hub, "admin")
    answer = await hub.post("/auth/users", json={"name": name, "role": "viewer"}, headers=admin)
    assert (answer.status_code, "take another name" in answer.text) == (400, True)


async def test_an_account_without_a_password_lets_nobody_in_by_one(hub, database):
    async with database.writing() as session:
        await add_user(session, HashedBefore(), NewUser("feed", None, "service"), now_us=1)
    assert (await log_in(hub, "feed", "None")).status_code == 401
    here = await entered(hub, "admin")
    (feed,) = [
        each
        for each in (await hub.get("/auth/users", headers=here)).json()
        if each["name"] == "feed"
    ]
    assert feed["has_password"] is False


async def test_hashing_keeps_to_its_threads():
    passwords = Passwords()
    made = await asyncio.gather(*(passwords.hash_again(f"{n} quiet belts") for n in range(6)))
    assert len(set(made)) == 6
