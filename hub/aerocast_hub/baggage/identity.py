"""Which bag a sighting belongs to: a licence plate alone is not an identity.

Plates repeat within weeks (IATA Resolution 740 leaves six digits for the serial number), so a bag
is its plate, its flight's date and its airport. Pure: no database, no clock.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

import msgspec

from aerocast_hub.baggage.journey import Seen, in_order

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
BEFORE_US = 36 * HOUR_US  # bags are checked in early, and dates change across time zones
AFTER_US = 6 * DAY_US  # from the day of the flight: late bags wander
QUIET_US = 3 * DAY_US  # an unknown plate seen again after this long is another bag


class KnownBag(msgspec.Struct, frozen=True, kw_only=True):
    """An expected bag, as far as telling bags apart needs it.

    Attributes
    ----------
    flight_date
        The day of its first flight, UTC.
    airports
        The codes of the airports it goes through, lower case.
    """

    bag_id: str
    flight_date: date
    airports: frozenset[str] = frozenset()


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The sightings of one plate, shared out.

    Attributes
    ----------
    known
        Bag id -> its sightings.
    contested
        Ids of bags that another bag of the same plate could as well be.
    unknown
        Sightings of bags nobody announced; one entry a bag, earliest first.
    """

    known: dict[str, tuple[Seen, ...]]
    contested: frozenset[str]
    unknown: tuple[tuple[Seen, ...], ...]


def share_out(sightings: Iterable[Seen], bags: Sequence[KnownBag]) -> Shared:
    """Give each sighting of one plate to the bag it belongs to.

    The day in an RFID tag decides first (day of the year of the flight), then an airport that is
    the gateway's site, then the nearest flight date.
    """
    known: dict[str, list[Seen]] = {}
    contested: set[str] = set()
    unknown: list[Seen] = []
    for seen in in_order(sightings):
        ranked = sorted(
            (rank, bag.bag_id) for bag in bags if (rank := _rank(seen, bag)) is not None
        )
        if not ranked:
            unknown.append(seen)
            continue
        known.setdefault(ranked[0][1], []).append(seen)
        equals = [bag_id for rank, bag_id in ranked if rank == ranked[0][0]]
        if len(equals) > 1:
            contested.update(equals)
    return Shared(
        known={bag_id: tuple(seen) for bag_id, seen in known.items()},
        contested=frozenset(contested),
        unknown=_apart(unknown),
    )


def _rank(seen: Seen, bag: KnownBag) -> tuple[bool, bool, int] | None:
    """Say how well a sighting fits a bag, smaller is better; None when it cannot be that bag's."""
    midnight = datetime.combine(bag.flight_date, time(), UTC)
    day_us = int(midnight.timestamp()) * 1_000_000
    if not day_us - BEFORE_US <= seen.at_us <= day_us + AFTER_US:
        return None
    other_day = seen.day_of_year not in (None, bag.flight_date.timetuple().tm_yday)
    other_place = seen.site.lower() not in bag.airports
    return other_day, other_place, abs((seen.at_us - day_us) // DAY_US)


def _apart(unknown: list[Seen]) -> tuple[tuple[Seen, ...], ...]:
    groups: list[list[Seen]] = []
    for seen in unknown:
        if groups and seen.at_us - groups[-1][-1].at_us <= QUIET_US:
            groups[-1].append(seen)
        else:
            groups.append([seen])
    return tuple(tuple(group) for group in groups)
