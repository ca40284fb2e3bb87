"""Letting a gateway in and out, in a real browser: add it, make its token, enrol, revoke."""

import re

import httpx
import msgspec
import pytest
from aerocast_agent.driver import ProbeReport
from aerocast_agent.enrolment import keys
from aerocast_agent.probing import judged
from aerocast_protocols.observations.gateways import GatewayHealth
from playwright.sync_api import expect

from tests.hub.browser.axe import small_targets, violations
from tests.hub.browser.conftest import NAME, PASSWORD, Hub, told_alone
from tests.hub.browser.gateway import Gateway, boot_ns


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("hub"))
    hub.command("user", "add", NAME, "--role", "admin", given=f"{PASSWORD}\n")
    hub.command("user", "add", "tess", "--role", "technician", given=f"{PASSWORD}\n")
    hub.command("user", "add", "olga", "--role", "operator", given=f"{PASSWORD}\n")
    hub.command("gateway", "add", "lfbo", "hall-1")
    for name in ("hall-4", "hall-5"):
        hub.command("gateway", "add", "lfbo", name)
    hub.start()
    yield hub
    hub.stop()


def test_a_gateway_is_added_given_its_token_enrolled_and_revoked(operator, hub):
    page = operator("/")
    page.get_by_role("region", name="Gateways").get_by_role("link", name="All gateways").click()
    page.get_by_label("Site").fill("lfbo")
    page.get_by_label("Name", exact=True).fill("hall-2")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(f"{hub.base}/gateways/lfbo/hall-2")

    page.get_by_role("button", name="Make an enrolment token").click()
    command = page.locator(".raw").inner_text()
    assert f"--hub {hub.base} --token" in command
    token = re.search(r"--token (\S+)", command)[1]
    question = {"token": token, "request": keys.request_for(keys.make_key(), None)}
    enrolled = httpx.post(f"{hub.base}/api/enrolment", json=question, timeout=60)
    assert enrolled.status_code == 201, enrolled.text
    page.get_by_role("link", name="I have it").click()
    page.get_by_text("good", exact=True).wait_for()
    assert token not in page.content()
    assert violations(page) == []

    page.get_by_text("Revoke", exact=True).click()
    page.get_by_role("button", name="Revoke hall-2").click()
    page.get_by_role("button", name="Let it in again").wait_for()
    again = httpx.post(f"{hub.base}/api/enrolment", json=question, timeout=60)
    assert again.status_code == 403
    page.get_by_role("link", name="← Gateways").click()
    row = page.get_by_role("row").filter(has_text="hall-2")
    assert "revoked" in row.inner_text()


@pytest.mark.parametrize("path", ["/gateways", "/gateways/lfbo/hall-1"])
@pytest.mark.parametrize(
    "how", [{"width": 1360}, {"width": 1360, "dark": True}, {"width": 360, "height": 740}]
)
def test_the_pages_of_gateways_read_well_at_a_desk_in_the_dark_and_on_a_phone(operator, path, how):
    page = operator(path, **how)
    for each in page.locator("details summary").all():
        each.click()
    assert violations(page) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_token_fits_a_phone(operator):
    page = operator("/gateways/lfbo/hall-1", width=360, height=740)
    page.get_by_role("button", name="Make an enrolment token").click()
    page.get_by_role("link", name="I have it").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def health(devices):
    return GatewayHealth(
        device="agent",
        boot_ns=boot_ns(),
        agent_version="0.1.0",
        accepted=1,
        durable=1,
        acked=1,
        clock_quality=3,
        devices=devices,
    )


@pytest.fixture(scope="module")
def speaking(hub):
    """Two gateways with their devices."""
    with (
        Gateway("lfbo", "hall-4", hub.mqtt_port) as hall_4,
        Gateway("lfbo", "hall-5", hub.mqtt_port) as hall_5,
    ):
        hall_4.tell(health({"desk": "connected", "portal": "connected", LONG: "lost"}))
        hall_5.tell(health({"desk": "connected", "portal": "lost"}))
        yield hall_4, hall_5


@pytest.fixture
def hall_4(speaking):
    """A gateway that is there."""
    speaking[0].say("online")  # again: tests of a slow machine may have been silent for long
    return speaking[0]


@pytest.fixture
def hall_5(speaking):
    """A gateway that comes and goes."""
    speaking[1].say("online")
    return speaking[1]


LONG = "a-scanner-with-a-rather-long-name-on-belt-7"
PRESSED_A_MOMENT_AGO = """(button) => {
  button.closest("fieldset").disabled = false;
  button.form.requestSubmit(button);
}"""


def newest(page, what):
    """Give the newest order of a kind, as the page has it."""
    return page.get_by_role("list", name="Newest orders").locator("li", has_text=what).first


def test_a_technician_orders_and_sees_what_comes_of_it_without_reloading(operator, hall_4):
    page = operator("/gateways/lfbo/hall-4", name="tess")
    page.get_by_text("None in the last 30 days.").wait_for()
    page.get_by_role("button", name="Ping").click()
    newest(page, "Ping").get_by_text("waiting").wait_for()
    page.get_by_text("live", exact=True).wait_for()  # who sees no bag hears of gateways
    assert hall_4.answer(output="pong").verb == "ping"
    newest(page, "Ping").get_by_text("done").wait_for()
    assert "pong" in newest(page, "Ping").inner_text()

    page.get_by_role("combobox", name="Device").select_option("portal")
    page.get_by_role("button", name="Restart device").click()
    order = hall_4.answer(error="no device 'portal' in agent.toml")
    assert (order.verb, order.device) == ("restart_device", "portal")
    newest(page, "Restart portal").get_by_text("failed").wait_for()
    page.get_by_role("button", name="Send diagnostics").click()
    key = "bundles/lfbo/hall-4/2026-11-23T160502Z.zip"
    assert hall_4.answer(output=f"18230 bytes are in the hub's store, {key}").verb == "diagnose"
    page.get_by_text(key).wait_for()

    page.get_by_role("button", name="Send what it holds").click()
    order = hall_4.answer(output="flushed")
    assert (order.verb, order.device) == ("flush", None)
    newest(page, "Send what it holds").get_by_text("done").wait_for()
    page.get_by_role("combobox", name="Device").select_option("desk")
    page.get_by_role("button", name="Probe device").click()
    report = ProbeReport(says={"model": "DS3678"}, antennas={2: False})
    order = hall_4.answer(output=msgspec.json.encode(judged("desk", report, None)).decode())
    assert (order.verb, order.device) == ("probe", "desk")
    newest(page, "Probe desk").get_by_text("1 fault found").wait_for()
    assert "screw the cable to port 2 tight" in newest(page, "Probe desk").inner_text()
    assert "DS3678" in newest(page, "Probe desk").inner_text()


def test_a_gateway_that_goes_takes_its_buttons_with_it_and_says_why(operator, hall_5):
    page = told_alone(operator("/gateways/lfbo/hall-5", name="tess"))
    page.get_by_role("combobox", name="Device").select_option("portal")
    ping = page.get_by_role("button", name="Ping")
    ping.focus()
    hall_5.tell(health({"belt": "connected", "desk": "connected", "portal": "connected"}))
    expect(page.get_by_role("combobox", name="Device").locator("option")).to_have_count(3)
    expect(page.get_by_role("combobox", name="Device")).to_have_value("portal")
    expect(ping).to_be_focused()
    hall_5.say("gone")
    why = page.get_by_text("Gateway lfbo/hall-5 is not connected, silent since")
    expect(why).to_be_visible()
    expect(page.get_by_role("region", name="State")).to_contain_text("as it last told")
    for each in page.locator("#orders button, #orders select").all():
        expect(each).to_be_disabled()
    assert page.locator("#orders button").count() == 5
    assert violations(page) == []
    hall_5.say("online")
    expect(ping).to_be_enabled()
    expect(why).to_have_count(0)
    assert page.evaluate("window.sameDocument")


def test_a_page_that_is_open_shows_who_was_shut_out_and_keeps_what_is_being_read(operator, hub):
    hub.command("gateway", "add", "lfbo", "hall-7")
    page = told_alone(operator("/gateways/lfbo/hall-7", name="tess"))
    page.get_by_text("Revoke", exact=True).click()
    with Gateway("lfbo", "hall-7", hub.mqtt_port) as gateway:
        gateway.tell(health({"desk": "connected"}))
        expect(page.get_by_role("combobox", name="Device")).to_be_enabled()
        expect(page.get_by_role("button", name="Revoke hall-7")).to_be_visible()
        hub.command("gateway", "revoke", "lfbo", "hall-7")
        expect(page.get_by_role("button", name="Let it in again")).to_be_visible()
        expect(page.get_by_text("is revoked: let it in again first")).to_be_visible()
    assert page.evaluate("window.sameDocument")


def test_an_order_that_came_too_late_is_told_with_the_way_back(operator, hall_5, hub):
    page = operator("/gateways/lfbo/hall-5", name="tess", expects="status of 409")
    hall_5.say("gone")
    expect(page.get_by_text("Gateway lfbo/hall-5 is not connected")).to_be_visible()
    page.get_by_role("button", name="Ping").evaluate(PRESSED_A_MOMENT_AGO)
    expect(page.get_by_role("alert")).to_contain_text("Gateway lfbo/hall-5 is not connected")
    assert violations(page) == []
    page.get_by_role("link", name="Go back").click()
    page.wait_for_url(f"{hub.base}/gateways/lfbo/hall-5#orders")


def test_the_list_of_gateways_follows_who_comes_goes_and_is_shut_out(operator, hall_5, hub):
    page = told_alone(operator("/gateways", name="tess"))
    row = page.get_by_role("row").filter(has_text="hall-5")
    expect(row).to_contain_text("online")
    page.get_by_label("Site").fill("lf")
    hall_5.say("gone")
    expect(row).to_contain_text("gone")
    hall_5.say("online")
    expect(row).to_contain_text("online")
    hub.command("gateway", "add", "lfbo", "hall-6")
    added = page.get_by_role("row").filter(has_text="hall-6")
    expect(added).to_contain_text("never seen")
    added.get_by_role("link").focus()
    hub.command("gateway", "revoke", "lfbo", "hall-6")
    expect(added).to_contain_text("revoked")
    expect(added.get_by_role("link")).to_be_focused()
    expect(page.get_by_label("Site")).to_have_value("lf")
    assert page.evaluate("window.sameDocument")


def test_gateways_are_listed_and_ordered_without_script(browser, hub, hall_5):
    context = browser.new_context(base_url=hub.base, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login?next=/gateways")
    page.get_by_label("Name").fill("tess")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    row = page.get_by_role("row").filter(has_text="hall-5")
    expect(row).to_contain_text("online")
    row.get_by_role("link").click()
    page.get_by_role("combobox", name="Device").select_option("portal")
    page.get_by_role("button", name="Probe device").click()
    order = hall_5.answer(error="unknown device")
    assert (order.verb, order.device) == ("probe", "portal")
    page.wait_for_url(f"{hub.base}/gateways/lfbo/hall-5#orders")
    context.close()


@pytest.mark.parametrize(
    "how", [{"width": 1360}, {"width": 1360, "dark": True}, {"width": 360, "height": 740}]
)
def test_orders_read_well_at_a_desk_in_the_dark_and_on_a_phone(operator, hall_4, how):
    page = operator("/gateways/lfbo/hall-4", **how)
    page.get_by_role("button", name="Ping").click()
    newest(page, "Ping").get_by_text("waiting").wait_for()
    assert violations(page) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    hall_4.answer(output="pong")


def test_who_may_not_order_sees_the_orders_and_no_button(operator, hall_4):
    page = operator("/gateways/lfbo/hall-4", name="olga")
    page.get_by_role("heading", name="Orders").wait_for()
    assert page.get_by_role("button", name="Ping").count() == 0
