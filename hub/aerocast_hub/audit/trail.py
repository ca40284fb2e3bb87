"""The trail in the database: written to, read, checked, and let go of from its beginning."""

import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, event, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import who_acts
from aerocast_hub.audit.append_only import missing_triggers
from aerocast_hub.audit.chain import Anchor, Break, Checker, Line, seal
from aerocast_hub.audit.tables import AuditAnchorRow, AuditRow
from aerocast_hub.database.engine import Database
from aerocast_hub.telemetry.security_log import tell_security_log

Outcome = Literal["success", "failure"]
AT_ONCE = 1000
LONGEST_TOLD = 8192
_ORDER_LOCK = 7_301_746  # any number of ours


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What looking at the whole trail came to.

    Attributes
    ----------
    first, last
        Numbers of the lines there are; ``last`` is the last one that is as it was written.
    head
        The seal of ``last``, hexadecimal: keep it elsewhere, and a cut end is noticed.
    broken
        The first line that is not as it was written.
    unguarded
        Triggers that should refuse changes and are not in place.
    """

    first: int
    last: int
    head: str
    broken: Break | None = None
    unguarded: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Say that every line is as it was written, and the database refuses changes."""
        return self.broken is None and not self.unguarded


async def record(  # noqa: PLR0913  who, what, when, from where, before and after are what a trail is
    session: AsyncSession,
    action: str,
    *,
    subject: str,
    before: object = None,
    after: object = None,
    outcome: Outcome = "success",
    actor: str | None = None,
    client: str | None = None,
    at_us: int | None = None,
) -> None:
    """Add a line in the caller's transaction: it stands if what it tells of does.

    Call it last: others who write to the trail wait until the transaction ends.

    Parameters
    ----------
    subject
        What it was done to. Neither here nor in ``before`` and ``after`` goes a secret or a
        passenger's name.
    actor, client
        Left out: whoever the work at hand is for (`acting`).
    at_us
        UTC microseconds; left out: now.
    """
    somebody = who_acts()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})
    last = await _last(session)
    line = Line(
        number=last.number + 1,
        at_us=time.time_ns() // 1000 if at_us is None else at_us,
        action=action[:64],
        outcome=outcome,
        subject=_plain(subject, 128),
        actor=_plain(actor or somebody.actor or "nobody", 64),
        client=None if (told := client or somebody.client) is None else _plain(told, 64),
        before=_told(before),
        after=_told(after),
        previous=last.hash,
    )
    sealed = msgspec.structs.replace(line, hash=seal(line))
    await session.execute(insert(AuditRow).values(**msgspec.structs.asdict(sealed)))
    somebody.recorded += 1
    event.listen(
        session.sync_session, "after_commit", lambda _session: tell_security_log(sealed), once=True
    )


async def lines(
    session: AsyncSession, after: int = 0, limit: int = AT_ONCE, **only: str
) -> list[Line]:
    """Give lines after a number, the oldest first; ``only`` those of a subject, actor, action."""
    wanted = [getattr(AuditRow, column) == value for column, value in only.items()]
    rows = await session.scalars(
        select(AuditRow)
        .where(AuditRow.number > after, *wanted)
        .order_by(AuditRow.number)
        .limit(limit)
    )
    return [_line(row) for row in rows]


async def every_line(database: Database, after: int = 0) -> AsyncIterator[list[Line]]:
    """Give the whole trail, a thousand lines at a time."""
    while True:
        async with database.reading() as session:
            some = await lines(session, after)
        if not some:
            return
        yield some
        after = some[-1].number


async def verify(database: Database, known: Anchor | None = None) -> Verdict:
    """Look at every line, and say whether the trail is as it was written.

    Parameters
    ----------
    known
        A line somebody knew of before, from an export or the security log.
    """
    async with database.reading() as session:
        anchor = await _anchor(session)
        unguarded = await (await session.connection()).run_sync(missing_triggers)
    checker = Checker(anchor)
    broken: Break | None = None
    async for some in every_line(database, anchor.number):
        at = next((at for at, each in enumerate(some) if known and each.number == known.number), -1)
        broken = checker.first_break(some)
        if broken is None and known is not None and at >= 0 and some[at].hash != known.hash:
            broken = Break(number=known.number, why="changed")
        if broken is not None:
            break
    if broken is None and known is not None:
        broken = checker.against(known)
    return Verdict(
        first=anchor.number + 1,
        last=checker.reached.number,
        head=checker.reached.hash.hex(),
        broken=broken,
        unguarded=unguarded,
    )


async def let_go(database: Database, before_us: int, now_us: int) -> int:
    """Let go of lines older than an instant, from the beginning; say how many.

    The seal of the last of them stays as the anchor the rest of the trail hangs on.
    """
    async with database.writing() as session:
        first_kept = await session.scalar(
            select(func.min(AuditRow.number)).where(AuditRow.at_us >= before_us)
        )
        last = await _last(session)
        up_to = last.number if first_kept is None else first_kept - 1
        row = await session.get(AuditRow, up_to)
        if row is None or row.number <= (await _anchor(session)).number:
            return 0
        anchor = {"number": row.number, "hash": row.hash, "at_us": now_us}
        await session.execute(insert(AuditAnchorRow).values(**anchor))
        done = await session.execute(delete(AuditRow).where(AuditRow.number <= up_to))
        gone = int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it
        await record(session, "trail_let_go", subject=f"up to {up_to}", after={"lines": gone})
        return gone


async def _last(session: AsyncSession) -> Anchor:
    newest = select(AuditRow.number, AuditRow.hash).order_by(AuditRow.number.desc()).limit(1)
    row = (await session.execute(newest)).first()
    return await _anchor(session) if row is None else Anchor(number=row.number, hash=row.hash)


async def _anchor(session: AsyncSession) -> Anchor:
    newest = select(AuditAnchorRow).order_by(AuditAnchorRow.number.desc()).limit(1)
    row: Any = await session.scalar(newest)
    return Anchor() if row is None else Anchor(number=row.number, hash=row.hash)


def _line(row: AuditRow) -> Line:
    return Line(**{name: getattr(row, name) for name in Line.__struct_fields__})


def _plain(told: str, longest: int) -> str:
    """Write a text as it is kept: PostgreSQL takes no NUL, and half a character is none."""
    return told.replace("\x00", "?").encode("utf-8", "replace").decode()[:longest]


def _told(value: object) -> str | None:
    if value is None:
        return None
    written = msgspec.json.encode(value, order="sorted").decode()
    if len(written) > LONGEST_TOLD:
        sha256 = hashlib.sha256(written.encode()).hexdigest()
        return msgspec.json.encode({"characters": len(written), "sha256": sha256}).decode()
    return written.replace("\\u0000", "?")
