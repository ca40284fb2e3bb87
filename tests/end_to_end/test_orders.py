"""Orders: asked of one hub, brought by another over its broker, carried out by a real gateway."""

import asyncio
import json

import pytest
from aerocast_simulator.hub_client import HubClient, HubError
from aerocast_simulator.processes import Service, free_port
from aerocast_simulator.town import OPERATOR, Hub

from tests.end_to_end.conftest import until
from tests.end_to_end.enrolled import Gateway

pytestmark = pytest.mark.timeout(300)  # two hubs, a broker and a gateway, beside other tests


async def beside(hub):
    """Start another process on a hub's database, without a broker; give it and its client."""
    port = free_port()
    environment = hub.environment | {
        "AEROCAST_HUB_HTTP_PORT": str(port),
        "AEROCAST_HUB_BROKER_URL": "none:",
    }
    process = Service("aerocast-hub", ["serve"], environment, hub.folder / "other.log")
    await process.start()
    client = HubClient(f"http://127.0.0.1:{port}")

    async def look():
        try:
            await client.login(OPERATOR, hub.password)
        except (OSError, HubError):
            return False
        return True

    assert await until(look, bool)
    return process, client


async def answered(client, gateway, order):
    """Wait until an order has an answer."""

    async def look():
        orders = (await client.get(f"{gateway.path}/orders"))["items"]
        return next(each for each in orders if each["id"] == order["id"])

    return await until(look, lambda found: found["state"] != "waiting")


async def test_a_gateway_carries_out_what_is_ordered_at_a_hub_without_a_broker(tmp_path):
    hub = Hub(tmp_path / "hub", metars=None)
    hub.environment["AEROCAST_HUB_GATEWAY_BROKER_URL"] = f"mqtt://127.0.0.1:{hub.broker_port}"
    await hub.prepare()
    await hub.start()
    other, client = await beside(hub)
    gateway = Gateway(tmp_path / "gateway", "hall-1")
    try:
        await gateway.enrol(hub)
        with pytest.raises(HubError, match="hall-1 was never heard") as refused:
            await client.post(f"{gateway.path}/orders", {"verb": "ping"})
        assert refused.value.status == 409
        await gateway.process.start()
        before = await gateway.until(
            lambda said: said.link["connected"] and said.devices["desk"] == "connected"
        )

        async def state():
            return (await client.get(gateway.path))["state"]

        assert await until(state, lambda said: said == "online") == "online"
        wishes = [
            {"verb": "ping"},
            {"verb": "restart_device", "device": "desk"},
            {"verb": "restart_device", "device": "none"},
            {"verb": "diagnose"},
        ]
        given = [await client.post(f"{gateway.path}/orders", each) for each in wishes]
        ping, restart, nobody, bundle = await asyncio.gather(
            *(answered(client, gateway, each) for each in given)
        )
        assert (ping["state"], ping["output"], ping["asked_by"]) == ("done", "pong", OPERATOR)
        assert (restart["state"], restart["output"]) == ("done", "restarted")
        assert (nobody["state"], nobody["error"]) == ("failed", "no device 'none' in agent.toml")
        assert bundle["state"] == "done", bundle
        key = bundle["output"].rpartition(" ")[2]
        listed = await hub.command("objects", "list", "bundles/lfbo/hall-1", "--json")
        assert [json.loads(line)["key"] for line in listed.splitlines()] == [key]
        after = await gateway.until(lambda said: said.devices["desk"] == "connected")
        assert after.rss_kb - before.rss_kb < 4_000  # another process made the bundle
        await gateway.process.stop()
        assert await until(state, lambda said: said == "gone") == "gone"
        with pytest.raises(HubError, match="hall-1 is not connected, silent since 20"):
            await client.post(f"{gateway.path}/orders", {"verb": "ping"})
    finally:
        await gateway.process.stop()
        await other.stop()
        await hub.process.stop()
        gateway.scanner.unplug()
