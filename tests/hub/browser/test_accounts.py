"""One's own account, everybody's, and passkeys, in a real browser with a virtual authenticator."""

import time

import pytest
from aerocast_hub.auth.second_factors.totp import STEP_S, code_at

from tests.hub.auth.test_second_factors import base32_of
from tests.hub.browser.axe import small_targets, violations
from tests.hub.browser.conftest import NAME, PASSWORD, Hub

ADMIN = "kim"
NEW = "belts that hum quietly"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub under a name: browsers know no passkeys for network addresses."""
    hub = Hub(tmp_path_factory.mktemp("hub"))
    for name, role in ((NAME, "operator"), (ADMIN, "admin"), ("bo", "viewer")):
        hub.command("user", "add", name, "--role", role, given=f"{PASSWORD}\n")
    hub.start()
    hub.base = f"http://localhost:{hub.port}"
    yield hub
    hub.stop()


def type_password(page, name, password=PASSWORD):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.fixture
def entered(visit, hub):
    def open_page(name, path="/account", **how):
        page = visit(f"/login?next={path}", **how)
        type_password(page, name)
        page.wait_for_url(f"{hub.base}{path}")
        return page

    return open_page


def authenticator(page):
    """Plug a security key into the browser that needs no finger."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    plugged = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, plugged["authenticatorId"]


def test_logging_out_in_one_tab_leaves_nothing_in_the_others(entered, hub):
    page = entered("bo")
    other = page.context.new_page()
    other.goto(f"{hub.base}/account")
    other.get_by_role("button", name="Log out").wait_for()
    page.get_by_role("button", name="Log out").click()
    for each in (page, other):
        each.wait_for_url(f"{hub.base}/login")
        each.get_by_label("Name").wait_for()
    assert other.get_by_role("button", name="Log out").count() == 0
    other.goto(f"{hub.base}/account")
    other.wait_for_url(f"{hub.base}/login?next=/account")


def test_a_passkey_is_added_and_opens_the_door_after_the_password(entered, hub):
    page = entered(NAME, expects="401")
    devtools, key = authenticator(page)
    page.get_by_label("Name of the passkey").fill("blue key")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="I have them").click()
    page.get_by_role("button", name="Remove the passkey blue key").wait_for()

    page.get_by_role("button", name="Log out").click()
    type_password(page, NAME)
    page.get_by_role("button", name="Use the passkey").click()
    page.wait_for_url(f"{hub.base}/")

    # A copy of the key counts on from where the original stood: it is not let in.
    (copied,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": key})
    copied["signCount"] = 0
    devtools.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": copied})
    page.get_by_role("button", name="Log out").click()
    type_password(page, NAME)
    page.get_by_role("button", name="Use the passkey").click()
    page.get_by_text("The code is wrong, was used before").wait_for()


def test_an_app_is_added_by_its_qr_code_and_asked_for(entered, hub):
    page = entered("bo")
    page.get_by_role("button", name="Add an authenticator app").click()
    assert page.locator(".qr svg").is_visible()
    page.get_by_text("The camera does not work").click()
    secret = base32_of(page.locator(".raw").inner_text())
    step = time.time_ns() // 1_000_000_000 // STEP_S
    page.get_by_label("Code").fill(code_at(secret, step))
    page.get_by_role("button", name="Use this app").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    page.get_by_role("link", name="I have them").click()
    page.get_by_role("button", name="Log out").click()
    type_password(page, "bo")
    page.get_by_label("Code").fill(code_at(secret, step + 1))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{hub.base}/")


def test_an_administrator_adds_somebody_who_chooses_a_password(entered, visit, hub):
    page = entered(ADMIN, "/people")
    page.get_by_label("Name").fill("new-one")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Add").click()
    first = page.locator(".raw").inner_text()
    page.get_by_role("link", name="I have it").click()
    page.get_by_role("heading", name="new-one").wait_for()

    theirs = visit("/login")
    type_password(theirs, "new-one", first)
    theirs.wait_for_url(f"{hub.base}/account")
    assert theirs.get_by_text("Choose a password of your own first").is_visible()
    theirs.get_by_label("Present password").fill(first)
    theirs.get_by_label("New password", exact=True).fill(NEW)
    theirs.get_by_label("New password, again").fill(NEW)
    theirs.get_by_role("button", name="Change it").click()
    theirs.get_by_text("Your password is changed").wait_for()
    theirs.goto("/")
    theirs.wait_for_url(f"{hub.base}/")

    page.reload()
    page.get_by_role("button", name="End all sessions").click()
    page.get_by_text("Ended.").wait_for()
    theirs.goto("/account")
    theirs.wait_for_url("**/login?next=**")


def test_a_key_is_made_shown_once_and_revoked(entered):
    page = entered(ADMIN)
    page.get_by_label("Name of the key").fill("display")
    page.get_by_label("Scopes, with blanks between").fill("flights:read")
    page.get_by_role("button", name="Make a key").click()
    assert page.locator(".raw").inner_text().startswith("aerocast_")
    page.get_by_role("link", name="I have it").click()
    page.get_by_role("button", name="Revoke the key display").click()
    page.get_by_text("The key is revoked.").wait_for()


def faults(page):
    """Give what is wrong with the page that is open, for whoever uses it."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"{wide} px wider than the screen"] if wide > 0 else []
    return found + violations(page) + small_targets(page)


@pytest.mark.parametrize(
    "how", [{"width": 1360}, {"width": 360, "dark": True}], ids=["wide", "phone"]
)
def test_the_pages_have_no_fault(entered, how):
    page = entered(ADMIN, "/people", expects="401", **how)
    found = {"people": faults(page)}
    page.get_by_role("table").get_by_role("link", name=ADMIN).click()
    page.get_by_role("heading", name="Sessions").wait_for()
    found["person"] = faults(page)
    page.goto("/account")
    found["account"] = faults(page)
    page.get_by_role("button", name="Add an authenticator app").click()
    page.get_by_label("Code").wait_for()
    found["app"] = faults(page)
    page.goto("/account")
    page.get_by_label("Present password").fill("x")
    for label in ("New password", "New password, again"):
        page.get_by_label(label, exact=True).fill(NEW)
    page.get_by_role("button", name="Change it").click()
    page.get_by_text("The present password is wrong").wait_for()
    found["refused"] = faults(page)
    assert {name: each for name, each in found.items() if each} == {}
