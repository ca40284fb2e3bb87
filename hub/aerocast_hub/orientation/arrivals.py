"""Arrivals in the database: what was foretold and what came, and what was learned of it."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.ground_times import Changing, Handling, MinimumTime
from aerocast_hub.orientation.arrival_learning import (
    FinishedArrival,
    Kind,
    Learned,
    expected_work,
)
from aerocast_hub.orientation.arrival_score import Outcome, Score, score
from aerocast_hub.orientation.arrival_times import MINUTE_US, BeltModel, BeltTimes, Quantiles
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.places.store import map_code
from aerocast_hub.orientation.tables import ArrivalRow, ArrivalsLearnedRow

DAY_US = 24 * 60 * MINUTE_US
OVER_AFTER_US = 120 * MINUTE_US  # after the stand was reached the bags are on the belt, or lost
MOST_LEARNED = 3000  # arrivals: older ones count for nothing

_learned_decoder = msgspec.msgpack.Decoder(Learned)


class GroundTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take at an airport: by its own file, and by experience.

    Attributes
    ----------
    learned
        None before any arrival is over.
    """

    handling: Handling = Handling()
    changing: Changing = Changing()
    connections: tuple[MinimumTime, ...] = ()
    learned: Learned | None = None

    def belt_model(self, kind: Kind) -> BeltModel:
        """Give how long an arrival of some kind takes."""
        if self.learned is None:
            return BeltModel(handling=self.handling)
        return BeltModel(
            handling=self.handling, learned=expected_work(self.learned, kind, self.handling)
        )


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What was foretold when an aircraft stopped on its stand.

    Attributes
    ----------
    at_us
        As of when, UTC microseconds.
    told, by_file
        With what was learned, and by the airport's own file alone.
    """

    at_us: int
    told: BeltTimes
    by_file: BeltTimes


class ArrivalScores(msgspec.Struct, frozen=True, kw_only=True):
    """How good foretold times of an airport were; None without arrivals that are over."""

    first_bag: Score | None
    last_bag: Score | None


class LearnedTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long arrivals take at an airport, and how well that is foretold.

    Attributes
    ----------
    arrivals, learned_at_us
        Learned from how many, and when; 0 and None before any.
    first_bag_min
        From the stand reached to the first bag on the belt, at 10, 50 and 90 %, on an open ramp.
    by_file_min
        The same by the airport's own file.
    factors
        Of stands, handlers and aircraft types, against the airport's usual time: 1.2 is a fifth
        longer.
    scores
        Of the last days.
    """

    airport: str
    arrivals: int
    learned_at_us: int | None
    first_bag_min: tuple[float, float, float]
    by_file_min: tuple[float, float, float]
    factors: dict[str, dict[str, float]]
    scores: ArrivalScores


async def ground_times_of(
    session: AsyncSession, airport: str, others: Others = IN_PROCESS
) -> GroundTimes:
    """Give how long things take at an airport."""
    by_file = await others.weather.times(session, airport)
    found = await session.scalar(
        select(ArrivalsLearnedRow.learned).where(ArrivalsLearnedRow.airport == map_code(airport))
    )
    return GroundTimes(
        handling=by_file.handling,
        changing=by_file.changing,
        connections=by_file.connections,
        learned=None if found is None else _decoded(found),
    )


async def airports_arrived_at(session: AsyncSession) -> list[str]:
    """Give the airports bags came to."""
    return sorted(await session.scalars(select(ArrivalRow.airport).distinct()))


async def finished_at(session: AsyncSession, airport: str, now_us: int) -> list[FinishedArrival]:
    """Give the last arrivals of an airport that are over."""
    rows = await session.scalars(
        select(ArrivalRow)
        .where(
            ArrivalRow.airport == airport,
            ArrivalRow.on_block_us < now_us - OVER_AFTER_US,
            ArrivalRow.first_us.is_not(None),
        )
        .order_by(ArrivalRow.on_block_us.desc(), ArrivalRow.flight_id)
        .limit(MOST_LEARNED)
    )
    return [
        FinishedArrival(
            flight_id=row.flight_id,
            on_block_us=row.on_block_us,
            first_min=row.first_min,
            rest_min=(row.last_us - row.first_us) / MINUTE_US,
            bags=row.bags,
            kind=Kind(row.stand, row.handler, row.aircraft_type),
        )
        for row in rows
        if row.first_min is not None and row.first_us is not None and row.last_us is not None
    ]


def digest_of(finished: Sequence[FinishedArrival], handling: Handling) -> str:
    """Name what is learned from, so that nothing is learned twice."""
    return hashlib.sha256(msgspec.msgpack.encode([handling, finished])).hexdigest()


async def learned_from(session: AsyncSession, airport: str) -> str | None:
    """Name what an airport's times were learned from last."""
    return await session.scalar(
        select(ArrivalsLearnedRow.digest).where(ArrivalsLearnedRow.airport == airport)
    )


async def keep_learned(
    session: AsyncSession, airport: str, digest: str, learned: Learned, now_us: int
) -> None:
    """Keep what was learned of an airport."""
    row = {
        "airport": airport,
        "digest": digest,
        "learned_at_us": now_us,
        "learned": msgspec.msgpack.encode(learned),
    }
    await insert_or_replace(session, ArrivalsLearnedRow, [row])


async def learned_times(
    session: AsyncSession, airport: str, now_us: int, days: int, others: Others = IN_PROCESS
) -> LearnedTimes:
    """Tell how long arrivals take at an airport, and how well it was foretold in the last days."""
    code = map_code(airport)
    times = await ground_times_of(session, airport, others)
    learned = times.learned
    learned_at_us = await session.scalar(
        select(ArrivalsLearnedRow.learned_at_us).where(ArrivalsLearnedRow.airport == code)
    )
    model, by_file = times.belt_model(Kind()), BeltModel(handling=times.handling)
    return LearnedTimes(
        airport=code,
        arrivals=0 if learned is None else learned.cases,
        learned_at_us=learned_at_us,
        first_bag_min=model.told_first_min,
        by_file_min=by_file.told_first_min,
        factors={} if learned is None else learned.first.ratios(),
        scores=await _scores(session, code, now_us, days),
    )


async def _scores(session: AsyncSession, airport: str, now_us: int, days: int) -> ArrivalScores:
    rows = (
        await session.execute(
            select(ArrivalRow.first_us, ArrivalRow.last_us, ArrivalRow.forecast).where(
                ArrivalRow.airport == airport,
                ArrivalRow.on_block_us.between(now_us - days * DAY_US, now_us - OVER_AFTER_US),
                ArrivalRow.first_us.is_not(None),
            )
        )
    ).all()
    first: list[Outcome] = []
    last: list[Outcome] = []
    for first_us, last_us, encoded in rows:
        if first_us is None:
            continue
        forecast = msgspec.msgpack.decode(encoded, type=Forecast)
        told, by_file = forecast.told, forecast.by_file
        first.append(_outcome(told.first, by_file.first, forecast.at_us, first_us))
        if told.last is not None and by_file.last is not None and last_us is not None:
            last.append(_outcome(told.last, by_file.last, forecast.at_us, last_us))
    return ArrivalScores(first_bag=score(first), last_bag=score(last))


def _outcome(told: Quantiles, by_file: Quantiles, at_us: int, came_us: int) -> Outcome:
    return Outcome(
        told=_minutes(told, at_us),
        by_file=_minutes(by_file, at_us),
        came=(came_us - at_us) / MINUTE_US,
    )


def _minutes(told: Quantiles, at_us: int) -> tuple[float, float, float]:
    return (
        (told.p10_us - at_us) / MINUTE_US,
        (told.p50_us - at_us) / MINUTE_US,
        (told.p90_us - at_us) / MINUTE_US,
    )


@lru_cache(maxsize=64)
def _decoded(encoded: bytes) -> Learned:
    return _learned_decoder.decode(encoded)
