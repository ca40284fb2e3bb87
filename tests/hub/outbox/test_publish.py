import asyncio

import pytest
from aerocast_hub.events.every import decode_event, encode_event, kind_of
from aerocast_hub.events.flights import FlightLanded
from aerocast_hub.outbox.publish import Publisher, TooSlowError, sweep, write_events
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from sqlalchemy import text


def landed(number):
    return FlightLanded(at_us=number, flight_id=str(number), sigma_s=1.0)


@pytest.fixture
async def publisher(database):
    made = Publisher(database, Metrics())
    await made.start()
    return made


async def write(database, *numbers):
    async with database.writing() as session:
        await write_events(session, [landed(number) for number in numbers])


async def test_subscribers_get_committed_events_in_order(database, publisher):
    with publisher.subscribe() as one, publisher.subscribe() as other:
        async with running(publisher.run()), asyncio.timeout(60):
            await write(database, 1, 2)
            await write(database, 3)
            publisher.wake()
            for subscription in (one, other):
                got = [(await subscription.next()).event.at_us for _ in range(3)]
                assert got == [1, 2, 3]


async def test_what_is_rolled_back_is_never_published(database, publisher):
    async def write_and_fail():
        async with database.writing() as session:
            await write_events(session, [landed(1)])
            raise KeyError("no")

    with publisher.subscribe() as subscription:
        with pytest.raises(KeyError):
            await write_and_fail()
        await write(database, 2)
        assert await publisher.publish_committed() == 1
        assert (await subscription.next()).event.at_us == 2


async def test_many_writers_at_once_lose_no_event(database, publisher):
    with publisher.subscribe() as subscription:
        writers = [asyncio.create_task(write(database, number)) for number in range(30)]
        seen = []
        async with asyncio.timeout(60):
            while len(seen) < 30:
                await publisher.publish_committed()
                while not subscription.is_empty:
                    seen.append(await subscription.next())
                await asyncio.sleep(0)
        await asyncio.gather(*writers)
    assert sorted(each.event.at_us for each in seen) == list(range(30))
    ids = [each.id for each in seen]
    assert ids == sorted(ids)


async def test_a_slow_subscriber_is_dropped_and_told_and_the_others_go_on(database, publisher):
    with publisher.subscribe(longest_queue=2) as slow, publisher.subscribe() as quick:
        await write(database, 1, 2, 3, 4)
        await publisher.publish_committed()
        assert [(await quick.next()).event.at_us for _ in range(4)] == [1, 2, 3, 4]
        assert [(await slow.next()).event.at_us for _ in range(2)] == [1, 2]
        with pytest.raises(TooSlowError):
            await slow.next()


async def test_who_listens_later_hears_only_what_comes_later(database):
    await write(database, 1)
    publisher = Publisher(database, Metrics())
    await publisher.start()
    await write(database, 2)
    with publisher.subscribe() as subscription:
        await publisher.publish_committed()
        assert (await subscription.next()).event.at_us == 2


async def test_an_event_of_a_later_version_is_passed_over(database, publisher):
    async with database.writing() as session:
        await session.execute(
            text("INSERT INTO outbox (written_at_us, kind, body) VALUES (1, 'ufo', :body)"),
            {"body": b"\x81\xa4kind\xa3ufo"},
        )
    await write(database, 2)
    with publisher.subscribe() as subscription:
        await publisher.publish_committed()
        assert (await subscription.next()).event.at_us == 2


def test_an_event_comes_back_as_it_was():
    assert decode_event(encode_event(landed(5))) == landed(5)
    assert kind_of(landed(5)) == "flight_landed"


async def test_events_of_days_ago_are_swept_away(database):
    async with database.writing() as session:
        await session.execute(
            text("INSERT INTO outbox (written_at_us, kind, body) VALUES (1, 'ufo', :body)"),
            {"body": encode_event(landed(1))},
        )
    await write(database, 2)
    await sweep(database)
    await sweep(database)
    await write(database, 3)
    async with database.reading() as session:
        assert list(await session.scalars(text("SELECT id FROM outbox ORDER BY id"))) == [2, 3]
