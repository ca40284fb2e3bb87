"""Finding a passenger by bag tag and surname, and not by guessing."""

import asyncio
import unicodedata

from limits.aio.storage import Storage

from aerocast_hub.asking.client import ServiceAwayError
from aerocast_hub.auth.limiting.attempts import FINDS, Attempts
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.passenger_links import Links

NOT_FOUND_AFTER_S = 0.025
"""So long after the question it is answered that nobody was found. To look up a bag that is there
takes some microseconds longer than one that is not: enough to tell them apart with patience."""


class Finder:
    """Finds passengers; remembers how often somebody tried a tag, from where.

    Attributes
    ----------
    database
        Where it looks.
    """

    def __init__(
        self, database: Database, links: Links, tries: Storage, others: Others = IN_PROCESS
    ) -> None:
        self.database = database
        self._others = others
        self._links = links
        self._attempts = Attempts("finds", FINDS, tries)

    async def find(self, licence_plate: str, surname: str, client: str) -> str | TryLater | None:
        """Give the id of the passenger with this bag tag and surname.

        An unknown tag and a wrong surname get one answer, None, and count alike.

        Parameters
        ----------
        licence_plate
            As typed: blanks and dashes do not matter, nor whose digits they are.
        client
            Network address of whoever asks.

        Raises
        ------
        ServiceAwayError
            The baggage service does not answer; the try does not count.
        """
        loop = asyncio.get_running_loop()
        answer_at_s = loop.time() + NOT_FOUND_AFTER_S
        plate = digits_typed(licence_plate)
        wait_s = await self._attempts.wait_s(plate, client)
        if wait_s > 0:
            return TryLater(wait_s)
        try:
            async with self.database.reading() as session:
                passenger_id = await self._others.baggage.passenger(session, plate, surname)
        except ServiceAwayError:
            await self._attempts.take_back(plate, client)  # whoever comes back is not kept waiting
            raise
        if passenger_id is None:
            await asyncio.sleep(answer_at_s - loop.time())
            return None
        await self._attempts.forget(plate, client)
        return passenger_id

    async def link(self, passenger_id: str, now_us: int) -> str:
        """Give the token of a link for a passenger who was found.

        It is made anew only once half its time is over: whoever looks often fills no table.
        """
        async with self.database.reading() as session:
            token = await self._links.found_before(session, passenger_id, now_us)
        if token is None:
            async with self.database.writing() as session:
                token = await self._links.make_for_finder(session, passenger_id, now_us)
        return token


def digits_typed(text: str) -> str:
    """Give what somebody typed without blanks, dashes and unseen marks, in Latin digits.

    Arabic and Persian telephones write their own digits for the ones on the tag.
    """
    kept = (each for each in text if unicodedata.category(each) not in ("Zs", "Cc", "Cf", "Pd"))
    return "".join(str(unicodedata.decimal(each, each)) for each in kept)
