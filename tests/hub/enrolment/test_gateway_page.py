"""One gateway in a browser: its certificates, a token shown once, revoking and letting in again."""

import re

import pytest
from aerocast_agent.enrolment import keys
from aerocast_hub.app import create_app
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

PASSWORD = "correct horse battery"  # noqa: S105  of nobody
PAGE = "/gateways/lfbo/hall-1"


@pytest.fixture
def engine_kind():
    """The claims' own tests run on both databases: here one will do."""
    return "sqlite"


@pytest.fixture
async def hub(database, database_url, tmp_path):
    async with database.writing() as session:
        await seed_roles(session)
        for name, role in (("ada", "admin"), ("ben", "operator")):
            await add_user(session, Passwords(), NewUser(name, PASSWORD, role), now_us=1)
        await add_gateway(session, "lfbo", "hall-1")
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(
        create_app(settings, SERVICES), raise_server_exceptions=False
    ) as client:
        yield client


async def as_user(hub, name):
    answer = await hub.post("/auth/login", json={"name": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept": "text/html"}


async def do(hub, headers, what):
    return await hub.post(PAGE, data={"what": what}, headers=headers, follow_redirects=False)


async def claim(hub, headers):
    return await hub.post(f"{PAGE}/claim", headers=headers)


async def test_an_administrator_makes_a_token_revokes_and_lets_in_again(hub):
    ada = await as_user(hub, "ada")
    page = (await hub.get(PAGE, headers=ada)).text
    assert "Make an enrolment token" in page
    assert "Make a token and enrol" in page
    claimed = await claim(hub, ada)
    assert claimed.headers["cache-control"] == "no-store"
    token = re.search(r"--token (\S+?)<", claimed.text).group(1)
    key = keys.make_key()
    question = {"token": token, "request": keys.request_for(key, None)}
    assert (await hub.post("/api/enrolment", json=question)).status_code == 201
    page = (await hub.get(PAGE, headers=ada)).text
    assert ">good<" in page
    assert token not in page
    assert (await do(hub, ada, "revoke")).status_code == 303
    page = (await hub.get(PAGE, headers=ada)).text
    assert "Let it in again" in page
    assert ">good<" not in page
    assert (await claim(hub, ada)).status_code == 404
    assert (await do(hub, ada, "add")).status_code == 303
    assert "Make an enrolment token" in (await hub.get(PAGE, headers=ada)).text


async def test_a_gateway_is_added_and_what_is_no_name_is_refused_with_what_one_is(hub):
    ada = await as_user(hub, "ada")

    async def add(site, name):
        form = {"site": site, "name": name}
        return await hub.post("/gateways", data=form, headers=ada, follow_redirects=False)

    added = await add(" lfbo", "hall-2 ")
    assert (added.status_code, added.headers["location"]) == (303, "/gateways/lfbo/hall-2")
    page = (await hub.get("/gateways", headers=ada)).text
    assert page.index("/gateways/lfbo/hall-1") < page.index("/gateways/lfbo/hall-2")
    for site, name, why in (
        ("lfbo", "hall-2", "Gateway lfbo/hall-2 is registered already."),
        ("lfbo", "Hall 3", "is no name: use a-z, 0-9 and -, at most 32"),
        ("../..", "hall-3", "is no name: use a-z, 0-9 and -, at most 32"),
        ("", "", "is no name"),
    ):
        refused = await add(site, name)
        assert refused.status_code == 400
        assert why in refused.text


async def test_who_may_only_look_has_no_buttons(hub):
    ben = await as_user(hub, "ben")
    page = await hub.get(PAGE, headers=ben)
    assert page.status_code == 200
    assert "Revoke" not in page.text
    listed = await hub.get("/gateways", headers=ben)
    assert "hall-1" in listed.text
    assert "Add a gateway" not in listed.text
    new = {"site": "lfbo", "name": "hall-2"}
    assert (await hub.post("/gateways", data=new, headers=ben)).status_code == 403
    assert (await do(hub, ben, "revoke")).status_code == 403
    assert (await claim(hub, ben)).status_code == 403
    assert (await hub.get("/gateways/lfbo/none", headers=ben)).status_code == 404
