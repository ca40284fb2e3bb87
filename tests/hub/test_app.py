import httpx
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


@pytest.mark.parametrize("name", ["forwarded", "x-forwarded-for", "x-real-ip"])
async def test_metrics_are_kept_from_who_comes_by_a_proxy_on_this_machine(settings, name):
    """Its own address is this machine's; whose the others are nobody was told to believe."""
    app = create_app(settings, ["weather"])
    here = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=here, base_url="http://hub") as client:
        assert (await client.get("/metrics")).status_code == 200
        told = await client.get("/metrics", headers={name: "203.0.113.9"})
        assert told.status_code == 403


async def test_every_service_can_be_described_alone():
    settings = load_settings(mode="dev", database_url="sqlite+aiosqlite://")
    for name in SERVICES:
        paths = create_app(settings, [name]).openapi_schema.to_schema()["paths"]
        assert "/health" in paths
        assert ("/api/gateways" in paths) == (name == "baggage")
