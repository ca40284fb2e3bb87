"""What happens, as server-sent events (WHATWG HTML §9.2), for those who may be told.

A listener that does not keep up is told ``behind`` and let go; it comes back by itself and asks for
the present state.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from litestar.response.sse import ServerSentEventMessage

from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.events.every import Event
from aerocast_hub.outbox.publish import Publisher, TooSlowError

LONGEST_QUEUE = 256
HEARTBEAT_S = 20.0  # proxies close what is silent for a minute
COME_BACK_MS = 2000  # so long a browser waits before it does
MayHear = Callable[[Event], Awaitable[bool]]
Begin = Callable[[], Awaitable[ServerSentEventMessage]]


async def ready() -> ServerSentEventMessage:
    """Begin with the word that from now on nothing is missed."""
    return ServerSentEventMessage(event="ready", data="", retry=COME_BACK_MS)


async def stream(
    publisher: Publisher,
    standing: Standing,
    who: Principal,
    may_hear: MayHear,
    begin: Begin = ready,
) -> AsyncIterator[bytes]:
    """Give the stream's bytes until it lags, or they may be told nothing more.

    Parameters
    ----------
    may_hear
        Says of an event whether it is one for this stream.
    begin
        Gives what is said first; what happens from before it is asked on is told after it.
    """
    with publisher.subscribe(LONGEST_QUEUE) as news, standing.watching(who, news.end):
        yield (await begin()).encode()
        while not standing.is_over(who):
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    published = await news.next()
            except TimeoutError:
                yield b": still here\r\n\r\n"
            except TooSlowError:
                if not standing.is_over(who):
                    yield ServerSentEventMessage(event="behind", data="").encode()
                return
            else:
                if standing.is_over(who) or not await may_hear(published.event):
                    continue
                told = msgspec.json.encode(published.event)
                yield ServerSentEventMessage(id=published.id, data=told).encode()
