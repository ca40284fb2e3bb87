"""The hub's own BagMessage server: partners log in, send messages, and get those meant for them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from aerocast_protocols.baggage.link_session import HEARTBEAT_S, LinkSession, passwords_of
from aerocast_protocols.errors import ProtocolError
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.baggage.link_connection import LinkConnection, LoginRefusedError
from aerocast_hub.baggage.link_feed import PartnerFeed, sender_of
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.partners import Partner
from aerocast_hub.database.engine import Database
from aerocast_hub.events.bags import BagMessageReceived
from aerocast_hub.outbox.publish import Publisher, TooSlowError
from aerocast_hub.running import end
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
REFUSED_S = 1.0
"""Who is refused waits this long for its connection to end: passwords are not to be tried out."""


class LinkServer:
    """Listens for partners.

    Attributes
    ----------
    port
        Where it listens, once it does.

    Parameters
    ----------
    application
        The hub's own application id.
    partners
        Application id -> partner and password.
    """

    def __init__(
        self,
        application: str,
        partners: Mapping[str, tuple[Partner, bytes]],
        database: Database,
        storage: Storage,
        metrics: Metrics,
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self.port = 0
        self._application = application
        self._partners = {name: partner for name, (partner, _) in partners.items()}
        self._check = passwords_of({name: word for name, (_, word) in partners.items()})
        self._database = database
        self._storage = storage
        self._metrics = metrics
        self._heartbeat_s = heartbeat_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._visits: dict[str, _Visit] = {}

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[None]:
        """Serve partners beside the block.

        Raises
        ------
        OSError
            The port is taken.
        """
        server = await asyncio.start_server(self._accept, host, port)
        self.port = server.sockets[0].getsockname()[1]
        log.info("baggage partners may log in at %s:%d", host, self.port)
        try:
            yield
        finally:
            server.close()
            await end(*self._tasks)

    async def follow(self, publisher: Publisher) -> None:
        """Wake the partners' feeds when messages came in, until cancelled."""
        while True:
            with publisher.subscribe() as subscription, suppress(TooSlowError):
                self._wake()
                async for published in subscription:
                    if isinstance(published.event, BagMessageReceived):
                        self._wake()
            await asyncio.sleep(REFUSED_S)

    def _wake(self) -> None:
        for visit in self._visits.values():
            visit.feed.woken.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve in a task of our own: asyncio's would complain of being cancelled."""
        if len(self._tasks) >= MOST_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._attend(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except LoginRefusedError as error:
            log.warning("a baggage partner at %s: %s", writer.get_extra_info("peername"), error)
            await asyncio.sleep(REFUSED_S)
        except (OSError, TimeoutError, ProtocolError, SQLAlchemyError) as error:
            log.warning("a baggage partner is lost: %s", str(error) or repr(error))
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit: _Visit | None = None

        async def logged_in(name: str) -> PartnerFeed:
            nonlocal visit
            partner = self._partners[name]
            feed = PartnerFeed(self._database, partner)
            await feed.begin()
            visit = _Visit(partner, feed, connection)
            before = self._visits.pop(name, None)
            if before is not None:  # a connection it has lost and we have not
                before.connection.close()
            self._visits[name] = visit
            self._metrics.bag_partners_connected.set(len(self._visits))
            log.info("baggage partner %s is logged in", name)
            return feed

        async def store(messages: Sequence[bytes]) -> None:
            if visit is None or not visit.partner.sends:
                raise ProtocolError("it sends messages and may not")
            await self._storage.store(messages, sender_of(visit.partner))

        session = LinkSession(
            self._application, time.monotonic(), check=self._check, heartbeat_s=self._heartbeat_s
        )
        connection = LinkConnection(reader, writer, session, store, logged_in)
        try:
            await connection.run()
        finally:
            if visit is not None and self._visits.get(visit.partner.application) is visit:
                del self._visits[visit.partner.application]
                self._metrics.bag_partners_connected.set(len(self._visits))


class _Visit(NamedTuple):
    """A partner that is logged in."""

    partner: Partner
    feed: PartnerFeed
    connection: LinkConnection
