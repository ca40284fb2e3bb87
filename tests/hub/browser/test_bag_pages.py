"""The operators' pages about bags, in a real browser: a flight, its bags, alerts, connections."""

import re

import pytest
from playwright.sync_api import expect

from tests.hub.browser.day import PLATE


@pytest.mark.parametrize("width", [360, 1360])
def test_from_the_overview_to_a_flight_its_bags_and_what_is_known_of_one(operator, width):
    page = operator("/", width=width)
    page.get_by_role("link", name="AF6120").click()
    expect(page.get_by_role("heading", name="AF6120")).to_be_visible()
    expect(page.get_by_role("heading", name="Resolution 753")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Connections at ORY").click()
    expect(page.get_by_text("No bag that is known changes aircraft here")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name=f"{PLATE[:4]} {PLATE[4:]}").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Hold back").click()
    expect(page.get_by_text("held", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("button", name="Hold back")).to_be_visible()
    page.get_by_label("What did we know at").fill("2024-01-01T12:00")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing was known of this bag at 12:00:00")).to_be_visible()
    page.get_by_role("link", name="Show now").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1360])
def test_how_portals_read_is_a_page_of_its_own(operator, width):
    page = operator("/", width=width)
    page.get_by_role("link", name="How portals read").click()
    expect(page.get_by_role("heading", name="Performance")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_alert_appears_by_itself_and_somebody_takes_it(operator, hub):
    page = operator("/alerts")
    expect(page.locator("#live-words")).to_have_text("live")

    def stow(plate):
        answer = page.request.post(
            f"{hub.base}/api/bags/{plate}/actions",
            data={"did": "stowed", "container": "AKE1", "site": "lfbo"},
            headers={"origin": hub.base},
        )
        assert answer.ok, answer.text()
        return page.get_by_role("listitem").filter(has_text=re.compile(rf"0999\s?{plate[4:]}"))

    alert = stow("0999000001")
    expect(alert).to_contain_text("no airline announced it")
    note = alert.get_by_placeholder("what you do about it")
    note.fill("asking the ramp")
    expect(stow("0999000002")).to_contain_text("no airline announced it")
    expect(note).to_have_value("asking the ramp")
    expect(note).to_be_focused()
    alert.get_by_role("button", name="I look after it").click()
    expect(page.get_by_text("anna looks after it")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1360])
def test_a_desk_makes_a_link_prints_its_code_and_revokes_it(operator, visit, width):
    page = operator("/", width=width)
    page.get_by_role("link", name="AF6120").click()
    page.get_by_role("link", name=f"{PLATE[:4]} {PLATE[4:]}").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("img", name="QR code of the passenger's page")).to_be_visible()
    drawn = "code => code.decode().then(() => code.naturalWidth)"  # when it has come
    assert page.locator(".code").evaluate(drawn) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    address = page.locator(".reference").inner_text()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Revoke this link")).to_be_hidden()
    expect(page.locator(".code")).to_be_visible()
    page.emulate_media(media="screen")
    phone = visit(address, width=360, expects="status of 404")
    expect(phone.get_by_text("Reclaim belt", exact=True)).to_be_visible()
    page.get_by_role("button", name="Revoke this link").click()
    expect(page.get_by_role("heading", name="Passenger's page")).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("heading", name="This link no longer opens")).to_be_visible()
