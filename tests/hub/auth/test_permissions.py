import pytest
from aerocast_hub.auth.permissions import (
    EVERYTHING,
    FIRST_ROLES,
    PERMISSIONS,
    grants,
    grants_all,
)

READING = {
    *("alerts:read", "baggage:read", "flights:read"),
    *("gateways:read", "orientation:read", "weather:read"),
}


def may(role):
    return {each for each in PERMISSIONS if grants(FIRST_ROLES[role].permissions, each)}


def test_an_administrator_may_everything_that_exists():
    assert may("admin") == PERMISSIONS
    assert not grants(FIRST_ROLES["admin"].permissions, "baggage:eat")


def test_a_viewer_may_read_what_happens_and_not_who_did_it():
    assert may("viewer") == READING


def test_an_operator_may_also_change_baggage():
    assert may("operator") == READING | {
        *("alerts:write", "baggage:write"),
        *("orientation:links", "orientation:write"),
    }


def test_only_who_may_see_passengers_sees_them():
    assert {role for role in FIRST_ROLES if "baggage:passengers" in may(role)} == {
        "admin",
        "supervisor",
    }


def test_only_administrators_change_accounts_read_the_trail_and_hand_out_what_is_personal():
    for each in ("audit:read", "privacy:write", "users:read", "users:write"):
        assert {role for role in FIRST_ROLES if each in may(role)} == {"admin"}


def test_a_technician_sees_no_bag_and_an_airline_changes_nothing():
    assert not any(each.startswith(("baggage:", "alerts:")) for each in may("technician"))
    assert all(each.endswith(":read") for each in may("airline"))


def test_whoever_holds_a_link_may_nothing_beyond_it():
    assert may("passenger_link") == set()


def test_only_an_airline_sees_its_own_alone():
    assert {name for name, role in FIRST_ROLES.items() if role.sees_own_only} == {"airline"}


@pytest.mark.parametrize("role", FIRST_ROLES)
def test_roles_name_permissions_that_exist(role):
    assert FIRST_ROLES[role].permissions <= PERMISSIONS | {EVERYTHING}


def test_nobody_gives_out_more_than_they_may():
    few = frozenset({"users:write", "weather:read"})
    assert grants_all(few, frozenset({"weather:read"}))
    assert not grants_all(few, frozenset({"weather:read", "audit:read"}))
    assert not grants_all(few, frozenset({EVERYTHING}))
    assert grants_all(frozenset({EVERYTHING}), PERMISSIONS | {EVERYTHING})
