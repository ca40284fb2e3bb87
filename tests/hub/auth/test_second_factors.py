"""Codes of an app and on paper: asked for after the password, good once."""

import asyncio
import base64
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.second_factors.challenges import MOST_TRIES
from aerocast_hub.auth.second_factors.codes import RECOVERY_CODES
from aerocast_hub.auth.second_factors.passkeys import relying_party
from aerocast_hub.auth.second_factors.sealing import Seal, SealError
from aerocast_hub.auth.second_factors.tables import RecoveryCodeRow, TotpRow
from aerocast_hub.auth.second_factors.totp import STEP_S, code_at, provisioning_uri, step_of
from aerocast_hub.auth.sessions.tables import SessionRow
from aerocast_hub.settings import SERVICES
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient
from sqlalchemy import select, update

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import bearer, entered, id_of, log_in

# RFC 6238 appendix B, SHA-1, the last six of its eight digits.
RFC_SECRET = b"12345678901234567890"
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("at_s", "code"), RFC_CODES)
def test_codes_are_those_of_the_standard(at_s, code):
    assert code_at(RFC_SECRET, at_s // STEP_S) == code
    assert step_of(RFC_SECRET, f"{code[:3]} {code[3:]}", at_s) == at_s // STEP_S


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**33), st.integers(-90, 90))
def test_a_code_is_good_one_step_before_and_after_its_own(secret, at_s, off_s):
    step = at_s // STEP_S
    found = step_of(secret, code_at(secret, step), max(0, at_s + off_s))
    off = max(0, at_s + off_s) // STEP_S - step
    assert found == step if abs(off) <= 1 else found in (None, *range(step - 4, step + 5))


@given(st.text(max_size=20))
def test_nothing_else_typed_is_a_code(typed):
    assert step_of(RFC_SECRET, typed + "x", 59) is None


def test_apps_are_told_whose_account_it_is():
    uri = urlsplit(provisioning_uri(RFC_SECRET, "ana maría/b"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert uri.path == "/AeroCast:ana%20mar%C3%ADa%2Fb"


def test_a_sealed_secret_opens_for_its_owner_and_key_alone():
    seal = Seal(lambda: "k" * 32)
    sealed = seal.close(b"secret", b"anna")
    assert b"secret" not in sealed
    assert seal.open(sealed, b"anna") == b"secret"
    for other, about in ((Seal(lambda: "l" * 32), b"anna"), (seal, b"bo")):
        with pytest.raises(SealError, match="was the secret key changed"):
            other.open(sealed, about)


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("https://bags.example", ("bags.example", "https://bags.example")),
        ("https://bags.example:8443/hub", ("bags.example", "https://bags.example:8443")),
        ("http://localhost:8000/", ("localhost", "http://localhost:8000")),
        ("http://bags.example", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_passkeys_are_for_names_browsers_trust(address, party):
    assert relying_party(address) == party


def now_step():
    return time.time_ns() // 1_000_000_000 // STEP_S


async def with_app(hub, name="viewer"):
    """Add an authenticator app; give its secret and the recovery codes."""
    here = await entered(hub, name)
    new = (await hub.post("/auth/me/second-factors/app", headers=here)).json()
    secret = base32_of(new["secret"])
    # The next step is left for the login that follows: of neither the time is up before it is read.
    code = {"code": code_at(secret, now_step())}
    done = await hub.post("/auth/me/second-factors/app/confirmation", json=code, headers=here)
    assert done.status_code == 200, done.text
    return secret, done.json()["recovery_codes"]


def base32_of(text):
    return base64.b32decode(text + "=" * (-len(text) % 8))


async def second(hub, asked, code):
    sent = {"challenge": asked.json()["challenge"], "code": code}
    return await hub.post("/auth/login/second", json=sent)


async def test_a_login_asks_for_the_code_and_a_code_is_good_once(hub):
    secret, codes = await with_app(hub)
    assert len(codes) == RECOVERY_CODES
    asked = await log_in(hub)
    assert "access_token" not in asked.json()
    assert asked.json()["methods"] == ["app", "recovery_code"]
    code = code_at(secret, now_step() + 1)
    tokens = await second(hub, asked, code)
    assert (await hub.get("/api/gateways", headers=bearer(tokens))).status_code == 200
    assert (await second(hub, asked, code)).status_code == 401
    assert (await second(hub, await log_in(hub), code)).status_code == 401


async def test_of_two_who_come_with_one_code_at_once_one_gets_in(hub):
    secret, _ = await with_app(hub)
    asked = [await log_in(hub) for _ in range(4)]
    code = code_at(secret, now_step() + 1)
    answers = await asyncio.gather(*(second(hub, each, code) for each in asked))
    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]


async def test_a_code_on_paper_is_good_once_however_it_is_typed(hub, database):
    _, codes = await with_app(hub)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert (await second(hub, await log_in(hub), typed)).status_code == 200
    assert (await second(hub, await log_in(hub), codes[0])).status_code == 401
    async with database.reading() as session:
        kept = [each.code_hash for each in await session.scalars(select(RecoveryCodeRow))]
        sealed = (await session.scalars(select(TotpRow.sealed_secret))).one()
    assert len(kept) == RECOVERY_CODES
    assert all(code.encode() not in b"".join(kept) + sealed for code in codes)


async def test_guessing_codes_ends_the_login_and_is_held_back(hub):
    await with_app(hub)
    asked = await log_in(hub)
    tries = [await second(hub, asked, f"{n:06}") for n in range(MOST_TRIES + 2)]
    assert {each.status_code for each in tries} <= {401, 429}
    assert (await second(hub, await log_in(hub), "000000")).status_code == 429


async def test_an_app_counts_only_once_a_code_of_it_was_typed(hub):
    here = await entered(hub)
    await hub.post("/auth/me/second-factors/app", headers=here)
    wrong = await hub.post(
        "/auth/me/second-factors/app/confirmation", json={"code": "000000"}, headers=here
    )
    assert wrong.status_code == 400
    assert "access_token" in (await log_in(hub)).json()


async def test_changing_a_factor_wants_a_fresh_login(hub, database):
    here = await entered(hub)
    async with database.writing() as session:
        await session.execute(update(SessionRow).values(began_at_us=5))
    refused = await hub.post("/auth/me/second-factors/app", headers=here)
    assert refused.status_code == 400
    assert "log in again first" in refused.json()["detail"]


async def test_a_changed_password_is_no_fresh_login_of_who_has_a_second_factor(hub, database):
    """Else a login left open and a password read over a shoulder would remove the factor."""
    secret, _ = await with_app(hub)
    here = bearer(await second(hub, await log_in(hub), code_at(secret, now_step() + 1)))
    async with database.writing() as session:
        await session.execute(update(SessionRow).values(began_at_us=5))
    asked = {"present": PASSWORD, "new": "a belt that hums quietly"}
    refused = await hub.post("/auth/me/password", json=asked, headers=here)
    assert (refused.status_code, "log in again first" in refused.text) == (400, True)
    factors = await hub.get("/auth/me/second-factors", headers=here)
    assert factors.json()["app"] is True


async def test_a_passkey_nested_without_end_is_none(hub):
    here = await entered(hub) | {"host": "localhost"}
    path, deep = "/auth/me/second-factors/passkeys", "[" * 8000
    begun = (await hub.post(f"{path}/options", headers=here)).json()
    told = {"challenge": begun["challenge"], "credential": deep}
    made = await hub.post(path, json=told, headers=here)
    assert (made.status_code, "not made for us" in made.text) == (400, True)
    await with_app(hub)
    asked = (await log_in(hub, host="localhost")).json()
    told = {"challenge": asked["challenge"], "credential": deep}
    shown = await hub.post("/auth/login/second", json=told, headers={"host": "localhost"})
    assert shown.status_code == 401, shown.text


async def test_who_lost_everything_is_let_in_by_an_administrator(hub):
    await with_app(hub)
    path = f"/auth/users/{await id_of(hub, 'viewer')}/second-factors"
    assert (await hub.delete(path, headers=await entered(hub, "admin"))).status_code == 204
    assert "access_token" in (await log_in(hub)).json()


async def test_everybody_may_be_asked_for_a_second_factor(settings, people):
    strict = settings.model_copy(update={"second_factor_roles": "*"})
    async with AsyncTestClient(create_app(strict, SERVICES)) as hub:
        for name in ("viewer", "operator", "admin"):
            assert (await log_in(hub, name)).json()["due"] == "second_factor"


async def test_a_role_may_ask_for_a_second_factor_and_nothing_opens_before(settings, people):
    strict = settings.model_copy(update={"second_factor_roles": "viewer, admin"})
    async with AsyncTestClient(create_app(strict, SERVICES)) as hub:
        tokens = await log_in(hub)
        assert tokens.json()["due"] == "second_factor"
        assert (await hub.get("/api/gateways", headers=bearer(tokens))).status_code == 403
        assert (await log_in(hub, "operator")).json()["due"] is None
        secret, _ = await with_app(hub)
        entered_now = await second(hub, await log_in(hub), code_at(secret, now_step() + 1))
        assert entered_now.json()["due"] is None
        spent = {"refresh_token": tokens.json()["refresh_token"]}
        assert (await hub.post("/auth/refresh", json=spent)).json()["due"] is None


async def test_the_page_asks_for_the_second_step_too(hub):
    secret, _ = await with_app(hub)
    page = await hub.post("/login", data={"name": "viewer", "password": "correct horse battery"})
    assert page.is_success
    challenge = page.text.partition('name="challenge" value="')[2].partition('"')[0]
    form = {"challenge": challenge, "code": code_at(secret, now_step() + 1), "next": "/alerts"}
    done = await hub.post("/login/second", data=form, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/alerts")
