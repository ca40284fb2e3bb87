"""Endpoints of what services elsewhere say: how they are, hazards, models. Not for flight."""

import time
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from sqlalchemy import select

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.feeds.feed_tables import FeedRow, HazardRow, ModelForecastRow
from aerocast_hub.weather.feeds.models import ModelHour
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.stations import station_of

MOST_HAZARDS = 2000
_points = msgspec.msgpack.Decoder(tuple[tuple[float, float], ...])
_hours = msgspec.msgpack.Decoder(list[ModelHour])


class FeedHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is.

    Attributes
    ----------
    rank
        Of several sources of one product the lower is asked first.
    state
        ``waiting``, ``answering``, ``standby`` (a better one answers), ``failing``, ``open``
        (failed so often that it gets a try now and then), ``gone`` (it says there is nothing).
    answered_age_s, newest_age_s
        How long ago it answered, and how old the newest of what it gave is.
    disagreements, disagreement
        Reports it read otherwise than we did, and the last of them.
    """

    name: str
    product: str
    rank: int
    state: str
    answered_age_s: float | None
    newest_age_s: float | None
    next_in_s: float | None
    failures: int
    error: str | None
    note: str | None
    requests: int
    unchanged: int
    refused: int
    disagreements: int
    disagreement: str | None


class FeedsNow(msgspec.Struct, frozen=True, kw_only=True):
    """Every source."""

    feeds: list[FeedHealth]
    notice: str = NOT_FOR_FLIGHT


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A GeoJSON geometry."""

    type: Literal["Polygon", "Point"]
    coordinates: object


class HazardSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a hazard."""

    kind: str
    hazard: str | None
    severity: str | None
    from_us: int
    until_us: int
    base_ft: float | None
    top_ft: float | None
    source: str
    raw: str


class HazardFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A GeoJSON feature."""

    geometry: Shape
    properties: HazardSaid
    type: Literal["Feature"] = "Feature"


class Hazards(msgspec.Struct, frozen=True, kw_only=True):
    """Hazards as GeoJSON (RFC 7946)."""

    features: list[HazardFeature]
    type: Literal["FeatureCollection"] = "FeatureCollection"
    notice: str = NOT_FOR_FLIGHT


class ModelForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a model expects at an airport."""

    source: str
    received_at_us: int
    age_s: float
    hours: list[ModelHour]


class ModelForecasts(msgspec.Struct, frozen=True, kw_only=True):
    """What models expect at an airport, the newest first."""

    station: str
    forecasts: list[ModelForecast]
    notice: str = NOT_FOR_FLIGHT


Degrees = Annotated[float, QueryParameter(ge=-180.0, le=180.0)]


class FeedController(Controller):
    """Weather from elsewhere."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

    @get("/feeds", operation_id="ListWeatherFeeds", opt={"permission": "weather:read"})
    async def feeds(self, database: NamedDependency[Database]) -> FeedsNow:
        """Give how every source of weather is."""
        now_us = time.time_ns() // 1000
        async with database.reading() as session:
            rows = await session.scalars(select(FeedRow).order_by(FeedRow.product, FeedRow.rank))
            return FeedsNow(feeds=[_health(row, now_us) for row in rows])

    @get("/hazards", operation_id="ListHazards", opt={"permission": "weather:read"})
    async def hazards(
        self,
        database: NamedDependency[Database],
        south: Degrees = -90.0,
        west: Degrees = -180.0,
        north: Degrees = 90.0,
        east: Degrees = 180.0,
        at_us: AskedInstant = None,
    ) -> Hazards:
        """Give SIGMETs, AIRMETs and pilots' reports in an area, as GeoJSON."""
        moment_us = asked_us(at_us)
        async with database.reading() as session:
            rows = await session.scalars(
                select(HazardRow)
                .where(
                    HazardRow.from_us <= moment_us,
                    HazardRow.until_us >= moment_us,
                    HazardRow.south_deg <= north,
                    HazardRow.north_deg >= south,
                    HazardRow.west_deg <= east,
                    HazardRow.east_deg >= west,
                )
                .order_by(HazardRow.from_us.desc(), HazardRow.digest)
                .limit(MOST_HAZARDS)
            )
            return Hazards(features=[_feature(row) for row in rows])

    @get("/{icao:str}/models", operation_id="GetModelForecasts", opt={"permission": "weather:read"})
    async def models(
        self, icao: FromPath[str], database: NamedDependency[Database]
    ) -> ModelForecasts:
        """Give what models expect at an airport, hour by hour.

        Raises
        ------
        NotFoundException
            No model was asked about it.
        """
        station, now_us = station_of(icao), time.time_ns() // 1000
        async with database.reading() as session:
            rows = await session.scalars(
                select(ModelForecastRow)
                .where(ModelForecastRow.airport == station)
                .order_by(ModelForecastRow.received_at_us.desc())
            )
            found = [
                ModelForecast(
                    source=row.source,
                    received_at_us=row.received_at_us,
                    age_s=(now_us - row.received_at_us) / 1e6,
                    hours=_hours.decode(row.hours),
                )
                for row in rows
            ]
        if not found:
            raise NotFoundException(f"no model was asked about {icao[:8].upper()!r}")
        return ModelForecasts(station=station, forecasts=found)


def _health(row: FeedRow, now_us: int) -> FeedHealth:
    def age_s(at_us: int | None) -> float | None:
        return None if at_us is None else (now_us - at_us) / 1e6

    return FeedHealth(
        name=row.name,
        product=row.product,
        rank=row.rank,
        state=row.state,
        answered_age_s=age_s(row.answered_at_us),
        newest_age_s=age_s(row.newest_us),
        next_in_s=None if row.next_at_us is None else (row.next_at_us - now_us) / 1e6,
        failures=row.failures,
        error=row.error,
        note=row.note,
        requests=row.requests,
        unchanged=row.unchanged,
        refused=row.refused,
        disagreements=row.disagreements,
        disagreement=row.disagreement,
    )


def _feature(row: HazardRow) -> HazardFeature:
    points = _points.decode(row.points)
    if len(points) < 3:
        shape = Shape(type="Point", coordinates=points[0])
    else:
        ring = points if points[0] == points[-1] else (*points, points[0])
        shape = Shape(type="Polygon", coordinates=(ring,))
    said = HazardSaid(
        kind=row.kind,
        hazard=row.hazard,
        severity=row.severity,
        from_us=row.from_us,
        until_us=row.until_us,
        base_ft=row.base_ft,
        top_ft=row.top_ft,
        source=row.source,
        raw=row.raw,
    )
    return HazardFeature(geometry=shape, properties=said)
