from aerocast_hub.gateways.observations import count_stored, list_stored
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics

from tests.hub.inbox.wire import GATEWAY, SITE, tags


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
