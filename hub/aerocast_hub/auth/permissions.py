"""What may be asked of the hub, and the roles a new hub starts with.

A permission is ``<service>:<verb>``. Roles are data: they live in the database, seeded from
``FIRST_ROLES``, and a token carries the permissions its owner's roles gave when it was issued.
"""

EVERYTHING = "*"
PERMISSIONS = frozenset(
    {
        "alerts:read",
        "alerts:write",
        "baggage:passengers",
        "baggage:read",
        "baggage:write",
        "flights:read",
        "flights:write",
        "gateways:read",
        "gateways:write",
        "orientation:read",
        "orientation:write",
        "users:write",
        "weather:read",
        "webhooks:write",
    }
)

_READING = frozenset(each for each in PERMISSIONS if each.endswith(":read"))

FIRST_ROLES: dict[str, frozenset[str]] = {
    "admin": frozenset({EVERYTHING}),
    "operator": _READING | {"alerts:write", "baggage:write", "orientation:write"},
    # Who may see whose a bag is: everyone else sees an initial.
    "supervisor": _READING
    | {"alerts:write", "baggage:passengers", "baggage:write", "orientation:write"},
    "viewer": _READING,
    # A gateway's own account asks for nothing over HTTP yet: observations travel over MQTT.
    "gateway": frozenset(),
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
