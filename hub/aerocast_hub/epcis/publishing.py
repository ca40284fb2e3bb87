"""The hub's own journeys as EPCIS events: kept as they change, corrected where they were wrong.

EPCIS deletes nothing. What is no longer known of a bag (evidence voided, a corrected clock, another
bag after all) is declared an error, under the same id.
"""

import time
from collections.abc import Collection, Mapping, Sequence

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from aerocast_protocols.epcis.vocabulary import CONTEXT
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.baggage.history import histories_of
from aerocast_hub.epcis.keeping import NewEvent, keep_events
from aerocast_hub.epcis.names import Names
from aerocast_hub.epcis.our_events import events_of
from aerocast_hub.epcis.tables import EpcisEventRow
from aerocast_hub.events.bags import BagChanged, BagForgotten, BagPassed
from aerocast_hub.events.every import Event
from aerocast_hub.events.partners import EpcisEventsKept

IDS_AT_ONCE = 500
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
        so: dict[str, set[str]] = {
            each.bag_id: set() for each in events if isinstance(each, BagForgotten)
        }
        around, of_bags = [], []
        for history in await histories_of(session, plates):
            named = so.setdefault(history.bag_id, set())
            for each in events_of(history, self._names, _zone_of):
                if each.is_of_bag:
                    of_bags.append(NewEvent(each.event, [CONTEXT], subject=history.bag_id))
                    named.add(str(each.event["eventID"]))
                else:
                    around.append(NewEvent(each.event, [CONTEXT]))
        kept = (await keep_events(session, [*around, *of_bags])).new
        kept += (await keep_events(session, await _no_longer_so(session, so))).new
        if not kept:
            return []
        return [EpcisEventsKept(at_us=time.time_ns() // 1000, events=len(kept))]


async def _no_longer_so(session: AsyncSession, so: Mapping[str, Collection[str]]) -> list[NewEvent]:
    """Give declarations for events of bags that are not among those of them that are so now."""
    bag_ids = sorted(so)
    rows: list[Row[str, str, int]] = []
    for at in range(0, len(bag_ids), IDS_AT_ONCE):
        of_bags = EpcisEventRow.subject.in_(bag_ids[at : at + IDS_AT_ONCE])
        columns = EpcisEventRow.subject, EpcisEventRow.event_id, EpcisEventRow.declared
        rows += await session.execute(select(*columns).where(of_bags))
    declared = {(bag_id, named) for bag_id, named, is_declared in rows if is_declared}
    wrong = sorted(
        named
        for bag_id, named, is_declared in rows
        if not is_declared and named not in so[bag_id] and (bag_id, named) not in declared
    )
    told = {"declarationTime": time_text(time.time_ns() // 1000), "reason": "incorrect_data"}
    found = []
    for at in range(0, len(wrong), IDS_AT_ONCE):
        kept = await session.execute(
            select(EpcisEventRow.subject, EpcisEventRow.body)
            .where(
                EpcisEventRow.event_id.in_(wrong[at : at + IDS_AT_ONCE]),
                EpcisEventRow.declared == 0,
            )
            .order_by(EpcisEventRow.number)
        )
        for bag_id, body in kept:
            event = {**_read(body), "errorDeclaration": told}
            found.append(NewEvent(event, [CONTEXT], subject=bag_id))
    return found


def _read(body: bytes) -> Mapping[str, object]:
    return msgspec.json.decode(body, type=dict[str, object])


def _zone_of(site: str) -> str | None:
    found = airport(site) if site else None
    return None if found is None else found.time_zone
