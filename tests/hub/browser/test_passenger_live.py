"""A passenger's open page: told what changes, honest without a network, closed when revoked."""

import json

import httpx
import pytest
from playwright.sync_api import expect

from tests.hub.browser.conftest import Hub, lay_out
from tests.hub.browser.day import PLATE, SURNAME, flights

PHONE = {"width": 390, "height": 844}
MOST_BYTES = 30_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub of this file's own: the schedule changes."""
    hub = Hub(tmp_path_factory.mktemp("live"))
    lay_out(hub)
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def link(hub):
    return json.loads(hub.command("link", "make", PLATE, "--json"))


def test_a_new_belt_is_shown_at_once_and_a_revoked_link_closes_the_page(hub, visit, link):
    page = visit(f"/p/{link['token']}", expects="status of 404", **PHONE)
    sign = page.locator(".answer-sign strong")
    expect(sign).to_have_text("4")
    again = [json.loads(each) | {"reclaim": "7"} for each in flights().splitlines()]
    (hub.folder / "again.jsonl").write_text("\n".join(map(json.dumps, again)))
    hub.command("import", "flights", str(hub.folder / "again.jsonl"))
    expect(sign).to_have_text("7")
    hub.command("link", "revoke", link["link"]["id"])
    expect(page.get_by_role("heading", name="This link no longer opens")).to_be_visible()


def test_without_a_network_the_page_keeps_what_it_knows_and_says_how_old_it_is(visit, link):
    page = visit(f"/p/{link['token']}", expects="ERR_INTERNET_DISCONNECTED", **PHONE)
    sign = page.locator(".answer-sign strong")
    expect(sign).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("No connection: this may be old.")).to_be_visible()
    expect(page.locator("#stale span")).to_contain_text("ago")
    expect(sign).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("No connection: this may be old.")).to_be_hidden()


def test_the_page_is_light_and_needs_no_script(hub, browser, link):
    context = browser.new_context(base_url=hub.base, java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"/p/{link['token']}")
    expect(page.locator(".answer-sign strong")).to_be_visible()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator(".answer-sign strong")).to_be_visible()
    context.close()
    with httpx.Client(base_url=hub.base, timeout=60) as client:
        html = client.get(f"/p/{link['token']}").text
        parts = [each.split('"')[0] for each in html.split('"/static/')[1:]]
        bytes_sent = len(html.encode()) + sum(
            len(client.get(f"/static/{each}").content) for each in parts
        )
    assert len(parts) >= 3
    assert bytes_sent < MOST_BYTES


def test_programs_follow_the_advice_too(hub, link):
    path = f"{hub.base}/api/guidance/{link['token']}/live?language=fr"
    with httpx.stream("GET", path, timeout=60) as told:
        lines = told.iter_lines()
        news = next(json.loads(each[6:]) for each in lines if each.startswith("data: {"))
        assert news["language"] == "fr"
        assert SURNAME not in json.dumps(news, ensure_ascii=False)
        hub.command("link", "revoke", link["link"]["id"])
        assert "event: over" in list(lines)
    assert httpx.get(path.replace("/live", ""), timeout=60).status_code == 404
