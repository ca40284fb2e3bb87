"""Logging in by the API, on both databases."""

import asyncio

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.controller import WRONG
from aerocast_hub.auth.limiting.attempts import LOGINS
from aerocast_hub.auth.sessions.tables import RefreshTokenRow, SessionRow
from aerocast_hub.auth.users import disable_user
from litestar.testing import AsyncTestClient
from pydantic import SecretStr
from sqlalchemy import select

from tests.hub.auth.conftest import PASSWORD


async def log_in(hub, name="viewer", password=PASSWORD):
    return await hub.post("/auth/login", json={"name": name, "password": password})


def bearer(tokens):
    return {"authorization": f"Bearer {tokens.json()['access_token']}"}


def use(hub, tokens):
    return hub.post("/auth/refresh", json={"refresh_token": tokens.json()["refresh_token"]})


async def test_a_right_password_gives_tokens_that_open_doors(hub):
    tokens = await log_in(hub, "  Viewer ")
    assert tokens.status_code == 200
    assert tokens.json().items() >= {("token_type", "Bearer")}
    assert tokens.json()["expires_in"] == 900
    me = await hub.get("/auth/me", headers=bearer(tokens))
    assert me.json()["name"] == "viewer"
    assert "baggage:read" in me.json()["permissions"]
    assert (await hub.get("/api/gateways", headers=bearer(tokens))).status_code == 200


async def test_wrong_unknown_and_disabled_get_the_same_answer(hub, database):
    async with database.writing() as session:
        await disable_user(session, name="operator", now_us=2)
    answers = [
        await log_in(hub, "viewer", "wrong horse battery"),
        await log_in(hub, "nobody"),
        await log_in(hub, "operator"),
    ]
    assert {(each.status_code, each.text) for each in answers} == {
        (401, f'{{"status":401,"title":"Unauthorized","detail":"{WRONG}"}}')
    }


async def test_guessing_is_held_back_and_says_for_how_long(hub):
    tries = await asyncio.gather(*(log_in(hub, "viewer", f"guess {n}") for n in range(12)))
    statuses = [each.status_code for each in tries]
    assert statuses.count(401) == LOGINS.together
    assert statuses.count(429) == 12 - LOGINS.together
    held = await log_in(hub, "viewer")
    assert held.status_code == 429
    assert 0 < int(held.headers["retry-after"]) <= 300
    assert (await log_in(hub, "operator")).status_code == 200


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_login(hub, trail):
    first = await log_in(hub)
    second = await use(hub, first)
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first.json()["refresh_token"]
    assert (await use(hub, first)).status_code == 401
    assert (await use(hub, second)).status_code == 401
    assert "token_reused" in [each.action for each in await trail()]


async def test_of_two_refreshes_at_once_at_most_one_succeeds(hub):
    first = await log_in(hub)
    answers = await asyncio.gather(*(use(hub, first) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401, 401, 401]


async def test_logins_are_families_of_their_own(hub):
    one, other = await log_in(hub), await log_in(hub)
    await use(hub, one)
    await use(hub, one)
    assert (await use(hub, other)).status_code == 200


async def test_logging_out_ends_the_family(hub):
    tokens = await log_in(hub)
    spent = {"refresh_token": tokens.json()["refresh_token"]}
    assert (await hub.post("/auth/logout", json=spent)).status_code == 204
    assert (await use(hub, tokens)).status_code == 401
    assert (await hub.post("/auth/logout", json=spent)).status_code == 204


async def test_a_disabled_account_does_not_refresh(hub, database):
    tokens = await log_in(hub)
    async with database.writing() as session:
        await disable_user(session, name="viewer", now_us=2)
    assert (await use(hub, tokens)).status_code == 401


async def test_tokens_of_a_login_past_its_time_are_refused_and_swept_away(hub, database):
    tokens = await log_in(hub)
    async with database.writing() as session:
        for kept in (RefreshTokenRow, SessionRow):
            (await session.scalars(select(kept))).one().expires_at_us = 5
    assert (await use(hub, tokens)).status_code == 401
    await log_in(hub)
    async with database.reading() as session:
        assert len(list(await session.scalars(select(RefreshTokenRow)))) == 1


async def test_a_session_that_was_idle_too_long_is_over_and_one_in_use_goes_on(hub, database):
    await log_in(hub)
    tokens = await log_in(hub)
    idle_us = 60 * 60_000_000
    async with database.writing() as session:
        idle, used = await session.scalars(select(SessionRow).order_by(SessionRow.began_at_us))
        assert used.expires_at_us == used.began_at_us + idle_us
        for each in (idle, used):
            each.began_at_us -= idle_us
            each.used_at_us -= idle_us
            each.expires_at_us -= idle_us - 60_000_000
        idle.expires_at_us -= 60_000_000
    renewed = await use(hub, tokens)
    assert renewed.status_code == 200
    async with database.reading() as session:
        row = await session.get_one(SessionRow, used.id)
        assert row.expires_at_us == row.used_at_us + idle_us
    listed = await hub.get("/auth/me/sessions", headers=bearer(renewed))
    assert [each["id"] for each in listed.json()] == [str(used.id)]


async def test_a_session_ends_after_twelve_hours_however_much_it_is_used(hub, database):
    tokens = await log_in(hub)
    async with database.writing() as session:
        row = (await session.scalars(select(SessionRow))).one()
        row.began_at_us -= (12 * 60 - 10) * 60_000_000
    assert (await use(hub, tokens)).status_code == 200
    async with database.reading() as session:
        row = (await session.scalars(select(SessionRow))).one()
        assert row.expires_at_us == row.began_at_us + 12 * 3600 * 1_000_000


async def test_the_trail_names_who_did_what_and_keeps_no_secret(hub, trail):
    await log_in(hub, "viewer", "wrong horse battery")
    tokens = await log_in(hub)
    kept = [(each.action, each.subject, each.actor, each.client) for each in await trail()]
    assert kept[-2:] == [
        ("login_failed", "viewer", "viewer", "testclient"),
        ("login_ok", "viewer", "viewer", "testclient"),
    ]
    assert ("user_added", "viewer", "command line", None) in kept
    everything = repr(kept)
    given = tokens.json()
    for secret in (PASSWORD, "wrong horse", given["access_token"], given["refresh_token"]):
        assert secret not in everything


async def test_no_refresh_token_is_kept_as_it_is(hub, database):
    token = (await log_in(hub)).json()["refresh_token"]
    async with database.reading() as session:
        (row,) = await session.scalars(select(RefreshTokenRow))
    assert token.encode() not in row.token_hash
    assert len(row.token_hash) == 32


@pytest.mark.parametrize("body", [{}, {"name": "", "password": "x"}, {"name": "x" * 65}])
async def test_what_is_no_login_is_refused_before_any_work(hub, body):
    answer = await hub.post("/auth/login", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_opens_another_service_that_has_no_users(hub, settings, tmp_path):
    tokens = await log_in(hub)
    elsewhere = settings.model_copy(update={"database_url": None})
    async with AsyncTestClient(create_app(elsewhere, ["baggage"])) as other:
        assert (await other.get("/api/gateways", headers=bearer(tokens))).status_code == 200
        assert (await other.get("/api/gateways")).status_code == 401
        assert (await other.post("/auth/login", json={})).status_code == 404


async def test_without_a_key_no_token_is_good(hub, settings, tmp_path):
    tokens = await log_in(hub)
    elsewhere = settings.model_copy(
        update={"data_dir": tmp_path / "other", "secret_key": SecretStr(settings.signing_key())}
    )
    async with AsyncTestClient(create_app(elsewhere, ["baggage"])) as other:
        assert (await other.get("/api/gateways", headers=bearer(tokens))).status_code == 401
