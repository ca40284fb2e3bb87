"""What changes of a map reaches open pages at once, at whichever hub they are open."""

import asyncio
import contextlib
from importlib.resources import files

import pytest
from aerocast_hub.baggage.tables import BagRow
from aerocast_hub.events.every import decode_event
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.live.audience import Audience, Shown, stream
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.passenger_links import Links
from aerocast_hub.orientation.places.imports import import_places
from aerocast_hub.orientation.places.store import Outage, close, reopen
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from sqlalchemy import select

from tests.hub.live.test_doorbell import redis_server, two_hubs
from tests.hub.orientation.traveller import PLATE, aircraft, announce, now_us

assert two_hubs  # two publishers that hear of each other over the bell alone
assert redis_server  # and the bell
NEVER_S = 3600.0  # no page looks by itself


@pytest.fixture
def engine_kind():
    """Nothing here is another on the other database."""
    return "sqlite"


@pytest.fixture
def drawn(tmp_path):
    file = tmp_path / "places.toml"
    text = (files("aerocast_simulator") / "places.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('"B12"', '"B2"'), encoding="utf-8")
    return file


def lift_closed(number, subject="lift-c"):
    return Outage(
        id=f"o{number}", airport="TLS", subject=subject, from_us=now_us(), until_us=None,
        reason="repair", told_by="op",
    )  # fmt: skip


async def places_told(database):
    async with database.reading() as session:
        bodies = await session.scalars(select(OutboxRow.body).order_by(OutboxRow.id))
        told = [decode_event(body) for body in bodies]
    return [(each.airport, each.what) for each in told if isinstance(each, PlacesChanged)]


async def test_each_change_of_a_map_is_told_once_and_what_changes_nothing_is_not(database, drawn):
    for _ in range(2):
        await import_places(database, drawn)
    async with database.writing() as session:
        await close(session, lift_closed(1), now_us())
        for _ in range(2):
            await reopen(session, "TLS", "o1", "op", now_us())
        await reopen(session, "TLS", "none", "op", now_us())
    assert await places_told(database) == [("TLS", "map"), ("TLS", "closed"), ("TLS", "reopened")]


class OpenPage:
    """A passenger's page in a wheelchair at one hub; it looks when it is told, never by itself."""

    def __init__(self, database, publisher, passenger):
        self.advisor = Advisor(database, Metrics(), Links(lambda: b"k" * 32))
        self.audience = Audience(publisher, self.advisor.around)
        self._passenger = passenger

    async def look(self, listener):
        advised = await self.advisor.of_passenger(self._passenger, now_us(), "wheelchair")
        self.audience.concern(listener, advised.concerns)
        shown = repr(advised.advice.way).encode()
        return Shown(shown, shown.decode())


async def next_news(told):
    async with asyncio.timeout(60):
        while b"event: news" not in (chunk := await anext(told)):
            pass
    return chunk


async def test_a_page_open_at_another_hub_learns_of_a_map_and_a_closed_lift_at_once(
    database, two_hubs, drawn, tmp_path
):
    here, there = two_hubs
    await announce(database, tmp_path, minutes_ago=2)
    await aircraft(database, ("landed", 6), ("on_stand", 1))
    async with database.reading() as session:
        passenger = await session.scalar(
            select(BagRow.passenger_id).where(BagRow.licence_plate == PLATE)
        )
    page = OpenPage(database, there, passenger)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(running(page.audience.follow()))
        listener = stack.enter_context(page.audience.listening("link a", "phone"))
        told = stream(page.audience, listener, page.look, "", NEVER_S)
        stack.push_async_callback(told.aclose)
        assert b"lift" not in await next_news(told)  # nobody has drawn a map

        await import_places(database, drawn)
        here.wake()
        assert b"lift" in await next_news(told)

        async with database.writing() as session:
            await close(session, lift_closed(1), now_us())
        here.wake()
        closed = await next_news(told)
        async with database.writing() as session:
            await reopen(session, "TLS", "o1", "op", now_us())
        here.wake()
        assert await next_news(told) != closed
