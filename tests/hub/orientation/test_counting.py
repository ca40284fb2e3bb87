"""Advice given is counted without anybody waiting for the database."""

import asyncio

import pytest
from aerocast_hub.orientation.counting import AdviceCounter
from aerocast_hub.telemetry.metrics import Metrics

DAY_US = 86_400_000_000


@pytest.fixture
def counter(database):
    return AdviceCounter(database, Metrics())


async def test_what_was_counted_is_told_at_once_and_written_once(database, counter):
    for asked_by in ("link", "link", "page"):
        counter.count(asked_by, DAY_US)
    assert await counter.given() == 3
    await counter.write()
    await counter.write()
    assert await counter.given() == 3
    assert await AdviceCounter(database, Metrics()).given() == 3


async def test_the_number_is_right_also_while_it_is_written(database, counter):
    for told in range(1, 30):
        counter.count("link", DAY_US)
        numbers = await asyncio.gather(
            counter.given(), counter.write(), counter.given(), counter.write(), counter.given()
        )
        assert numbers[::2] == [told] * 3


async def test_two_processes_of_a_hub_count_together(database, counter):
    other = AdviceCounter(database, Metrics())
    for each in (counter, other, counter):
        each.count("link", DAY_US)
        await each.write()
    assert await other.given() == 3


async def test_a_count_whose_writing_is_cancelled_is_written_once(database, counter):
    for told in range(1, 60):
        counter.count("link", DAY_US)
        writing = asyncio.create_task(counter.write())
        for _ in range(told % 20):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        await counter.write()
        assert await counter.given() == told


class Unwilling:
    """A database that takes nothing in for now."""

    def writing(self):
        raise OSError("no disk")


async def test_what_could_not_be_written_is_not_forgotten(database):
    counter = AdviceCounter(Unwilling(), Metrics())
    counter.count("link", DAY_US)
    with pytest.raises(OSError, match="no disk"):
        await counter.write()
    counter.count("link", DAY_US)
    counter._database = database
    await counter.write()
    assert await AdviceCounter(database, Metrics()).given() == 2
