import pytest
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.quarantine import QuarantineController
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from tests.hub.inbox.wire import EPOCH, GATEWAY, NOW_US, SITE, batch, tag


@pytest.fixture
def permissions():
    return {"gateways:read", "baggage:read"}


@pytest.fixture
async def client(database_url, permissions):
    database = Database(database_url)  # of the application's own: it has a loop of its own

    def who_may(connection, _):
        may = frozenset(permissions)
        connection.scope["user"] = Principal(
            user_id="1", name="x", permissions=may, expires_at_s=2**40
        )

    def give():
        return database

    app = Litestar(
        [QuarantineController],
        guards=[who_may],
        dependencies={"database": Provide(give, sync_to_thread=False)},
        on_shutdown=[database.close],
        logging_config=None,
    )
    async with AsyncTestClient(app) as opened:
        yield opened


async def test_what_could_not_be_taken_in_is_shown_with_its_reason(client, database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    inbox = Inbox(database, {}, Publisher(database, metrics), metrics)
    assert (await client.get("/api/quarantine")).json() == []
    await inbox.receive([batch(1, [tag(1), b"\xa3ufo"])])
    await inbox.receive([Message(f"aerocast/1/{SITE}/{GATEWAY}/up/2", b"\xc1noise", NOW_US)])
    message, observation = (await client.get("/api/quarantine")).json()
    assert (message["part"], message["payload_hex"], message["sequence"]) == (
        "message",
        b"\xc1noise".hex(),
        None,
    )
    assert (observation["part"], observation["epoch"], observation["lane"]) == (
        "observation",
        EPOCH,
        2,
    )
    assert (observation["sequence"], observation["payload_hex"]) == (2, b"\xa3ufo".hex())
    assert observation["reason"].startswith("observation cannot be read")
    assert len((await client.get("/api/quarantine?limit=1")).json()) == 1


@pytest.mark.parametrize("permissions", [{"gateways:read"}])
async def test_who_may_see_no_bag_sees_why_and_not_what(client, database):
    metrics = Metrics()
    inbox = Inbox(database, {}, Publisher(database, metrics), metrics)
    await inbox.receive([Message(f"aerocast/1/{SITE}/{GATEWAY}/up/2", b"\xc1noise", NOW_US)])
    (aside,) = (await client.get("/api/quarantine")).json()
    assert (aside["part"], aside["payload_hex"]) == ("message", None)


async def test_it_opens_to_those_who_may_see_gateways():
    for handler in QuarantineController(owner=Litestar([])).get_route_handlers():
        assert handler.opt["permission"] == "gateways:read"
