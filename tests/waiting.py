"""Waiting in tests for what has no event of its own, and work that goes on beside a block."""

import asyncio
from contextlib import asynccontextmanager


async def until(holds, limit_s=60.0):
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(coroutine):
    """Let it run beside the block, and end it."""
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
