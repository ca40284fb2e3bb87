"""Public boards on big screens, upright and wide: legible, live, in turns, honest when stale."""

import json

import pytest
from aerocast_hub.orientation.wording import LANGUAGES
from playwright.sync_api import expect

from tests.hub.browser.conftest import Hub, lay_out
from tests.hub.browser.day import flights, lines
from tests.hub.browser.test_accessibility import faults

WIDE, UPRIGHT = {"width": 1920, "height": 1080}, {"width": 1080, "height": 1920}
PHONE = {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub of this file's own: the schedule changes."""
    hub = Hub(tmp_path_factory.mktemp("boards"))
    lay_out(hub)
    hub.start()
    yield hub
    hub.stop()


@pytest.mark.parametrize("language", LANGUAGES)
def test_boards_have_no_fault_in_any_language_on_any_screen(visit, language):
    found = {}
    for screen in (WIDE, UPRIGHT, PHONE):
        page = visit(f"/boards/TLS/belts?languages={language}", **screen)
        expect(page.locator(".turn:visible")).to_have_attribute("lang", language)
        expect(page.get_by_text("AF6120")).to_be_visible()
        for path in ("belts", "belts/4", "gates/12") if screen is not UPRIGHT else ("belts",):
            page.goto(f"/boards/TLS/{path}?languages={language}")
            name = f"board-{path}-{language}-{screen['width']}"
            found[name] = faults(page, name)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_languages_take_turns_and_a_board_keeps_its_own_when_asked_to(visit):
    page = visit("/boards/TLS/belts/4?languages=en,ar", **WIDE)
    expect(page.get_by_role("heading", name="Reclaim belt 4")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_flight_that_changes_its_belt_moves_by_itself_and_stale_is_said(hub, visit):
    page = visit("/boards/TLS/belts/9?languages=en", expects="ERR_INTERNET", **WIDE)
    expect(page.get_by_text("No flight is expected here at present.")).to_be_visible()
    moved = [json.loads(each) | {"reclaim": "9"} for each in flights().splitlines()]
    (hub.folder / "moved.jsonl").write_text(lines(*moved))
    hub.command("import", "flights", str(hub.folder / "moved.jsonl"))
    expect(page.get_by_role("rowheader", name="AF6120")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("No connection: this may be old.")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("rowheader", name="AF6120")).to_be_visible()
