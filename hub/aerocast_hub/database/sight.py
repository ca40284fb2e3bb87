"""Whose rows a request sees. Set once where it comes in, kept by every session that reads for it.

Sessions that read add the rules of `RowRules` to whatever is asked of a table that has one, so
that no query can forget them. Work that serves nobody in particular sees everything.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from sqlalchemy import ColumnElement, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from aerocast_hub.database import Base


class Sight(NamedTuple):
    """Whose rows are seen.

    Attributes
    ----------
    airlines, stations
        Airline designators and airport codes in capitals; None: every one's.
    """

    airlines: frozenset[str] | None = None
    stations: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Say that every row is seen."""
        return self.airlines is None and self.stations is None

    @property
    def name(self) -> str:
        """Tell sights apart: "" for the one that sees every row."""
        if self.is_whole:
            return ""
        named = (
            "*" if each is None else ",".join(sorted(each))
            for each in (self.airlines, self.stations)
        )
        return f"{' at '.join(named)}: "


EVERYTHING = Sight()
RowRules = Mapping[type[Base], Callable[[Sight], ColumnElement[bool]]]
"""Table -> which of its rows a sight sees. Tables without a rule are seen whole."""

_sight: ContextVar[Sight] = ContextVar("aerocast_sight", default=EVERYTHING)


def current_sight() -> Sight:
    """Say whose rows the work at hand sees."""
    return _sight.get()


def see_only(sight: Sight) -> None:
    """Narrow what the rest of this request sees."""
    _sight.set(sight)


@contextmanager
def seeing(sight: Sight) -> Iterator[None]:
    """See that much until the block ends; whatever it calls may narrow it meanwhile."""
    before = _sight.set(sight)
    try:
        yield
    finally:
        _sight.reset(before)


class NarrowedSession(Session):
    """A session whose every SELECT keeps to the rules it was opened with (``info["rules"]``)."""


def rules_of(rules: RowRules, sight: Sight) -> list[tuple[type[Base], ColumnElement[bool]]]:
    """Give what a session with this sight adds to its queries."""
    return [(table, rule(sight)) for table, rule in rules.items()]


@event.listens_for(NarrowedSession, "do_orm_execute")
def _keep_to_rules(state: ORMExecuteState) -> None:
    if not state.is_select:
        raise RuntimeError("a session that sees some rows only cannot write")
    state.statement = state.statement.options(
        *(with_loader_criteria(table, rule) for table, rule in state.session.info["rules"])
    )
