"""Work that runs beside something, and ends with it."""

import asyncio
import contextlib
import gc

import pytest
from aerocast_hub import running as module
from aerocast_hub.running import end, running, together


class WorkError(Exception):
    pass


@pytest.fixture(autouse=True)
def soon_again(monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.02)


class Work:
    """Endless; loses the first cancellations, as `asyncio.wait_for` may."""

    def __init__(self, lost=0):
        self.begun = asyncio.Event()
        self.has_ended = False
        self._lost = lost

    async def run(self):
        try:
            for _ in range(self._lost):
                with contextlib.suppress(asyncio.CancelledError):
                    self.begun.set()
                    await asyncio.sleep(3600)
            self.begun.set()
            await asyncio.sleep(3600)
        finally:
            self.has_ended = True


async def raises(begun):
    await begun.wait()
    raise WorkError


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_work_ends_with_its_block_whatever_cancellations_are_lost(lost):
    work = Work(lost)
    async with asyncio.timeout(60):
        async with running(work.run()):
            await work.begun.wait()
            assert not work.has_ended
        assert work.has_ended


async def test_what_failed_beside_the_block_is_raised_at_its_end():
    begun = asyncio.Event()
    begun.set()
    with pytest.raises(WorkError):
        async with running(raises(begun)):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_one_that_raises_ends_those_together_with_it(lost):
    work = Work(lost)
    async with asyncio.timeout(60):
        with pytest.raises(WorkError):
            await together(work.run(), raises(work.begun))
    assert work.has_ended


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_all_together_are_ended_by_one_cancellation(lost):
    works = [Work(lost), Work(), Work(lost)]
    task = asyncio.create_task(together(*(each.run() for each in works)))
    async with asyncio.timeout(60):
        for each in works:
            await each.begun.wait()
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert all(each.has_ended for each in works)


async def test_nothing_together_is_done_at_once():
    async with asyncio.timeout(60):
        await together()


async def test_whoever_is_cancelled_while_they_end_others_ends_them_first():
    work = Work(2)
    ended = asyncio.create_task(work.run())
    await work.begun.wait()
    ending = asyncio.create_task(end(ended))
    await asyncio.sleep(0)
    ending.cancel()
    async with asyncio.timeout(60):
        with pytest.raises(asyncio.CancelledError):
            await ending
    assert work.has_ended


async def test_what_they_raise_as_they_end_is_told_to_nobody_who_does_not_ask(caplog):
    begun = asyncio.Event()
    begun.set()
    failing = asyncio.create_task(raises(begun))
    await asyncio.sleep(0)
    await end(failing)
    del failing
    gc.collect()
    assert not caplog.records
