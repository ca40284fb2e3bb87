import time

import msgspec
from aerocast_hub.app import create_app
from aerocast_hub.auth.permissions import FIRST_ROLES
from aerocast_hub.gateways.observations import count_stored, list_stored
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.cards import BadgeShown
from litestar.testing import AsyncTestClient

from tests.hub.inbox.wire import GATEWAY, SITE, batch, tag, tags


async def test_what_was_stored_is_shown_newest_first_with_bytes_in_hex(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    await Inbox(database, {}, Publisher(database, metrics), metrics).receive([tags(1, 10)])
    async with database.reading() as session:
        latest = await list_stored(session, kind="tag_read", gateway=GATEWAY, limit=3)
        assert await list_stored(session, kind="no_read") == []
        assert await list_stored(session, gateway="another") == []
        assert len(await list_stored(session, limit=-1)) == 1
        assert await count_stored(session) == await count_stored(session, kind="tag_read") == 10
    assert [each.sequence for each in latest] == [10, 9, 8]
    assert latest[0].observation["kind"] == "tag_read"
    assert bytes.fromhex(latest[0].observation["epc"])


async def test_who_looks_after_gateways_sees_that_something_was_read_and_no_bag(
    database, database_url, tmp_path
):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    badge = BadgeShown(device="desk", boot_ns=1, badge=bytes(range(32)))
    shown = msgspec.msgpack.encode(badge)
    read = [*(tag(number) for number in range(1, 4)), shown]
    await Inbox(database, {}, Publisher(database, metrics), metrics).receive([batch(1, read)])
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path, broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as hub:
        for role, sees in (("technician", False), ("viewer", True)):
            allowed = FIRST_ROLES[role].permissions
            issued = hub.app.state.hub.keys.signer.issue("1", role, allowed, int(time.time()))
            headers = {"authorization": f"Bearer {issued}"}
            stored = (await hub.get("/api/observations", headers=headers)).json()
            told = {each["observation"]["kind"]: each["observation"] for each in stored}
            assert (told["tag_read"]["epc"] is not None) == sees
            assert told["tag_read"]["antenna"] == 1
            assert told["badge_shown"]["badge"] is None
