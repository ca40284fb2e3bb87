"""Gathering what an advice is made of: bags, flight and weather, each from its own feature."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.baggage.bags import (
    Bag,
    bags_of_passenger,
    find_bag,
    find_bag_by_id,
    passenger_of,
)
from aerocast_hub.baggage.flight_bags import count_bags_of_flight
from aerocast_hub.flights.on_block import Moment
from aerocast_hub.flights.store import Flight, flight_of
from aerocast_hub.orientation.arrival_times import Closure, Progress, Quantiles
from aerocast_hub.orientation.guidance import (
    Advice,
    BagView,
    FlightView,
    Phase,
    WayView,
    WeatherView,
    guide,
)
from aerocast_hub.orientation.places.store import conditions_at, map_code, network_of
from aerocast_hub.orientation.tables import AdviceCountRow
from aerocast_hub.orientation.way_there import way_there
from aerocast_hub.orientation.wording import Phrase, say
from aerocast_hub.schedule import flight_key
from aerocast_hub.weather.ramp_store import closures_at, ramp_at


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
    session: AsyncSession, passenger_id: str, now_us: int, profile: str = "default"
) -> Advised | None:
    """Advise a passenger; None when the hub knows no bag of theirs any more.

    ``profile`` is how they get about, one of `profiles.PROFILES`.
    """
    bags = await bags_of_passenger(session, passenger_id)
    return await _advise(session, bags, now_us, profile) if bags else None


async def advise_on_bag(
    session: AsyncSession, bag: str, now_us: int, profile: str = "default"
) -> Advised | None:
    """Advise whoever a bag belongs to, as they would be; the bag by the hub's id or its plate."""
    found = await find_bag_by_id(session, bag) or await find_bag(session, bag)
    if found is None:
        return None
    passenger_id = await passenger_of(session, found.id)
    bags = [found] if passenger_id is None else await bags_of_passenger(session, passenger_id)
    return await _advise(session, bags, now_us, profile)


def worded(advised: Advised, language: str) -> Guidance:
    """Put an advice into a language."""
    advice, zone = advised.advice, advised.time_zone

    def sentence(phrase: Phrase) -> Sentence:
        return Sentence(key=phrase.key, text=say(language, phrase.key, phrase.values, zone))

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


async def count_advice(session: AsyncSession, asked_by: str, now_us: int) -> None:
    """Count one advice given, by the way it was asked for: ``link``, ``plate`` or ``page``."""
    day = datetime.fromtimestamp(now_us / 1e6, UTC).date().isoformat()
    values = {"day": day, "asked_by": asked_by, "given": 1}
    statement = (
        postgresql.insert(AdviceCountRow)
        if session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(AdviceCountRow)
    ).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=["day", "asked_by"], set_={"given": AdviceCountRow.given + 1}
    )
    await session.execute(statement)


async def count_advice_given(session: AsyncSession) -> int:
    """Count the advice given to passengers so far."""
    return int(await session.scalar(select(func.sum(AdviceCountRow.given))) or 0)


async def _advise(session: AsyncSession, bags: Sequence[Bag], now_us: int, profile: str) -> Advised:
    views = [_bag_view(bag) for bag in bags]
    flight = await _flight_of(session, bags)
    if flight is None:
        return Advised(advice=guide(views, None, WeatherView(), now_us), time_zone=None)
    view = await _flight_view(session, flight)
    here = flight.destination
    weather = await _weather(session, here, now_us)
    phase = guide(views, view, weather, now_us).phase
    if phase == "departure":  # the ramp they wait for is the one the bags are loaded on
        here = flight.origin
        weather = await _weather(session, here, now_us)
    way = await _way(session, here, phase, view, now_us, profile)
    place = airport(here)
    return Advised(
        advice=guide(views, view, weather, now_us, way),
        time_zone=None if place is None else place.time_zone,
    )


async def _way(
    session: AsyncSession, here: str, phase: Phase, flight: FlightView, now_us: int, profile: str
) -> WayView | None:
    code = map_code(here)
    network = await network_of(session, code)
    if network is None:
        return None
    conditions = await conditions_at(session, code, network, now_us)
    return way_there(network, conditions, phase, flight, profile)


async def _flight_of(session: AsyncSession, bags: Sequence[Bag]) -> Flight | None:
    """Find the flight the bags are on; bags of several flights: the one of the latest date."""
    for bag in sorted(bags, key=lambda bag: bag.flight_date or "", reverse=True):
        if bag.flight is not None and bag.flight_date is not None:
            found = await flight_of(
                session,
                bag.flight,
                bag.flight_date,
                origin=bag.origin or "",
                destination=bag.destination or "",
            )
            if found is not None:
                return found
    return None


async def _weather(session: AsyncSession, airport_code: str, now_us: int) -> WeatherView:
    ramp = await ramp_at(session, airport_code, now_us)
    return WeatherView(
        state=ramp.state,
        reason=ramp.reason,
        observed_at_us=ramp.observed_at_us,
        closures=tuple(
            Closure(each.from_us, each.until_us)
            for each in await closures_at(session, airport_code, now_us)
        ),
        wind_kt=None if ramp.wind_kt is None else round(ramp.wind_kt),
    )


async def _flight_view(session: AsyncSession, flight: Flight) -> FlightView:
    actual = flight.actual
    return FlightView(
        designator=flight.flight,
        origin=flight.origin,
        destination=flight.destination,
        progress=Progress(
            off_block_due_us=flight.off_block_due_us,
            on_block_due_us=flight.on_block_due_us,
            airborne_us=_at_us(actual.airborne),
            landed_us=_at_us(actual.landed),
            on_block_us=_at_us(actual.on_block),
            on_block_sigma_s=actual.on_block.sigma_s if actual.on_block else 0.0,
        ),
        off_block_us=_at_us(actual.off_block),
        stand=flight.stand,
        reclaim=flight.reclaim,
        gate=flight.gate,
        bags=await count_bags_of_flight(session, flight_key(flight.flight), flight.date),
    )


def _at_us(moment: Moment | None) -> int | None:
    return None if moment is None else moment.at_us


def _bag_view(bag: Bag) -> BagView:
    return BagView(
        licence_plate=bag.licence_plate,
        state=bag.journey.state,
        last_seen_us=bag.journey.last_seen_us,
        last_belt=bag.journey.last_belt,
    )
