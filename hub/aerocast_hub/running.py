"""Work that runs beside a block of code, or beside other work, and surely ends with it.

A cancellation may be lost: before Python 3.12 `asyncio.wait_for` returns what it waited for when
that is ready at the same moment (gh-86296), and libraries for brokers and Redis are full of it.
Whoever waits for a task they cancelled once may wait for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

AGAIN_S = 5.0
"""How long a task may take to end before it is cancelled once more."""


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run ``work`` beside the block, and end it at the block's end."""
    async with ending(asyncio.create_task(work)):
        yield


@asynccontextmanager
async def ending(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    """End a task at the block's end, and raise what it has failed with."""
    try:
        yield
    finally:
        await end(task)
        if not task.cancelled():
            task.result()


async def together(*works: Coroutine[object, object, None]) -> None:
    """Do endless works beside each other until cancelled, or until one of them raises."""
    if not works:
        return
    tasks = [asyncio.create_task(each) for each in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await end(*tasks)
    for each in ended:
        each.result()


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks, as often as it takes, and wait until they have ended.

    What they raised stays with them, and is no news: whoever wants to know asks them.
    """
    is_cancelled = False
    while left := [each for each in tasks if not each.done()]:
        for each in left:
            each.cancel()
        try:
            await asyncio.wait(left, timeout=AGAIN_S)
        except asyncio.CancelledError:
            is_cancelled = True  # nobody else would end them
    for each in tasks:
        if not each.cancelled():
            each.exception()  # asyncio would tell the log of one that nobody has looked at
    if is_cancelled:
        raise asyncio.CancelledError
