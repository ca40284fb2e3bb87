"""Two hubs share what gateways send, and lose nothing when anything around them dies under load."""

import asyncio
import os
import random

import pytest

from tests.grow.town import Town
from tests.mosquitto import mosquitto
from tests.rabbitmq import rabbitmq

IS_SOAK = bool(os.environ.get("AEROCAST_SOAK"))
GATEWAYS = ("hall-1", "hall-2", "hall-3", "hall-4")
RATE = 400 if IS_SOAK else 100
ROUNDS = 10 if IS_SOAK else 1


async def kill_a_hub(town, _broker, chance):
    """SIGKILL one; the other takes in everything meanwhile."""
    one = chance.randrange(2)
    town.hubs[one].kill()
    await town.taken_in(10, [town.hubs[1 - one]])
    town.hubs[one].start()
    await asyncio.to_thread(town.hubs[one].wait)


async def restart_hubs_in_turn(town, _broker, _chance):
    """As an update does: one after the other, never both away."""
    for hub in town.hubs:
        await asyncio.to_thread(hub.stop)
        hub.start()
        await asyncio.to_thread(hub.wait)


async def crash_postgresql(town, _broker, chance):
    town.postgresql.crash()
    await asyncio.sleep(chance.uniform(0, 1))
    await asyncio.to_thread(town.postgresql.start)


async def kill_redis(town, _broker, chance):
    town.redis.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await asyncio.to_thread(town.redis.start)


async def kill_the_broker(_town, broker, chance):
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(chance.uniform(0, 1))
    await asyncio.to_thread(broker.start)


EVERY_FAULT = (kill_a_hub, crash_postgresql, kill_redis, kill_the_broker, restart_hubs_in_turn)
FAULTS = {
    "mosquitto": EVERY_FAULT if IS_SOAK else (kill_a_hub, crash_postgresql, kill_redis),
    "rabbitmq": EVERY_FAULT if IS_SOAK else (kill_the_broker, kill_a_hub),
}


@pytest.fixture(params=["mosquitto", "rabbitmq"])
def broker(request, tmp_path):
    """A broker, where hubs listen and where gateways speak, and what goes wrong around it."""
    if request.param == "mosquitto":
        # What waits for a hub must fit: the default, 1000 messages, is less than a burst.
        lines = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        with mosquitto(tmp_path, lines) as running:
            url = f"mqtt://127.0.0.1:{running.port}"
            yield running, url, url, FAULTS[request.param]
    else:
        (tmp_path / "rabbitmq").mkdir()
        with rabbitmq(tmp_path / "rabbitmq", configuration="mqtt.allow_anonymous = true\n") as node:
            url = f"mqtt://127.0.0.1:{node.mqtt_port}"
            yield node, node.amqp_url, url, FAULTS[request.param]


@pytest.mark.soak
@pytest.mark.timeout(3600 if IS_SOAK else 900)
async def test_two_hubs_share_the_load_and_whatever_dies_nothing_is_lost_or_doubled(
    broker, tmp_path
):
    running, hubs_url, gateways_url, faults = broker
    chance = random.Random(1)
    town = Town(tmp_path, hubs_url, gateways_url)
    try:
        await town.prepare(GATEWAYS, RATE)
        await town.taken_in(60)
        await town.shared_evenly()
        for _ in range(ROUNDS):
            for fault in chance.sample(faults, len(faults)):
                await fault(town, running, chance)
                await town.taken_in(20)
        await town.drained()
        assert await town.check() > 100
    finally:
        town.close()
