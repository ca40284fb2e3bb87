"""Advice given is counted without anybody waiting for the database."""

import pytest
from aerocast_hub.orientation.counting import AdviceCounter
from aerocast_hub.telemetry.metrics import Metrics

DAY_US = 86_400_000_000


@pytest.fixture
def counter(database):
    return AdviceCounter(database, Metrics())


async def given(database, counter):
    async with database.reading() as session:
        return await counter.given(session)


async def test_what_was_counted_is_told_at_once_and_written_once(database, counter):
    for asked_by in ("link", "link", "page"):
        counter.count(asked_by, DAY_US)
    assert await given(database, counter) == 3
    await counter.write()
    await counter.write()
    assert await given(database, counter) == 3
    assert await given(database, AdviceCounter(database, Metrics())) == 3


async def test_two_processes_of_a_hub_count_together(database, counter):
    other = AdviceCounter(database, Metrics())
    for each in (counter, other, counter):
        each.count("link", DAY_US)
        await each.write()
    assert await given(database, other) == 3


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
    assert await given(database, AdviceCounter(database, Metrics())) == 2
