"""The passenger's page on a phone: found by tag and surname, then opened by its own link."""

import re
from importlib.resources import files

import pytest
from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from playwright.sync_api import expect

from tests.hub.browser.day import ICAO, OTHER_PLATE, PLATE, SURNAME
from tests.hub.browser.gateway import boot_ns
from tests.hub.browser.test_live_data import passage

PHONE = {"width": 390, "height": 844}


def find(page, plate, surname, button="Find my bag"):
    page.locator("[name=licence_plate]").fill(plate)
    page.locator("[name=surname]").fill(surname)
    page.get_by_role("button", name=button).click()


@pytest.fixture(scope="module")
def parked(gateway):
    """The passenger's flight has reached its stand, and one bag was seen on its way."""
    gateway.tell(
        passage("loading", "belt-4", PLATE, 1800),
        *(
            AircraftGroundEvent(
                device="sky",
                boot_ns=boot_ns() - ago_s * 1_000_000_000,
                known_at_boot_ns=boot_ns(),
                icao=ICAO,
                callsign="AFR6120",
                event=event,
                sigma_s=4.0,
                stand=stand,
            )
            for event, ago_s, stand in (("landed", 240, None), ("on_stand", 60, "A12"))
        ),
    )


@pytest.fixture(scope="module")
def terminal(hub):
    """The hub has a map of the terminal, on which the flight's stand is."""
    drawn = (files("aerocast_simulator") / "places.toml").read_text(encoding="utf-8")
    (hub.folder / "places.toml").write_text(drawn.replace('"B12"', '"A12"'), encoding="utf-8")
    hub.command("import", "places", str(hub.folder / "places.toml"))


@pytest.mark.parametrize("look", [PHONE, {**PHONE, "dark": True}, {}])
def test_tag_and_surname_lead_to_belt_time_and_reason(visit, parked, look):
    page = visit("/find", **look)
    find(page, "0220 123456", SURNAME.upper())
    expect(page).to_have_url(re.compile(r"/p/[\w-]{40,}\?lang=en$"))
    assert PLATE not in page.url
    expect(page.locator(".answer-sign strong")).to_have_text("4")
    shown = re.compile(r"^\d\d:\d\d . \d\d:\d\d(, \w+day)?$")  # towards midnight, the day too
    expect(page.locator(".answer-when .time")).to_have_text(shown)
    expect(page.get_by_text("reached stand A12")).to_be_visible()
    expect(page.locator(".bags li")).to_have_count(2)
    for plate in (PLATE, OTHER_PLATE):
        assert plate not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= look.get("width", 1360)


def test_the_page_speaks_the_phones_language_and_changes_it_on_request(visit, parked):
    page = visit("/find", language="fr-FR", **PHONE)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    find(page, PLATE, "lefevre", "Retrouver mon bagage")
    expect(page.get_by_text("Tapis de livraison")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("Reclaim belt", exact=True)).to_be_visible()


def test_the_way_is_shown_for_how_the_passenger_gets_about(visit, parked, terminal):
    page = visit("/find", **PHONE)
    find(page, PLATE, SURNAME)
    expect(page.get_by_text("level 0: 4 minutes from the aircraft.")).to_be_visible()
    expect(page.get_by_text("Take the stairs down to level 0.")).to_be_visible()
    page.get_by_role("link", name="Wheelchair").click()
    expect(page.get_by_text("7 minutes from the aircraft, by lift C.")).to_be_visible()
    expect(page.get_by_text("Take lift C down to level 0.")).to_be_visible()
    expect(page.get_by_text("stairs down")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("link", name="Français").click()
    expect(page.get_by_role("heading", name="Le chemin")).to_be_visible()
    expect(page.get_by_text("Prenez l’ascenseur C et descendez")).to_be_visible()


def test_an_unknown_tag_and_a_wrong_surname_get_the_same_answer(visit):
    answers = []
    for plate, surname in ((PLATE, "Somebody"), ("0999999999", SURNAME)):
        page = visit("/find", expects="status of 404")
        find(page, plate, surname)
        answers.append(page.get_by_role("alert").inner_text())
        assert page.url.endswith("/find?lang=en")
    assert answers[0] == answers[1] != ""


def test_a_changed_link_opens_nothing_and_says_where_to_go(visit, parked):
    page = visit("/find", expects="status of 404", **PHONE)
    find(page, PLATE, SURNAME)
    page.wait_for_url("**/p/*")
    changed = re.sub(r"/p/(.)", lambda m: "/p/" + ("B" if m[1] == "A" else "A"), page.url)
    page.goto(changed)
    expect(page.get_by_role("heading", name="This link no longer opens")).to_be_visible()
    page.get_by_role("link", name="Find your bag").click()
    expect(page.get_by_label("Surname")).to_be_visible()
