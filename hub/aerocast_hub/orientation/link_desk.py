"""Making and revoking passengers' links for those who work with their bags.

Somebody who sees only some airlines' bags can make, see and revoke links of their passengers alone.
"""

import time
from typing import Literal

import msgspec

from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.passenger_links import (
    VALID_H,
    Links,
    PassengerLink,
    TooManyLinksError,
    find_link,
    links_of,
    revoke_link,
)
from aerocast_hub.outbox.publish import Publisher, write_events


class OpenLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that opens, with its secret part.

    Attributes
    ----------
    path
        Of the passenger's page, on the hub: ``/p/...``.
    """

    link: PassengerLink
    token: str
    path: str


Refusal = Literal["no_bag", "no_passenger"]


class LinkDesk:
    """Makes, lists and revokes links.

    Parameters
    ----------
    publisher
        Woken after a revocation, so that open pages close at once.
    """

    def __init__(
        self,
        database: Database,
        links: Links,
        publisher: Publisher | None,
        others: Others = IN_PROCESS,
    ) -> None:
        self._database = database
        self._others = others
        self._links = links
        self._publisher = publisher

    async def make(self, bag: str, by: str, valid_h: int = VALID_H) -> OpenLink | Refusal:
        """Make a link for the passenger of a bag, which is named by the hub's id or its plate.

        Raises
        ------
        TooManyLinksError
            The passenger has as many as there may be.
        """
        async with self._database.reading() as session:
            owner = await self._others.baggage.owner(session, bag)
        if owner.bag_id is None:
            return "no_bag"
        if owner.passenger_id is None:
            return "no_passenger"
        async with self._database.writing() as session:
            return self._opened(
                await self._links.make(session, owner.passenger_id, by, valid_h, _now_us())
            )

    async def of_bag(self, bag_id: str) -> list[PassengerLink] | None:
        """Give the links of a bag's passenger, the newest first; None when there is no such bag."""
        async with self._database.reading() as session:
            owner = await self._others.baggage.owner(session, bag_id)
            if owner.bag_id != bag_id:
                return None
            if owner.passenger_id is None:
                return []
            return await links_of(session, owner.passenger_id, _now_us())

    async def find(self, link_id: str) -> PassengerLink | None:
        """Find a link of a passenger who has a bag that the asker sees."""
        async with self._database.reading() as session:
            found = await find_link(session, link_id, _now_us())
            if found is None or not await self._others.baggage.bags_of(session, found[1]):
                return None
        return found[0]

    async def bag_of(self, link_id: str) -> str | None:
        """Give the hub's id of a bag of a link's passenger, which the asker sees."""
        async with self._database.reading() as session:
            found = await find_link(session, link_id, _now_us())
            bags = [] if found is None else await self._others.baggage.bags_of(session, found[1])
        return bags[0].id if bags else None

    async def open(self, link_id: str) -> OpenLink | None:
        """Give an open link with its secret part; None when there is none that opens."""
        link = await self.find(link_id)
        return None if link is None or link.state != "open" else self._opened(link)

    async def revoke(self, link_id: str, by: str) -> PassengerLink | None:
        """Revoke a link; it stays revoked however often this is asked. None: there is none."""
        if await self.find(link_id) is None:
            return None
        async with self._database.writing() as session:
            await write_events(session, await revoke_link(session, link_id, by, _now_us()))
        if self._publisher is not None:
            self._publisher.wake()
        return await self.find(link_id)

    def _opened(self, link: PassengerLink) -> OpenLink:
        token = self._links.token(link.id, link.expires_at_us)
        return OpenLink(link=link, token=token, path=f"/p/{token}")


def _now_us() -> int:
    return time.time_ns() // 1000


__all__ = ["LinkDesk", "OpenLink", "Refusal", "TooManyLinksError"]
