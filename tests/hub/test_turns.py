"""Who may write next: in the order of asking, and nobody waits without end."""

import asyncio

import pytest
from aerocast_hub.database.engine import SQLITE_TURN_WITHIN_S, Database
from aerocast_hub.database.turns import NestedTurnError, NoTurnError, Turns
from aerocast_hub.web.problems import problem_from
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

LONG_S = 3600.0


@pytest.fixture(params=["sqlite"])
def engine_kind(request):
    """PostgreSQL has many writers at once, whatever else runs on it."""
    return request.param


class RefusedError(Exception):
    """What some turns end with."""


WAYS = st.lists(st.sampled_from(["writes", "fails", "gives up waiting", "gives up inside"]))


@given(WAYS, st.lists(st.integers(0, 3), min_size=1))
async def test_the_order_of_asking_is_the_order_of_turns_however_each_ends(ways, pauses):
    turns, done, inside = Turns(LONG_S), [], 0

    async def ask(number, way):
        nonlocal inside
        async with turns.turn():
            inside += 1
            try:
                assert inside == 1
                done.append(number)
                if way == "gives up inside":
                    asyncio.current_task().cancel()
                for _ in range(pauses[number % len(pauses)]):
                    await asyncio.sleep(0)
                if way == "fails":
                    raise RefusedError
            finally:
                inside -= 1

    async with turns.turn():
        asked = []
        for number, way in enumerate(ways):
            asked.append(asyncio.create_task(ask(number, way)))
            await asyncio.sleep(0)  # it asks
        for task, way in zip(asked, ways, strict=True):
            if way == "gives up waiting":
                task.cancel()
    async with asyncio.timeout(LONG_S):
        await asyncio.gather(*asked, return_exceptions=True)
    assert done == [number for number, way in enumerate(ways) if way != "gives up waiting"]
    async with turns.turn():  # and it is free
        pass


async def test_who_asks_within_its_own_turn_is_told_so_and_others_have_theirs(database):
    async with database.writing() as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(NestedTurnError, match="it would wait for itself"):
            async with database.writing():
                pass
    async with database.writing() as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_a_turn_that_does_not_come_in_time_is_a_problem_that_passes():
    turns = Turns(0.01)

    async def wait_in_vain():
        with pytest.raises(NoTurnError, match=r"nobody let this write within 0\.01 s") as raised:
            async with turns.turn():
                pass
        return raised.value

    async with turns.turn():
        error = await asyncio.create_task(wait_in_vain())
    problem = problem_from(error)
    assert (problem.status, problem.reference) == (503, None)
    assert problem.detail.endswith("try again in a moment")
    async with turns.turn():
        pass


async def test_a_request_amid_fifty_steady_writers_waits_for_each_of_them_once(database_url):
    database, written = Database(database_url), []
    async with database.writing() as session:
        await session.execute(text("CREATE TABLE t (who INTEGER)"))

    async def write(who):
        async with database.writing() as session:
            await session.execute(text("INSERT INTO t VALUES (:who)"), {"who": who})
            written.append(who)

    async def write_steadily(who):
        while "the request" not in written:
            await write(who)

    writers = [asyncio.create_task(write_steadily(who)) for who in range(50)]
    while len(set(written)) < 50:  # noqa: ASYNC110  until each of them is at it
        await asyncio.sleep(0)
    before = len(written)
    await write("the request")
    # Whoever writes and the 49 behind it; nobody comes before it twice.
    assert written.index("the request") - before <= 50
    async with asyncio.timeout(SQLITE_TURN_WITHIN_S):
        await asyncio.gather(*writers)
    await database.close()


async def test_who_waits_for_a_turn_holds_no_connection(database_url):
    """Or as many as wait would leave none for who has the turn."""
    database = Database(database_url)

    async def write():
        async with database.writing() as session:
            return await session.scalar(text("SELECT 1"))

    async with database.writing() as session:
        waiting = [asyncio.create_task(write()) for _ in range(100)]
        await asyncio.sleep(0)
        assert await session.scalar(text("SELECT 2")) == 2
    assert await asyncio.gather(*waiting) == [1] * 100
    await database.close()
