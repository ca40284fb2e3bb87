"""Taking, keeping and laying down a lease, and doing the work it stands for."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.leases.deciding import (
    LOOK_EVERY_S,
    NOBODY,
    RENEW_EVERY_S,
    Lease,
    Watched,
    holds_until_s,
    look,
)
from aerocast_hub.leases.tables import LeaseRow
from aerocast_hub.running import ending

log = logging.getLogger(__name__)

Work = Callable[[], AbstractAsyncContextManager[object]]
"""What to do while the lease is ours: entered when it is taken, left when it is lost."""


class Holder:
    """One hub's hold on one lease.

    Attributes
    ----------
    me
        This hub, by machine and process, and never again by the same name.
    is_held
        The lease is ours, as far as known.
    """

    def __init__(self, database: Database, name: str) -> None:
        self.me = f"{socket.gethostname()[:60]}/{os.getpid()}/{secrets.token_hex(4)}"
        self.is_held = False
        self._database = database
        self._name = name
        self._watched: Watched | None = None
        self._renewed_at_s = 0.0
        self._renewing: asyncio.Task[bool] | None = None

    async def take(self) -> bool:
        """Take the lease if it is free or was let lie; say whether it is ours."""
        asked_at_s = time.monotonic()
        async with self._database.reading() as session:
            row = await session.get(LeaseRow, self._name)
        lease = None if row is None else Lease(row.holder, row.beat)
        self._watched, verdict = look(self._watched, lease, self.me, time.monotonic())
        if verdict == "wait":
            return False
        async with self._database.writing() as session:
            if lease is None:
                first = {"name": self._name, "holder": NOBODY, "beat": 0}
                await insert_new(session, LeaseRow, [first])
                lease = Lease(NOBODY, 0)
            taken = await session.scalar(
                update(LeaseRow)
                .where(
                    LeaseRow.name == self._name,
                    LeaseRow.holder == lease.holder,
                    LeaseRow.beat == lease.beat,
                )
                .values(holder=self.me, beat=lease.beat + 1)
                .returning(LeaseRow.beat)
            )
        if taken is None:
            return False  # another was quicker
        self._renewed_at_s, self.is_held = asked_at_s, True
        return True

    async def renew(self) -> bool:
        """Give a sign of life; False when another has taken the lease."""
        asked_at_s = time.monotonic()
        async with self._database.writing() as session:
            renewed = await session.scalar(
                update(LeaseRow)
                .where(LeaseRow.name == self._name, LeaseRow.holder == self.me)
                .values(beat=LeaseRow.beat + 1)
                .returning(LeaseRow.beat)
            )
        if renewed is not None:
            self._renewed_at_s = asked_at_s
        return renewed is not None

    async def lay_down(self) -> None:
        """Let others take it at once."""
        self.is_held = False
        async with self._database.writing() as session:
            await session.execute(
                update(LeaseRow)
                .where(LeaseRow.name == self._name, LeaseRow.holder == self.me)
                .values(holder=NOBODY)
            )

    async def until_taken(self, tried: Callable[[], None]) -> None:
        """Wait until the lease is ours; ``tried`` is called when that is not at once."""
        while True:
            try:
                if await self.take():
                    return
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure(f"whose turn {self._name} is cannot be told", error)
            tried()
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_lost(self) -> None:
        """Renew the lease until another has it, or it could not be renewed for too long.

        A renewal that hangs is not waited for: what this hub does must end in time.
        """
        is_ours = True
        while is_ours:
            await asyncio.sleep(RENEW_EVERY_S)
            self._renewing = asyncio.create_task(self._renewed())
            left_s = holds_until_s(self._renewed_at_s) - time.monotonic()
            await asyncio.wait({self._renewing}, timeout=max(0.0, left_s))
            is_ours = time.monotonic() < holds_until_s(self._renewed_at_s) and (
                self._renewing.done() and self._renewing.result()
            )
        self.is_held = False
        log.warning("%s: another hub does it from now on, or nobody can tell", self._name)

    async def _renewed(self) -> bool:
        """Say that another has not taken the lease; without an answer it is taken for ours."""
        try:
            return await self.renew()
        except (SQLAlchemyError, OSError) as error:
            self._database.tell_failure(f"no sign of life of {self._name} could be given", error)
            return True

    async def settle(self) -> None:
        """Wait for a renewal that is still under way."""
        if self._renewing is not None:
            await asyncio.wait({self._renewing})
            self._renewing = None


@asynccontextmanager
async def by_one_hub(database: Database, name: str, work: Work) -> AsyncIterator[Holder]:
    """Do ``work`` beside the block whenever the lease ``name`` is this hub's.

    The lease is asked for before the block begins: a hub alone is at work from its start.

    Raises
    ------
    Exception
        Whatever ``work`` raises when it is begun at once. A hub that cannot begin it later ends.
    """
    holder = Holder(database, name)
    begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_keep_at_it(holder, name, work, begun))
    await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    task.add_done_callback(_end_with_it)
    async with ending(task):
        yield holder


async def _keep_at_it(holder: Holder, name: str, work: Work, begun: "asyncio.Future[None]") -> None:
    def tell() -> None:
        if not begun.done():
            begun.set_result(None)

    try:
        while True:
            await holder.settle()
            await holder.until_taken(tell)
            log.info("%s is this hub's to do", name)
            async with work():
                tell()
                await holder.until_lost()
    finally:
        await holder.settle()
        try:
            await holder.lay_down()
        except (SQLAlchemyError, OSError) as error:
            log.warning("%s could not be laid down, others wait for it: %r", name, error)


def _end_with_it(task: "asyncio.Task[None]") -> None:
    """End the hub: it must not look as if it did its work."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("what one hub does has failed here: this hub ends", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
