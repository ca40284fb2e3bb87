import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.controller import GatewayController
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient


@pytest.fixture
async def client(database_url):
    database = Database(database_url)  # of the application's own: it has a loop of its own
    publisher = Publisher(database, Metrics())

    app = Litestar(
        [GatewayController],
        dependencies={
            "database": Provide(lambda: database, sync_to_thread=False),
            "publisher": Provide(lambda: publisher, sync_to_thread=False),
        },
        on_shutdown=[database.close],
        logging_config=None,
    )
    async with AsyncTestClient(app) as opened:
        yield opened


async def test_a_gateway_is_added_seen_and_revoked(client):
    place = {"latitude_deg": 43.6, "longitude_deg": 1.3}
    gateway = {"site": "lfbo", "name": "hall-1", "position": place}
    assert (await client.post("/api/gateways", json=gateway)).status_code == 201
    assert (await client.post("/api/gateways", json=gateway)).status_code == 400
    (listed,) = (await client.get("/api/gateways")).json()
    assert (listed["state"], listed["position"]["latitude_deg"]) == ("never", 43.6)
    assert (await client.get("/api/gateways/lfbo/hall-1")).json() == listed
    (account,) = (await client.get("/api/gateways/losses")).json()
    assert account["unexplained"] == 0
    assert (account["accepted"], account["durable"], account["acknowledged"]) == (0, 0, 0)
    assert (await client.get("/api/gateways/lfbo/hall-1/lives")).json() == []
    revoked = await client.post("/api/gateways/lfbo/hall-1/revoke")
    assert revoked.json()["revoked_at_us"] is not None
    assert (await client.get("/api/gateways/lfbo/hall-1")).json()["state"] == "revoked"


async def test_a_gateway_nobody_registered_is_not_found(client):
    assert (await client.get("/api/gateways/lfbo/none")).status_code == 404
    assert (await client.get("/api/gateways/lfbo/none/lives")).status_code == 404
    assert (await client.post("/api/gateways/lfbo/none/revoke")).status_code == 404


@pytest.mark.parametrize("body", [{}, {"site": "lfbo", "name": "No"}, {"site": "a", "x": 1}])
async def test_what_is_no_gateway_is_refused(client, body):
    assert (await client.post("/api/gateways", json=body)).status_code == 400


async def test_every_gateway_route_says_what_opens_it():
    for handler in GatewayController(owner=Litestar([])).get_route_handlers():
        assert handler.opt["permission"] in {"gateways:read", "gateways:write"}
