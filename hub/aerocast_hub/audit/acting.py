"""Who does the work at hand: set once where it comes in, read where the trail is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

THE_HUB = "hub"
COMMAND_LINE = "command line"
_NO_ACCOUNTS = frozenset(
    {THE_HUB, COMMAND_LINE, "the hub", "identity provider", "nobody", "unknown"}
)
_NO_ACCOUNTS_BEGIN = ("gateway ", "badge at ")


def is_no_account(name: str) -> bool:
    """Say whether the trail calls something by this name that is no account.

    An account of such a name would do its work in somebody else's.
    """
    return name in _NO_ACCOUNTS or name.startswith(_NO_ACCOUNTS_BEGIN)


@dataclass
class Acting:
    """Somebody at work.

    Attributes
    ----------
    actor
        An account's name; "" while nobody is known.
    client
        Network address they come from.
    recorded
        How many lines they have caused so far.
    """

    actor: str = ""
    client: str | None = None
    recorded: int = 0


_acting: ContextVar[Acting | None] = ContextVar("aerocast_acting", default=None)


def who_acts() -> Acting:
    """Say who does the work at hand: the hub itself, unless somebody asked for it."""
    return _acting.get() or Acting(actor=THE_HUB)


@contextmanager
def acting(somebody: Acting) -> Iterator[Acting]:
    """Do what follows for somebody."""
    before = _acting.set(somebody)
    try:
        yield somebody
    finally:
        _acting.reset(before)


def is_acting(actor: str, client: str | None) -> None:
    """Note who the request at hand is from, once that is known."""
    somebody = _acting.get()
    if somebody is not None:
        somebody.actor, somebody.client = actor, client
