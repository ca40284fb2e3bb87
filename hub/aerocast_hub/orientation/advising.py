"""Gathering what an advice is made of: bags, flight and weather, each from its own feature."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.baggage.bags import (
    Bag,
    bags_of_passenger,
    find_bag,
    find_bag_by_id,
    passenger_of,
)
from aerocast_hub.orientation.arrival_times import Quantiles
from aerocast_hub.orientation.guidance import Advice, BagView, Phase, WeatherView, guide
from aerocast_hub.orientation.surroundings import Around, Booking, KnownFlight
from aerocast_hub.orientation.way_there import way_there
from aerocast_hub.orientation.wording import Phrase, say


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """An advice, and the time zone of the airport the passenger is at or flies to."""

    advice: Advice
    time_zone: str | None


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence: its key in the catalogues, and its text in the language asked for."""

    key: str
    text: str


class BagSentence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one bag; its plate is hidden but for the last four digits."""

    plate: str
    state: str
    last_seen_us: int | None
    text: str


class Guidance(msgspec.Struct, frozen=True, kw_only=True):
    """An advice as a passenger reads it.

    Attributes
    ----------
    way
        How to get there, step by step, when the hub has a map of the airport.
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
    weather: Sentence
    first_bag: Quantiles | None
    last_bag: Quantiles | None
    bags: tuple[BagSentence, ...]
    at_us: int


async def advise_passenger(
    session: AsyncSession,
    around: Around,
    passenger_id: str,
    now_us: int,
    profile: str = "default",
) -> Advised | None:
    """Advise a passenger; None when the hub knows no bag of theirs any more.

    ``profile`` is how they get about, one of `profiles.PROFILES`.
    """
    bags = await bags_of_passenger(session, passenger_id)
    return await _advise(around, bags, now_us, profile) if bags else None


async def advise_on_bag(
    session: AsyncSession, around: Around, bag: str, now_us: int, profile: str = "default"
) -> Advised | None:
    """Advise whoever a bag belongs to, as they would be; the bag by the hub's id or its plate."""
    found = await find_bag_by_id(session, bag) or await find_bag(session, bag)
    if found is None:
        return None
    passenger_id = await passenger_of(session, found.id)
    bags = [found] if passenger_id is None else await bags_of_passenger(session, passenger_id)
    return await _advise(around, bags, now_us, profile)


def worded(advised: Advised, language: str) -> Guidance:
    """Put an advice into a language."""
    advice, zone = advised.advice, advised.time_zone

    def sentence(phrase: Phrase) -> Sentence:
        text = say(language, phrase.key, phrase.values, zone, advice.at_us)
        return Sentence(key=phrase.key, text=text)

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
        weather=sentence(advice.weather),
        first_bag=advice.first_bag,
        last_bag=advice.last_bag,
        bags=tuple(
            BagSentence(
                plate=bag.plate,
                state=bag.state,
                last_seen_us=bag.last_seen_us,
                text=sentence(bag.phrase).text,
            )
            for bag in advice.bags
        ),
        at_us=advice.at_us,
    )


async def _advise(around: Around, bags: Sequence[Bag], now_us: int, profile: str) -> Advised:
    views = [_bag_view(bag) for bag in bags]
    flight = await _flight_of(around, bags)
    if flight is None:
        return Advised(advice=guide(views, None, WeatherView(), now_us), time_zone=None)
    view = flight.view
    here = view.destination
    weather = await around.weather(here)
    phase = guide(views, view, weather, now_us).phase
    if phase == "departure":  # the ramp they wait for is the one the bags are loaded on
        here = view.origin
        weather = await around.weather(here)
    ground = await around.ground(here)
    way = None
    if ground is not None:
        way = way_there(ground.network, ground.conditions, phase, view, profile)
    place = airport(here)
    return Advised(
        advice=guide(views, view, weather, now_us, way),
        time_zone=None if place is None else place.time_zone,
    )


async def _flight_of(around: Around, bags: Sequence[Bag]) -> KnownFlight | None:
    """Find the flight the bags are on; bags of several flights: the one of the latest date."""
    for bag in sorted(bags, key=lambda bag: bag.flight_date or "", reverse=True):
        if bag.flight is not None and bag.flight_date is not None:
            booking = Booking(bag.flight, bag.flight_date, bag.origin or "", bag.destination or "")
            found = await around.flight(booking)
            if found is not None:
                return found
    return None


def _bag_view(bag: Bag) -> BagView:
    return BagView(
        licence_plate=bag.licence_plate,
        state=bag.journey.state,
        last_seen_us=bag.journey.last_seen_us,
        last_belt=bag.journey.last_belt,
    )
