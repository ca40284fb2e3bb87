"""API keys: a part of what their owner may do, until they are revoked or past their time."""

from aerocast_hub.auth.api_keys.checking import GOOD_FOR_S, ApiKeys
from aerocast_hub.auth.api_keys.store import MOST_KEYS
from aerocast_hub.auth.api_keys.tables import ApiKeyRow
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.users import disable_user
from sqlalchemy import select, update

from tests.hub.auth.people import entered, id_of

READS = {"name": "display", "scopes": ["gateways:read", "flights:read"]}


async def make(hub, headers, **asked):
    return await hub.post("/auth/me/keys", json={**READS, **asked}, headers=headers)


def sent(made):
    return {"x-api-key": made.json()["key"]}


async def ask(hub, headers, path="/api/gateways"):
    return (await hub.get(path, headers=headers)).status_code


async def test_a_key_has_no_more_than_its_owner_has_now(hub, database):
    made = await make(hub, await entered(hub))
    async with database.writing() as session:
        await disable_user(session, name="viewer", now_us=1)
    assert await ask(hub, sent(made)) == 401


async def test_a_revoked_key_is_refused_at_once(hub):
    here = await entered(hub)
    made = await make(hub, here)
    assert await ask(hub, sent(made)) == 200
    prefix = made.json()["details"]["prefix"]
    assert (await hub.delete(f"/auth/me/keys/{prefix}", headers=here)).status_code == 204
    assert await ask(hub, sent(made)) == 401
    assert (await hub.delete(f"/auth/me/keys/{prefix}", headers=here)).status_code == 404
    assert (await hub.get("/auth/me/keys", headers=here)).json() == []


async def test_a_process_that_knew_a_key_hears_of_its_revocation_within_the_bound(hub, database):
    here, now_s = await entered(hub), [100.0]
    made = await make(hub, here)
    elsewhere = ApiKeys(database, Standing(database), lambda: now_s[0])
    assert await elsewhere.principal(made.json()["key"]) is not None
    await hub.delete(f"/auth/me/keys/{made.json()['details']['prefix']}", headers=here)
    now_s[0] += GOOD_FOR_S - 0.001
    assert await elsewhere.principal(made.json()["key"]) is not None
    now_s[0] += 0.001
    assert await elsewhere.principal(made.json()["key"]) is None


async def test_a_key_past_its_time_is_refused(hub, database):
    made = await make(hub, await entered(hub))
    async with database.writing() as session:
        await session.execute(update(ApiKeyRow).values(expires_at_us=5))
    assert await ask(hub, sent(made)) == 401


async def test_what_a_key_is_is_kept_nowhere_and_its_last_use_is(hub, database):
    made = await make(hub, await entered(hub))
    keys = ApiKeys(database, Standing(database))
    assert await keys.principal(made.json()["key"]) is not None
    await keys.write()
    async with database.reading() as session:
        row = await session.scalar(select(ApiKeyRow))
    assert made.json()["key"].encode() not in row.key_hash
    assert row.used_at_us > row.made_at_us


async def test_nobody_sees_or_revokes_anothers_keys_but_administrators(hub):
    made = await make(hub, await entered(hub))
    prefix, viewer = made.json()["details"]["prefix"], await id_of(hub, "viewer")
    operator, admin = await entered(hub, "operator"), await entered(hub, "admin")
    assert (await hub.get("/auth/me/keys", headers=operator)).json() == []
    assert (await hub.delete(f"/auth/me/keys/{prefix}", headers=operator)).status_code == 404
    person = await hub.get(f"/auth/users/{viewer}", headers=admin)
    assert [each["prefix"] for each in person.json()["keys"]] == [prefix]
    path = f"/auth/users/{viewer}/keys/{prefix}"
    assert (await hub.delete(path, headers=admin)).status_code == 204
    assert await ask(hub, sent(made)) == 401


async def test_there_is_an_end_to_keys(hub, database):
    here = await entered(hub)
    for _ in range(MOST_KEYS):
        assert (await make(hub, here)).status_code == 201
    refused = await make(hub, here)
    assert f"there are {MOST_KEYS} keys already" in refused.json()["detail"]
