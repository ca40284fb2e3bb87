"""What an API key opens and what is refused: everybody here makes keys of their own, ends none."""

import pytest

from tests.hub.auth.people import entered
from tests.hub.auth.test_api_keys import READS, ask, make, sent


async def test_a_key_opens_what_it_was_made_for_and_nothing_else(hub):
    made = await make(hub, await entered(hub))
    assert made.status_code == 201
    assert await ask(hub, sent(made)) == 200
    assert await ask(hub, sent(made), "/api/alerts") == 403
    me = await hub.get("/auth/me", headers=sent(made))
    assert me.json()["permissions"] == ["flights:read", "gateways:read"]


async def test_a_key_looks_after_nobodys_account(hub):
    made = await make(hub, await entered(hub, "admin"), scopes=["users:read"])
    assert await ask(hub, sent(made), "/auth/me/sessions") == 403
    assert await ask(hub, sent(made), "/auth/users") == 200
    refused = await make(hub, await entered(hub, "admin"), scopes=["account:own"])
    assert "no key looks after its owner's account" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"scopes": ["users:write"]}, "no more than its owner"),
        ({"scopes": ["*"]}, "there is no permission '*'"),
        ({"scopes": ["moon:read"]}, "there is no permission 'moon:read'"),
        ({"scopes": []}, None),
        ({"days": 0}, None),
        ({"days": 367}, None),
        ({"name": ""}, None),
    ],
)
async def test_a_key_that_cannot_be_is_refused(hub, asked, why):
    refused = await make(hub, await entered(hub), **asked)
    assert refused.status_code == 400
    if why:
        assert why in refused.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"), lambda key: key + "0", str.upper],
)
async def test_a_key_with_one_letter_changed_is_none(hub, change):
    made = await make(hub, await entered(hub))
    assert await ask(hub, {"x-api-key": change(made.json()["key"])}) == 401
    assert await ask(hub, {"x-api-key": "x" * 5000}) == 401


async def test_another_sites_page_cannot_use_a_browsers_cookie_with_a_key_of_its_own(hub):
    answer = await hub.post(
        "/auth/me/keys",
        json=READS,
        headers={"x-api-key": "nonsense", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 401
