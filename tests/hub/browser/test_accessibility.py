"""Every page as everyone meets it: axe-core finds nothing, targets can be hit, order is told."""

import hashlib
import json
import os
import time
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from aerocast_hub.auth.second_factors.totp import STEP_S, code_at
from aerocast_hub.orientation.wording import LANGUAGES
from aerocast_hub.web.labels import LABELS
from playwright.sync_api import expect

from tests.hub.auth.test_second_factors import base32_of
from tests.hub.browser import travellers
from tests.hub.browser.axe import AXE, small_targets, violations
from tests.hub.browser.conftest import PASSWORD
from tests.hub.browser.day import PLATE
from tests.hub.browser.travellers import SURNAME, TRAVELLERS

PHONE = {"width": 360, "height": 780}
VENDOR = Path(__file__).parent / "vendor"
PHASES = {"missed": "missed_connection", "missing": "desk", "delayed": "delayed_bag"}


@pytest.fixture(scope="module")
def airport(hub, gateway):
    """A hub where somebody is in every situation."""
    drawn = files("aerocast_simulator") / "places.toml"
    for name, text in (
        ("flights.jsonl", travellers.lines(travellers.flights())),
        ("messages.txt", travellers.messages()),
        ("places.toml", drawn.read_text(encoding="utf-8")),
    ):
        (hub.folder / name).write_text(text, encoding="utf-8")
    for words in ("flights flights.jsonl", "places places.toml"):
        hub.command("import", *words.split())
    hub.command("bim", "messages.txt")
    gateway.tell(*travellers.heard())
    return hub


@pytest.fixture(scope="module")
def links(airport):
    """Every passenger's page by the situation they are in."""
    with httpx.Client(base_url=airport.base, timeout=60) as client:
        return {name: link_of(client, name) for name in TRAVELLERS}


def link_of(client, name):
    """Wait until the hub has followed what it was told; asked so seldom that nothing throttles."""
    plate, _ = TRAVELLERS[name]
    deadline = time.monotonic() + 60
    while True:
        asked = {"licence_plate": plate, "surname": SURNAME}
        answer = client.post("/api/guidance/find", json=asked)
        assert answer.is_success, (name, answer.text)
        told = answer.json()
        if told["guidance"]["phase"] == PHASES.get(name, name):
            return f"/p/{told['token']}"
        assert time.monotonic() < deadline, (name, answer.text)
        time.sleep(1)


def faults(page, name):
    """Give what is wrong with the page that is open, in the light and in the dark.

    ``AEROCAST_PICTURES`` names a folder for pictures to look at.
    """
    page.emulate_media(color_scheme="light")
    if folder := os.environ.get("AEROCAST_PICTURES"):
        page.screenshot(
            path=Path(folder) / f"{name.strip('/').replace('/', '-')}.png", full_page=True
        )
    found = violations(page) + small_targets(page)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found += [f"{wide} px wider than the screen"] if wide > 0 else []
    page.emulate_media(color_scheme="dark")
    return found + violations(page, "color-contrast")


@pytest.mark.parametrize("language", LANGUAGES)
def test_passengers_pages_have_no_fault_in_any_situation_and_language(visit, links, language):
    found = {}
    page = visit(f"/find?lang={language}", **PHONE)
    html = page.locator("html")
    expect(html).to_have_attribute("lang", language)
    expect(html).to_have_attribute("dir", LABELS[language].direction)
    found["find"] = faults(page, f"find-{language}")
    for name in links if language in ("en", "ar") else ("connecting", "arriving", "missing"):
        page.goto(f"{links[name]}?lang={language}")
        expect(page.locator("#headline")).to_be_visible()
        found[name] = faults(page, f"{name}-{language}")
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_passengers_pages_that_open_nothing_have_no_fault(visit, links):
    page = visit("/p/nobody?lang=ar", expects="status of 404", **PHONE)
    assert faults(page, "expired-ar") == []


@pytest.mark.parametrize("width", [360, 1920])
def test_boards_have_no_fault(visit, airport, width):
    found = {}
    page = visit("/boards/TLS/belts", width=width)
    for path in ("belts", "belts/4", "gates/12"):
        page.goto(f"/boards/TLS/{path}")
        expect(page.locator(".turn:not([hidden])")).to_be_visible()
        found[path] = faults(page, f"{width}-board-{path}")
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("width", [360, 1360])
def test_operators_pages_have_no_fault(operator, airport, width):
    found = {}
    page = operator("/", width=width, expects="status of 40[134]")
    page.get_by_role("link", name="AF6120").wait_for()
    flight = page.get_by_role("link", name="AF6120").get_attribute("href")
    found["/"] = faults(page, f"{width}-overview")
    page.goto(flight)
    bag = page.get_by_role("link", name=f"{PLATE[:4]} {PLATE[4:]}").get_attribute("href")
    found["flight"] = faults(page, f"{width}-flight")
    page.goto(bag)
    found["bag"] = faults(page, f"{width}-bag")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator(".code")).to_be_visible()
    found["link"] = faults(page, f"{width}-link")
    for path in (
        "/alerts",
        "/transfers/TLS",
        "/performance",
        "/weather/LFBO",
        "/gateways/lfbo/hall-1",
        "/nowhere",
    ):
        page.goto(path)
        found[path] = faults(page, f"{width}-{path[1:]}")
    page.context.clear_cookies()
    page.goto("/login")
    found["/login"] = faults(page, f"{width}-login")
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_axe_is_the_one_that_was_fetched():
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text())
    assert {path.name for path in VENDOR.iterdir()} == {*manifest, "MANIFEST.json"}
    for package, known in manifest.items():
        folder = VENDOR / package
        hashes = {
            each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()
        }
        assert hashes == known["sha256"]
        assert known["licence"]
    assert AXE.is_file()


def test_accounts_pages_have_no_fault(operator, airport):
    airport.command("user", "add", "kim", "--role", "admin", given=f"{PASSWORD}\n")
    found = {}
    page = operator("/account", name="kim", **PHONE, expects="status of 401")

    def look(name):
        found[name] = faults(page, name)

    look("account")
    page.get_by_label("Name of the key").fill("display")
    page.get_by_label("Scopes, with blanks between").fill("flights:read")
    page.get_by_role("button", name="Make a key").click()
    look("new-key")
    page.goto("/people")
    look("people")
    page.get_by_label("Name").fill("new-one")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Add").click()
    look("first-password")
    page.get_by_role("link", name="I have it").click()
    look("person")
    page.goto("/account")
    page.get_by_role("button", name="Add an authenticator app").click()
    look("add-app")
    page.get_by_text("The camera does not work").click()
    secret = base32_of(page.locator(".raw").inner_text())
    step = time.time_ns() // 1_000_000_000 // STEP_S
    page.get_by_label("Code").fill(code_at(secret, step))
    page.get_by_role("button", name="Use this app").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    look("recovery-codes")
    page.get_by_role("link", name="I have them").click()
    look("account-with-app")
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Name").fill("kim")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("Code").wait_for()
    look("second-factor")
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_docs_have_no_fault(visit):
    page = visit("/docs", **PHONE)
    expect(page.get_by_role("region", name="About this description")).to_be_visible()
    assert violations(page) == []
    page.mouse.move(100, 400)
    page.mouse.wheel(0, 4000)
    expect(page.locator("#operations-tag-Telemetry")).to_have_count(0)
    assert violations(page) == []
