"""What a driver hands in, and its end."""

import asyncio

import pytest
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.gateways import DeviceEvent


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


class TagsSeen(Seen):
    """What a reader of tags handed in."""

    @property
    def tags(self):
        return [each for each in self if isinstance(each, TagRead)]

    def events(self, kind):
        return [each for each in self if isinstance(each, DeviceEvent) and each.event == kind]

    async def holds(self, claim):
        async with asyncio.timeout(60):
            while not claim():
                self._more.clear()
                await self._more.wait()

    async def connected(self):
        await self.holds(lambda: self.events("connected"))


async def stopped(*tasks):
    for task in tasks:
        task.cancel()
    for task in tasks:
        with pytest.raises(asyncio.CancelledError):
            await task
