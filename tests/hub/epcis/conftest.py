"""A hub that speaks EPCIS, and somebody who may ask it."""

import time
from contextlib import asynccontextmanager

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import load_settings
from litestar.testing import AsyncTestClient

BASE = "https://hub.example"
MAY = frozenset({"baggage:read", "baggage:write", "flights:read", "webhooks:write", "alerts:read"})


@pytest.fixture(scope="module")
def engine_kind():
    """SQLite: `test_queries` keeps and finds events on both databases."""
    return "sqlite"


@pytest.fixture
async def hub(database_url, tmp_path):
    async with speaking_hub(database_url, tmp_path) as client:
        yield client


@asynccontextmanager
async def speaking_hub(database_url, folder):
    settings = load_settings(
        mode="dev",
        database_url=database_url,
        data_dir=folder / "data",
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
