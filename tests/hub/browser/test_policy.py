"""No page asks its browser for anything the content security policy forbids.

The pages are the application's own: every address that answers HTML, and the API's description.
"""

from importlib.resources import files

import httpx
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import SERVICES, load_settings
from litestar.enums import MediaType
from litestar.routes import HTTPRoute
from playwright.sync_api import Error

from tests.hub.browser.conftest import PASSWORD
from tests.hub.browser.day import PLATE

LISTEN = """addEventListener("securitypolicyviolation", (told) =>
    console.error("POLICY", told.effectiveDirective, told.blockedURI, told.sourceFile))"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"


def pages():
    """Give every address of the hub that answers HTML to GET."""
    app = create_app(load_settings(mode="dev", database_url="sqlite+aiosqlite://"), list(SERVICES))
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map:
            handler, _ = route.route_handler_map["GET"]
            if handler.media_type == MediaType.HTML:
                yield route.path_format


@pytest.fixture(scope="module")
def names(hub):
    """Give something there is for every parameter of a page's address."""
    drawn = files("aerocast_simulator") / "places.toml"
    (hub.folder / "places.toml").write_text(drawn.read_text(encoding="utf-8"), encoding="utf-8")
    hub.command("import", "places", "places.toml")
    hub.command("user", "add", "root", "--role", "admin", given=f"{PASSWORD}\n")
    with httpx.Client(base_url=hub.base, timeout=60) as client:

        def told(method, path, **how):
            answer = client.request(method, path, **how)
            assert answer.is_success, answer.text
            return answer.json()

        login = {"name": "root", "password": PASSWORD}
        token = told("POST", "/auth/login", json=login)["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        bag = told("GET", f"/api/bags/{PLATE}")["id"]
        made = told("POST", "/api/passenger-links", json={"bag": bag})
        return {
            "airport": "TLS",
            "bag_id": bag,
            "belt": "4",
            "flight_id": told("GET", "/api/flights")[0]["id"],
            "gate": "12",
            "link_id": made["link"]["id"],
            "name": "hall-1",
            "path": "nothing",
            "site": "lfbo",
            "station": "LFBO",
            "token": made["token"],
            "user_id": told("GET", "/auth/users")[0]["id"],
        }


@pytest.fixture
def violations(browser, hub):
    """Open addresses, and give what their pages wanted against the policy."""
    context = browser.new_context(base_url=hub.base)
    context.add_init_script(LISTEN)
    page = context.new_page()
    told = []
    page.on("console", lambda said: told.append(said.text))

    def opened(path):
        told.clear()
        answer = page.goto(path)
        assert answer.status < 500, path
        try:
            page.evaluate(SETTLED)
        except Error:  # It went on by itself, as the form does for who is logged in.
            page.wait_for_load_state()
            page.evaluate(SETTLED)
        return [each for each in told if "POLICY" in each or "Content Security" in each]

    opened.page = page
    yield opened
    context.close()


def log_in(page):
    page.goto("/login")
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


def test_no_page_wants_what_the_policy_forbids(violations, names):
    log_in(violations.page)
    addresses = [template.format(**names) for template in pages()]
    assert len(addresses) > 20
    found = {path: told for path in addresses if (told := violations(path))}
    assert found == {}


def test_nor_does_one_that_is_opened_without_a_login(violations, names):
    for path in ("/login", "/find", "/docs", "/nowhere", f"/p/{names['token']}", "/p/nobody"):
        assert violations(path) == [], path


def test_what_is_forbidden_would_have_been_seen(violations):
    told = []
    violations.page.on("console", lambda said: told.append(said.text))
    violations("/login")
    violations.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'inline'";
            document.body.append(script);
            const picture = document.createElement("img");
            picture.src = "http://192.0.2.1/picture.png";
            document.body.append(picture);
        }"""
    )
    violations.page.evaluate(SETTLED)
    assert any("POLICY script-src" in each for each in told), told
    assert any("POLICY img-src" in each for each in told), told
    assert violations.page.title() != "inline"
