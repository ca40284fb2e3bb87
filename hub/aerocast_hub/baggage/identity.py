"""Which bag a piece of evidence belongs to: a licence plate alone is not an identity.

Plates repeat within weeks (IATA Resolution 740 leaves six digits for the serial number), so a bag
is its plate, its first flight's date and its airport; a bag with a second plate stays one bag.
Pure: no database, no clock.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import combinations

import msgspec

from aerocast_hub.baggage.evidence import Announced, BagEvidence, Evidence, Leg, Retagged, Seen
from aerocast_hub.baggage.fold import in_order
from aerocast_hub.baggage.itinerary import joined_legs

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
BEFORE_US = 36 * HOUR_US  # bags are checked in early, and dates change across time zones
AFTER_US = 6 * DAY_US  # from the day of the last flight: late bags wander
QUIET_US = 3 * DAY_US  # an unknown plate seen again after this long is another bag
NEAR_DAYS = 3  # how far a change may move the date of a bag's flights
NO_PLATE = "0000000000"  # what scanners say when they can read none
BAGS = uuid.UUID("7c2d9c53-5f5d-4a86-9a5b-2f7d2a1f8f10")  # namespace of bags' ids

Codes = Callable[[str], frozenset[str]]
"""Gives every code of an airport, lower case: sites are named after either."""


class OneBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag and everything known of it.

    Attributes
    ----------
    plates
        Every plate it carried, the one it was announced or first seen with first.
    evidence
        As it happened, earliest first.
    is_announced
        Some airline said that it exists.
    is_contested
        Another bag of the same plate could as well be it.
    """

    bag_id: str
    plates: tuple[str, ...]
    evidence: tuple[BagEvidence, ...]
    is_announced: bool
    is_contested: bool = False


class _Bag:
    """A bag while evidence is shared out."""

    def __init__(self, plate: str, codes: Codes) -> None:
        self.plates = [plate]
        self.evidence: list[BagEvidence] = []
        self.announcements: list[Announced] = []
        self.legs: tuple[Leg, ...] = ()
        self.station = ""
        self.is_contested = False
        self._codes = codes
        self.airports: frozenset[str] = frozenset()
        self.first_us = self.last_us = 0
        self.days: frozenset[int] = frozenset()

    def announce(self, told: Announced) -> None:
        self.announcements.append(told)
        self.evidence.append(told)
        if told.legs:
            self.legs = joined_legs(self.legs, told.legs, is_change=told.status == "change")
        self.station = self.station or told.station
        named = {told.station, *(leg.origin for leg in told.legs)}
        named |= {leg.destination for leg in told.legs}
        self.airports |= {code for name in named if name for code in self._codes(name)}
        dates = [date.fromisoformat(leg.date) for leg in self.legs]
        if dates:
            self.first_us, self.last_us = _midnight_us(min(dates)), _midnight_us(max(dates))
            self.days = frozenset(each.timetuple().tm_yday for each in dates)

    def rank(self, evidence: Evidence) -> tuple[bool, bool, int] | None:
        """Say how well evidence fits, smaller is better; None when it cannot be this bag's."""
        if not self.first_us - BEFORE_US <= evidence.at_us <= self.last_us + AFTER_US:
            return None
        other_day = (
            type(evidence) is Seen
            and bool(evidence.day_of_year)
            and evidence.day_of_year not in self.days
        )
        site = getattr(evidence, "site", "")
        other_place = bool(site) and site.lower() not in self.airports
        return other_day, other_place, abs((evidence.at_us - self.first_us) // DAY_US)

    def bag_id(self, known: Mapping[str, int]) -> str:
        """Name the bag after what the hub learned of it first: later news never renames it."""
        first = min(self.announcements or self.evidence, key=lambda each: (known[each.id], each.id))
        return str(uuid.uuid5(BAGS, first.id))


def share_out(evidence: Mapping[str, Collection[Evidence]], codes: Codes) -> list[OneBag]:
    """Tell the bags of some plates apart, and give each what is known of it.

    The day in an RFID tag decides first (day of the year of the flight), then an airport that is
    the gateway's site, then the nearest flight date. Plates joined by a retag must be given
    together.

    Parameters
    ----------
    evidence
        Plate -> everything filed under it, in any order.
    """
    bags: list[_Bag] = []
    retags: list[tuple[_Bag, Retagged]] = []
    known: dict[str, int] = {}
    for filed in evidence.values():
        for each in filed:
            known[each.id] = min(each.known_at_us, known.get(each.id, each.known_at_us))
    for plate in sorted(evidence):
        ordered = in_order(evidence[plate])
        announced = [] if plate.startswith("1") else _announced(plate, ordered, codes)
        found = _share(plate, ordered, announced, codes)
        retags += [(bag, each) for bag in found for each in bag.evidence if type(each) is Retagged]
        bags += found
    for bag, retag in sorted(retags, key=lambda each: (each[1].at_us, each[1].id)):
        if retag.old_plate in bag.plates:
            _merge(bag, retag, bags)
    return [_one(bag, known) for bag in bags]


def _announced(plate: str, ordered: Sequence[Evidence], codes: Codes) -> list[_Bag]:
    """Make the bags that airlines speak of: announcements of one itinerary are one bag's."""
    bags: list[_Bag] = []
    for told in ordered:
        if not isinstance(told, Announced):
            continue
        bag = _same_bag(told, bags)
        if bag is None and told.legs and (bags or told.status != "delete"):
            bag = _Bag(plate, codes)
            bags.append(bag)
        if bag is not None:
            bag.announce(told)
    for one, other in combinations(bags, 2):
        if one.first_us == other.first_us and one.airports & other.airports:
            one.is_contested = other.is_contested = True
    return bags


def _same_bag(told: Announced, bags: Sequence[_Bag]) -> _Bag | None:
    flights = {(leg.key, leg.date) for leg in told.legs}
    for bag in bags:
        if flights & {(leg.key, leg.date) for leg in bag.legs} and _agree(told, bag):
            return bag
    if told.status == "new" or not bags:
        return None
    day_us = _midnight_us(date.fromisoformat(told.legs[0].date)) if told.legs else told.at_us
    nearest = min(bags, key=lambda bag: (bag.station != told.station, abs(bag.first_us - day_us)))
    return nearest if abs(nearest.first_us - day_us) <= NEAR_DAYS * DAY_US else None


def _agree(told: Announced, bag: _Bag) -> bool:
    """Say that two itineraries sharing a flight and a date do not depart from two airports."""
    origins = {(leg.key, leg.date): leg.origin for leg in bag.legs}
    return all(
        not leg.origin
        or not origins.get((leg.key, leg.date))
        or origins[leg.key, leg.date] == leg.origin
        for leg in told.legs
    )


def _share(plate: str, ordered: Sequence[Evidence], bags: list[_Bag], codes: Codes) -> list[_Bag]:
    unknown: list[BagEvidence] = []
    announcements = {each.id for bag in bags for each in bag.announcements}
    for each in ordered:
        if each.id in announcements:
            continue
        ranked = [(rank, i) for i, bag in enumerate(bags) if (rank := bag.rank(each)) is not None]
        if not ranked:
            if type(each) is not Announced:
                unknown.append(each)  # type: ignore[arg-type]  # under plates there is nothing else
            continue
        best, index = min(ranked)
        bags[index].evidence.append(each)  # type: ignore[arg-type]  # as above
        equals = [i for rank, i in ranked if rank == best]
        if len(equals) > 1:
            for i in equals:
                bags[i].is_contested = True
    return [*bags, *_apart(plate, unknown, codes)]


def _apart(plate: str, unknown: Sequence[BagEvidence], codes: Codes) -> list[_Bag]:
    bags: list[_Bag] = []
    for each in unknown:
        if not bags or each.at_us - bags[-1].evidence[-1].at_us > QUIET_US:
            bags.append(_Bag(plate, codes))
        bags[-1].evidence.append(each)
    return bags


def _merge(bag: _Bag, retag: Retagged, bags: list[_Bag]) -> None:
    """Join the bag of the new plate to the bag that was given it."""
    for other in [each for each in bags if each is not bag and retag.new_plate in each.plates]:
        first_us = min(each.at_us for each in other.evidence)
        if not retag.at_us - BEFORE_US <= first_us <= retag.at_us + AFTER_US:
            continue
        bags.remove(other)
        bag.evidence += other.evidence
        bag.announcements += other.announcements
        bag.plates += [plate for plate in other.plates if plate not in bag.plates]
    if retag.new_plate not in bag.plates:
        bag.plates.append(retag.new_plate)


def _one(bag: _Bag, known: Mapping[str, int]) -> OneBag:
    return OneBag(
        bag_id=bag.bag_id(known),
        plates=tuple(bag.plates),
        evidence=tuple(in_order(bag.evidence)),  # type: ignore[arg-type]  # what went in comes out
        is_announced=bool(bag.announcements),
        is_contested=bag.is_contested,
    )


def _midnight_us(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000
