"""The hub's own journeys as EPCIS events: kept as they change, corrected where they were wrong.

EPCIS deletes nothing. What is no longer known of a bag (evidence voided, a corrected clock, another
bag after all) is declared an error, under the same id.
"""

import time
from collections.abc import Mapping, Sequence

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from aerocast_protocols.epcis.vocabulary import CONTEXT
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.baggage.history import histories
from aerocast_hub.epcis.keeping import NewEvent, keep_events
from aerocast_hub.epcis.names import Names
from aerocast_hub.epcis.our_events import events_of
from aerocast_hub.epcis.tables import EpcisEventRow
from aerocast_hub.events import BagChanged, BagForgotten, BagPassed, EpcisEventsKept, Event

FOLLOWED = ("bag_passed", "bag_changed", "bag_forgotten")


class JourneyPublisher:
    """Keeps EPCIS events of the bags that change.

    Parameters
    ----------
    base
        How the hub is reached: names begin with it.
    """

    def __init__(self, base: str) -> None:
        self._names = Names(base)

    async def take_in(self, session: AsyncSession, events: Sequence[Event]) -> list[Event]:
        """Keep what is new of the bags that changed, and declare what is no longer so."""
        plates = {each.licence_plate for each in events if isinstance(each, BagPassed | BagChanged)}
        told: dict[str, list[NewEvent]] = {
            each.bag_id: [] for each in events if isinstance(each, BagForgotten)
        }
        around: list[NewEvent] = []
        for plate in sorted(plates):
            for history in await histories(session, plate):
                of_bag = told.setdefault(history.bag_id, [])
                for each in events_of(history, self._names, _zone_of):
                    new = NewEvent(each.event, [CONTEXT])
                    (of_bag if each.is_of_bag else around).append(new)
        kept = (await keep_events(session, around)).new
        for bag_id, of_bag in sorted(told.items()):
            kept += (await keep_events(session, of_bag, subject=bag_id)).new
            wrong = await _no_longer_so(session, bag_id, of_bag)
            kept += (await keep_events(session, wrong, subject=bag_id)).new
        if not kept:
            return []
        return [EpcisEventsKept(at_us=time.time_ns() // 1000, events=len(kept))]


async def _no_longer_so(
    session: AsyncSession, bag_id: str, so: Sequence[NewEvent]
) -> list[NewEvent]:
    """Give declarations for events of a bag that are not among what is so now."""
    rows = await session.execute(
        select(EpcisEventRow.event_id, EpcisEventRow.declared, EpcisEventRow.body).where(
            EpcisEventRow.subject == bag_id
        )
    )
    every = list(rows)
    settled = {named for named, declared, _ in every if declared}
    settled |= {str(each.event["eventID"]) for each in so}
    now = time_text(time.time_ns() // 1000)
    declared = {"declarationTime": now, "reason": "incorrect_data"}
    return [
        NewEvent({**_read(body), "errorDeclaration": declared}, [CONTEXT])
        for named, _, body in every
        if named not in settled
    ]


def _read(body: bytes) -> Mapping[str, object]:
    return msgspec.json.decode(body, type=dict[str, object])


def _zone_of(site: str) -> str | None:
    found = airport(site) if site else None
    return None if found is None else found.time_zone
