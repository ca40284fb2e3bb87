"""A real hub process, a real gateway's messages, and a real browser that may go nowhere else."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aerocast_simulator.processes import free_port
from playwright.sync_api import expect, sync_playwright

from tests.hub.browser.day import bags, flights, metars
from tests.hub.browser.gateway import Gateway

# What is no event (the length of a queue) an open page finds when it looks again by itself, every
# 20 s.
expect.set_options(timeout=60_000)

NAME, PASSWORD = "anna", "correct horse battery"
HOST = "127.0.0.1"
CHROMIUM = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-first-run",
    "--no-pings",
)
START_S = 90
SEED_GOOD_S = 600  # later, what is landing now has landed and the report is old
COMMAND = str(Path(sys.executable).with_name("aerocast-hub"))


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; gone before other files' tests, which need the event loop it holds.

    The one that never had a window takes half of the processor time of the one that hides it.
    """
    binary = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed: install package chromium-headless-shell")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=binary, args=CHROMIUM)
        yield launched
        launched.close()


class Hub:
    """A hub as its operators start it: a process of its own, on free ports, with a new database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.mqtt_port, v3_port = free_port(), free_port(), free_port()
        self.base = f"http://{HOST}:{self.port}"
        self.environment = {
            **os.environ,
            "AEROCAST_HUB_MODE": "dev",
            "AEROCAST_HUB_DATA_DIR": str(folder / "data"),
            "AEROCAST_HUB_HTTP_PORT": str(self.port),
            "AEROCAST_HUB_EMBEDDED_BROKER_PORT": str(self.mqtt_port),
            "AEROCAST_HUB_EMBEDDED_BROKER_V3_PORT": str(v3_port),
            "AEROCAST_HUB_METAR_FILES": str(folder / "metars.txt"),
        }

    def command(self, *words: str, given: str = "") -> str:
        """Run a command of the hub's; give its standard output."""
        done = subprocess.run(
            [COMMAND, *words],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.folder,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        self.log = (self.folder / "hub.log").open("ab")
        self.process = subprocess.Popen(
            [COMMAND, "serve"],
            env=self.environment,
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
        )
        waits_until_s = time.monotonic() + START_S
        while time.monotonic() < waits_until_s:
            assert self.process.poll() is None, self.logged()
            try:
                if httpx.get(f"{self.base}/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail(f"the hub did not answer in {START_S} s:\n{self.logged()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()

    def logged(self) -> str:
        return (self.folder / "hub.log").read_text()[-4000:]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A running hub with one operator, one gateway, a day's flights and bags."""
    hub = Hub(tmp_path_factory.mktemp("hub"))
    lay_out(hub)
    hub.start()
    yield hub
    hub.stop()


def seed(hub: Hub) -> None:
    hub.command("user", "add", NAME, "--role", "operator", given=f"{PASSWORD}\n")
    hub.command("gateway", "add", "lfbo", "hall-1", "--position", "43.63,1.36,152")
    (hub.folder / "metars.txt").write_text(metars())
    (hub.folder / "flights.jsonl").write_text(flights())
    (hub.folder / "bags.jsonl").write_text(bags())
    hub.command("import", "flights", str(hub.folder / "flights.jsonl"))
    hub.command("import", "bags", str(hub.folder / "bags.jsonl"))


class Seeded:
    """The folder of a hub that `seed` was done to and that never ran; its day is of then."""

    folder: Path | None = None
    until_s = 0.0


def lay_out(hub: Hub) -> None:
    """Do to a new hub what `seed` does: its commands run once, hubs soon after get a copy."""
    if Seeded.folder is None or time.monotonic() > Seeded.until_s:
        seed(hub)
        Seeded.until_s = time.monotonic() + SEED_GOOD_S
        seeded = hub.folder.with_name(f"seeded-{hub.folder.name}")
        Seeded.folder = shutil.copytree(hub.folder, seeded)
    else:
        shutil.copytree(Seeded.folder, hub.folder, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def gateway(hub):
    """The gateway hall-1, speaking the real wire."""
    with Gateway("lfbo", "hall-1", hub.mqtt_port) as speaking:
        yield speaking


class Watched:
    """A page, what it complained about, and where it wanted to go."""

    def __init__(self, page, base: str, expects: str | None) -> None:
        self.page = page
        self._expects = expects
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        host = urlsplit(base).netloc
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning")
                and self.complaints.append(f"{said.text} {said.location}")
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                urlsplit(asked.url).netloc != host
                and not asked.url.startswith("data:")
                and self.elsewhere.append(asked.url)
            ),
        )

    def unexpected(self) -> list[str]:
        """Give the complaints nobody foresaw."""
        return [
            each
            for each in self.complaints
            if self._expects is None or re.search(self._expects, each) is None
        ]


@pytest.fixture
def visit(browser, hub, request):
    """Open pages in a fresh profile; at the end none may have complained or gone elsewhere."""
    opened = []

    def open_page(path, *, width=1360, height=900, dark=False, language="en-GB", expects=None):
        context = browser.new_context(
            base_url=hub.base,
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        watched = Watched(page, hub.base, expects)
        opened.append((context, watched))
        page.goto(path)
        return page

    yield open_page
    pictures = os.environ.get("AEROCAST_PICTURES")
    for number, (context, watched) in enumerate(opened):
        if pictures:
            name = re.sub(r"\W+", "-", f"{request.node.name}-{number}")
            watched.page.screenshot(path=f"{pictures}/{name}.png", full_page=True)
        context.close()
    assert [each for _, watched in opened for each in watched.unexpected()] == []
    assert [each for _, watched in opened for each in watched.elsewhere] == []


def told_alone(page):
    """Show the page anew, and let it learn what is new by being told alone."""
    page.add_init_script(
        "const every = setInterval;"
        "window.setInterval = (work, ms) => (ms === 15000 ? 0 : every(work, ms));"
    )
    page.reload()
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#live-words")).to_have_text("live")
    return page


@pytest.fixture
def operator(visit, hub):
    """Log in and open a page as the operator."""

    def open_page(path="/", name=NAME, **how):
        page = visit(f"/login?next={path}", **how)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{hub.base}{path}")
        return page

    return open_page
