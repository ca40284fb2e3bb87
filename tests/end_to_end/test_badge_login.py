"""A badge held to a gateway's reader lets its holder in at the hub: card, agent, MQTT, hub."""

import pytest
from aerocast_simulator.hub_client import HubError
from aerocast_simulator.town import OPERATOR, Gateway, Hub
from aerocast_simulator.virtual_card import Type2Card

from tests.end_to_end.conftest import until
from tests.pcsc import running_pcscd

pytest.importorskip("smartcard", reason="pyscard is not installed: make smartcard")

BADGE_UID = bytes.fromhex("04DEADBEEF0102")
PIN = "314159"
AT_THE_GATEWAY = {"site": "lfbo", "gateway": "hall-1", "pin": PIN}


async def test_a_badge_held_to_a_gateways_reader_and_its_pin_let_in_once(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "hub", metars=None)
    await hub.prepare()
    (tmp_path / "badge.key").write_bytes(bytes(range(32)))
    configuration = {
        "gateway": {"site": "lfbo", "name": "hall-1"},
        "device": [
            {
                "name": "desk",
                "kind": "smartcard",
                "purpose": "badges",
                "badge_key": str(tmp_path / "badge.key"),
            }
        ],
    }
    async with running_pcscd(tmp_path) as (slot, where):
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", where)
        gateway = Gateway(tmp_path / "hall-1", configuration, hub)
        await hub.start()
        await hub.client.post("/api/gateways", {"site": "lfbo", "name": "hall-1"})
        await gateway.process.start()
        try:
            await until(gateway.status, lambda said: seen_at_the_desk(said) == 1)  # connected
            await show(gateway, slot)
            await hub.client.post("/auth/badges", {**AT_THE_GATEWAY, "user": OPERATOR})
            await slot.remove()
            await until(gateway.status, lambda said: seen_at_the_desk(said) == 3)
            await show(gateway, slot)
            assert (await hub.client.post("/auth/badges/login", AT_THE_GATEWAY))["access_token"]
            with pytest.raises(HubError, match="401"):  # that showing is used up
                await hub.client.post("/auth/badges/login", AT_THE_GATEWAY)
            kept = await hub.client.get("/api/observations")
        finally:
            await gateway.process.stop()
            await hub.process.stop()
    logs = (gateway.folder / "agent.log").read_text() + (hub.folder / "hub.log").read_text()
    for secret in (BADGE_UID.hex(), PIN):
        assert secret not in (logs + str(kept)).lower()


async def show(gateway, slot):
    """Hold the badge to the reader, until the hub has heard of it."""
    before = seen_at_the_desk(await gateway.status())
    await slot.insert(Type2Card(BADGE_UID))
    await until(
        gateway.status, lambda said: seen_at_the_desk(said) > before and is_all_at_the_hub(said)
    )


def is_all_at_the_hub(status):
    """Say whether nothing waits, neither on disk nor for its commit."""
    return status["since_start"]["acked"] == status["since_start"]["accepted"]


def seen_at_the_desk(status):
    return status["observations_by_device"].get("desk", 0)
