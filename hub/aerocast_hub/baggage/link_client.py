"""The hub on a BagMessage network: logs in at one of its hosts, and takes in what they send.

The hosts are tried in turn. Who is refused waits longer: a wrong password is for a person to mend.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from aerocast_protocols.baggage.link_session import HEARTBEAT_S, LinkSession
from aerocast_protocols.errors import ProtocolError
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.baggage.link_connection import LinkConnection, LoginRefusedError
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.hosts import Host
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

RECONNECT_S = 2.0
REFUSED_S = 30.0
CONNECT_S = 10.0


class Account(NamedTuple):
    """How the hub logs in."""

    application: str
    password: bytes

    def __repr__(self) -> str:
        """Tell no password."""
        return f"Account({self.application!r})"


class LinkClient:
    """Keeps a session with one of the hosts, for as long as it runs.

    Parameters
    ----------
    hosts
        One or two, tried in turn.
    reconnect_s
        The pause after a connection was lost.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        account: Account,
        storage: Storage,
        metrics: Metrics,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        reconnect_s: float = RECONNECT_S,
    ) -> None:
        self._hosts = hosts
        self._account = account
        self._storage = storage
        self._metrics = metrics
        self._heartbeat_s = heartbeat_s
        self._reconnect_s = reconnect_s

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        turn = 0
        while True:
            host = self._hosts[turn % len(self._hosts)]
            turn += 1
            pause_s = self._reconnect_s
            try:
                await self._talk(host)
                log.info("the baggage host %s has logged off", host)
            except LoginRefusedError:
                log.error("the baggage host %s refuses the login of the hub", host)  # noqa: TRY400  no stack helps
                pause_s = max(pause_s, REFUSED_S)
            except (OSError, TimeoutError, ProtocolError, SQLAlchemyError) as error:
                log.warning(
                    "no session with the baggage host %s: %s", host, str(error) or repr(error)
                )
            await asyncio.sleep(pause_s)

    async def _talk(self, host: Host) -> None:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host.name, host.port)
        session = LinkSession(
            self._account.application,
            time.monotonic(),
            password=self._account.password,
            heartbeat_s=self._heartbeat_s,
        )

        async def store(messages: Sequence[bytes]) -> None:
            await self._storage.store(messages, "link")

        async def logged_in(application: str) -> None:
            log.info("logged in at the baggage host %s (%s)", host, ascii(application))
            self._metrics.bag_link_connected.set(1)

        connection = LinkConnection(reader, writer, session, store, logged_in)
        try:
            await connection.run()
        finally:
            self._metrics.bag_link_connected.set(0)
            writer.close()
