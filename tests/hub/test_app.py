import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient


@pytest.fixture
def settings(database_url, tmp_path):
    return load_settings(mode="dev", database_url=database_url, data_dir=tmp_path)


async def test_health_tells_that_the_database_answers(settings):
    async with AsyncTestClient(create_app(settings, ["weather"])) as client:
        answer = await client.get("/health")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "database": "ok"}


async def test_metrics_are_kept_from_other_machines(settings):
    async with AsyncTestClient(create_app(settings, ["weather"])) as client:
        assert (await client.get("/metrics")).status_code == 403  # the test client has a name


async def test_every_service_can_be_described_alone():
    settings = load_settings(mode="dev", database_url="sqlite+aiosqlite://")
    for name in SERVICES:
        paths = create_app(settings, [name]).openapi_schema.to_schema()["paths"]
        assert "/health" in paths
        assert ("/api/gateways" in paths) == (name == "baggage")
