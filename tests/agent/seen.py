"""What a driver hands in, and its end."""

import asyncio

import pytest


class Seen(list):
    """Observations a driver handed in."""

    def __init__(self):
        super().__init__()
        self._more = asyncio.Event()

    def accept(self, observation):
        self.append(observation)
        self._more.set()

    async def until(self, count):
        async with asyncio.timeout(60):
            while len(self) < count:
                self._more.clear()
                await self._more.wait()


async def stopped(*tasks):
    for task in tasks:
        task.cancel()
    for task in tasks:
        with pytest.raises(asyncio.CancelledError):
            await task
