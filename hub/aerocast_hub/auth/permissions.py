"""What may be asked of the hub, and the roles it comes with.

A permission is ``<service>:<verb>``. Roles are data: they live in the database, where an airport
adds its own beside ``FIRST_ROLES``; a token carries what its owner's roles gave when it was
issued.
"""

from typing import NamedTuple

EVERYTHING = "*"
OWN_ACCOUNT = "account:own"
"""To look after one's own account. No role gives it: every session has it, and no API key."""
PERMISSIONS = frozenset(
    {
        OWN_ACCOUNT,
        "alerts:read",
        "alerts:write",
        "audit:read",
        "baggage:passengers",
        "baggage:read",
        "baggage:write",
        "flights:read",
        "flights:write",
        "gateways:order",
        "gateways:read",
        "gateways:write",
        "ingest:write",
        "orientation:links",
        "orientation:read",
        "orientation:write",
        "privacy:write",
        "users:read",
        "users:write",
        "weather:read",
        "webhooks:write",
    }
)
"""``baggage:passengers`` shows whole names; ``ingest:write`` hands in events as the gateway of the
account's name; ``gateways:order`` has gateways restart a device or send diagnostics, and gives
nothing of what they saw; ``orientation:links`` makes and revokes the links that
open passengers' pages; ``privacy:write`` hands out and erases what is kept of
a passenger; ``users:write`` changes accounts, their roles and what rows they see."""

RULED = {"rows": "ruled"}
"""For a controller whose answers come from sessions that keep to the row rules alone."""
NO_ROWS = {"rows": "none"}
"""For a controller that tells of no flight and no bag."""


class Role(NamedTuple):
    """A role.

    Attributes
    ----------
    sees_own_only
        Its accounts see the rows of the airlines they are bound to, and none while they are bound
        to none. Accounts of other roles see every row until they are bound.
    """

    about: str
    permissions: frozenset[str]
    sees_own_only: bool = False


# Not `audit:read` and `users:read`: who did what is for few.
_READING = frozenset(
    {
        "alerts:read",
        "baggage:read",
        "flights:read",
        "gateways:read",
        "orientation:read",
        "weather:read",
    }
)

FIRST_ROLES: dict[str, Role] = {
    "admin": Role("everything there is", frozenset({EVERYTHING})),
    "supervisor": Role(
        "runs a shift: all an operator may, and sees whose a bag is",
        _READING
        | {
            *("alerts:write", "baggage:passengers", "baggage:write"),
            *("gateways:order", "orientation:links", "orientation:write"),
        },
    ),
    "operator": Role(
        "watches bags, flights and alerts, and acts on them",
        _READING | {"alerts:write", "baggage:write", "orientation:links", "orientation:write"},
    ),
    "handler": Role(
        "works beside the belts and on the ramp",
        frozenset(
            {
                "alerts:read",
                "alerts:write",
                "baggage:read",
                "baggage:write",
                "flights:read",
                "orientation:links",
                "orientation:read",
                "weather:read",
            }
        ),
    ),
    "technician": Role(
        "looks after gateways, readers and receivers; sees no bag",
        frozenset({"gateways:order", "gateways:read", "gateways:write", "weather:read"}),
    ),
    "airline": Role(
        "an airline's people: its own flights and their bags",
        frozenset(
            {
                "alerts:read",
                "baggage:read",
                "flights:read",
                "orientation:read",
                "weather:read",
            }
        ),
        sees_own_only=True,
    ),
    "viewer": Role("sees what operators see and changes nothing", _READING),
    "service": Role(
        "another system: sends events, messages and flights, and is told what happens",
        frozenset(
            {
                "baggage:read",
                "baggage:write",
                "flights:read",
                "flights:write",
                "ingest:write",
                "weather:read",
                "webhooks:write",
            }
        ),
    ),
    "passenger_link": Role(
        "whoever holds a passenger's link: that passenger's page and nothing else", frozenset()
    ),
}


def grants(permissions: frozenset[str], wanted: str) -> bool:
    """Say whether these permissions allow what is wanted.

    Parameters
    ----------
    permissions
        From a verified token.
    wanted
        One of ``PERMISSIONS``; anything else is never granted, not even to an administrator.
    """
    return wanted in PERMISSIONS and (EVERYTHING in permissions or wanted in permissions)


def grants_all(permissions: frozenset[str], wanted: frozenset[str]) -> bool:
    """Say whether who has these permissions may hand out the wanted ones: never more than all."""
    return EVERYTHING in permissions or wanted <= permissions
