"""Every door is shut unless it says what opens it."""

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.permissions import PERMISSIONS
from aerocast_hub.settings import SERVICES, load_settings
from litestar import get
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.testing import AsyncTestClient

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import log_in


@pytest.fixture(scope="module")
def engine_kind():
    """No test here touches more of the database than the login does."""
    return "sqlite"


def handlers(app):
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                # Litestar answers OPTIONS by itself, with the methods alone.
                if method != "OPTIONS":
                    yield f"{method} {route.path}", handler
        elif isinstance(route, WebSocketRoute):
            yield f"WS {route.path}", route.route_handler
        else:
            yield f"ASGI {route.path}", route.route_handler


def unmarked(app):
    return [
        name
        for name, handler in handlers(app)
        if handler.opt.get("public") is not True
        and handler.opt.get("permission") not in PERMISSIONS
    ]


@pytest.mark.parametrize("names", [SERVICES, *([name] for name in SERVICES)])
def test_every_handler_says_what_it_asks_for(names, tmp_path):
    settings = load_settings(mode="dev", data_dir=tmp_path)
    app = create_app(settings, names)
    assert len(list(handlers(app))) > 5
    assert unmarked(app) == []


def test_a_handler_that_says_nothing_is_found(tmp_path):
    app = create_app(load_settings(mode="dev", data_dir=tmp_path), SERVICES)

    @get("/forgotten")
    async def forgotten() -> None: ...

    app.register(forgotten)
    assert unmarked(app) == ["GET /forgotten"]


def test_no_handler_is_both_public_and_guarded(tmp_path):
    app = create_app(load_settings(mode="dev", data_dir=tmp_path), SERVICES)
    assert [
        name
        for name, handler in handlers(app)
        if "permission" in handler.opt and "public" in handler.opt
    ] == []


async def test_a_handler_that_says_nothing_answers_nobody(settings, people):
    app = create_app(settings, SERVICES)

    @get("/forgotten")
    async def forgotten() -> str:
        return "open"

    app.register(forgotten)
    async with AsyncTestClient(app) as hub:
        assert (await hub.get("/forgotten", headers=await bearer(hub, "admin"))).status_code == 403


async def bearer(hub, name):
    tokens = await hub.post("/auth/login", json={"name": name, "password": PASSWORD})
    return {"authorization": f"Bearer {tokens.json()['access_token']}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"authorization": "Bearer "},
        {"cookie": "aerocast_session=nonsense"},
    ],
)
async def test_without_a_good_token_the_door_stays_shut(hub, headers):
    answer = await hub.get("/api/gateways", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"


async def test_a_bad_token_does_not_shut_a_public_door(hub):
    assert (await hub.get("/health", headers={"authorization": "Bearer no"})).status_code == 200


async def form(hub, next_page="/", **headers):
    return await hub.post(
        "/login",
        data={"name": "viewer", "password": PASSWORD, "next": next_page},
        headers={"sec-fetch-site": "same-origin", **headers},
        follow_redirects=False,
    )


async def test_a_browser_logs_in_with_cookies_no_script_can_read(hub):
    answer = await form(hub, "/bags/0220123456?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/bags/0220123456?x=1"
    cookies = {each.split("=")[0]: each for each in answer.headers.get_list("set-cookie")}
    for name in ("aerocast_session", "aerocast_renewal"):
        assert "HttpOnly" in cookies[name]
        assert "SameSite=lax" in cookies[name]
    assert "Path=/session" in cookies["aerocast_renewal"]
    assert (await hub.get("/api/gateways")).status_code == 200


async def test_over_https_the_cookies_are_bound_to_this_host(settings, people):
    https = settings.model_copy(update={"base_url": "https://bags.example"})
    async with AsyncTestClient(create_app(https, SERVICES), base_url="https://bags.example") as hub:
        answer = await form(hub)
        session, renewal, marker = answer.headers.get_list("set-cookie")
        assert session.startswith("__Host-aerocast_session=")
        assert renewal.startswith("__Host-aerocast_renewal=")
        for each in (session, renewal):
            assert "Path=/;" in each + ";"
        for each in (session, renewal, marker):
            assert "Secure" in each
            assert "Domain" not in each
        assert answer.headers["strict-transport-security"] == (
            "max-age=31536000; includeSubDomains"
        )
        assert (await hub.get("/api/gateways")).status_code == 200


async def test_a_session_another_host_of_the_domain_put_there_is_not_gone_on_with(settings, people):
    """Any of them may set cookies for the whole domain; only those of `__Host-` are ours."""
    https = settings.model_copy(update={"base_url": "https://bags.example"})
    async with AsyncTestClient(create_app(https, SERVICES), base_url="https://bags.example") as hub:
        theirs = (await log_in(hub)).json()["refresh_token"]
        for name in ("aerocast_renewal", "__Secure-aerocast_renewal"):
            headers = {"cookie": f"{name}={theirs}", "sec-fetch-site": "same-origin"}
            assert (await hub.post("/session/renew", headers=headers)).status_code == 401
        headers["cookie"] = f"__Host-aerocast_renewal={theirs}"
        assert (await hub.post("/session/renew", headers=headers)).status_code == 204


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:x",
        "/\t/evil.example",
    ],
)
async def test_logging_in_never_leads_to_another_site(hub, next_page):
    assert (await form(hub, next_page)).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/session/renew", "/session/end"])
async def test_another_sites_page_can_neither_log_in_nor_act(hub, headers, path):
    await form(hub)
    answer = await hub.post(path, headers=headers, data={"name": "x"}, follow_redirects=False)
    assert answer.status_code == 403
    assert (await hub.post("/session/renew", headers={"sec-fetch-site": "same-origin"})).is_success


async def test_a_cookie_alone_acts_for_nobody(hub):
    await form(hub)
    assert (await hub.post("/session/renew")).status_code == 403
    same = {"origin": "http://testserver.local", "host": "testserver.local"}
    assert (await hub.post("/session/renew", headers=same)).status_code == 204


async def test_a_session_is_renewed_and_ended(hub):
    same = {"sec-fetch-site": "same-origin"}
    assert (await hub.post("/session/renew", headers=same)).status_code == 401
    await form(hub)
    assert (await hub.post("/session/renew", headers=same)).status_code == 204
    ended = await hub.post("/session/end", headers=same, follow_redirects=False)
    assert ended.status_code == 303
    assert ended.headers["location"] == "/login"
    assert ended.headers["clear-site-data"] == '"cache", "storage"'
    assert (await hub.get("/api/gateways")).status_code == 401
    assert (await hub.post("/session/renew", headers=same)).status_code == 401


async def test_a_wrong_password_shows_the_form_again_with_the_name_and_no_hint(hub):
    answer = await hub.post("/login", data={"name": "<viewer>", "password": "wrong", "next": "/x"})
    assert answer.status_code == 401
    assert 'value="&lt;viewer&gt;"' in answer.text
    assert "Name or password is wrong, or the account is locked." in answer.text
    assert "wrong" not in answer.headers.get("set-cookie", "")
