"""Events on a real RabbitMQ: in order, confirmed, nothing missing whatever is restarted."""

import asyncio
import contextlib
import json

import aio_pika
import pytest
from aerocast_hub.announcing import exchange
from aerocast_hub.announcing.asyncapi import EXCHANGE
from aerocast_hub.announcing.exchange import Announcer, announcing
from aerocast_hub.announcing.reading import events_after
from aerocast_hub.cli import main
from aerocast_hub.events.bags import BagForgotten
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from aio_pika.exceptions import AMQPError
from sqlalchemy import update

from tests.rabbitmq import rabbitmq


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq"), plugins=()) as node:
        yield node


@pytest.fixture
def engine_kind():
    """RabbitMQ is what matters here: one database will do."""
    return "sqlite"


@pytest.fixture
async def listener(broker):
    """A partner: gives functions that bind a queue, and take so many events from it."""
    names = iter(f"partner-{number}" for number in range(100))
    bound = []

    class Partner:
        async def bind(self, key):
            name = next(names)
            async with await aio_pika.connect(broker.amqp_url) as connection:
                channel = await connection.channel()
                exchange = await channel.declare_exchange(EXCHANGE, "topic", durable=True)
                queue = await channel.declare_queue(name, durable=True)
                await queue.purge()
                await queue.bind(exchange, key)
            bound.append(name)
            return name

        async def take(self, name, until):
            taken = []
            async with asyncio.timeout(90), await aio_pika.connect(broker.amqp_url) as connection:
                channel = await connection.channel()
                queue = await channel.get_queue(name)
                async with queue.iterator() as messages:
                    async for message in messages:
                        async with message.process():
                            taken.append(message)
                        if until(taken):
                            return taken
            return None

    yield Partner()
    async with await aio_pika.connect(broker.amqp_url) as connection:
        channel = await connection.channel()
        for name in bound:
            await channel.queue_delete(name)


async def commit(database, *numbers, site="lfbo"):
    async with database.writing() as session:
        events = [
            GatewayStateChanged(at_us=n, site=site, gateway=f"hall-{n}", state="gone")
            for n in numbers
        ]
        await write_events(session, events)


@contextlib.asynccontextmanager
async def hub(database, broker):
    publisher = Publisher(database, Metrics())
    announcer = Announcer(broker.amqp_url, "https://hub", database, publisher, Metrics())
    async with running(publisher.run()), running(announcer.run()):
        yield publisher


def numbers_of(messages):
    return [json.loads(message.body)["data"]["at_us"] for message in messages]


async def test_events_come_in_order_and_as_bound(database, broker, listener, monkeypatch):
    # What RabbitMQ confirms later than that is sent again.
    monkeypatch.setattr(exchange, "CONFIRMED_WITHIN_S", 60.0)
    everything, elsewhere = await listener.bind("#"), await listener.bind("*.lfpg")
    await commit(database, *range(1, 301))
    async with hub(database, broker) as publisher:
        taken = await listener.take(everything, lambda taken: len(taken) == 300)
        await commit(database, 301)
        await commit(database, 302, site="lfpg")
        publisher.wake()
        taken += await listener.take(everything, lambda taken: len(taken) == 2)
        (only,) = await listener.take(elsewhere, lambda taken: len(taken) == 1)
    assert numbers_of(taken) == list(range(1, 303))
    assert numbers_of([only]) == [302]
    assert only.routing_key == "gateway_state_changed.lfpg"
    assert only.content_type.startswith("application/cloudevents+json")
    assert only.message_id == json.loads(only.body)["id"]


async def test_an_event_names_the_trace_that_made_it(database, broker, listener):
    made_by = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    queue = await listener.bind("#")
    await commit(database, 1, 2)
    async with database.writing() as session:
        traced = update(OutboxRow).where(OutboxRow.id == 2).values(traceparent=made_by)
        await session.execute(traced)
    async with hub(database, broker):
        plain, traced = await listener.take(queue, lambda taken: len(taken) == 2)
    assert "traceparent" not in json.loads(plain.body)
    assert json.loads(traced.body)["traceparent"] == made_by


async def test_a_hub_that_comes_back_goes_on_where_it_was(database, broker, listener):
    queue = await listener.bind("#")
    await commit(database, 1, 2)
    async with hub(database, broker):
        first = await listener.take(queue, lambda taken: len(taken) == 2)
    await commit(database, 3)
    async with hub(database, broker):
        second = await listener.take(queue, lambda taken: 3 in numbers_of(taken))
    # Stopped between RabbitMQ's word and its own note, it sends again what is in doubt.
    assert numbers_of(first) == [1, 2]
    assert numbers_of(second)[-1] == 3


@pytest.mark.timeout(300)
async def test_rabbitmq_killed_while_events_come_loses_none(database, broker, listener):
    queue = await listener.bind("#")
    async with hub(database, broker) as publisher:
        for number in range(1, 61):
            await commit(database, number)
            publisher.wake()
            if number == 20:
                await asyncio.to_thread(broker.kill)
            if number == 40:
                await asyncio.to_thread(broker.start)
        taken = await listener.take(queue, lambda taken: len(set(numbers_of(taken))) == 60)
    # What was in doubt is sent again, under the same id.
    ids = {json.loads(message.body)["id"] for message in taken}
    assert len(ids) == 60
    firsts = sorted(set(numbers_of(taken)), key=numbers_of(taken).index)
    assert firsts == list(range(1, 61)), "each is first told after those before it"


async def test_events_are_sent_again_to_one_queue_or_to_all(
    database, database_url, broker, listener, monkeypatch, capsys
):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("AEROCAST_HUB_AMQP_URL", broker.amqp_url)
    await commit(database, 1, 2, 3)
    async with database.writing() as session:
        await write_events(session, [BagForgotten(at_us=4, bag_id="b")])
    all_of_them, only = await listener.bind("#"), await listener.bind("nothing")
    done = await asyncio.to_thread(main, ["events", "replay", "--after", "1", "--json"])
    assert (done, capsys.readouterr().out) == (0, '{"sent":3,"up_to":4}\n')
    replay = ["events", "replay", "--queue", only, "--kinds", "bag_forgotten"]
    assert await asyncio.to_thread(main, replay) == 0
    assert capsys.readouterr().out == "1 events were sent again, up to number 4\n"
    assert numbers_of(await listener.take(all_of_them, lambda taken: len(taken) == 3)) == [2, 3, 4]
    assert numbers_of(await listener.take(only, lambda taken: len(taken) == 1)) == [4]
    assert await asyncio.to_thread(main, ["events", "replay", "--queue", "nobody"]) == 1
    assert "0 events were sent" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["events", "list", "--after", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "aerocast.hub.bag_forgotten"


async def test_a_queue_that_is_none_is_named(broker):
    with pytest.raises(AMQPError, match="nobody"):
        async with announcing(broker.amqp_url, "https://hub", "nobody"):
            pytest.fail("it is there")


async def test_reading_goes_on_behind_what_no_kind_asked_for_stands(database):
    await commit(database, 1, 2)
    async with database.reading() as session:
        stretch = await events_after(session, 0, 10, ("bag_forgotten",))
        assert stretch == ([], None)
        stretch = await events_after(session, 1, 10, ("gateway_state_changed",))
        assert [each.number for each in stretch.events] == [2]
