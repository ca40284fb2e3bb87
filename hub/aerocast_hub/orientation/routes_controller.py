"""Endpoints of the ways: how to get from one place of an airport to another."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import JSONBody, QueryParameter

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.orientation.directions import Directions
from aerocast_hub.orientation.itinerary import Itinerary, itinerary
from aerocast_hub.orientation.places.controller import network_at
from aerocast_hub.orientation.places.store import conditions_at, map_code
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.routes import find_route
from aerocast_hub.orientation.wording import choose_language
from aerocast_hub.schedule import LATEST_US

AnyRequest = Request[Any, Any, State]
PlaceId = Annotated[str, msgspec.Meta(max_length=200)]
AskedFrom = Annotated[str, QueryParameter(name="from", max_length=200, description="A place's id")]
AskedTo = Annotated[str, QueryParameter(name="to", max_length=200, description="A place's id")]
AskedProfile = Annotated[
    str, QueryParameter(max_length=64, description=f"One of {', '.join(PROFILES)}")
]
FINDS = {"permission": "orientation:read", "changes": False}
NO_PLACE = "The airport has no map, or a place is not on it."
AskedAirport = Annotated[str, QueryParameter(max_length=16, description="IATA or ICAO code")]


class WantedRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where to where, how somebody gets about, and when they set out (left out: now)."""

    airport: Annotated[str, msgspec.Meta(max_length=16)]
    origin: PlaceId = msgspec.field(name="from")
    destination: PlaceId = msgspec.field(name="to")
    profile: Annotated[str, msgspec.Meta(max_length=64)] = "default"
    at_us: Annotated[int, msgspec.Meta(ge=0, le=LATEST_US)] | None = None


class RouteController(Controller):
    """The quickest way between two places, as things are now, and why there is none."""

    path = "/api/routes"
    tags = ("Routes",)
    opt = NO_ROWS | {"errors": {404: NO_PLACE}}

    @get("/", operation_id="GetRoute", opt={"permission": "orientation:read"})
    async def route(  # noqa: PLR0913, PLR0917  each is a query parameter
        self,
        request: AnyRequest,
        database: NamedDependency[Database],
        airport: AskedAirport,
        origin: AskedFrom,
        destination: AskedTo,
        profile: AskedProfile = "default",
        at_us: AskedInstant = None,
    ) -> Itinerary:
        """Give the quickest way between two places.

        Raises
        ------
        NotFoundException
            The airport has no map, or a place is not on it.
        ClientException
            There is no such profile.
        """
        wanted = WantedRoute(
            airport=airport, origin=origin, destination=destination, profile=profile, at_us=at_us
        )
        return await _find(database, wanted, request)

    @post(
        "/",
        operation_id="FindRoute",
        status_code=200,
        opt=FINDS,
    )
    async def find(
        self,
        request: AnyRequest,
        database: NamedDependency[Database],
        data: JSONBody[WantedRoute],
    ) -> Itinerary:
        """Give the quickest way between two places.

        Raises
        ------
        NotFoundException
            The airport has no map, or a place is not on it.
        ClientException
            There is no such profile.
        """
        return await _find(database, data, request)


async def _find(database: Database, wanted: WantedRoute, request: AnyRequest) -> Itinerary:
    if wanted.profile not in PROFILES:
        raise ClientException(f"profile {wanted.profile!r}: expected one of {', '.join(PROFILES)}")
    async with database.reading() as session:
        network = await network_at(session, wanted.airport)
        for key, place in (("from", wanted.origin), ("to", wanted.destination)):
            if place not in network.number:
                raise NotFoundException(f"{key} {place!r}: expected a place of the map")
        code, depart_us = map_code(wanted.airport), asked_us(wanted.at_us)
        conditions = await conditions_at(session, code, network, depart_us)
    route = find_route(network, wanted.origin, wanted.destination, wanted.profile, conditions)
    language = choose_language(
        request.query_params.get("language") or request.headers.get("accept-language")
    )
    return itinerary(route, Directions(network), wanted.profile, language)
