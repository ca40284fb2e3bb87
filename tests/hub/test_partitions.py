"""Months of observations on PostgreSQL; SQLite has one table and needs none of it."""

import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.database.months import Month, month_of, read_month
from aerocast_hub.database.partitions import (
    attached_months,
    detach_month,
    detached_months,
    drop_detached,
    make_months,
)
from aerocast_hub.inbox.store import Row, event_store
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

JUNE = Month(2031, 6)


@pytest.fixture(params=["postgresql", "postgresql-18"])
def engine_kind(request):
    """What these tests are about is PostgreSQL's alone."""
    return request.param


def row(sequence, received_at_us, *, seen_at_us=0):
    return Row(1, 7, 2, sequence, "tag_read", "portal", 5, seen_at_us, 3, received_at_us, b"\x80")


async def append(database, rows):
    async with database.writing() as session:
        return await event_store(database).append(session, rows)


async def partition_of(database, sequence):
    async with database.reading() as session:
        found = text("SELECT tableoid::regclass::text FROM observations WHERE sequence = :s")
        return await session.scalar(found, {"s": sequence})


async def test_a_month_and_the_two_ahead_are_made_once(database):
    async with database.writing() as session:
        made = await make_months(session, JUNE.first_us)
    assert made == [JUNE, Month(2031, 7), Month(2031, 8)]
    async with database.writing() as session:
        assert await make_months(session, JUNE.end_us - 1) == []
        assert await make_months(session, JUNE.end_us) == [Month(2031, 9)]


async def test_migrating_makes_the_months_of_today(empty_database_url):
    database = Database(empty_database_url)
    await migrate(database)
    async with database.reading() as session:
        assert len(await attached_months(session)) == 3
    await database.close()


async def test_what_is_received_in_no_month_waits_in_the_default_and_moves_to_its_own(database):
    assert len(await append(database, [row(1, JUNE.first_us), row(2, JUNE.end_us)])) == 2
    assert await partition_of(database, 1) == "observations_default"
    async with database.writing() as session:
        await make_months(session, JUNE.first_us)
    assert await partition_of(database, 1) == "observations_2031_06"
    assert await partition_of(database, 2) == "observations_2031_07"


async def test_a_corrected_time_leaves_an_observation_in_its_month(database):
    async with database.writing() as session:
        await make_months(session, JUNE.first_us)
    await append(database, [row(1, JUNE.first_us, seen_at_us=JUNE.first_us)])
    async with database.writing() as session:
        await session.execute(text("UPDATE observations SET seen_at_us = 12"))
    assert await partition_of(database, 1) == "observations_2031_06"


async def test_a_month_let_go_takes_its_rows_and_no_others(database):
    async with database.writing() as session:
        await make_months(session, JUNE.first_us)
    await append(database, [row(1, JUNE.first_us), row(2, JUNE.end_us)])
    async with database.writing() as session:
        await detach_month(session, JUNE)
    async with database.writing() as session:
        assert list(await session.scalars(text("SELECT sequence FROM observations"))) == [2]
        assert await detached_months(session) == [JUNE]
        await drop_detached(session, JUNE)
        assert await detached_months(session) == []
        assert JUNE not in await attached_months(session)


@given(st.integers(0, 253_000_000_000_000_000))
def test_every_instant_is_in_the_month_that_says_so(at_us):
    month = month_of(at_us)
    assert month.first_us <= at_us < month.end_us
    assert read_month(str(month)) == month
    assert month.after(5).after(-5) == month


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "26-11", "2026-1", "", "2026-11-01", "1900-01"]
)
def test_what_is_no_month_is_said_so(text):
    with pytest.raises(ValueError, match="is no month: it is written like 2026-11"):
        read_month(text)


@pytest.mark.parametrize("at_us", [-1, 10**19, -(10**19)])
def test_an_instant_out_of_all_time_is_in_no_month(at_us):
    with pytest.raises(ValueError, match="is in no month"):
        month_of(at_us)
