"""Every route that changes something, called as it is meant to be, leaves a line of the trail.

The application's own route table says which routes there are: a new one fails here until it is
called below, or named with the reason why it leaves none.
"""

import json
import re
import time

import pytest
from aerocast_agent.enrolment import keys
from aerocast_hub.auth.second_factors.totp import code_at
from aerocast_hub.gateways.state import Heard, known_gateways, note_heard
from aerocast_hub.orientation.places.imports import import_places
from litestar.routes import HTTPRoute

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import entered, id_of, log_in
from tests.hub.auth.test_second_factors import base32_of, now_step
from tests.hub.epcis.bag_events import document, seen
from tests.hub.orientation.places.test_places_api import AIRPORT
from tests.hub.sight.conftest import things

assert things  # a fixture of the tests of row rules: two airlines' flights, bags and alerts

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
ASKS = "asks, and changes nothing"
RENEWS = "a session goes on, whose login has a line: only a token used twice is told"
BROKER = "a broker asks at every connection and message, and changes nothing"
OWN_LOOK = "a passenger looks at what is theirs"
LEAVES_NONE = {
    "POST /auth/refresh": RENEWS,
    "POST /session/renew": RENEWS,
    "POST /mqtt/auth": BROKER,
    "POST /mqtt/acl": BROKER,
    "POST /api/bags/search": ASKS,
    "POST /api/routes": ASKS,
    "DELETE /epcis/v2/nextPageToken/{token:str}": ASKS,
    "POST /api/ingest/{site:str}": "a partner's machines; what came is in the inbox, with by whom",
    "POST /api/guidance/find": OWN_LOOK,
    "POST /find": OWN_LOOK,
}
SHOWN = "needs a badge at a reader: test_badges looks at its line"
KEY = "needs a security key: the browser's tests add and remove one"
TRIED_ELSEWHERE = {
    "POST /auth/badges": SHOWN,
    "POST /auth/badges/login": SHOWN,
    "POST /login/badge": SHOWN,
    "DELETE /auth/badges/{user:str}": SHOWN,
    "POST /auth/me/second-factors/passkeys/options": KEY,
    "POST /auth/me/second-factors/passkeys": KEY,
    "DELETE /auth/me/second-factors/passkeys/{passkey_id:str}": KEY,
    "POST /account/passkeys": KEY,
    "POST /account/passkeys/remove": KEY,
    "POST /account/provider": "needs an identity provider: test_oidc looks at its line",
    "POST /api/gateway-files": "needs a gateway's key: test_gateway_files looks at its line",
    "POST /api/webhooks/{webhook_id:str}/revival": "needs one given up: test_webhooks revives it",
}
# What is done is all there is to say; everything else says what was or what became.
NOTHING_TO_SAY = {
    *("login_ok", "logout", "password_changed", "passenger_exported"),
    *("BeginAuthenticatorApp", "begin_app", "TestWebhook"),
}


@pytest.fixture(scope="module")
def engine_kind():
    """How lines are written is tried on both databases elsewhere."""
    return "sqlite"


class Walk:
    """Calls routes, and looks at what the trail says afterwards."""

    def __init__(self, hub):
        self.hub = hub
        self.headers = {}
        self.called = set()
        self.silent = []

    async def lines(self):
        every = (await self.hub.get("/api/audit/export", headers=self.headers)).text.splitlines()
        return [json.loads(each) for each in every]

    async def do(self, route, *values, headers=None, **sent):
        """Call a route; its answer's JSON, or text."""
        method, _, path = route.partition(" ")
        for each in values:
            path = re.sub(r"\{[^}]*\}", str(each), path, count=1)
        known = len(await self.lines())
        told = {"sec-fetch-site": "same-origin"} | (self.headers if headers is None else headers)
        answer = await self.hub.request(method, path, headers=told, follow_redirects=False, **sent)
        assert answer.status_code < 400, (route, answer.status_code, answer.text[:500])
        self.called.add(route)
        new = [each for each in (await self.lines())[known:] if each["action"] != "trail_exported"]
        for each in new:
            assert each["actor"], each
            if not (each["before"] or each["after"] or each["action"] in NOTHING_TO_SAY):
                self.silent.append((route, each["action"]))
        if not new:
            self.silent.append((route, "no line"))
        is_json = "json" in answer.headers.get("content-type", "") and answer.content
        return answer.json() if is_json else answer.text


def changing_routes(app):
    return {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.route_handler_map
        if method in CHANGING and not route.path.startswith("/internal/")  # services ask each other
    }


async def test_every_route_that_changes_something_leaves_a_line_that_says_what(
    hub, database, things
):
    walk = Walk(hub)
    walk.headers = await entered(hub, "admin")
    await import_places(database, AIRPORT)
    await accounts(walk)
    await own_account(walk)
    await pages_of_accounts(walk)
    await gateways(walk, database)
    await bags(walk, things)
    await others(walk)
    assert walk.silent == []
    known = walk.called | LEAVES_NONE.keys() | TRIED_ELSEWHERE.keys()
    assert changing_routes(hub.app) - known == set()
    assert known - changing_routes(hub.app) == set()
    assert walk.called & (LEAVES_NONE.keys() | TRIED_ELSEWHERE.keys()) == set()


async def accounts(walk):
    do = walk.do
    made = await do("POST /auth/users", json={"name": "eve", "role": "viewer"})
    eve = made["user"]["id"]
    for state in ("disabled", "enabled"):
        await do("PATCH /auth/users/{user_id:uuid}", eve, json={"state": state})
    role = {"permissions": ["flights:read"]}
    await do("PUT /auth/roles/{name:str}", "desk", json=role)
    bound = {"roles": ["viewer"], "airlines": ["AF"]}
    await do("PUT /auth/bindings/{user:str}", "eve", json=bound)
    await do("DELETE /auth/roles/{name:str}", "desk")
    viewer = await id_of(walk.hub, "viewer")
    key = {"name": "display", "scopes": ["flights:read"]}
    made = await do("POST /auth/users/{user_id:uuid}/keys", viewer, json=key)
    prefix = made["details"]["prefix"]
    await do("DELETE /auth/users/{user_id:uuid}/keys/{prefix:str}", viewer, prefix)
    await entered(walk.hub)
    await do("DELETE /auth/users/{user_id:uuid}/sessions", viewer)
    await do("DELETE /auth/users/{user_id:uuid}/second-factors", eve)
    await do("POST /auth/users/{user_id:uuid}/password", eve)


async def own_account(walk):
    do, hub = walk.do, walk.hub
    asked = {"name": "operator", "password": PASSWORD}
    tokens = await do("POST /auth/login", headers={}, json=asked)
    mine = {"authorization": f"Bearer {tokens['access_token']}"}
    await log_in(hub, "operator")
    listed = (await hub.get("/auth/me/sessions", headers=mine)).json()
    other = next(each["id"] for each in listed if not each["is_this"])
    await do("DELETE /auth/me/sessions/{session_id:uuid}", other, headers=mine)
    key = {"name": "display", "scopes": ["flights:read"]}
    made = await do("POST /auth/me/keys", headers=mine, json=key)
    prefix = made["details"]["prefix"]
    await do("DELETE /auth/me/keys/{prefix:str}", prefix, headers=mine)
    new = await do("POST /auth/me/second-factors/app", headers=mine)
    code = {"code": code_at(base32_of(new["secret"]), now_step())}
    added = await do("POST /auth/me/second-factors/app/confirmation", headers=mine, json=code)
    challenge = (await log_in(hub, "operator")).json()["challenge"]
    shown = {"challenge": challenge, "code": added["recovery_codes"][0]}
    await do("POST /auth/login/second", headers={}, json=shown)
    await do("POST /auth/me/second-factors/recovery-codes", headers=mine)
    await do("DELETE /auth/me/second-factors/app", headers=mine)
    changed = {"present": PASSWORD, "new": "another horse battery"}
    tokens = await do("POST /auth/me/password", headers=mine, json=changed)
    spent = {"refresh_token": tokens["refresh_token"]}
    await do("POST /auth/logout", headers={}, json=spent)


async def pages_of_accounts(walk):
    do, hub = walk.do, walk.hub
    form = {"name": "viewer", "password": PASSWORD}
    await do("POST /login", headers={}, data=form)
    await do("POST /session/end", headers={})
    hub.cookies.clear()
    mine = await entered(hub)
    await do("POST /account/app", headers=mine)
    secret = (await do("POST /auth/me/second-factors/app", headers=mine))["secret"]
    code = {"code": code_at(base32_of(secret), now_step())}
    await do("POST /account/app/confirm", headers=mine, data=code)
    await do("POST /account/recovery-codes", headers=mine)
    hub.cookies.clear()
    asked = await log_in(hub)
    step = {
        "challenge": asked.json()["challenge"],
        "code": code_at(base32_of(secret), now_step() + 1),
    }
    await do("POST /login/second", headers={}, data=step)
    hub.cookies.clear()
    await do("POST /account/sessions/end", headers=mine)
    await do("POST /account/app/remove", headers=mine)
    await do("POST /account/keys", headers=mine, data={"name": "wall", "scopes": "flights:read"})
    (key,) = (await hub.get("/auth/me/keys", headers=mine)).json()
    await do("POST /account/keys/revoke", headers=mine, data={"key": key["prefix"]})
    new = "yet another horse battery"
    changed = {"present": PASSWORD, "new": new, "again": new}
    await do("POST /account/password", headers=mine, data=changed)
    hub.cookies.clear()
    await do("POST /people", data={"name": "dan", "role": "viewer"})
    dan = await id_of(hub, "dan")
    for what in ("disable", "enable", "factors", "password"):
        await do("POST /people/{user_id:uuid}", dan, data={"what": what})


async def gateways(walk, database):
    do = walk.do
    await do("POST /api/gateways", json={"site": "lfbo", "name": "hall-1"})
    now_us = time.time_ns() // 1000
    async with database.writing() as session:
        known = await known_gateways(session, [("lfbo", "hall-1")])
        heard = Heard(("lfbo", "hall-1"), known["lfbo", "hall-1"].gateway_id, 1, now_us)
        await note_heard(session, [heard])
    ping = {"verb": "ping"}
    await do("POST /api/gateways/{site:str}/{name:str}/orders", "lfbo", "hall-1", json=ping)
    await do("POST /gateways/{site:str}/{name:str}/orders", "lfbo", "hall-1", data=ping)
    claim = await do("POST /api/gateways/{site:str}/{name:str}/claim", "lfbo", "hall-1", json={})
    key = keys.make_key()
    question = {"token": claim["token"], "request": keys.request_for(key, None)}
    made = await do("POST /api/enrolment", headers={}, json=question)
    request = keys.request_for(keys.make_key(), None)
    renewal = {
        "certificate": made["certificate"],
        "request": request,
        "signature": keys.sign_renewal(key, request),
    }
    await do("POST /api/enrolment/renewal", headers={}, json=renewal)
    await do("POST /api/gateways/{site:str}/{name:str}/revoke", "lfbo", "hall-1")
    await do("POST /gateways", data={"site": "lfbo", "name": "hall-2"})
    page = "POST /gateways/{site:str}/{name:str}"
    await do(page, "lfbo", "hall-1", data={"what": "add"})
    await do(f"{page}/claim", "lfbo", "hall-1")
    await do(page, "lfbo", "hall-1", data={"what": "revoke"})


async def bags(walk, things):
    do, hub = walk.do, walk.hub
    own = things["AF"]
    moved = {"did": "into", "parent": "DOLLY 3", "site": "lfbo"}
    await do("POST /api/containers/{container:str}/moves", "AKE1", json=moved)
    held = {"did": "held", "site": "tls"}
    await do("POST /api/bags/{licence_plate:str}/actions", own.plate, json=held)
    await do("POST /bags/{bag_id:str}/actions", own.bag_id, data=held)
    noted = {"note": "looked at"}
    path = "/api/alerts/{alert_id:str}/acknowledgement"
    await do(f"POST {path}", own.alert_id, json=noted)
    other = things["BA"].alert_id
    await do("POST /alerts/{alert_id:str}/acknowledge", other, data=noted)
    message = "BSM\r\n.V/1LTLS\r\n.F/AF6120/14JUN/CDG\r\n.N/0057123456001\r\nENDBSM\r\n"
    await do("POST /api/bag-messages", content=message)
    link = await do("POST /api/passenger-links", json={"bag": own.bag_id})
    await do("DELETE /api/passenger-links/{link_id:str}", link["link"]["id"])
    await do("POST /links", data={"bag": own.bag_id})
    of_bag = {"bag": own.bag_id}
    asked = await hub.get("/api/passenger-links", params=of_bag, headers=walk.headers)
    (link,) = [each for each in asked.json() if each["state"] == "open"]
    await do("POST /links/{link_id:str}/revocation", link["id"])
    whose = {"licence_plate": own.plate, "surname": "OwnCDG"}
    await do("POST /api/privacy/export", json=whose)
    await do("POST /api/privacy/erasure", json=whose)


async def others(walk):
    do = walk.do
    hook = {"url": "https://8.8.8.8/hook"}
    added = (await do("POST /api/webhooks", json=hook))["webhook"]["id"]
    await do("POST /api/webhooks/{webhook_id:str}/test", added)
    await do("DELETE /api/webhooks/{webhook_id:str}", added)
    await do("POST /epcis/v2/capture", json=document(seen(1)))
    await do("POST /epcis/v2/events", json={"@context": "https://x.example/c", **seen(9)})
    query = {"name": "loaded", "query": {"EQ_bizStep": ["loading"]}}
    await do("POST /epcis/v2/queries", json=query)
    wanted = {"dest": "https://8.8.8.8/hook", "stream": True}
    named = "POST /epcis/v2/queries/{name:str}/subscriptions"
    made = (await do(named, "loaded", json=wanted))["subscriptionID"]
    ended = "DELETE /epcis/v2/queries/{name:str}/subscriptions/{subscription_id:str}"
    await do(ended, "loaded", made)
    await do("DELETE /epcis/v2/queries/{name:str}", "loaded")
    closed = {"subject": "C", "reason": "repair"}
    outage = await do("POST /api/places/{airport:str}/outages", "TLS", json=closed)
    queue = {"subject": "security", "waits": [{"at_us": 1_700_000_000_000_000, "wait_s": 60.0}]}
    await do("POST /api/places/{airport:str}/queues", "TLS", json=queue)
    reopened = "DELETE /api/places/{airport:str}/outages/{outage_id:str}"
    await do(reopened, "TLS", outage["id"])
