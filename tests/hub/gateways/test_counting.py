import asyncio

import msgspec
from aerocast_hub.gateways.counting import keep_counted, tell_devices
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.state import absorb, retime
from aerocast_hub.gateways.views import GatewayView, loss_accounts, view_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.sighting import Retimed, Sighting
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.gateways import DeviceHealth, GatewayHealth

from tests.hub.inbox.wire import EPOCH, GATEWAY, SECOND_NS, SITE, batch, tags


def health(accepted, durable, acked, *, evicted=0, dead=0):
    return GatewayHealth(
        device="agent",
        boot_ns=SECOND_NS,
        agent_version="0.1.0",
        accepted=accepted,
        durable=durable,
        acked=acked,
        evicted=evicted,
        dead=dead,
    )


async def test_the_account_is_among_the_metrics(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    inbox = Inbox(database, {"gateways": absorb}, Publisher(database, metrics), metrics)
    told = batch(1, [health(60, 50, 40, evicted=3, dead=2)], lane=1)
    await inbox.receive([tags(1, 10), tags(21, 30, oldest=15), told])
    async with running(keep_counted(database, metrics)), asyncio.timeout(60):
        while b'fate="unexplained"' not in metrics.text():  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.01)
    lines = {
        line.split('fate="')[1].split('"')[0]: float(line.split()[-1])
        for line in metrics.text().decode().splitlines()
        if line.startswith("aerocast_hub_gateway_observations{")
    }
    assert lines == {
        "accepted": 60,
        "durable": 50,
        "acknowledged": 40,
        "evicted": 3,
        "dead": 2,
        "received": 21,
        "refused": 0,
        "awaited": 6,
        "explained": 0,
        "unexplained": 4,
    }


async def test_the_last_word_of_each_life_counts_in_any_order(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    inbox = Inbox(database, {"gateways": absorb}, Publisher(database, metrics), metrics)
    await inbox.receive([batch(2, [health(90, 90, 80)], lane=1)])
    await inbox.receive([batch(1, [health(50, 50, 10)], lane=1)])
    await inbox.receive([batch(1, [health(7, 7, 7)], lane=1, epoch=EPOCH + (1 << 32))])
    async with database.reading() as session:
        (account,) = await loss_accounts(session)
    assert (account.accepted, account.durable, account.acknowledged) == (97, 97, 87)


async def test_the_time_of_the_last_health_is_corrected_with_the_rest(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    inbox = Inbox(database, {"gateways": absorb}, Publisher(database, metrics), metrics)
    await inbox.receive([batch(1, [health(1, 1, 1), health(2, 2, 2)], lane=1)])
    right = [
        Sighting(
            site=SITE, gateway=GATEWAY, epoch=EPOCH, lane=1, sequence=sequence,
            seen_at_us=sequence, clock_quality=4, observation=health(1, 1, 1),
        )
        for sequence in (2, 1)
    ]  # fmt: skip
    async with database.writing() as session:
        assert await retime(session, [Retimed(each, 0) for each in right]) == []
    async with database.reading() as session:
        view = await view_gateway(session, SITE, GATEWAY, 10)
    assert view.health_at_us == 2


def test_devices_are_among_the_metrics_as_long_as_their_gateway_names_them():
    told = msgspec.structs.replace(
        health(1, 1, 1),
        devices={"portal-4": "connected", "desk": "lost"},
        device_health={
            "portal-4": DeviceHealth(
                state="connected",
                last_seen_age_s=0.4,
                reads=900,
                reads_per_s=12.5,
                reconnects=2,
                antennas={1: True, 2: False},
            ),
            "desk": DeviceHealth(state="lost", error="unplugged"),
        },
    )
    gateway = GatewayView(site=SITE, name=GATEWAY, state="online", health=told)
    metrics = Metrics()
    tell_devices(metrics, [gateway])

    def value(name, **labels):
        labels = {"site": SITE, "gateway": GATEWAY, **labels}
        return metrics.registry.get_sample_value(f"aerocast_hub_gateway_{name}", labels)

    assert value("device_up", device="portal-4") == 1
    assert value("device_up", device="desk") == 0
    assert value("device_reads_per_second", device="portal-4") == 12.5
    assert value("device_reconnects", device="portal-4") == 2
    assert value("device_last_seen_seconds", device="portal-4") == 0.4
    assert value("device_last_seen_seconds", device="desk") is None
    assert value("antenna_connected", device="portal-4", antenna="2") == 0
    tell_devices(metrics, [msgspec.structs.replace(gateway, state="silent")])
    assert value("device_up", device="portal-4") == 0  # who knows?
    tell_devices(metrics, [msgspec.structs.replace(gateway, health=health(1, 1, 1))])
    assert value("device_up", device="portal-4") is None
