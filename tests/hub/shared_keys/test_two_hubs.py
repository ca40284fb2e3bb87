"""Two hub processes of one database, whose keys change while both run, and one with other keys."""

import subprocess

import httpx
import pytest

from tests.hub.browser.conftest import COMMAND, Hub
from tests.hub.conftest import one_on


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(request, tmp_path_factory):
    """An address of an empty database: the first hub makes its tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('database') / 'hub.db'}"
        return
    with one_on(request.getfixturevalue("postgresql"), "template1") as address:
        yield address


def hub_of(address, folder, data):
    hub = Hub(folder)
    hub.environment |= {
        "AEROCAST_HUB_DATA_DIR": str(data),
        "AEROCAST_HUB_DATABASE_URL": address,
        "AEROCAST_HUB_BROKER_URL": "none:",
    }
    del hub.environment["AEROCAST_HUB_DATA_KEYS"]  # every test's: here they are in the folder
    return hub


@pytest.fixture(scope="module")
def first(address, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    hub = hub_of(address, folder, folder / "data")
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def second(address, first, tmp_path_factory):
    hub = hub_of(address, tmp_path_factory.mktemp("second"), first.folder / "data")
    hub.start()
    yield hub
    hub.stop()


def test_a_hub_with_keys_of_its_own_is_refused_in_one_line(address, first, tmp_path):
    stranger = hub_of(address, tmp_path, tmp_path / "data")
    done = subprocess.run(
        [COMMAND, "serve"],
        env=stranger.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [each for each in done.stderr.splitlines() if each.startswith("aerocast-hub: ")]
    assert (done.returncode, len(said)) == (2, 1), done.stderr
    assert "the data keys (DATA_KEYS, or data.keys in DATA_DIR) are others" in said[0]
    assert "'aerocast-hub keys accept'" in said[0]
    assert httpx.get(f"{first.base}/health", timeout=60).status_code == 200


def test_keys_are_rotated_while_two_run_that_share_them(first, second):
    first.command("privacy", "rotate-keys")
    first.command("keys", "rotate", "--compromised")
    second.stop()
    second.start()
    first.command("privacy", "rotate-keys", "--drop-old")
    answers = [httpx.get(f"{each.base}/health", timeout=60) for each in (first, second)]
    assert [each.status_code for each in answers] == [200, 200]
