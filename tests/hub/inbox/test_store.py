"""The store by itself: any rows, any number of times. The inbox's marks make repeats rare."""

import random

import pytest
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.tables import ObservationRow
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.hub.inbox.wire import NOW_US

pytestmark = pytest.mark.every_database


def row(sequence, **fields):
    made = Row(
        1, 7, 2, sequence, "tag_read", "portal", 5, NOW_US, 3, NOW_US, bytes((sequence % 256,))
    )
    return made._replace(**fields)


async def append(database, rows):
    async with database.writing() as session:
        return [each.sequence for each in await event_store(database).append(session, rows)]


async def stored(database):
    async with database.reading() as session:
        found = select(ObservationRow.sequence).order_by(ObservationRow.sequence)
        return list(await session.scalars(found))


async def test_what_is_new_is_stored_and_told(database):
    assert await append(database, [row(1), row(2)]) == [1, 2]
    assert await append(database, []) == []
    assert await stored(database) == [1, 2]


async def test_a_replay_adds_nothing(database):
    rows = [row(number) for number in range(1, 301)]
    await append(database, rows)
    for _ in range(2):
        assert await append(database, rows) == []
    assert await stored(database) == list(range(1, 301))


async def test_of_old_and_new_only_the_new_is_stored_and_told(database):
    chosen = random.Random(9)
    known = set()
    for _ in range(20):
        numbers = [chosen.randrange(1, 60) for _ in range(15)]
        told = await append(database, [row(number) for number in numbers])
        assert sorted(told) == sorted(set(numbers) - known)
        known |= set(numbers)
    assert await stored(database) == sorted(known)


async def test_what_a_column_cannot_hold_is_an_error_and_nothing_of_it_is_stored(database):
    with pytest.raises((DBAPIError, OverflowError)):
        await append(database, [row(1), row(2, boot_ns=2**70)])
    assert await stored(database) == []
    assert await append(database, [row(1)]) == [1]
