"""How much advice was given: counted in memory, written every second, never waited for."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.tables import AdviceCountRow
from aerocast_hub.telemetry.metrics import Metrics

EVERY_S = 1.0


class AdviceCounter:
    """Counts advice by day and by the way it was asked for: ``link``, ``plate`` or ``page``.

    What was counted in the last second is lost when the process is killed.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._given: Counter[tuple[str, str]] = Counter()
        self._turn = asyncio.Lock()

    def count(self, asked_by: str, now_us: int) -> None:
        """Count one advice given."""
        day = datetime.fromtimestamp(now_us / 1e6, UTC).date().isoformat()
        self._given[day, asked_by] += 1
        self._metrics.advice_given.labels(asked_by).inc()

    async def given(self) -> int:
        """Tell how much advice was given so far, what this process has not written included."""
        # In a session of its own, begun while nothing is written: each is counted, and once.
        async with self._turn, self._database.reading() as session:
            written = await session.scalar(select(func.sum(AdviceCountRow.given)))
            return int(written or 0) + self._given.total()

    async def keep_writing(self) -> None:
        """Write every second until cancelled; what could not be written is tried again."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write()
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure("counts of advice wait", error)

    async def write(self) -> None:
        """Write what was counted since the last time."""
        async with self._turn:
            given, self._given = self._given, Counter()
            if not given:
                return
            is_said = False
            try:
                async with self._database.writing() as session:
                    for (day, asked_by), count in given.items():
                        await _add(session, day, asked_by, count)
                    is_said = True
            except BaseException as error:
                if not (is_said and isinstance(error, asyncio.CancelledError)):  # it is committed
                    self._given += given
                raise


async def _add(session: AsyncSession, day: str, asked_by: str, count: int) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(AdviceCountRow).values({"day": day, "asked_by": asked_by, "given": count})
    statement = statement.on_conflict_do_update(
        index_elements=["day", "asked_by"], set_={"given": AdviceCountRow.given + count}
    )
    await session.execute(statement)
