"""A hub that speaks EPCIS, and somebody who may ask it."""

import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import load_settings
from litestar.testing import AsyncTestClient

BASE = "https://hub.example"
MAY = frozenset({"baggage:read", "baggage:write", "flights:read", "webhooks:write", "alerts:read"})


@pytest.fixture
def engine_kind():
    """SQLite: `test_queries` keeps and finds events on both databases."""
    return "sqlite"


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev",
        database_url=database_url,
        data_dir=tmp_path / "data",
        broker_url="none:",
        base_url=BASE,
        webhooks_private=True,
    )
    async with AsyncTestClient(create_app(settings, ["auth", "baggage"])) as client:
        token = client.app.state.hub.keys.signer.issue(
            "00000000-0000-0000-0000-000000000001", "op", MAY, int(time.time())
        )
        client.headers["authorization"] = f"Bearer {token}"
        yield client
