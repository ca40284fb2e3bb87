import pytest
from aerocast_hub.auth.permissions import EVERYTHING, FIRST_ROLES, PERMISSIONS, grants


def test_an_administrator_may_everything_that_exists():
    assert all(grants(FIRST_ROLES["admin"], each) for each in PERMISSIONS)
    assert not grants(FIRST_ROLES["admin"], "baggage:eat")


def test_a_viewer_may_read_and_only_read():
    may = {each for each in PERMISSIONS if grants(FIRST_ROLES["viewer"], each)}
    assert may == {each for each in PERMISSIONS if each.endswith(":read")}


def test_an_operator_may_also_change_baggage():
    may = {each for each in PERMISSIONS if grants(FIRST_ROLES["operator"], each)}
    assert may == {each for each in PERMISSIONS if each.endswith(":read")} | {
        "alerts:write",
        "baggage:write",
        "orientation:write",
    }


def test_only_who_may_see_passengers_sees_them():
    may = {role for role, given in FIRST_ROLES.items() if grants(given, "baggage:passengers")}
    assert may == {"admin", "supervisor"}


def test_a_gateway_may_nothing_over_http_yet():
    assert not any(grants(FIRST_ROLES["gateway"], each) for each in PERMISSIONS)


@pytest.mark.parametrize("role", FIRST_ROLES)
def test_roles_name_permissions_that_exist(role):
    assert FIRST_ROLES[role] <= PERMISSIONS | {EVERYTHING}
