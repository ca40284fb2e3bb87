import asyncio
import json

import pytest
from aerocast_hub.auth.permissions import FIRST_ROLES
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.cli import main
from sqlalchemy import text

from tests.hub.auth.conftest import PASSWORD, HashedBefore


@pytest.fixture
async def bearer(hub):
    async def log_in(name):
        tokens = await hub.post("/auth/login", json={"name": name, "password": PASSWORD})
        return {"authorization": f"Bearer {tokens.json()['access_token']}"}

    return log_in


async def put(hub, headers, name, permissions, **told):
    asked = {"permissions": permissions, **told}
    return await hub.put(f"/auth/roles/{name}", json=asked, headers=headers)


async def test_the_hub_comes_with_its_roles(hub, bearer):
    listed = (await hub.get("/auth/roles", headers=await bearer("admin"))).json()
    assert {each["name"] for each in listed} == set(FIRST_ROLES)
    for each in listed:
        role = FIRST_ROLES[each["name"]]
        assert set(each["permissions"]) == role.permissions
        assert (each["sees_own_only"], each["is_own"]) == (role.sees_own_only, False)


async def test_an_airport_adds_changes_and_removes_its_own(hub, bearer):
    admin = await bearer("admin")
    told = {"about": "looks at the weather", "sees_own_only": True}
    added = await put(hub, admin, "meteo", ["weather:read"], **told)
    assert added.status_code == 200, added.text
    assert added.json() == {
        "name": "meteo", "about": "looks at the weather", "permissions": ["weather:read"],
        "sees_own_only": True, "is_own": True,
    }  # fmt: skip
    changed = await put(hub, admin, "meteo", ["weather:read", "flights:read"])
    assert changed.json()["permissions"] == ["flights:read", "weather:read"]
    assert (await hub.delete("/auth/roles/meteo", headers=admin)).status_code == 204
    again = await hub.delete("/auth/roles/meteo", headers=admin)
    assert (again.status_code, again.json()["detail"]) == (400, "there is no role 'meteo'")


@pytest.mark.parametrize(
    ("name", "permissions", "why"),
    [
        ("admin", [], "role admin comes with the hub and stays as it is"),
        ("Capital", [], "'Capital' is no role's name"),
        ("x" * 33, [], "is no role's name"),
        ("mine", ["baggage:eat"], "there is no permission 'baggage:eat'; there are alerts:read"),
    ],
)
async def test_a_role_that_cannot_be_is_refused_with_the_mend(hub, bearer, name, permissions, why):
    answer = await put(hub, await bearer("admin"), name, permissions)
    assert answer.status_code == 400
    assert why in answer.json()["detail"]


async def test_a_role_somebody_has_stays(hub, bearer):
    admin = await bearer("admin")
    await put(hub, admin, "meteo", ["weather:read"])
    given = await hub.put("/auth/bindings/viewer", json={"roles": ["meteo"]}, headers=admin)
    assert given.json()["permissions"] == ["weather:read"]
    kept = await hub.delete("/auth/roles/meteo", headers=admin)
    assert "somebody has role 'meteo'" in kept.json()["detail"]


async def test_who_is_bound_logs_in_to_ones_own_rows(hub, bearer):
    admin = await bearer("admin")
    told = {"roles": ["airline"], "airlines": ["af", "AFR"], "stations": ["tls"]}
    bound = (await hub.put("/auth/bindings/viewer", json=told, headers=admin)).json()
    assert (bound["airlines"], bound["stations"], bound["sees"]) == (["AF", "AFR"], ["TLS"], "own")
    token = (await bearer("viewer"))["authorization"].partition(" ")[2]
    principal = hub.app.state.hub.keys.verify(token, 0)
    assert principal.airlines == {"AF", "AFR"}
    assert principal.stations == {"TLS"}
    assert (await hub.get("/auth/bindings/VIEWER", headers=admin)).json() == bound


async def test_an_airlines_account_sees_nothing_until_it_is_bound(hub, bearer):
    admin = await bearer("admin")
    bound = await hub.put("/auth/bindings/viewer", json={"roles": ["airline"]}, headers=admin)
    assert bound.json()["sees"] == "none"
    assert (await hub.get("/api/flights", headers=await bearer("viewer"))).json() == []


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"roles": ["king"]}, "there is no role 'king'; there are admin"),
        ({"roles": ["airline"], "airlines": ["AIRF"]}, "'AIRF' is not an airline's designator"),
        ({"roles": ["viewer"], "stations": ["T"]}, "'T' is not an airport's code"),
    ],
)
async def test_a_binding_that_cannot_be_is_refused_with_the_mend(hub, bearer, told, why):
    answer = await hub.put("/auth/bindings/viewer", json=told, headers=await bearer("admin"))
    assert answer.status_code == 400
    assert why in answer.json()["detail"]


async def test_nobody_hands_out_or_takes_away_more_than_they_may(hub, bearer):
    admin = await bearer("admin")
    clerk = ["users:read", "users:write", "weather:read"]
    await put(hub, admin, "clerk", clerk)
    await hub.put("/auth/bindings/viewer", json={"roles": ["clerk"]}, headers=admin)
    headers = await bearer("viewer")
    assert (await put(hub, headers, "more", ["audit:read"])).status_code == 400
    assert (await put(hub, headers, "more", ["*"])).status_code == 400
    assert (await put(hub, headers, "less", ["weather:read"])).status_code == 200
    for name, role in (("viewer", "admin"), ("operator", "less"), ("admin", "less")):
        answer = await hub.put(f"/auth/bindings/{name}", json={"roles": [role]}, headers=headers)
        assert answer.status_code == 400, (name, role)
        assert "more than they may do themselves" in answer.json()["detail"]


async def test_a_role_that_gives_more_is_neither_changed_nor_removed(hub, bearer):
    admin = await bearer("admin")
    await put(hub, admin, "clerk", ["users:read", "users:write"])
    await put(hub, admin, "auditor", ["audit:read"])
    await hub.put("/auth/bindings/viewer", json={"roles": ["clerk"]}, headers=admin)
    clerk = await bearer("viewer")
    for answer in (
        await put(hub, clerk, "auditor", []),
        await hub.delete("/auth/roles/auditor", headers=clerk),
    ):
        assert answer.status_code == 400, answer.text
        assert "takes away more than they may do themselves" in answer.json()["detail"]
    listed = (await hub.get("/auth/roles", headers=admin)).json()
    assert ["audit:read"] in [each["permissions"] for each in listed if each["name"] == "auditor"]


async def test_somebody_is_left_who_may_do_everything(hub, bearer):
    admin = await bearer("admin")
    for told in ({"roles": ["viewer"]}, {"roles": ["admin"], "stations": ["TLS"]}):
        kept = await hub.put("/auth/bindings/admin", json=told, headers=admin)
        assert (kept.status_code, "last account that may do everything" in kept.text) == (400, True)
    both = {"roles": ["admin", "viewer"]}
    assert (await hub.put("/auth/bindings/admin", json=both, headers=admin)).status_code == 200
    admin = await bearer("admin")
    other = {"roles": ["admin"]}
    assert (await hub.put("/auth/bindings/operator", json=other, headers=admin)).status_code == 200
    less = await hub.put("/auth/bindings/admin", json={"roles": ["viewer"]}, headers=admin)
    assert less.status_code == 200, less.text


async def test_who_is_bound_makes_no_account_that_sees_more(hub, bearer):
    admin = await bearer("admin")
    await put(hub, admin, "lead", ["users:read", "users:write", "flights:read"])
    told = {"roles": ["lead"], "airlines": ["AF"]}
    await hub.put("/auth/bindings/viewer", json=told, headers=admin)
    lead = await bearer("viewer")
    feed = {"name": "feed", "role": "lead"}
    answers = [
        await hub.post("/auth/users", json=feed, headers=lead),
        await hub.get("/auth/users", headers=lead),
        await hub.post("/people", data=feed, headers=lead | {"sec-fetch-site": "same-origin"}),
    ]
    assert [each.status_code for each in answers] == [403] * 3
    names = {each["name"] for each in (await hub.get("/auth/users", headers=admin)).json()}
    assert "feed" not in names


async def test_roles_of_an_older_hub_become_todays_and_the_airports_own_stay(database):
    async with database.writing() as session:
        await seed_roles(session)
        await session.execute(text("DELETE FROM role_permissions WHERE role = 'operator'"))
        own = (
            "INSERT INTO roles (name, about, sees_own_only, is_own) VALUES ('mine', '', :no, :yes)"
        )
        await session.execute(text(own), {"n": "mine", "no": False, "yes": True})
    async with database.writing() as session:
        await seed_roles(session)
        kept = text("SELECT permission FROM role_permissions WHERE role = 'operator'")
        assert set(await session.scalars(kept)) == FIRST_ROLES["operator"].permissions
        assert await session.scalar(text("SELECT count(*) FROM roles WHERE name = 'mine'")) == 1


@pytest.fixture(scope="module")
def engine_kind():
    """What is asked of the database here is asked on both in `test_login` and below `sight`."""
    return "sqlite"


async def test_the_command_line_gives_roles_and_airlines(settings, database, monkeypatch, capsys):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", settings.database)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(settings.data_dir))
    async with database.writing() as session:
        await seed_roles(session)
        await add_user(session, HashedBefore(), NewUser("desk", PASSWORD, "viewer"), now_us=1)

    async def run(*words):
        status = await asyncio.to_thread(main, ["role", *words, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    status, listed = await run("list")
    assert (status, {each["name"] for each in listed}) == (0, set(FIRST_ROLES))
    status, (put_,) = await run("put", "meteo", "--permission", "weather:read")
    assert (status, put_["permissions"]) == (0, ["weather:read"])
    words = ("give", "desk", "--role", "airline", "--airline", "AF", "--station", "TLS")
    status, (given,) = await run(*words)
    assert (status, given["airlines"], given["stations"]) == (0, ["AF"], ["TLS"])
    assert (await run("of", "desk")) == (0, [given])
    status, (refused,) = await run("give", "desk", "--role", "king")
    assert status == 1
    assert refused["error"].startswith("there is no role 'king'")
    status, _ = await run("remove", "meteo")
    assert status == 0
