"""Gathering what an advice is made of: bags, flight and weather, each from its own feature."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport, airport_codes
from aerocast_hub.baggage.bags import Bag
from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.reconciliation import is_aboard
from aerocast_hub.flights.store import Booking
from aerocast_hub.orientation.arrival_times import MINUTE_US, BeltModel, Quantiles
from aerocast_hub.orientation.changing import risk_of
from aerocast_hub.orientation.guidance import (
    ON_BELT,
    Advice,
    BagAdvice,
    BagView,
    FlightView,
    Phase,
    Surrounding,
    Trip,
    Trouble,
    Whereabouts,
    guide,
    trip_of,
    whereabouts,
)
from aerocast_hub.orientation.noting import Noting
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.surroundings import Around, RememberedSurroundings
from aerocast_hub.orientation.way_there import way_there
from aerocast_hub.orientation.wording import Phrase, say
from aerocast_hub.schedule import flight_key

RUSH = "RUSH"  # of RP1745's exceptions: the bag travels after its passenger


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """An advice, and the time zone of the airport the passenger is at or flies to.

    Attributes
    ----------
    concerns
        What it was made of: an event about one of these may change it (see `live.audience`).
    """

    advice: Advice
    time_zone: str | None
    concerns: frozenset[str] = frozenset()


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence: its key in the catalogues, and its text in the language asked for."""

    key: str
    text: str


class BagSentence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one bag; its plate is hidden but for the last four digits.

    Attributes
    ----------
    trouble
        Known not to travel with its passenger, on a later flight, or missing; None of these.
    belt, expected
        Where and when it comes by itself, where that can be told; UTC microseconds.
    miss, cause
        How likely it misses its passenger's next flight, 0 to 1, and what is most to blame.
    """

    plate: str
    state: str
    last_seen_us: int | None
    text: str
    trouble: Trouble | None = None
    belt: str | None = None
    expected: Quantiles | None = None
    miss: float | None = None
    cause: Sentence | None = None


class Guidance(msgspec.Struct, frozen=True, kw_only=True):
    """An advice as a passenger reads it.

    Attributes
    ----------
    unknown
        What nobody knows that would matter.
    way
        How to get there, step by step, when the hub has a map of the airport.
    gate, onward
        Where to go for the flight to take, and that flight, when it is another one than ``flight``.
    boarding_closes_us
        Of the flight to take, UTC microseconds.
    slack_min
        Minutes to spare until boarding closes or the first bag comes; below 0 it is too late.
    miss
        How likely the passenger misses ``onward``, 0 to 1.
    first_bag, last_bag
        When the flight's first and last bags reach the belt, UTC microseconds.
    time_zone
        Of the times in the sentences; None is UTC.
    """

    language: str
    time_zone: str | None
    phase: Phase
    flight: str | None
    belt: str | None
    headline: Sentence
    steps: tuple[Sentence, ...]
    way: tuple[Sentence, ...]
    reasons: tuple[Sentence, ...]
    unknown: tuple[Sentence, ...]
    weather: Sentence
    first_bag: Quantiles | None
    last_bag: Quantiles | None
    bags: tuple[BagSentence, ...]
    at_us: int
    gate: str | None = None
    onward: str | None = None
    boarding_closes_us: int | None = None
    slack_min: int | None = None
    miss: float | None = None


async def advise_each(
    session: AsyncSession, passengers: Sequence[str], now_us: int, others: Others = IN_PROCESS
) -> dict[str, Advised]:
    """Advise many passengers, as they would be at an instant, each thing asked for once.

    Those the hub knows no bag of any more are left out.
    """
    around = RememberedSurroundings(session, now_us, others)
    found = await others.baggage.bags_of_each(session, passengers)
    await around.expect(booking for bags in found for bag in bags for booking in _bookings_of(bag))
    advised = {
        passenger: await advise_bags(around, bags, now_us)
        for passenger, bags in zip(passengers, found, strict=True)
    }
    return {passenger: each for passenger, each in advised.items() if each is not None}


async def advise_bags(
    around: Around, bags: Sequence[Bag], now_us: int, profile: str = "default"
) -> Advised | None:
    """Advise the passenger whose bags these are; None without any."""
    if not bags:
        return None
    noting = Noting(around)
    advised = await _advise(noting, bags, now_us, profile)
    concerns = frozenset(noting.subjects) | {f"bag {bag.id}" for bag in bags}
    return msgspec.structs.replace(advised, concerns=concerns)


async def advise_on_bag(
    session: AsyncSession,
    around: Around,
    bag: str,
    now_us: int,
    profile: str = "default",
    others: Others = IN_PROCESS,
) -> Advised | None:
    """Advise whoever a bag belongs to, as they would be; the bag by the hub's id or its plate."""
    bags = await others.baggage.bags_with(session, bag)
    return await _advise(around, bags, now_us, profile) if bags else None


def to_the_minute(guidance: Guidance) -> Guidance:
    """Give an advice as it stays while nobody would read anything new in it."""

    def minutes(times: Quantiles | None) -> Quantiles | None:
        if times is None:
            return None
        p10, p50, p90 = (
            each // MINUTE_US * MINUTE_US for each in (times.p10_us, times.p50_us, times.p90_us)
        )
        return Quantiles(p10_us=p10, p50_us=p50, p90_us=p90)

    return msgspec.structs.replace(
        guidance,
        at_us=0,
        first_bag=minutes(guidance.first_bag),
        last_bag=minutes(guidance.last_bag),
    )


def worded(advised: Advised, language: str) -> Guidance:
    """Put an advice into a language."""
    advice, zone = advised.advice, advised.time_zone

    def sentence(phrase: Phrase) -> Sentence:
        text = say(language, phrase.key, phrase.values, zone, advice.at_us)
        return Sentence(key=phrase.key, text=text)

    def said_of(bag: BagAdvice) -> BagSentence:
        return BagSentence(
            plate=bag.plate,
            state=bag.state,
            last_seen_us=bag.last_seen_us,
            text=sentence(bag.phrase).text,
            trouble=bag.trouble,
            belt=bag.belt,
            expected=bag.expected,
            miss=bag.miss,
            cause=None if bag.cause is None else sentence(bag.cause),
        )

    return Guidance(
        language=language,
        time_zone=zone,
        phase=advice.phase,
        flight=advice.flight,
        belt=advice.belt,
        headline=sentence(advice.headline),
        steps=tuple(sentence(each) for each in advice.steps),
        way=tuple(sentence(each) for each in advice.way),
        reasons=tuple(sentence(each) for each in advice.reasons),
        unknown=tuple(sentence(each) for each in advice.unknown),
        weather=sentence(advice.weather),
        first_bag=advice.first_bag,
        last_bag=advice.last_bag,
        bags=tuple(said_of(bag) for bag in advice.bags),
        at_us=advice.at_us,
        gate=advice.gate,
        onward=advice.onward,
        boarding_closes_us=advice.boarding_closes_us,
        slack_min=advice.slack_min,
        miss=advice.miss,
    )


async def _advise(around: Around, bags: Sequence[Bag], now_us: int, profile: str) -> Advised:
    trip = trip_of([await _bag_view(around, bag) for bag in bags])
    where = whereabouts(trip, now_us)
    if where.airport is None:
        return Advised(advice=guide(trip, Surrounding(), now_us), time_zone=None)
    here = await _surrounding(around, trip, where, now_us, profile)
    place = airport(where.airport)
    return Advised(
        advice=guide(trip, here, now_us), time_zone=None if place is None else place.time_zone
    )


async def _surrounding(
    around: Around, trip: Trip, where: Whereabouts, now_us: int, profile: str
) -> Surrounding:
    """Gather what matters of the airport a passenger is at, or flies to."""
    code, flight = where.airport or "", where.flight
    times, ground = await around.times(code), await around.ground(code)
    way = None
    if ground is not None:
        way = way_there(ground.network, ground.conditions, where, profile)
    here = Surrounding(
        weather=await around.weather(code),
        way=way,
        model=BeltModel() if flight is None else times.belt_model(flight.kind),
        changing=times.changing,
    )
    risk = risk_of(trip, where, here, times.connections, now_us)
    return msgspec.structs.replace(here, risk=risk)


async def _bag_view(around: Around, bag: Bag) -> BagView:
    """Give a bag as advice needs it, with the flights it is booked on that the hub knows."""
    journey = bag.journey
    flights: list[FlightView] = []
    aboard = None
    for leg in _legs_of(bag):
        found = await around.flight(_booking_of(leg))
        if found is None:
            continue
        flights.append(found.view)
        if is_aboard(journey, leg, airport_codes(found.view.origin)):
            aboard = found.view.key
    came_with = None
    if journey.state in ON_BELT and flights and journey.last_site is not None:
        is_there = journey.last_site in airport_codes(flights[-1].destination)
        came_with = flights[-1].key if is_there else None
    return BagView(
        licence_plate=bag.licence_plate,
        state=journey.state,
        last_seen_us=journey.last_seen_us,
        last_belt=journey.last_belt,
        flights=tuple(flights),
        aboard=aboard,
        came_with=came_with,
        is_rush=RUSH in journey.exceptions,
    )


def _bookings_of(bag: Bag) -> list[Booking]:
    return [_booking_of(leg) for leg in _legs_of(bag)]


def _booking_of(leg: Leg) -> Booking:
    return Booking(leg.flight, leg.date, leg.origin, leg.destination)


def _legs_of(bag: Bag) -> tuple[Leg, ...]:
    """Give the flights a bag is booked on; one nobody announced is on the one it was stowed for."""
    if bag.journey.legs or bag.flight is None or bag.flight_date is None:
        return bag.journey.legs
    key = flight_key(bag.flight)
    return (Leg(bag.flight, key, bag.flight_date, bag.origin or "", bag.destination or ""),)
