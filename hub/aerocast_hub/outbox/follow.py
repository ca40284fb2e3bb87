"""A feature that lives on others' events: each is taken in once, in order, whatever restarts.

How far it has come is kept in the transaction in which it took the events in. Of several hubs that
follow under one name, one takes each stretch and the others notice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.database.turns import NoTurnError
from aerocast_hub.events.every import Event, decode_event
from aerocast_hub.outbox.publish import POLL_S, Publisher, TooSlowError, write_events
from aerocast_hub.outbox.tables import FollowerRow, OutboxRow
from aerocast_hub.telemetry.tracing import span

log = logging.getLogger(__name__)

READ_AT_ONCE = 200

TakeIn = Callable[[AsyncSession, Sequence[Event]], Awaitable[list[Event]]]
"""Takes events in through the session it is given (never commits); gives the events that follow."""


class Follower:
    """Takes in committed events of some kinds.

    Parameters
    ----------
    name
        What its progress is kept under.
    kinds
        The kinds it wants, as `aerocast_hub.events.every.kind_of` names them.
    """

    def __init__(
        self,
        name: str,
        kinds: Sequence[str],
        take_in: TakeIn,
        database: Database,
        publisher: Publisher,
    ) -> None:
        self._name = name
        self._kinds = tuple(kinds)
        self._take_in = take_in
        self._database = database
        self._publisher = publisher

    async def run(self) -> None:
        """Follow until cancelled; a database that does not answer is asked again."""
        with self._publisher.bell(self._kinds) as bell:
            while True:
                try:
                    while await self.catch_up():
                        pass
                    await bell.wait(POLL_S)
                except NoTurnError:
                    log.warning("%s waits: others write for too long", self._name)
                except TooSlowError:
                    await asyncio.sleep(POLL_S)  # the hub stops
                except (SQLAlchemyError, OSError) as error:
                    self._database.tell_failure(f"{self._name} waits", error)
                    await asyncio.sleep(POLL_S)

    async def catch_up(self) -> bool:
        """Take in what was committed since the last call; say whether there may be more."""
        async with self._database.reading() as session:
            last_id, is_new = await self._reached(session)
            rows = (
                await session.execute(
                    select(OutboxRow.id, OutboxRow.body, OutboxRow.traceparent)
                    .where(OutboxRow.id > last_id, OutboxRow.kind.in_(self._kinds))
                    .order_by(OutboxRow.id)
                    .limit(READ_AT_ONCE)
                )
            ).all()
        if not rows:
            return False
        traces = sorted({trace for _, _, trace in rows if trace is not None})
        with span(f"follow for {self._name}", traces):
            await self._take_in_rows(last_id, rows, is_new=is_new)
        self._publisher.wake()
        return True

    async def _take_in_rows(
        self, last_id: int, rows: Sequence[Row[int, bytes, str | None]], *, is_new: bool
    ) -> None:
        async with self._database.writing() as session:
            if is_new:
                first = {"name": self._name, "last_id": last_id}
                await insert_new(session, FollowerRow, [first])
            reached = await session.scalar(
                update(FollowerRow)
                .where(FollowerRow.name == self._name, FollowerRow.last_id == last_id)
                .values(last_id=rows[-1][0])
                .returning(FollowerRow.last_id)
            )
            if reached is not None:  # else another hub was first
                events = [event for _, body, _ in rows if (event := _decoded(body)) is not None]
                await write_events(session, await self._take_in(session, events))

    async def _reached(self, session: AsyncSession) -> tuple[int, bool]:
        """Say how far it came, and whether it is new: it begins with what the outbox still has."""
        known = await session.scalar(
            select(FollowerRow.last_id).where(FollowerRow.name == self._name)
        )
        return (known, False) if known is not None else (0, True)


def _decoded(body: bytes) -> Event | None:
    try:
        return decode_event(body)
    except msgspec.MsgspecError:
        log.exception("an event is of no kind this version knows")
        return None
