"""How lines of the trail are sealed: each holds the seal of the one before. Pure.

Whoever changes a line must seal every later one anew; whoever knows one later seal (an export, the
security log) notices. Taking the last lines away is noticed by the same means alone.
"""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

NOTHING_BEFORE = bytes(32)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the trail, as `aerocast_hub.audit.tables.AuditRow` explains it."""

    number: int
    at_us: int
    action: str
    outcome: str
    subject: str
    actor: str
    client: str | None
    before: str | None
    after: str | None
    previous: bytes
    hash: bytes = b""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A line and its seal."""

    number: int = 0
    hash: bytes = NOTHING_BEFORE


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that is not as it was written.

    Attributes
    ----------
    why
        ``changed``, ``missing`` (this number is not there), ``cut off`` (lines after it that
        somebody knew of are gone), or ``let go``: the line somebody knew of is older than what is
        kept, and says nothing of it. Where lines are kept for ever, nothing was let go in good
        faith.
    """

    number: int
    why: str


def seal(line: Line) -> bytes:
    """Give a line's seal: SHA-256 over all it says and the seal of the line before."""
    return hashlib.sha256(msgspec.msgpack.encode(_said(line))).digest()


def _said(line: Line) -> tuple[int | str | bytes | None, ...]:
    return (
        line.number,
        line.at_us,
        line.action,
        line.outcome,
        line.subject,
        line.actor,
        line.client,
        line.before,
        line.after,
        line.previous,
    )


class Checker:
    """Looks at lines in order and remembers how far the trail is whole.

    Attributes
    ----------
    reached
        The last line that is as it was written.
    """

    def __init__(self, begins_after: Anchor) -> None:
        self.reached = self._begins_after = begins_after

    def first_break(self, lines: Iterable[Line]) -> Break | None:
        """Give the first line that is not as it was written; None when all of them are."""
        return next(self._breaks(lines), None)

    def _breaks(self, lines: Iterable[Line]) -> Iterator[Break]:
        for line in lines:
            if line.number != self.reached.number + 1:
                yield Break(number=self.reached.number + 1, why="missing")
            elif line.previous != self.reached.hash or line.hash != seal(line):
                yield Break(number=line.number, why="changed")
            self.reached = Anchor(number=line.number, hash=line.hash)

    def against(self, known: Anchor) -> Break | None:
        """Compare both ends of the trail with a line somebody knew of before."""
        if known.number < self._begins_after.number:
            return Break(number=known.number, why="let go")
        if known.number == self._begins_after.number and known.hash != self._begins_after.hash:
            return Break(number=known.number, why="changed")
        if known.number > self.reached.number:
            return Break(number=self.reached.number + 1, why="cut off")
        if known.number == self.reached.number and known.hash != self.reached.hash:
            return Break(number=known.number, why="changed")
        return None
