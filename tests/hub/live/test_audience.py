"""Open pages: woken by what concerns them alone, never too many, let go when it is over."""

import asyncio

import pytest
from aerocast_hub.asking.client import ServiceAwayError
from aerocast_hub.events.bags import BagChanged
from aerocast_hub.events.flights import FlightLanded, FlightScheduled
from aerocast_hub.events.passengers import PassengerLinkRevoked
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.events.ramp import RampClosed
from aerocast_hub.live import audience as audiences
from aerocast_hub.live.audience import Audience, FullError, Shown, stream, subjects_of
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.telemetry.metrics import Metrics


class Hears:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def take_in(self, event):
        self.told.append(event)

    def forget_all(self):
        self.told.append("all")


class Page:
    """Something shown that changes."""

    def __init__(self):
        self.looks = asyncio.Semaphore(0)
        self.shown = Shown(b"first", "1")

    async def __call__(self, _listener):
        self.looks.release()
        return self.shown


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.fixture
def publisher(database):
    return Publisher(database, Metrics())


@pytest.fixture
def audience(publisher, monkeypatch):
    monkeypatch.setattr(audiences, "SETTLES_S", 0.0)
    return Audience(publisher, Hears())


def changed(bag_id):
    return BagChanged(at_us=1, bag_id=bag_id, licence_plate="0220123456", state="loaded")


def test_events_say_what_they_are_about():
    assert subjects_of(changed("b")) == {"bag b"}
    assert subjects_of(FlightLanded(at_us=1, flight_id="f", sigma_s=1)) == {"flight f", "flights"}
    assert subjects_of(FlightScheduled(at_us=1, flight_id="f")) == {"flight f", "flights"}
    assert subjects_of(PassengerLinkRevoked(at_us=1, link_id="l")) == {"link l"}
    closed = RampClosed(at_us=1, airport="LFBO", reason="thunder", since_us=1)
    assert subjects_of(closed) == {"ramp lfbo", "ramp tls"}
    redrawn = PlacesChanged(at_us=1, airport="TLS", what="map")
    assert subjects_of(redrawn) == {"places lfbo", "places tls"}


async def test_a_page_hears_of_what_concerns_it_and_only_when_it_changed(audience):
    page = Page()
    with audience.listening("link a", "phone") as listener:
        audience.concern(listener, frozenset({"bag mine"}))
        told = stream(audience, listener, page, seen="", every_s=60)
        assert b"event: ready" in await anext(told)
        assert b"data: first" in await anext(told)
        coming = asyncio.create_task(anext(told))
        await asyncio.sleep(0)
        audience.take_in(changed("another's"))
        audience.take_in(changed("mine"))  # nothing new to show
        await page.looks.acquire()  # the first look
        await page.looks.acquire()
        assert not coming.done()
        page.shown = Shown(b"second", "2")
        audience.take_in(changed("mine"))
        assert b"data: second" in await coming
        await page.looks.acquire()
        assert page.looks.locked()
    assert audience._by_subject == {}
    assert len(audience._hears.told) == 3


async def test_a_page_that_comes_back_is_not_sent_what_it_shows(audience):
    with audience.listening("link a", "phone") as listener:
        told = stream(audience, listener, Page(), seen="1", every_s=0.01)
        assert b"event: ready" in await anext(told)
        assert b"event: here" in await anext(told)


async def test_a_page_keeps_what_it_shows_while_a_service_is_away(audience):
    page, is_away = Page(), False

    async def look(listener):
        if is_away:
            raise ServiceAwayError("the baggage service does not answer")
        return await page(listener)

    with audience.listening("link a", "phone") as listener:
        told = stream(audience, listener, look, "", every_s=0.01)
        assert b"event: ready" in await anext(told)
        assert b"first" in await anext(told)
        is_away = True
        assert b"event: here" in await anext(told)
        assert b"event: here" in await anext(told)
        is_away, page.shown = False, Shown(b"second", "2")
        while b"second" not in (each := await anext(told)):
            assert b"event: here" in each
        await told.aclose()


async def test_a_stream_is_over_when_there_is_nothing_to_show_any_more(audience):
    page = Page()
    page.shown = None
    with audience.listening("link a", "phone") as listener:
        told = [chunk async for chunk in stream(audience, listener, page, seen="")]
    assert b"event: over" in told[-1]


async def test_the_oldest_of_too_many_of_one_link_is_let_go_and_clients_are_bounded(
    audience, monkeypatch
):
    monkeypatch.setattr(audiences, "MOST_OF_CLIENT", 5)
    rooms = [audience.listening("link a", "phone") for _ in range(5)]
    listeners = [each.__enter__() for each in rooms]
    assert [each.is_let_go for each in listeners] == [True, False, False, False, False]
    left = [chunk async for chunk in stream(audience, listeners[0], Page(), seen="")]
    assert len(left) == 1
    with pytest.raises(FullError):
        audience.check_room("phone")
    audience.check_room("another")
    rooms[0].__exit__(None, None, None)
    audience.check_room("phone")
    monkeypatch.setattr(audiences, "MOST", 4)
    with pytest.raises(FullError):
        audience.check_room("another")


async def test_what_is_committed_wakes_pages_and_a_hub_that_stops_lets_them_go(
    audience, publisher, database
):
    page = Page()
    following = asyncio.create_task(audience.follow())
    with audience.listening("link a", "phone") as listener:
        audience.concern(listener, frozenset({"bag mine"}))
        told = stream(audience, listener, page, seen="1", every_s=60)
        await anext(told)
        coming = asyncio.create_task(anext(told, None))
        await page.looks.acquire()
        page.shown = Shown(b"second", "2")
        async with database.writing() as session:
            await write_events(session, [changed("mine")])
        await publisher.publish_committed()
        assert b"data: second" in await coming
        last = asyncio.create_task(anext(told, None))
        await asyncio.sleep(0)
        publisher.close()
        assert await last is None
    following.cancel()
