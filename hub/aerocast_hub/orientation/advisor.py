"""Whoever asks for advice asks here: it shares what is the same for many, and keeps count."""

from typing import NamedTuple

from msgspec import structs
from sqlalchemy import ScalarSelect

from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.advising import (
    Advised,
    advise_bags,
    advise_each,
    advise_on_bag,
)
from aerocast_hub.orientation.counting import AdviceCounter
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.passenger_links import Links, open_links_of
from aerocast_hub.orientation.surroundings import (
    RecentSurroundings,
    Surroundings,
)
from aerocast_hub.telemetry.metrics import Metrics


class AdvisedPassenger(NamedTuple):
    """A passenger's advice, and their open links that staff or an airline made."""

    links: tuple[str, ...]
    advised: Advised


class Advisor:
    """Advises passengers of one database.

    Attributes
    ----------
    around
        What its passengers share.
    counter
        How often it did, by the way it was asked.
    """

    def __init__(
        self, database: Database, metrics: Metrics, links: Links, others: Others = IN_PROCESS
    ) -> None:
        self._database = database
        self._others = others
        self._links = links
        self.around = RecentSurroundings(database, others)
        self.counter = AdviceCounter(database, metrics)

    async def by_link(self, token: str, now_us: int, profile: str) -> Advised | None:
        """Advise whom a link speaks for; None when it opens nothing.

        ``profile`` is how they get about, one of `profiles.PROFILES`.
        """
        named = self._links.read(token, now_us)
        if named is None:
            return None
        passenger = self._links.passenger_of(named, now_us)
        advised = await self._advise(passenger, now_us, profile)
        if advised is None:
            return None
        return structs.replace(advised, concerns=advised.concerns | {f"link {named.link_id}"})

    def link_of(self, token: str, now_us: int) -> str | None:
        """Name the link a token is of; None when it is forged or expired."""
        named = self._links.read(token, now_us)
        return None if named is None else named.link_id

    async def of_passenger(self, passenger_id: str, now_us: int, profile: str) -> Advised | None:
        """Advise a passenger now; None when the hub knows no bag of theirs any more.

        ``profile`` is how they get about, one of `profiles.PROFILES`.
        """
        return await self._advise(passenger_id, now_us, profile)

    async def _advise(
        self, passenger: str | ScalarSelect[str], now_us: int, profile: str
    ) -> Advised | None:
        async with self._database.reading() as session:
            bags = await self._others.baggage.bags_of(session, passenger)
        # With no session in hand: what is shared is asked for in sessions of its own, and many
        # who each held one while they wait for another would wait for ever.
        return await advise_bags(self.around, bags, now_us, profile)

    async def on_bag(self, bag: str, at_us: int, profile: str) -> Advised | None:
        """Advise whoever a bag belongs to, as they would be at an instant; shares nothing."""
        async with self._database.reading() as session:
            around = Surroundings(session, at_us, self._others)
            return await advise_on_bag(session, around, bag, at_us, profile, self._others)

    async def on_flight(self, flight_id: str, now_us: int) -> list[AdvisedPassenger] | None:
        """Advise the passengers with bags on a flight, as they would be now; 400 at most.

        None when there is no such flight. Whoever sees only some bags gets their passengers.
        """
        async with self._database.reading() as session:
            people = await self._others.baggage.aboard(session, flight_id)
            if people is None:
                return None
            advised = await advise_each(session, people, now_us, self._others)
            links = await open_links_of(session, people, now_us)
        return [
            AdvisedPassenger(tuple(links.get(person, ())), each) for person, each in advised.items()
        ]
