"""Those who keep a page open: woken when an event concerns them, and never too many of them.

Every open page has a `Listener` with its subjects: ``bag <id>``, ``flight <id>``, ``link <id>``,
``ramp <airport>``, ``places <airport>``, ``flights``. Whoever keeps answers of what events change
is told first (`Hears`), so that nobody is woken to read what is outdated.
"""

import asyncio
import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from litestar.response.sse import ServerSentEventMessage

from aerocast_hub.airports import airport_codes
from aerocast_hub.asking.client import ServiceAwayError
from aerocast_hub.events.every import Event
from aerocast_hub.events.passengers import GuidanceChanged
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.live.server_sent import HEARTBEAT_S
from aerocast_hub.outbox.publish import POLL_S, Publisher, TooSlowError

log = logging.getLogger(__name__)

COME_BACK_MS = 3000  # so long a browser waits before it does
SETTLES_S = 0.5  # events come in bursts: one look for all of them
MOST = 2000  # streams of a process
MOST_OF_CLIENT = 500  # an airport's wireless network puts many people behind one address
MOST_OF_NAME = 4  # of one link: a phone that lost its network leaves a dead one behind
LONGEST_QUEUE = 2048


class FullError(Exception):
    """There are as many streams as there may be: ask now and then instead."""


class Hears(Protocol):
    """Keeps answers that events make outdated."""

    def take_in(self, event: Event) -> None:
        """Forget what an event says is no longer so."""

    def forget_all(self) -> None:
        """Forget everything: events went by unheard."""


class Shown(NamedTuple):
    """What a page is to show, and a mark that changes with it; None: it shows nothing any more."""

    body: bytes
    mark: str


class Listener:
    """One open page."""

    def __init__(self, name: str, client: str) -> None:
        self.name = name
        self.client = client
        self.is_let_go = False
        self._subjects: frozenset[str] = frozenset()
        self._woken = asyncio.Event()

    @property
    def subjects(self) -> frozenset[str]:
        """What it wants to be woken for."""
        return self._subjects

    def wake(self) -> None:
        """Let it look again."""
        self._woken.set()

    async def wait(self, longest_s: float) -> bool:
        """Wait until it is woken, or for so long; say whether it was woken."""
        try:
            async with asyncio.timeout(longest_s):
                await self._woken.wait()
                await asyncio.sleep(SETTLES_S)
        except TimeoutError:
            return False
        finally:
            self._woken.clear()
        return True


class Audience:
    """Every open page of this process."""

    def __init__(self, publisher: Publisher, hears: Hears) -> None:
        self._publisher = publisher
        self._hears = hears
        self._listeners: dict[Listener, None] = {}
        self._by_subject: defaultdict[str, set[Listener]] = defaultdict(set)
        self._of_client: Counter[str] = Counter()

    def check_room(self, client: str) -> None:
        """See whether a client may open one more.

        Raises
        ------
        FullError
            It may not.
        """
        if len(self._listeners) >= MOST or self._of_client[client] >= MOST_OF_CLIENT:
            raise FullError

    @contextmanager
    def listening(self, name: str, client: str) -> Iterator[Listener]:
        """Listen until the block ends; the oldest of too many of one name is let go."""
        listener = Listener(name, client)
        same = [each for each in self._listeners if each.name == name]
        if len(same) >= MOST_OF_NAME:
            same[0].is_let_go = True
            same[0].wake()
        self._listeners[listener] = None
        self._of_client[client] += 1
        try:
            yield listener
        finally:
            del self._listeners[listener]
            self.concern(listener, frozenset())
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def concern(self, listener: Listener, subjects: frozenset[str]) -> None:
        """Note what a listener wants to be woken for."""
        for gone in listener.subjects - subjects:
            self._by_subject[gone].discard(listener)
            if not self._by_subject[gone]:
                del self._by_subject[gone]
        for new in subjects - listener.subjects:
            self._by_subject[new].add(listener)
        listener._subjects = subjects  # noqa: SLF001  kept in step with the index here alone

    @property
    def is_closed(self) -> bool:
        """Say that the hub stops."""
        return self._publisher.is_closed

    async def follow(self) -> None:
        """Wake whom events concern, until cancelled."""
        while True:
            with self._publisher.subscribe(LONGEST_QUEUE) as news:
                self._hears.forget_all()
                for listener in tuple(self._listeners):
                    listener.wake()
                try:
                    async for published in news:
                        self.take_in(published.event)
                except TooSlowError:  # the hub stops, or a burst went by
                    for listener in tuple(self._listeners):
                        listener.wake()
                    await asyncio.sleep(POLL_S)

    def take_in(self, event: Event) -> None:
        """Wake whom an event concerns."""
        self._hears.take_in(event)
        for subject in subjects_of(event):
            for listener in self._by_subject.get(subject, ()):
                listener.wake()


def subjects_of(event: Event) -> set[str]:
    """Name what an event is about."""
    if isinstance(event, GuidanceChanged):
        return set()  # it tells of what pages see themselves
    subjects = {
        f"{what} {found}"
        for what in ("bag", "flight", "link")
        if (found := getattr(event, f"{what}_id", None)) is not None
    }
    if hasattr(event, "flight_id"):
        subjects.add("flights")
    code = getattr(event, "airport", None)
    if isinstance(code, str):
        what = "places" if isinstance(event, PlacesChanged) else "ramp"
        subjects |= {f"{what} {each}" for each in airport_codes(code)}
    return subjects


def mark_of(shown: bytes) -> str:
    """Give a mark that changes with what is shown."""
    return hashlib.sha256(shown).hexdigest()[:16]


async def stream(
    audience: Audience,
    listener: Listener,
    look: Callable[[Listener], Awaitable[Shown | None]],
    seen: str,
    every_s: float = HEARTBEAT_S,
) -> AsyncIterator[bytes]:
    """Give a stream of server-sent events: ``news`` whenever there is something new to show.

    ``here`` says now and then that it goes on: a page that hears nothing is without a network.

    Parameters
    ----------
    look
        Gives what is to be shown now; None ends the stream, for good.
    seen
        The mark of what the page shows already.
    every_s
        How often it is looked at when nothing happens; each time the stream says it is there.
    """
    yield ServerSentEventMessage(event="ready", data="", retry=COME_BACK_MS).encode()
    while not (audience.is_closed or listener.is_let_go):
        try:
            shown = await look(listener)
        except ServiceAwayError as error:  # what the page shows was true a moment ago
            log.info("a page is told nothing new for now: %s", error)
            shown = Shown(b"", seen)
        if shown is None:
            yield ServerSentEventMessage(event="over", data="").encode()
            return
        if shown.mark != seen:
            seen = shown.mark
            yield ServerSentEventMessage(event="news", id=seen, data=shown.body).encode()
        if not await listener.wait(every_s):
            yield ServerSentEventMessage(event="here", data="").encode()
