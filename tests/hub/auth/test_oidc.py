"""Logging in at an identity provider: a strict one of ours, and one that others wrote."""

import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.auth.limiting.attempts import SIGN_INS
from aerocast_hub.auth.oidc.claims import name_of, read_mapping, roles_of
from aerocast_hub.auth.oidc.provider import is_safe
from aerocast_hub.auth.oidc.tables import IdentityRow, SignInRow
from aerocast_hub.auth.sessions.tables import SessionRow
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.users import disable_user
from aerocast_hub.settings import SERVICES, SettingsError, load_settings
from aerocast_simulator.processes import free_port
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select, update

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import log_in
from tests.oidc_provider import CLIENT, SECRET, OidcProvider

SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def engine_kind():
    """What is special to a database is tested with sessions and second factors."""
    return "sqlite"


@pytest.fixture(scope="module")
def running():
    provider = OidcProvider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running):
    """Well-behaved again for every test."""
    running.person = {"sub": "s-1", "preferred_username": "Ada", "groups": ["bags", "golf"]}
    running.changed = {}
    running.signs_with = running.key
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_hub(settings, running):
    async with hub_of(settings, running.issuer) as client:
        yield client


@pytest.fixture
def hub(running_hub, people, provider):
    running_hub.cookies.clear()
    return running_hub


def hub_of(settings, issuer, **more):
    asked = {
        "base_url": "http://testserver.local",
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": "bags=operator, watch=viewer",
        **more,
    }
    told = load_settings(**settings.model_dump(exclude=set(asked)), **asked)
    return AsyncTestClient(create_app(told, SERVICES), raise_server_exceptions=False)


async def go(hub, path="/login/provider?next=/alerts"):
    """Follow the browser to the provider; give where the provider sends it back to."""
    away = await hub.get(path, follow_redirects=False)
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient(timeout=60) as browser:
        return (await browser.get(away.headers["location"])).headers["location"]


async def come_back(hub, address):
    parts = urlsplit(address)
    return await hub.get(f"{parts.path}?{parts.query}", follow_redirects=False)


async def who(hub):
    return (await hub.get("/auth/me")).json()


async def test_somebody_the_provider_knows_gets_an_account_with_their_roles(hub, provider):
    done = await come_back(hub, await go(hub))
    assert (done.status_code, done.headers["location"]) == (303, "/alerts")
    me = await who(hub)
    assert me["name"] == "ada"
    assert "baggage:write" in me["permissions"]
    assert provider.refused == []
    # The next time it is the same account, whatever it is called; roles are as they are now.
    provider.person = {"sub": "s-1", "preferred_username": "Countess", "groups": ["watch"]}
    await come_back(hub, await go(hub))
    me = await who(hub)
    assert me["name"] == "ada"
    assert "baggage:write" not in me["permissions"]


async def test_who_has_no_role_any_more_is_not_let_in(hub, provider):
    await come_back(hub, await go(hub))
    provider.person = {"sub": "s-1", "groups": ["golf"]}
    refused = await come_back(hub, await go(hub))
    assert refused.status_code == 403
    assert "Nobody gives you a role here any more" in refused.text
    assert (await hub.get("/api/bags", params={"q": "x"})).status_code == 401
    provider.person = {"sub": "s-2", "preferred_username": "Bo", "groups": []}
    assert "Nobody gave you a role here" in (await come_back(hub, await go(hub))).text


async def test_an_account_is_not_taken_over_by_its_name_but_linked_by_its_owner(hub, provider):
    provider.person = {"sub": "s-9", "preferred_username": "admin", "groups": ["bags"]}
    refused = await come_back(hub, await go(hub))
    assert "There is an account of your name" in refused.text
    await hub.post("/login", data={"name": "admin", "password": PASSWORD}, headers=SAME)
    away = await hub.post("/account/provider", headers=SAME, follow_redirects=False)
    async with httpx.AsyncClient(timeout=60) as browser:
        back = (await browser.get(away.headers["location"])).headers["location"]
    linked = await come_back(hub, back)
    assert linked.headers["location"] == "/account"
    hub.cookies.clear()
    await come_back(hub, await go(hub))
    me = await who(hub)
    assert (me["name"], "*" in me["permissions"]) == ("admin", True)


async def test_who_is_sent_there_again_and_again_waits(hub, provider, database):
    """Each is kept for ten minutes, and nobody has to log in to be sent there."""
    tried = [
        await hub.get("/login/provider", follow_redirects=False) for _ in range(SIGN_INS.client + 1)
    ]
    assert {each.status_code for each in tried[:-1]} == {303}
    assert (tried[-1].status_code, int(tried[-1].headers["retry-after"]) > 0) == (429, True)
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(SignInRow)) == SIGN_INS.client


async def test_another_way_in_is_not_added_to_a_login_left_open(hub, provider, database):
    await hub.post("/login", data={"name": "admin", "password": PASSWORD}, headers=SAME)
    async with database.writing() as session:
        await session.execute(update(SessionRow).values(began_at_us=5))
    refused = await hub.post("/account/provider", headers=SAME, follow_redirects=False)
    assert (refused.status_code, "Log in again first" in refused.text) == (403, True)


async def test_a_disabled_account_does_not_come_in_by_the_provider(hub, provider, database):
    await come_back(hub, await go(hub))
    async with database.writing() as session:
        await disable_user(session, name="ada", now_us=2)
    assert "account is disabled" in (await come_back(hub, await go(hub))).text


async def test_guesses_at_a_password_shut_nobody_out_who_comes_by_the_provider(
    hub, provider, database
):
    await come_back(hub, await go(hub))
    async with database.writing() as session:
        locked = (
            update(UserRow).where(UserRow.name == "ada").values(locked_at_us=5, failed_tries=50)
        )
        await session.execute(locked)
    hub.cookies.clear()
    assert (await come_back(hub, await go(hub))).headers.get("location") == "/alerts"
    async with database.reading() as session:
        kept = await session.scalar(select(UserRow.locked_at_us).where(UserRow.name == "ada"))
    assert kept == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"nonce": "another"},
        {"exp": 1000},
        {"iat": 4_000_000_000, "nbf": 4_000_000_000},
        {"sub": None},
        {"azp": "another", "aud": [CLIENT, "another"]},
    ],
)
async def test_an_id_token_that_is_not_for_this_login_is_not_believed(hub, provider, changed):
    provider.changed = changed
    refused = await come_back(hub, await go(hub))
    assert refused.status_code == 403
    assert "did not confirm this login" in refused.text
    assert (await hub.get("/auth/me")).status_code == 401


async def test_a_token_another_key_signed_is_not_believed(hub, provider):
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert (await come_back(hub, await go(hub))).status_code == 403


async def test_who_comes_back_must_be_who_was_sent(hub):
    back = await go(hub)
    hub.cookies.clear()
    assert "not begun in this browser" in (await come_back(hub, back)).text
    back = await go(hub)
    wrong = re.sub("state=[^&]+", "state=another", back)
    assert "not begun in this browser" in (await come_back(hub, wrong)).text


async def test_a_return_is_good_once(hub):
    back = await go(hub)
    cookie = hub.cookies.get("aerocast_sign_in")
    assert (await come_back(hub, back)).status_code == 303
    hub.cookies.set("aerocast_sign_in", cookie)
    assert "took too long, or was used" in (await come_back(hub, back)).text


async def test_a_code_somebody_slipped_in_is_refused_for_its_verifier(hub, provider):
    slipped = parse_qs(urlsplit(await go(hub)).query)["code"][0]
    back = re.sub("code=[^&]+", f"code={slipped}", await go(hub))
    assert (await come_back(hub, back)).status_code == 403
    assert provider.refused[-1] == "wrong verifier"
    provider.refused.clear()


async def test_the_provider_may_refuse_and_may_be_away(hub, settings, people):
    denied = await hub.get("/login/provider/back?error=access_denied&state=x")
    assert denied.status_code == 403
    async with hub_of(settings, "http://127.0.0.1:1") as alone:
        gone = await alone.get("/login/provider")
        assert gone.status_code == 503
        assert "does not answer: try again later" in gone.text
        assert (await log_in(alone)).status_code == 200


async def test_a_login_never_leads_to_another_site(hub):
    done = await come_back(hub, await go(hub, "/login/provider?next=//evil.example"))
    assert done.headers["location"] == "/"


async def test_the_login_page_names_the_provider_only_where_there_is_one(hub, settings):
    assert "/login/provider?next=" in (await hub.get("/login")).text
    async with AsyncTestClient(create_app(settings, SERVICES)) as without:
        assert "/login/provider" not in (await without.get("/login")).text
        absent = await without.get("/login/provider")
        assert absent.status_code == 404
        assert "has no identity provider" in absent.text


async def test_only_subjects_and_no_tokens_are_kept(hub, database):
    await come_back(hub, await go(hub))
    async with database.reading() as session:
        (row,) = await session.scalars(select(IdentityRow))
        assert (row.subject, row.made_here) == ("s-1", True)
        assert list(await session.scalars(select(SignInRow))) == []


@pytest.fixture
def others_wrote(tmp_path):
    """A provider process that is none of ours."""
    port = free_port()
    ada = '{"sub": "ada@x.example", "email": "ada@x.example", "groups": ["bags"]}'
    command = Path(sys.executable).with_name("oidc-provider-mock")
    words = [command, "--port", str(port), "--require-nonce", "true", "--user-claims", ada]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    issuer = f"http://127.0.0.1:{port}"
    wait_for(f"{issuer}/.well-known/openid-configuration")
    yield issuer
    process.terminate()
    process.wait(timeout=60)


async def test_a_provider_others_wrote_lets_people_in_too(settings, people, others_wrote):
    async with hub_of(settings, others_wrote) as hub:
        away = await hub.get("/login/provider?next=/alerts", follow_redirects=False)
        async with httpx.AsyncClient(timeout=60) as browser:
            said = await browser.post(away.headers["location"], data={"sub": "ada@x.example"})
        done = await come_back(hub, said.headers["location"])
        assert done.headers["location"] == "/alerts"
        assert (await who(hub))["name"] == "ada@x.example"


def wait_for(address):
    waits_until_s = time.monotonic() + 60
    while True:
        try:
            httpx.get(address, timeout=5).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < waits_until_s, "the provider does not answer"
            time.sleep(0.1)
        else:
            return


@pytest.mark.parametrize(
    ("claims", "claim", "roles"),
    [
        ({"groups": ["a", "b", "x"]}, "groups", {"admin", "viewer"}),
        ({"groups": "a"}, "groups", {"admin"}),
        ({"realm_access": {"roles": ["b"]}}, "realm_access.roles", {"viewer"}),
        ({"groups": [["a"], 7, None]}, "groups", set()),
        ({"groups": {"a": 1}}, "groups", set()),
        ({}, "groups.a", set()),
    ],
)
def test_roles_come_from_the_claim_alone(claims, claim, roles):
    assert roles_of(claims, claim, {"a": "admin", "b": "viewer"}) == roles


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda some: (
        st.lists(some, max_size=4) | st.dictionaries(st.text(max_size=8), some, max_size=4)
    ),
)


@given(st.dictionaries(st.sampled_from(["groups", "sub", "email"]), JSON), st.text(max_size=12))
def test_nothing_a_provider_claims_gives_a_role_nobody_mapped(claims, claim):
    assert roles_of(claims, claim, {}) == frozenset()
    assert len(name_of(claims)) <= 64


@pytest.mark.parametrize("text", ["a", "=admin", "a=", "a=b,c"])
def test_a_mapping_that_says_nothing_is_refused(text):
    with pytest.raises(ValueError, match="is not VALUE=ROLE"):
        read_mapping(text)


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://id.example/x", True),
        ("http://id.example/x", False),
        ("http://localhost:9400/x", True),
        ("ftp://localhost/x", False),
    ],
)
def test_secrets_go_by_https_or_stay_on_this_machine(address, safe):
    assert is_safe(address) is safe


def test_a_provider_needs_to_know_where_people_come_back_to():
    with pytest.raises(SettingsError, match="oidc_issuer needs oidc_client_id and base_url"):
        load_settings(mode="dev", oidc_issuer="https://id.example")
