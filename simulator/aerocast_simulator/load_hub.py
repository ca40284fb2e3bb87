"""What the hub itself says of a load: what it has stored, and what that cost it."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from aerocast_simulator.hub_client import HubClient, HubError

BAD_REQUEST = 400
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


class _Account(msgspec.Struct):
    site: str
    gateway: str
    received: int


class _Accounts(msgspec.Struct):
    items: list[_Account]


class Books(NamedTuple):
    """What the hub has at one moment.

    Attributes
    ----------
    received
        Different observations it has of each gateway of the site, by name.
    stored
        Rows it has written since it started; None when it lets nobody here read its metrics.
    memory_bytes, open_files
        Of its process; None likewise.
    """

    received: dict[str, int]
    stored: int | None
    memory_bytes: int | None
    open_files: int | None


class LoadedHub:
    """The hub under load, as an administrator sees it; it must be one process.

    Attributes
    ----------
    most_memory_bytes, most_open_files
        The most seen whenever the hub was looked at; None when it does not tell.
    """

    def __init__(self, url: str, site: str) -> None:
        self._client, self._site = HubClient(url), site
        self.most_memory_bytes: int | None = None
        self.most_open_files: int | None = None

    async def login(self, name: str, password: str) -> None:
        """Log in; HubError when the hub refuses."""
        await self._client.login(name, password)

    async def register(self, gateway: str) -> None:
        """Let a gateway speak; one that may already stays."""
        try:
            await self._client.post("/api/gateways", {"site": self._site, "name": gateway})
        except HubError as error:
            if error.status != BAD_REQUEST:  # registered already
                raise

    async def look(self) -> dict[str, float]:
        """Read the hub's metrics, and remember the most memory and files; empty if it does not."""
        try:
            told = samples(await self._client.text("/metrics"))
        except (HubError, OSError):
            return {}
        memory, files = (
            int(told[name]) if name in told else None
            for name in ("process_resident_memory_bytes", "process_open_fds")
        )
        if memory is not None:
            self.most_memory_bytes = max(memory, self.most_memory_bytes or 0)
        if files is not None:
            self.most_open_files = max(files, self.most_open_files or 0)
        return told

    async def books(self) -> Books:
        """Ask what it has stored of every gateway of the site."""
        # In this order: what comes in between is no row too many.
        told = await self.look()
        answer = msgspec.convert(await self._client.get("/api/gateways/losses"), _Accounts)
        stored = told.get('aerocast_hub_inbox_observations_total{outcome="stored"}')
        # A counter that never counted is not told: the hub has stored nothing yet.
        return Books(
            {each.gateway: each.received for each in answer.items if each.site == self._site},
            None if not told else int(stored or 0),
            self.most_memory_bytes,
            self.most_open_files,
        )


class Outcome(NamedTuple):
    """Observations lost: confirmed and not there; and doubled: there more than once."""

    lost: int
    doubled: int | None


def outcome(confirmed: dict[str, int], before: Books, after: Books) -> Outcome:
    """Compare what the hub has confirmed with what it took in meanwhile.

    Parameters
    ----------
    confirmed
        Observations of each gateway of which the hub said it has stored them. What it has not
        confirmed its gateway still holds: that is not lost.
    """
    taken = {name: number - before.received.get(name, 0) for name, number in after.received.items()}
    lost = sum(max(0, number - taken.get(name, 0)) for name, number in confirmed.items())
    if before.stored is None or after.stored is None:
        return Outcome(lost, None)
    return Outcome(lost, max(0, after.stored - before.stored - sum(taken.values())))


def samples(text: str) -> dict[str, float]:
    """Read Prometheus' text format: samples by name and labels, as they are written."""
    return {
        name if not labels else f"{name}{{{labels}}}": float(value)
        for name, labels, value in _SAMPLE.findall(text)
    }


async def register_all(hub: LoadedHub, gateways: Sequence[str]) -> None:
    """Register gateways, a few at a time."""
    few = asyncio.Semaphore(8)

    async def one(name: str) -> None:
        async with few:
            await hub.register(name)

    async with asyncio.TaskGroup() as group:
        for name in gateways:
            group.create_task(one(name))
