"""What tests of accounts do again and again."""

import pytest

from tests.hub.auth.conftest import PASSWORD


async def log_in(hub, name="viewer", password=PASSWORD, **headers):
    asked = {"name": name, "password": password}
    return await hub.post("/auth/login", json=asked, headers=headers)


def bearer(tokens):
    return {"authorization": f"Bearer {tokens.json()['access_token']}"}


async def entered(hub, name="viewer", password=PASSWORD):
    """Log in; give what goes into the header."""
    tokens = await log_in(hub, name, password)
    if not tokens.is_success:
        pytest.fail(tokens.text)
    return bearer(tokens)


async def id_of(hub, name):
    users = await hub.get("/auth/users", headers=await entered(hub, "admin"))
    return next(each["id"] for each in users.json() if each["name"] == name)
