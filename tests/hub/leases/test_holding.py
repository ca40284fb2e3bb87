"""Work that one of several hubs does, on both databases."""

import asyncio
import contextlib

import pytest
from aerocast_hub.leases import deciding, holding
from aerocast_hub.leases.holding import Holder, by_one_hub
from sqlalchemy.exc import OperationalError

from tests.waiting import until

PATIENT_S = 300.0


class Pace:
    """How soon a hub that gives no sign of life is thought dead."""

    def __init__(self, monkeypatch):
        self._set = monkeypatch.setattr
        self._as_ever = {name: getattr(deciding, name) for name in ("HOLDS_S", "LIES_STILL_S")}
        for name in ("RENEW_EVERY_S", "LOOK_EVERY_S"):
            self._set(holding, name, getattr(deciding, name) / 20)
        self.quick()

    def quick(self):
        """The same proportions, twenty times as fast."""
        for name, as_ever in self._as_ever.items():
            self._set(deciding, name, as_ever / 20)

    def patient(self):
        """Not at all, however long the machine stands still."""
        for name in self._as_ever:
            self._set(deciding, name, PATIENT_S)


@pytest.fixture
def pace(monkeypatch):
    return Pace(monkeypatch)


class Worker:
    """Notes who is at work, and that nobody else was."""

    at_work: list
    most = 0

    def __init__(self, name, at_work):
        self.name, self.at_work, self.began = name, at_work, asyncio.Event()

    @contextlib.asynccontextmanager
    async def work(self):
        self.at_work.append(self.name)
        assert len(self.at_work) == 1
        self.began.set()
        try:
            yield
        finally:
            self.at_work.remove(self.name)
            self.began.clear()


async def test_one_hub_works_from_its_start_and_the_next_when_it_stops(database, pace):
    pace.patient()
    at_work = []
    one, other = Worker("one", at_work), Worker("other", at_work)
    async with by_one_hub(database, "baggage", other.work) as held:
        assert at_work == ["other"]
        assert held.is_held
        async with by_one_hub(database, "baggage", one.work):
            assert at_work == ["other"]
            async with by_one_hub(database, "weather", Worker("third", []).work) as third:
                assert third.is_held
    assert at_work == []
    async with by_one_hub(database, "baggage", one.work):
        assert at_work == ["one"]


async def test_a_hub_that_dies_is_followed_by_another(database, pace):
    pace.patient()
    at_work = []
    assert await Holder(database, "baggage").take()  # and never gives a sign of life again
    one, other = Worker("one", at_work), Worker("other", at_work)
    async with (
        by_one_hub(database, "baggage", one.work) as first,
        by_one_hub(database, "baggage", other.work) as second,
    ):
        assert at_work == []
        pace.quick()
        await until(lambda: at_work)
        pace.patient()
        await asyncio.sleep(3 * holding.RENEW_EVERY_S)
        assert first.is_held != second.is_held
        assert len(at_work) == 1


async def test_a_hub_that_cannot_renew_stops_in_time_and_begins_again(database, pace, monkeypatch):
    at_work, is_broken = [], False
    renew = Holder.renew

    async def renew_or_not(holder):
        if is_broken:
            raise OperationalError("", None, Exception("the database is gone"))
        return await renew(holder)

    monkeypatch.setattr(Holder, "renew", renew_or_not)
    async with by_one_hub(database, "baggage", Worker("one", at_work).work):
        is_broken = True
        await until(lambda: not at_work)
        is_broken = False
        await until(lambda: at_work)


async def test_a_hub_whose_renewal_hangs_stops_in_time(database, pace, monkeypatch):
    at_work, answer = [], asyncio.Event()
    renew = Holder.renew

    async def hang(holder):
        await answer.wait()
        return await renew(holder)

    monkeypatch.setattr(Holder, "renew", hang)
    async with by_one_hub(database, "baggage", Worker("one", at_work).work):
        await until(lambda: not at_work)
        answer.set()
        await until(lambda: at_work)


async def test_one_that_was_thought_dead_notices_when_it_wakes(database, pace):
    sleeper = Holder(database, "baggage")
    assert await sleeper.take()
    async with by_one_hub(database, "baggage", Worker("one", []).work) as follower:
        await until(lambda: follower.is_held)
        pace.patient()
        assert not await sleeper.renew()
        assert not await sleeper.take()
        await sleeper.lay_down()  # lays down nothing that is another's
        await asyncio.sleep(3 * holding.RENEW_EVERY_S)
        assert follower.is_held


async def test_of_many_who_come_at_once_one_gets_it(database):
    holders = [Holder(database, "baggage") for _ in range(8)]
    taken = await asyncio.gather(*(holder.take() for holder in holders))
    assert sorted(taken) == [False] * 7 + [True]


async def test_work_that_cannot_begin_says_so_at_the_start(database):
    @contextlib.asynccontextmanager
    async def impossible():
        raise OSError("the port is taken")
        yield

    with pytest.raises(OSError, match="the port is taken"):
        async with by_one_hub(database, "baggage", impossible):
            pytest.fail("it began")
    assert await Holder(database, "baggage").take()
