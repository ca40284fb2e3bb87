"""Orders to gateways in the database: refused, bounded, delivered, answered, forgotten."""

import asyncio
import time

import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.ordering import MOST_OPEN
from aerocast_hub.gateways.orders import (
    KEPT_DAYS,
    GatewayCannotError,
    Wish,
    give_order,
    newest_orders,
    waiting_orders,
)
from aerocast_hub.gateways.registry import add_gateway, revoke_gateway
from aerocast_hub.inbox.courier import Courier
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.retention.forget import DAY_US, forget
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols import commands
from aerocast_protocols.commands import CommandResult
from aerocast_protocols.topics import up
from sqlalchemy import select

from tests.hub.inbox.wire import GATEWAY, SITE, status

HALL_1, HALL_2 = (SITE, GATEWAY), (SITE, "hall-2")
PING, RESTART = Wish("ping", None), Wish("restart_device", "portal")


def now_us():
    return time.time_ns() // 1000


@pytest.fixture
async def inbox(database):
    """Two gateways that have just said they are there."""
    metrics = Metrics()
    made = Inbox(database, {}, Publisher(database, metrics), metrics)
    async with database.writing() as session:
        for site, name in (HALL_1, HALL_2):
            await add_gateway(session, site, name)
    await made.receive(
        [status("online", gateway=name, received_at_us=now_us()) for _, name in (HALL_1, HALL_2)]
    )
    return made


async def order(database, wish=PING, name=HALL_1, at_us=None):
    async with database.writing() as session:
        return await give_order(session, name, wish, "anna", at_us or now_us())


async def known(database, name=HALL_1, at_us=None):
    async with database.reading() as session:
        return await newest_orders(session, name, 20, at_us or now_us())


def answer(order_id, gateway=GATEWAY, **told):
    payload = commands.encode(CommandResult(id=order_id, **told))
    return Message(up(SITE, gateway, "result"), payload, now_us())


async def kinds(database):
    async with database.reading() as session:
        found = await session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id))
        return [each for each in found if each.startswith("gateway_order")]


async def test_an_answer_is_kept_with_its_order_and_only_the_first(inbox, database):
    asked = await order(database, RESTART)
    assert (asked.state, asked.asked_by, asked.device) == ("waiting", "anna", "portal")
    assert await inbox.receive([answer(asked.id, output="restarted\0")]) == []
    await inbox.receive([answer(asked.id, error="something else")] * 2)
    (found,) = await known(database)
    assert (found.state, found.output, found.error) == ("done", "restarted?", None)
    assert found.answered_at_us >= found.asked_at_us
    assert await kinds(database) == ["gateway_ordered", "gateway_order_answered"]
    failed = await order(database, RESTART)
    await inbox.receive([answer(failed.id, error="no device\0")])
    newest, *_ = await known(database)
    assert (newest.state, newest.error) == ("failed", "no device?")


async def test_a_forged_answer_changes_nothing(inbox, database):
    asked = await order(database)
    (own,) = await waiting(database)
    await inbox.receive([answer(asked.id, "hall-2", output="pong"), answer("x", output="pong")])
    await inbox.receive([answer(asked.id, "hall-3", output="pong")])  # nobody's name
    await inbox.receive(
        [
            answer(asked.id)._replace(payload=b"\xff"),
            answer(asked.id)._replace(payload=commands.encode(own.command)),
        ]
    )
    async with database.writing() as session:
        await revoke_gateway(session, *HALL_1)
    await inbox.receive([answer(asked.id, output="pong")])
    assert [each.state for each in await known(database)] == ["waiting"]
    assert await kinds(database) == ["gateway_ordered"]


async def waiting(database, at_us=None):
    async with database.reading() as session:
        return await waiting_orders(session, at_us or now_us())


async def test_an_order_without_an_answer_expires_and_a_late_answer_still_counts(inbox, database):
    asked = await order(database)
    assert [each.command.id for each in await waiting(database)] == [asked.id]
    assert await waiting(database, asked.expires_at_us) == []
    (found,) = await known(database, at_us=asked.expires_at_us)
    assert found.state == "no_answer"
    await inbox.receive([answer(asked.id, output="pong")])
    (found,) = await known(database, at_us=asked.expires_at_us)
    assert found.state == "done"


async def test_two_who_order_at_once_do_not_get_past_the_bound(inbox, database, database_url):
    other = Database(database_url)
    asked = await asyncio.gather(
        *(order(on) for on in (database, other) for _ in range(MOST_OPEN)), return_exceptions=True
    )
    await other.close()
    refused = [each for each in asked if isinstance(each, GatewayCannotError)]
    assert (len(asked), len(refused)) == (2 * MOST_OPEN, MOST_OPEN)
    assert len(await waiting(database)) == MOST_OPEN
    await order(database, name=HALL_2)  # another gateway has its own
    first = (await waiting(database))[0].command.id
    await inbox.receive([answer(first, output="pong")])
    await order(database)


async def test_who_is_silent_or_revoked_is_given_none(inbox, database):
    later_us = now_us() + 91_000_000
    with pytest.raises(GatewayCannotError, match="hall-1 is not connected, silent since 20"):
        await order(database, at_us=later_us)
    await inbox.receive([status("gone", received_at_us=now_us())])
    with pytest.raises(GatewayCannotError, match="hall-1 is not connected, silent since"):
        await order(database)
    await order(database, name=HALL_2)
    async with database.writing() as session:
        await revoke_gateway(session, *HALL_2)
    with pytest.raises(GatewayCannotError, match="hall-2 is revoked"):
        await order(database, name=HALL_2)
    assert await waiting(database) == []  # nor is it brought the one from before
    assert await known(database) == []


async def test_orders_are_forgotten_after_a_month_whatever_else_is_kept(inbox, database):
    asked = await order(database)
    old_us = asked.asked_at_us + KEPT_DAYS * DAY_US
    assert not await forget(database, old_us, record_days=0, personal_days=0)
    counts = await forget(database, old_us + 1, record_days=0, personal_days=0)
    assert counts["gateway_orders"] == 1
    assert await known(database) == []


class Broker:
    """Takes orders while it is there."""

    def __init__(self):
        self.is_connected = asyncio.Event()
        self.turned_at_s = 0.0
        self.taken = []

    async def run(self):
        """Need not: it is a broker already."""

    async def order(self, topic, payload):
        if self.is_connected.is_set():
            self.taken.append((topic, commands.decode(payload)))
        return self.is_connected.is_set()


async def test_an_order_is_published_again_until_it_is_answered_or_expires(inbox, database):
    broker = Broker()
    courier = Courier(database, Publisher(database, Metrics()), broker)
    asked, other = await order(database, RESTART), await order(database, PING, HALL_2)
    soon_us, again_us = asked.asked_at_us + 1_000_000, asked.asked_at_us + 12_000_000
    await courier.deliver(asked.asked_at_us)  # nobody is there to take it
    broker.is_connected.set()
    for _ in range(3):
        await courier.deliver(soon_us)
    (topic, command), (_, ping) = broker.taken
    assert topic == f"aerocast/1/{SITE}/{GATEWAY}/down/command"
    assert (command.id, command.verb, command.device) == (asked.id, "restart_device", "portal")
    assert command.expires_at_us == asked.expires_at_us
    assert ping.id == other.id
    await inbox.receive([answer(other.id, "hall-2", output="pong")])
    await courier.deliver(again_us)
    assert [each.id for _, each in broker.taken] == [asked.id, other.id, asked.id]
    await courier.deliver(asked.expires_at_us)
    await inbox.receive([answer(asked.id, output="restarted")])
    await courier.deliver(again_us + 20_000_000)
    assert len(broker.taken) == 3
