"""Endpoints of the places: maps, what is closed, and how long people queue."""

import time
import uuid
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.place_map import PlaceMap
from aerocast_hub.orientation.places.store import (
    MapVersion,
    Outage,
    Wait,
    close,
    keep_queue,
    map_code,
    map_of,
    map_versions,
    network_of,
    newest_maps,
    outages_of,
    queues_of,
    reopen,
)
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.schedule import LATEST_US

Instant = Annotated[int, msgspec.Meta(ge=0, le=LATEST_US)]
Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
AskedVersion = Annotated[
    int | None,
    QueryParameter(ge=1, le=2**31 - 1, description="An older one; left out: the one in use"),
]
LONGEST_WAIT_S = 24 * 3600
READ = {"permission": "orientation:read"} | NO_ROWS


class AirportMap(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's map: which version, and all of it."""

    version: MapVersion
    map: PlaceMap


class NewOutage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something is closed: a facility, a way or a place, by its id on the map.

    ``from_us`` left out is now; ``until_us`` left out: nobody knows.
    """

    subject: Subject
    from_us: Instant | None = None
    until_us: Instant | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class NewWait(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long people wait at a moment, seen or expected."""

    at_us: Instant
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)]


class NewQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long people queue at a facility, a way or a place, by its id on the map."""

    subject: Subject
    waits: Annotated[list[NewWait], msgspec.Meta(min_length=1, max_length=1000)]


class PlaceController(Controller):
    """Where things are at an airport, what is closed there, and where people queue."""

    path = "/api/places"
    tags = ("Places",)

    @get("/", operation_id="ListPlaceMaps", opt=READ)
    async def maps(self, database: NamedDependency[Database]) -> list[MapVersion]:
        """Give the map in use at each airport."""
        async with database.reading() as session:
            return await newest_maps(session)

    @get("/{airport:str}", operation_id="GetPlaces", opt=READ)
    async def places(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        version: AskedVersion = None,
    ) -> AirportMap:
        """Give an airport's levels, places, ways and facilities.

        Raises
        ------
        NotFoundException
            The airport has no map, or none of this version.
        """
        async with database.reading() as session:
            found = await map_of(session, map_code(airport), version)
        if found is None:
            raise no_map(airport)
        return AirportMap(version=found[0], map=found[1])

    @get(
        "/{airport:str}/versions",
        operation_id="ListPlaceMapVersions",
        opt=READ,
    )
    async def versions(
        self, airport: FromPath[str], database: NamedDependency[Database]
    ) -> list[MapVersion]:
        """Give every version of an airport's map, the newest first."""
        async with database.reading() as session:
            return await map_versions(session, map_code(airport))

    @get(
        "/{airport:str}/outages",
        operation_id="ListOutages",
        opt=READ,
    )
    async def outages(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> list[Outage]:
        """Give what is closed at an airport, or will be."""
        async with database.reading() as session:
            return await outages_of(session, map_code(airport), asked_us(at_us))

    @post(
        "/{airport:str}/outages",
        operation_id="AddOutage",
        opt={"permission": "orientation:write"},
    )
    async def close(
        self,
        airport: FromPath[str],
        data: JSONBody[NewOutage],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Outage:
        """Say that something is closed: nobody is led there from then on.

        Raises
        ------
        NotFoundException
            The airport has no map.
        ClientException
            Nothing on the map has this id, or it would open before it closes.
        """
        now_us = time.time_ns() // 1000
        from_us = now_us if data.from_us is None else data.from_us
        if data.until_us is not None and data.until_us <= from_us:
            raise ClientException("until_us: expected a moment after from_us")
        outage = Outage(
            id=str(uuid.uuid4()),
            airport=map_code(airport),
            subject=data.subject,
            from_us=from_us,
            until_us=data.until_us,
            reason=data.reason,
            told_by=request.user.name,
        )
        async with database.writing() as session:
            await _check_subject(session, outage.airport, data.subject)
            await close(session, outage, now_us)
        publisher.wake()
        return outage

    @delete(
        "/{airport:str}/outages/{outage_id:str}",
        operation_id="RemoveOutage",
        status_code=200,
        opt={"permission": "orientation:write"},
    )
    async def reopen(
        self,
        airport: FromPath[str],
        outage_id: FromPath[str],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Outage:
        """Say that something is open again.

        Raises
        ------
        NotFoundException
            It was not closed, or is open already.
        """
        now_us = time.time_ns() // 1000
        code = map_code(airport)
        async with database.writing() as session:
            found = await reopen(session, code, outage_id, request.user.name, now_us)
        if found is None:
            raise NotFoundException(f"outage {outage_id[:64]!r} is not known")
        publisher.wake()
        return found

    @get(
        "/{airport:str}/queues",
        operation_id="ListQueues",
        opt=READ,
    )
    async def queues(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> dict[str, list[Wait]]:
        """Give how long people queue, by what they queue at: seen lately, or expected."""
        async with database.reading() as session:
            return await queues_of(session, map_code(airport), asked_us(at_us))

    @post(
        "/{airport:str}/queues",
        operation_id="SetQueue",
        status_code=200,
        opt={"permission": "orientation:write"},
    )
    async def queue(
        self,
        airport: FromPath[str],
        data: JSONBody[NewQueue],
        database: NamedDependency[Database],
    ) -> dict[str, list[Wait]]:
        """Say how long people queue; what was said of later moments than the first is forgotten.

        Raises
        ------
        NotFoundException
            The airport has no map.
        ClientException
            Nothing on the map has this id.
        """
        now_us, code = time.time_ns() // 1000, map_code(airport)
        waits = [Wait(at_us=each.at_us, wait_s=each.wait_s) for each in data.waits]
        async with database.writing() as session:
            await _check_subject(session, code, data.subject)
            await keep_queue(session, code, data.subject, waits, now_us)
            return await queues_of(session, code, now_us)


def no_map(airport: str) -> NotFoundException:
    """Say that an airport has no map."""
    return NotFoundException(f"airport {airport[:16]!r} has no such map")


async def network_at(session: AsyncSession, airport: str) -> Network:
    """Give an airport's map, ready for finding ways.

    Raises
    ------
    NotFoundException
        It has none.
    """
    network = await network_of(session, map_code(airport))
    if network is None:
        raise no_map(airport)
    return network


async def _check_subject(session: AsyncSession, airport: str, subject: str) -> None:
    if not (await network_at(session, airport)).knows(subject):
        raise ClientException(f"subject {subject!r}: nothing on the map has this id")
