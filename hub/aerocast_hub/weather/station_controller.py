"""Endpoints of what follows from an airport's weather: ramp, runways, history, area, events.

Not for flight operations.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, websocket
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from litestar.response.sse import ServerSentEventMessage
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.events.every import Event, kind_of
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.live.answering import EVENT_STREAM, HEADERS
from aerocast_hub.live.server_sent import LONGEST_QUEUE, stream
from aerocast_hub.live.sockets import COME_BACK, Listening, tell_until_left
from aerocast_hub.outbox.publish import Publisher, TooSlowError
from aerocast_hub.weather.low_visibility import LowVisibilityState
from aerocast_hub.weather.ramp import Ramp
from aerocast_hub.weather.ramp_judging import told_ramps
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT, ToldRamp
from aerocast_hub.weather.ramp_store import judged_at, settings_of
from aerocast_hub.weather.station_views import (
    AreaWeather,
    FieldWeather,
    History,
    area_at,
    field_at,
    history_of,
)

KINDS = frozenset(
    {"ramp_closed", "ramp_reopened", "ramp_cautioned", "ramp_unknown", "low_visibility"}
)
AskedHours = Annotated[float, QueryParameter(gt=0.0, le=192.0)]
Latitude = Annotated[float, QueryParameter(ge=-90.0, le=90.0)]
Longitude = Annotated[float, QueryParameter(ge=-180.0, le=180.0)]


class RampNow(msgspec.Struct, frozen=True, kw_only=True):
    """The ramp, with every rule, its inputs and whose limits they are."""

    station: str
    at_us: int
    ramp: Ramp
    low_visibility: LowVisibilityState
    notice: str = NOT_FOR_FLIGHT


class Ramps(msgspec.Struct, frozen=True, kw_only=True):
    """What was told last of every ramp that is watched."""

    ramps: list[ToldRamp]
    notice: str = NOT_FOR_FLIGHT


class StationController(Controller):
    """What weather means for an airport."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

    @get("/ramps", operation_id="ListRamps", opt={"permission": "weather:read"})
    async def ramps(self, database: NamedDependency[Database]) -> Ramps:
        """Give what was told last of every ramp that is watched."""
        async with database.reading() as session:
            return Ramps(ramps=await told_ramps(session))

    @get("/area", operation_id="GetAreaWeather", opt={"permission": "weather:read"})
    async def area(
        self,
        database: NamedDependency[Database],
        south: Latitude,
        west: Longitude,
        north: Latitude,
        east: Longitude,
        at_us: AskedInstant = None,
    ) -> AreaWeather:
        """Give the newest report of each airport in a box; the first 500 by code.

        A box whose west is greater than its east lies across 180 degrees.
        """
        async with database.reading() as session:
            return await area_at(session, (south, west, north, east), asked_us(at_us))

    @get(
        "/events",
        operation_id="FollowWeather",
        media_type=EVENT_STREAM,
        opt={"permission": "weather:read"},
    )
    async def events(
        self,
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
        standing: NamedDependency[Standing],
    ) -> Stream:
        """Stream what changes on ramps, as server-sent events.

        A stream begins with what was told last of every ramp (``ramps``); it ends with the token.
        """
        return Stream(
            server_sent(database, publisher, standing, request.user),
            media_type=EVENT_STREAM,
            headers=HEADERS,
        )

    @websocket("/socket", opt={"permission": "weather:read"})
    async def socket(
        self,
        socket: Listening,
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
        standing: NamedDependency[Standing],
    ) -> None:
        """Tell what changes on ramps over a WebSocket, in JSON: the ramps, then each event."""
        await tell_until_left(socket, _tell(socket, database, publisher), standing)

    @get("/{icao:str}/ramp", operation_id="GetRamp", opt={"permission": "weather:read"})
    async def ramp(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> RampNow:
        """Give whether people can work on an airport's ramp, and why."""
        moment_us = asked_us(at_us)
        async with database.reading() as session:
            settings = await settings_of(session, icao)
            judged, seen = await judged_at(session, settings, moment_us)
        return RampNow(station=settings.airport, at_us=moment_us, ramp=judged, low_visibility=seen)

    @get("/{icao:str}/field", operation_id="GetFieldWeather", opt={"permission": "weather:read"})
    async def field(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> FieldWeather:
        """Give wind along each runway, density altitude, ice, comfort, and local sensors."""
        async with database.reading() as session:
            return await field_at(session, icao, asked_us(at_us))

    @get(
        "/{icao:str}/history", operation_id="GetWeatherHistory", opt={"permission": "weather:read"}
    )
    async def history(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
        hours: AskedHours = 24.0,
    ) -> History:
        """Give an airport's reports of the last hours, the newest first; at most 500."""
        to_us = asked_us(at_us)
        async with database.reading() as session:
            return await history_of(session, icao, to_us - round(hours * 3.6e9), to_us)


async def _present(session: AsyncSession) -> bytes:
    return msgspec.json.encode(Ramps(ramps=await told_ramps(session)))


async def _tell(socket: Listening, database: Database, publisher: Publisher) -> None:
    with publisher.subscribe(LONGEST_QUEUE) as news:
        async with database.reading() as session:
            present = await _present(session)
        await socket.send_data(present, mode="text")
        while True:
            try:
                published = await news.next()
            except TooSlowError:
                await socket.close(code=COME_BACK, reason="behind: come back and ask")
                return
            if await _is_of_a_ramp(published.event):
                await socket.send_data(msgspec.json.encode(published.event), mode="text")


def server_sent(
    database: Database, publisher: Publisher, standing: Standing, who: Principal
) -> AsyncIterator[bytes]:
    """Stream what changes on ramps, after what was told last of every one."""

    async def present() -> ServerSentEventMessage:
        async with database.reading() as session:
            return ServerSentEventMessage(event="ramps", data=await _present(session))

    return stream(publisher, standing, who, _is_of_a_ramp, present)


async def _is_of_a_ramp(event: Event) -> bool:
    return kind_of(event) in KINDS
