"""The operator's own list of passwords nobody may choose."""

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.accounts.password_list import is_listed
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.settings import SERVICES, SettingsError, load_settings
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from tests.hub.auth.conftest import PASSWORD
from tests.hub.auth.people import entered

LEAKED = "violet harbour tricycle"


@pytest.fixture(scope="module")
def engine_kind():
    """What is special to a database is tested elsewhere."""
    return "sqlite"


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "leaked.txt"
    file.write_bytes(f"first of all\r\n{LEAKED}\r\n\nélan vital à Orly\nlast of all".encode())
    return file


@pytest.mark.parametrize(
    "password", [LEAKED, LEAKED.upper(), "first of all", "Élan Vital À Orly", "last of all"]
)
def test_a_line_of_it_is_found_however_it_is_capitalized(listed, password):
    assert is_listed(password, listed)


@pytest.mark.parametrize("password", ["violet harbour", f"{LEAKED}s", "of all"])
def test_a_part_of_a_line_is_not(listed, password):
    assert not is_listed(password, listed)


@given(st.binary(max_size=300))
def test_any_file_is_read(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(content)
    assert not is_listed(LEAKED, file)


async def test_nobody_chooses_one_of_it_and_what_is_added_holds_at_once(listed):
    passwords, other = Passwords(listed), "copper lantern seventeen"
    with pytest.raises(ValueError, match="on the list of those that are known to others"):
        await passwords.hash(LEAKED.title())
    assert await passwords.hash(other)
    listed.write_text(other)
    with pytest.raises(ValueError, match="on the list"):
        await passwords.hash(other)
    assert await Passwords().hash(LEAKED)


async def test_without_its_list_the_hub_takes_no_new_password_and_says_so(listed, caplog):
    passwords = Passwords(listed)
    listed.unlink()
    with pytest.raises(ValueError, match="tell an administrator"):
        await passwords.hash(LEAKED)
    assert "password_list cannot be read" in caplog.text
    assert LEAKED not in caplog.text


def test_a_list_that_is_no_file_is_refused_at_the_start(tmp_path):
    with pytest.raises(SettingsError, match="password_list: Path does not point to a file"):
        load_settings(mode="dev", data_dir=tmp_path, password_list=tmp_path / "none.txt")


async def test_who_changes_their_password_is_told(settings, people, listed):
    told = settings.model_copy(update={"password_list": listed})
    async with AsyncTestClient(create_app(told, SERVICES), raise_server_exceptions=False) as hub:
        headers = await entered(hub)
        asked = {"present": PASSWORD, "new": LEAKED}
        answer = await hub.post("/auth/me/password", json=asked, headers=headers)
    assert answer.status_code == 400
    assert "on the list of those that are known to others" in answer.text
