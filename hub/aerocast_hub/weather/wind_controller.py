"""Endpoints of winds aloft. Not for flight operations."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Schema,
)
from litestar.params import FromPath, QueryParameter

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.wind_export import MOST_ROWS, Amdar, BufrMissing, amdar, to_bufr, to_csv
from aerocast_hub.weather.wind_field import WindAt
from aerocast_hub.weather.wind_keeping import profiles_between
from aerocast_hub.weather.wind_profile import Profile
from aerocast_hub.weather.winds import Winds, wind_over, winds_between, winds_over

HOUR_US = 3_600_000_000
ExportFormat = Literal["csv", "json", "bufr"]
AskedSpan = Annotated[
    float, QueryParameter(gt=0.0, le=192.0, description="How many hours back from at_us")
]


class DrawnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile and when it was drawn."""

    at_us: int
    profile: Profile


class ProfileHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The profiles over a site, oldest first: one a minute while aircraft flew there."""

    site: str
    profiles: list[DrawnProfile]
    notice: str = NOT_FOR_FLIGHT


class WindThere(msgspec.Struct, frozen=True, kw_only=True):
    """The wind at one place."""

    latitude_deg: float
    longitude_deg: float
    at_us: int
    wind: WindAt
    notice: str = NOT_FOR_FLIGHT


class ExportedWinds(msgspec.Struct, frozen=True, kw_only=True):
    """Winds as meteorologists exchange them, oldest first."""

    site: str
    winds: list[Amdar]
    notice: str = NOT_FOR_FLIGHT


@dataclass
class _GivesFiles(Operation):
    """Says in the API's description that winds come as files too."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            text = Schema(type=OpenAPIType.STRING)
            answer.content["text/csv"] = OpenAPIMediaType(schema=text)
            answer.content["application/octet-stream"] = OpenAPIMediaType(schema=text)


class WindController(Controller):
    """The wind over airports, from the aircraft that fly through it."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

    @get("/wind", operation_id="GetWindAt", opt={"permission": "weather:read"})
    async def wind(
        self,
        database: NamedDependency[Database],
        latitude_deg: Annotated[float, QueryParameter(ge=-90.0, le=90.0)],
        longitude_deg: Annotated[float, QueryParameter(ge=-180.0, le=180.0)],
        altitude_ft: Annotated[float, QueryParameter(ge=-1000.0, le=15_000.0)],
        at_us: AskedInstant = None,
    ) -> WindThere:
        """Give the wind at a place and pressure altitude, with how sure that is.

        It is null where fewer than two aircraft flew near by within a quarter of an hour.
        """
        moment_us = asked_us(at_us)
        async with database.reading() as session:
            found = await wind_over(session, (latitude_deg, longitude_deg), altitude_ft, moment_us)
        return WindThere(
            latitude_deg=latitude_deg, longitude_deg=longitude_deg, at_us=moment_us, wind=found
        )

    @get("/{icao:str}/winds", operation_id="GetWinds", opt={"permission": "weather:read"})
    async def winds(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> Winds:
        """Give the wind over an airport, level by level, and the newest of each aircraft."""
        async with database.reading() as session:
            return await winds_over(session, icao, asked_us(at_us))

    @get(
        "/{site:str}/winds/history",
        operation_id="GetWindHistory",
        opt={"permission": "weather:read"},
    )
    async def history(
        self,
        site: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
        hours: AskedSpan = 3.0,
    ) -> ProfileHistory:
        """Give the profiles drawn over a site, minute by minute; the newest 1,440."""
        to_us = asked_us(at_us)
        async with database.reading() as session:
            drawn = await profiles_between(session, site, to_us - round(hours * HOUR_US), to_us)
        return ProfileHistory(
            site=site, profiles=[DrawnProfile(at_us=at, profile=each) for at, each in drawn]
        )

    @get(
        "/{site:str}/winds/export",
        operation_id="ExportWinds",
        operation_class=_GivesFiles,
        opt={"permission": "weather:read", "errors": {501: "BUFR needs ecCodes at the hub."}},
    )
    async def export(
        self,
        site: FromPath[str],
        database: NamedDependency[Database],
        file_format: Annotated[ExportFormat, QueryParameter(name="format")] = "json",
        at_us: AskedInstant = None,
        hours: AskedSpan = 1.0,
    ) -> Response[ExportedWinds]:
        """Give what aircraft met around a site, corrected and checked, as CSV, JSON or BUFR.

        Raises
        ------
        ClientException
            BUFR was asked for and ecCodes is not installed.
        """
        to_us = asked_us(at_us)
        async with database.reading() as session:
            winds, biases = await winds_between(
                session, site, to_us - round(hours * HOUR_US), to_us, MOST_ROWS
            )
        rows = await asyncio.to_thread(amdar, winds, biases)
        if file_format == "json":
            return Response(ExportedWinds(site=site, winds=rows))
        if file_format == "csv":
            return Response(cast("ExportedWinds", to_csv(rows)), media_type="text/csv")
        try:
            told = await asyncio.to_thread(to_bufr, rows)
            return Response(cast("ExportedWinds", told), media_type="application/octet-stream")
        except BufrMissing as error:
            raise ClientException(str(error), status_code=501) from error
