"""What a provider says of somebody, and what it means here. Pure."""

from collections.abc import Mapping

MOST_ROLES = 50


def read_mapping(text: str) -> dict[str, str]:
    """Read ``value=role,value=role``: which roles go with which values of the roles' claim.

    Raises
    ------
    ValueError
        A part has no ``=``, or nothing on a side of it.
    """
    mapping = {}
    for part in text.split(","):
        if not part.strip():
            continue
        value, found, role = (each.strip() for each in part.partition("="))
        if not (found and value and role):
            raise ValueError(f"oidc_roles: {part.strip()!r} is not VALUE=ROLE")
        mapping[value] = role
    return mapping


def roles_of(
    claims: Mapping[str, object], claim: str, mapping: Mapping[str, str]
) -> frozenset[str]:
    """Give the roles somebody has by what the provider says.

    Parameters
    ----------
    claim
        Name of the claim with the roles or groups; dots lead into objects
        (``realm_access.roles``).
    """
    found: object = claims
    for name in claim.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    said = [each for each in values[:MOST_ROLES] if isinstance(each, str)]
    return frozenset(mapping[each] for each in said if each in mapping)


def name_of(claims: Mapping[str, object]) -> str:
    """Choose an account's name: the one people know, else the e-mail address, else the subject."""
    for claim in ("preferred_username", "email", "sub"):
        said = claims.get(claim)
        if isinstance(said, str) and said.strip():
            return said.strip()[:64]
    return ""
