"""Orders over the API and on the page: who may, what is refused and why."""

import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.audit.trail import lines
from aerocast_hub.auth.permissions import FIRST_ROLES
from aerocast_hub.gateways.ordering import MOST_OPEN
from aerocast_hub.gateways.registry import revoke_gateway
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

from tests.hub.gateways.test_orders import answer, inbox, known, now_us
from tests.hub.inbox.wire import GATEWAY, SITE, status

assert inbox  # a fixture: an inbox, and two gateways that are there
PATH = f"/api/gateways/{SITE}/{GATEWAY}/orders"


@pytest.fixture
def engine_kind():
    """What is stored is tried on both databases beside this."""
    return "sqlite"


@pytest.fixture
async def hub(inbox, database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(
        create_app(settings, SERVICES), raise_server_exceptions=False
    ) as client:
        yield client


def as_user(hub, role):
    """Give the headers of somebody named like their role."""
    signer, allowed = hub.app.state.hub.keys.signer, FIRST_ROLES[role].permissions
    return {"Authorization": f"Bearer {signer.issue('1', role, allowed, int(time.time()))}"}


async def test_who_may_orders_and_everybody_who_sees_gateways_sees_what_came_of_it(
    hub, inbox, database
):
    for role in ("admin", "technician", "supervisor"):
        headers = as_user(hub, role)
        given = await hub.post(PATH, json={"verb": "ping"}, headers=headers)
        assert given.status_code == 202, given.text
        assert given.json()["asked_by"] == role
    await inbox.receive([answer(given.json()["id"], output="pong")])
    operator = as_user(hub, "operator")
    refused = await hub.post(PATH, json={"verb": "ping"}, headers=operator)
    assert (refused.status_code, "gateways:order" in refused.text) == (403, True)
    seen = (await hub.get(PATH, headers=operator)).json()
    assert [(each["asked_by"], each["state"]) for each in seen] == [
        ("supervisor", "done"),
        ("technician", "waiting"),
        ("admin", "waiting"),
    ]
    assert seen[0]["output"] == "pong"
    assert len((await hub.get(f"{PATH}?limit=1", headers=operator)).json()) == 1
    async with database.reading() as session:
        trail = await lines(session, action="gateway_ordered")
    assert [each.actor for each in trail] == ["admin", "technician", "supervisor"]
    assert {each.subject for each in trail} == {f"gateway {SITE}/{GATEWAY}"}
    assert '"verb":"ping"' in trail[0].after


async def test_what_cannot_be_ordered_is_refused_with_why(hub):
    headers = as_user(hub, "admin")
    for wish, why in (
        ({"verb": "restart_device"}, "restart_device needs a device: name one"),
        ({"verb": "ping", "device": "portal"}, "ping is of no device: name none"),
        ({"verb": "shell"}, "verb"),
        ({"verb": "probe", "device": "x" * 65}, "device"),
        ({"verb": "probe", "device": "a\0b"}, "device"),
        ({"verb": "ping", "id": "mine"}, "id"),
    ):
        said = await hub.post(PATH, json=wish, headers=headers)
        assert (said.status_code, why in said.text) == (400, True), said.text
    nowhere = await hub.post(PATH.replace("hall-1", "none"), json={"verb": "ping"}, headers=headers)
    assert nowhere.status_code == 404
    assert "gateway lfbo/none is not registered" in nowhere.text


async def test_a_gateway_that_is_not_there_is_named_with_since_when(hub, inbox, database):
    await inbox.receive([status("gone", received_at_us=now_us())])
    headers = as_user(hub, "admin")
    said = await hub.post(PATH, json={"verb": "ping"}, headers=headers)
    assert said.status_code == 409
    told = said.json()["detail"]
    assert told.startswith(f"gateway {SITE}/{GATEWAY} is not connected, silent since 20")
    assert (await hub.get(PATH, headers=headers)).json() == []
    unknown = await hub.get(PATH.replace("hall-1", "none"), headers=headers)
    assert unknown.status_code == 404


async def test_the_page_orders_as_the_api_does_and_says_why_not(hub, inbox, database):
    page = f"/gateways/{SITE}/{GATEWAY}"
    technician = as_user(hub, "technician") | {"Accept": "text/html"}

    async def press(headers=technician, **form):
        path = f"{page}/orders"
        return await hub.post(path, data=form, headers=headers, follow_redirects=False)

    pressed = await press(verb="ping")
    assert (pressed.status_code, pressed.headers["location"]) == (303, f"{page}#orders")
    shown = (await hub.get(page, headers=technician)).text
    assert "Send diagnostics" in shown
    assert ">waiting<" in shown
    operator = as_user(hub, "operator") | {"Accept": "text/html"}
    assert (await press(operator, verb="ping")).status_code == 403
    seen = (await hub.get(page, headers=operator)).text
    assert "Send diagnostics" not in seen
    assert ">waiting<" in seen
    elsewhere = technician | {"sec-fetch-site": "cross-site"}
    elsewhere["Cookie"] = "aerocast_access=" + elsewhere.pop("Authorization").split()[1]
    assert (await press(elsewhere, verb="ping")).status_code == 403
    for form, code, why in (
        ({"verb": "restart_device"}, 409, "Restart_device needs a device: name one."),
        ({"verb": "probe"}, 409, "Probe needs a device: name one."),
        ({"verb": "flush", "device": "portal"}, 409, "Flush is of no device: name none."),
        ({"verb": "shell"}, 400, ""),
        ({"verb": "restart_device", "device": "x" * 65}, 400, ""),
    ):
        refused = await press(**form)
        assert (refused.status_code, why in refused.text) == (code, True), refused.text
    for form in ({"verb": "flush", "device": ""}, {"verb": "probe", "device": "portal"}):
        assert (await press(**form)).status_code == 303
    shown = (await hub.get(page, headers=technician)).text
    assert "disabled" not in shown
    for _ in range(MOST_OPEN - 3):
        await press(verb="ping")
    shown = (await hub.get(page, headers=technician)).text
    assert f"Gateway {SITE}/{GATEWAY} has 8 orders without an answer, at most 8" in shown
    assert '<fieldset class="inline-form" disabled aria-describedby="no-order">' in shown
    await inbox.receive([status("gone", received_at_us=now_us())])
    refused = await press(verb="ping")
    assert refused.status_code == 409
    why = f"Gateway {SITE}/{GATEWAY} is not connected, silent since"
    assert why in refused.text
    assert why in (await hub.get(page, headers=technician)).text
    async with database.writing() as session:
        await revoke_gateway(session, SITE, GATEWAY)
    shown = (await hub.get(page, headers=technician)).text
    assert "is revoked: let it in again first." in shown
    pressed = [each.verb for each in await known(database)]
    assert sorted(set(pressed)) == ["flush", "ping", "probe"]
    assert len(pressed) == MOST_OPEN
