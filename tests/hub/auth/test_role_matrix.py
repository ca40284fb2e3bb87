"""Every role at every door: open or shut exactly as the roles' own data says."""

import shutil
import time
from uuid import UUID

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.permissions import FIRST_ROLES, grants
from aerocast_hub.settings import SERVICES, load_settings

from tests.hub.doors import bearing, doors, first_word


@pytest.fixture
async def app(migrated_sqlite, tmp_path):
    """The whole hub without its background: doors need none of it."""
    # A copy: the doors that open write to the trail.
    file = shutil.copyfile(migrated_sqlite, tmp_path / "hub.db")
    settings = load_settings(
        mode="dev",
        database_url=f"sqlite+aiosqlite:///{file}",
        data_dir=tmp_path / "data",
        broker_url="none:",
    )
    made = create_app(settings, SERVICES)
    yield made
    await made.state.hub.database.close()


async def knock(app, method, path, token):
    """Give the status, or the code a WebSocket is closed with."""
    said = await first_word(app, method, path, bearing(token))
    return said.get("status") or said.get("code") or 101


SOMEBODY = str(UUID(int=1))
REFUSED = {403, 4403}  # a good token came: nobody is asked to log in by the guard


@pytest.mark.parametrize("role", FIRST_ROLES)
async def test_a_role_opens_exactly_the_doors_its_permissions_name(app, role):
    allowed = FIRST_ROLES[role].permissions
    token = app.state.hub.keys.signer.issue(SOMEBODY, role, allowed, int(time.time()))
    tried, wrong = 0, []
    for method, path, opt in doors(app):
        if opt.get("public") is True:
            continue
        status = await knock(app, method, path, token)
        tried += 1
        if status == 500 or (status not in REFUSED) != grants(allowed, opt["permission"]):
            wrong.append((method, path, opt["permission"], status))
    assert wrong == []
    assert tried > 80


async def test_who_is_bound_finds_every_door_shut_that_tells_of_all(app):
    allowed = FIRST_ROLES["admin"].permissions
    few = frozenset({"AF"})
    token = app.state.hub.keys.signer.issue(SOMEBODY, "af", allowed, int(time.time()), airlines=few)
    wrong = []
    for method, path, opt in doors(app):
        if opt.get("public") is True:
            continue
        status = await knock(app, method, path, token)
        if status == 500 or (status not in REFUSED) != (opt.get("rows") in {"ruled", "none"}):
            wrong.append((method, path, opt.get("rows"), status))
    assert wrong == []
