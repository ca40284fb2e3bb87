"""The trail for security officers: read it, take it away, look whether it is whole."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter
from litestar.response import Stream

from aerocast_hub.audit.chain import Anchor, Line
from aerocast_hub.audit.trail import Verdict, every_line, lines, record, verify
from aerocast_hub.database.engine import Database

MOST = 1000
After = Annotated[int, QueryParameter(ge=0, le=2**62, description="lines after this number")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST)]
Word = Annotated[str | None, QueryParameter(min_length=1, max_length=128)]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the trail as it is told.

    Attributes
    ----------
    before, after
        JSON, as it was sealed.
    previous, hash
        Seals of the line before and of this one, hexadecimal.
    """

    number: int
    at_us: int
    action: str
    outcome: str
    subject: str
    actor: str
    client: str | None
    before: str | None
    after: str | None
    previous: str
    hash: str


class AuditController(Controller):
    """The trail of who changed what."""

    path = "/api/audit"
    tags = ("Audit",)
    opt = {"permission": "audit:read"}  # noqa: RUF012  Litestar's own way

    @get("/", operation_id="ListAudit")
    async def some(
        self,
        database: NamedDependency[Database],
        after: After = 0,
        limit: Limit = 100,
        subject: Word = None,
        actor: Word = None,
        action: Word = None,
    ) -> list[Entry]:
        """Give lines after a number, the oldest first; those of a subject, an actor, an action."""
        asked = {"subject": subject, "actor": actor, "action": action}
        only = {name: value.replace("\x00", "?") for name, value in asked.items() if value}
        async with database.reading() as session:
            return [entry_of(each) for each in await lines(session, after, limit, **only)]

    @get("/export", operation_id="ExportAudit", media_type="application/x-ndjson")
    async def export(self, database: NamedDependency[Database], after: After = 0) -> Stream:
        """Give the whole trail after a number, a JSON object a line; that is a line itself."""
        async with database.writing() as session:
            await record(session, "trail_exported", subject=f"after {after}")
        return Stream(_written(database, after), media_type="application/x-ndjson")

    @get("/verdict", operation_id="VerifyAudit")
    async def verdict(
        self,
        database: NamedDependency[Database],
        head: Annotated[
            str | None, QueryParameter(max_length=90, description="NUMBER:HASH, known from before")
        ] = None,
    ) -> Verdict:
        """Look at every line, and say whether the trail is as it was written.

        Raises
        ------
        ValidationException
            ``head`` is no number and seal.
        """
        try:
            known = None if head is None else read_head(head)
        except ValueError as error:
            raise ValidationException(str(error)) from None
        return await verify(database, known)


def entry_of(line: Line) -> Entry:
    """Write a line as it is told."""
    told = msgspec.structs.asdict(line)
    return Entry(**told | {"previous": line.previous.hex(), "hash": line.hash.hex()})


def read_head(head: str) -> Anchor:
    """Read ``NUMBER:HASH``.

    Raises
    ------
    ValueError
        It is none.
    """
    number, _, seal = head.partition(":")
    if not number.isdecimal() or len(number) > 18 or len(seal) != 64:
        raise ValueError(f"{head[:90]!r}: expected NUMBER:HASH, such as 42:9f86d0...")
    return Anchor(number=int(number), hash=bytes.fromhex(seal))


def as_lines(some: Sequence[Line]) -> bytes:
    """Write lines of the trail as lines of JSON."""
    return b"".join(msgspec.json.encode(entry_of(each)) + b"\n" for each in some)


async def _written(database: Database, after: int) -> AsyncIterator[bytes]:
    async for some in every_line(database, after):
        yield as_lines(some)
