"""The pages in a real browser, against a real hub process."""

import re

import pytest
from playwright.sync_api import expect

from tests.hub.browser.conftest import NAME, PASSWORD


def test_who_is_not_logged_in_is_asked_to_and_then_taken_where_they_were_going(visit):
    page = visit("/", expects="status of 401")
    expect(page).to_have_url(re.compile(r"/login\?next=/$"))
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill("not the password")
    with page.expect_response("**/login"):
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text(
        "Name or password is wrong, or the account is locked."
    )
    expect(page.get_by_label("Name")).to_have_value(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Gateways")).to_be_visible()
    expect(page.locator("#live-words")).to_have_text("live")


def test_logging_out_shuts_the_door(operator):
    page = operator()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_session_whose_token_has_ended_goes_on_without_a_password(operator, hub):
    page = operator(expects="status of 401")
    expect(page.locator("#live-words")).to_have_text("live")
    page.context.clear_cookies(name="aerocast_session")
    page.evaluate("localStorage.clear()")
    page.goto("/")
    expect(page.get_by_role("heading", name="Gateways")).to_be_visible()


# What is far below is drawn when it comes into view.
SCROLL_TO = """(wanted) => {
  const end = document.documentElement.scrollHeight - innerHeight;
  scrollY >= end - 1 ? scrollTo(0, 0) : scrollBy(0, 150);
  return document.querySelector(wanted) !== null;
}"""


def test_the_docs_work_offline(visit):
    page = visit("/docs")
    expect(page.get_by_role("heading", name="AeroCast hub")).to_be_visible()
    page.wait_for_function(SCROLL_TO, arg="#operations-Gateways-ListGateways")
    page.locator("#operations-Gateways-ListGateways").get_by_role("button").first.click()
    expect(page.get_by_text("Try it out")).to_be_visible()


@pytest.mark.parametrize("path", ["/docs", "/login", "/find", "/nowhere"])
@pytest.mark.parametrize("width", [360, 1360])
def test_nothing_is_wider_than_the_screen(visit, path, width):
    page = visit(path, width=width, expects="status of 404" if path == "/nowhere" else None)
    expect(page.locator("main, h2").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_the_overview_reads_well_in_the_dark_too(operator, dark):
    page = operator("/", dark=dark)
    for selector in ("body", ".card h2", ".strip dt", ".empty", ".top"):
        assert contrast(page, selector) >= 4.5, selector


def test_the_keyboard_reaches_everything_and_shows_where_it_is(operator):
    page = operator()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle + document.activeElement.tagName"
    )
    assert focused == "solidA"


CONTRAST = """(selector) => {
  const one = document.querySelector(selector);
  if (!one) return 21;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  let behind = one, ground = [0, 0, 0, 0];
  while (behind && ground[3] === 0) {
    const found = parse(getComputedStyle(behind).backgroundColor);
    ground = found.length === 3 ? [...found, 1] : found;
    behind = behind.parentElement;
  }
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


def contrast(page, selector):
    """Give the contrast ratio of some text with what is behind it (WCAG 2.2 §1.4.3)."""
    return page.evaluate(CONTRAST, selector)
