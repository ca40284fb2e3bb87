import asyncio

import pytest
from aerocast_hub.events.bags import BagUnread
from aerocast_hub.events.flights import FlightLanded
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, TooSlowError, write_events
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics


def landed(number):
    return FlightLanded(at_us=number, flight_id=str(number), sigma_s=1.0)


class Taken:
    """What a feature took in; it makes an event of its own of each."""

    def __init__(self):
        self.numbers = []
        self.fails = False

    async def take_in(self, session, events):
        del session
        if self.fails:
            raise OSError("the disk is gone")
        self.numbers += [each.at_us for each in events]
        return [BagUnread(at_us=each.at_us, site="lfbo") for each in events]


@pytest.fixture
async def publisher(database):
    made = Publisher(database, Metrics())
    await made.start()
    return made


def follower(taken, database, publisher, name="bags"):
    return Follower(name, ("flight_landed",), taken.take_in, database, publisher)


async def write(database, *numbers):
    async with database.writing() as session:
        await write_events(session, [landed(number) for number in numbers])


async def test_each_event_is_taken_in_once_whatever_restarts(database, publisher):
    taken = Taken()
    await write(database, 1, 2)
    await follower(taken, database, publisher).catch_up()
    await write(database, 3)
    restarted = follower(taken, database, publisher)
    while await restarted.catch_up():
        pass
    assert taken.numbers == [1, 2, 3]
    other = Taken()
    await follower(other, database, publisher, "alerts").catch_up()
    assert other.numbers == [1, 2, 3]


async def test_what_fails_is_taken_in_again(database, publisher):
    taken = Taken()
    await write(database, 1)
    following = follower(taken, database, publisher)
    taken.fails = True
    with pytest.raises(OSError, match="disk"):
        await following.catch_up()
    taken.fails = False
    assert await following.catch_up()
    assert taken.numbers == [1]


async def test_of_two_hubs_one_takes_each_event_in(database, publisher):
    taken = Taken()
    await write(database, *range(50))
    hubs = [follower(taken, database, publisher) for _ in range(2)]
    await asyncio.gather(*(hub.catch_up() for hub in hubs))
    assert taken.numbers == list(range(50))


async def test_news_wakes_a_follower_and_what_it_tells_is_published(database, publisher):
    taken = Taken()
    with publisher.subscribe() as listener:
        async with (
            running(publisher.run()),
            running(follower(taken, database, publisher).run()),
            asyncio.timeout(60),
        ):
            await write(database, 7)
            publisher.wake()
            kinds = [type((await listener.next()).event) for _ in range(2)]
    assert kinds == [FlightLanded, BagUnread]


async def test_a_bell_rings_once_for_however_much_and_for_its_kinds_alone(database, publisher):
    """So a follower is never dropped by a burst, and not woken by what it does not want."""
    with publisher.bell(["flight_landed"]) as bell, publisher.bell(["bag_unread"]) as other:
        await write(database, *range(1000))
        while await publisher.publish_committed():
            pass
        async with asyncio.timeout(60):
            await bell.wait()
        for quiet in (bell, other):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await quiet.wait()
        async with asyncio.timeout(60):
            await other.wait(0.01)  # long enough: whoever waits looks by themselves
        publisher.close()
        with pytest.raises(TooSlowError):
            await bell.wait(60)
    with publisher.bell(["flight_landed"]) as late, pytest.raises(TooSlowError):
        await late.wait()
