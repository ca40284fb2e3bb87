"""Every role at every door: open or shut exactly as the roles' own data says."""

import shutil

import pytest
from aerocast_hub.auth.permissions import FIRST_ROLES, grants

from tests.hub.doors import bearing, doors, first_word, token_for, whole_hub


@pytest.fixture
async def app(migrated_sqlite, tmp_path):
    """The whole hub without its background: doors need none of it."""
    # A copy: the doors that open write to the trail.
    file = shutil.copyfile(migrated_sqlite, tmp_path / "hub.db")
    made = whole_hub(file, tmp_path)
    yield made
    await made.state.hub.database.close()


async def knock(app, method, path, token):
    """Give the status, or the code a WebSocket is closed with."""
    said = await first_word(app, method, path, bearing(token))
    return said.get("status") or said.get("code") or 101


REFUSED = {403, 4403}  # a good token came: nobody is asked to log in by the guard


@pytest.mark.parametrize("role", FIRST_ROLES)
async def test_a_role_opens_exactly_the_doors_its_permissions_name(app, role):
    allowed = FIRST_ROLES[role].permissions
    token = token_for(app, allowed)
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
    token = token_for(app, allowed, airlines=few)
    wrong = []
    for method, path, opt in doors(app):
        if opt.get("public") is True:
            continue
        status = await knock(app, method, path, token)
        if status == 500 or (status not in REFUSED) != (opt.get("rows") in {"ruled", "none"}):
            wrong.append((method, path, opt.get("rows"), status))
    assert wrong == []
