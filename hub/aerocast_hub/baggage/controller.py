"""Baggage endpoints for operators: where a bag is, what is known of it, what was done with it."""

import re
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from aerocast_hub.audit.trail import record
from aerocast_hub.auth.permissions import NO_ROWS, RULED, grants
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.baggage.bags import (
    Bag,
    BagPage,
    Wanted,
    find_bag,
    list_in_motion,
    may_act_on,
    search_bags,
)
from aerocast_hub.baggage.history import BagHistory, histories
from aerocast_hub.baggage.operations import Action, ContainerMove, act, move
from aerocast_hub.baggage.passenger_of_bag import Whose, whose_bag
from aerocast_hub.baggage.plates import Plate, airlines_of, read_plate
from aerocast_hub.baggage.tracking_codes import TagHistory, tag_histories
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import WrongValueError
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.schedule import LATEST_US
from aerocast_hub.settings import Settings
from aerocast_hub.web.description.unchanged import UNCHANGED

Operator = Request[Principal, Any, State]
KnownBy = Annotated[
    int | None,
    QueryParameter(
        ge=0,
        le=LATEST_US,
        description="answer as the hub would have at this instant, UTC microseconds",
    ),
]
_PLATE = re.compile(r"[0-9]{10}")
_CONTAINER = re.compile(r"[A-Za-z0-9 ._-]{1,40}")


class BaggageController(Controller):
    """Bags and their journeys."""

    path = "/api/bags"
    tags = ("Baggage",)
    opt = RULED

    @get("/", operation_id="ListBagsInMotion", opt={"permission": "baggage:read"})
    async def in_motion(
        self, database: NamedDependency[Database], at_us: AskedInstant = None
    ) -> list[Bag]:
        """Give the bags seen within six hours and not yet at reclaim, the last seen first."""
        now_us = asked_us(at_us)
        async with database.reading() as session:
            return await list_in_motion(session, now_us)

    @post(
        "/search",
        operation_id="SearchBags",
        status_code=200,
        opt={"permission": "baggage:read", "changes": False},
    )
    async def search(self, data: JSONBody[Wanted], database: NamedDependency[Database]) -> BagPage:
        """Give bags by flight, container, site, state or booking reference, a page at a time.

        The question is a body, not an address: a booking reference is personal.
        """
        async with database.reading() as session:
            return await search_bags(session, data)

    @get(
        "/{licence_plate:str}",
        operation_id="GetJourney",
        responses=UNCHANGED,
        opt={"permission": "baggage:read"},
    )
    async def journey(
        self,
        licence_plate: FromPath[str],
        request: Operator,
        database: NamedDependency[Database],
        flight_date: FromQuery[str | None] = None,
    ) -> Response[Bag | None]:
        """Give a bag's journey; plates repeat: ``flight_date`` chooses, else the latest bag.

        Answers 304 when the bag is still as the ``If-None-Match`` header says.

        Raises
        ------
        NotFoundException
            No bag of this plate is expected or was seen.
        """
        async with database.reading() as session:
            bag = await find_bag(session, licence_plate, flight_date)
        if bag is None:
            raise NotFoundException(f"bag {licence_plate[:32]} is neither expected nor seen")
        tag = f'"{bag.id}.{bag.version}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(None, status_code=304, headers=headers)
        return Response(bag, headers=headers)

    @get(
        "/{licence_plate:str}/passenger",
        operation_id="GetPassengerOfBag",
        opt={"permission": "baggage:read"},
    )
    async def passenger(
        self,
        licence_plate: FromPath[str],
        request: Operator,
        database: NamedDependency[Database],
    ) -> Whose:
        """Say whose a bag is; without ``baggage:passengers`` one letter of each name is left.

        Raises
        ------
        NotFoundException
            Nobody told whose it is, or it was forgotten in time.
        """
        may_see = grants(request.user.permissions, "baggage:passengers")
        async with database.reading() as session:
            whose = await whose_bag(session, licence_plate, may_see=may_see)
        if whose is None:
            raise NotFoundException(f"nobody told whose bag {licence_plate[:32]} is")
        return whose

    @get(
        "/{licence_plate:str}/history",
        operation_id="GetBagHistory",
        opt={"permission": "baggage:read"},
    )
    async def history(
        self,
        licence_plate: FromPath[str],
        database: NamedDependency[Database],
        known_by_us: KnownBy = None,
    ) -> list[BagHistory]:
        """Give everything known of the bags of a plate, or what was known at an instant."""
        async with database.reading() as session:
            return await histories(session, licence_plate, known_by_us)

    @post(
        "/{licence_plate:str}/actions",
        operation_id="ActOnBag",
        status_code=200,
        opt={"permission": "baggage:write"},
    )
    async def act(
        self,
        licence_plate: FromPath[str],
        data: JSONBody[Action],
        request: Operator,
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Bag:
        """Take in what somebody did with a bag: claimed, stowed, held, retagged, voided ...

        Raises
        ------
        ClientException
            The plate is no plate, or the action lacks something.
        NotFoundException
            It is a bag of others.
        """
        if _PLATE.fullmatch(licence_plate) is None:
            raise ClientException(f"{licence_plate[:32]!r} is no licence plate: ten digits are")
        async with database.reading() as session:
            if not await may_act_on(session, licence_plate, data.new_plate):
                raise NotFoundException(f"bag {licence_plate} is neither expected nor seen")
        async with database.writing() as session:
            try:
                events = await act(session, licence_plate, data, request.user.name)
            except WrongValueError as error:
                raise ClientException(str(error)) from None
            await write_events(session, events)
            await record(session, f"bag_{data.did}", subject=f"bag {licence_plate}", after=data)
        publisher.wake()
        async with database.reading() as session:  # what they see of it now
            bag = await find_bag(session, licence_plate)
        if bag is None:
            raise NotFoundException(f"nothing is left of bag {licence_plate}")
        return bag


class ContainerController(Controller):
    """Containers: where they are, and with them their bags."""

    path = "/api/containers"
    tags = ("Baggage",)

    @post(
        "/{container:str}/moves",
        operation_id="MoveContainer",
        status_code=200,
        opt={"permission": "baggage:write", "rows": "all"},
    )
    async def move(
        self,
        container: FromPath[str],
        data: JSONBody[ContainerMove],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> BagPage:
        """Take in that a container went into another or a flight, came out, or was found.

        Gives the bags in it.

        Raises
        ------
        ClientException
            The name is none, or the move lacks something.
        """
        if _CONTAINER.fullmatch(container) is None:
            raise ClientException(
                f"{container[:64]!r} is no container: 1 to 40 letters, digits, space, . _ - are"
            )
        async with database.writing() as session:
            try:
                await write_events(session, await move(session, container, data))
            except WrongValueError as error:
                raise ClientException(str(error)) from None
            page = await search_bags(session, Wanted(container=container, limit=500))
            subject = f"container {container}"
            await record(session, f"container_{data.did}", subject=subject, after=data)
        publisher.wake()
        return page


class PlateController(Controller):
    """What a licence plate says by itself."""

    path = "/api/plates"
    tags = ("Baggage",)
    opt = NO_ROWS

    @get("/{licence_plate:str}", operation_id="ReadPlate", opt={"permission": "baggage:read"})
    async def read(
        self, licence_plate: FromPath[str], settings: NamedDependency[Settings]
    ) -> Plate:
        """Say what kind of tag a plate is on, and which airline issued it.

        Raises
        ------
        ClientException
            It is no licence plate, or the list of airlines cannot be read.
        """
        try:
            return read_plate(licence_plate, airlines_of(settings.airlines))
        except (ValueError, OSError) as error:
            raise ClientException(str(error)) from None


class TagHistoryController(Controller):
    """The history of a tag as the trade's tracking services answer it."""

    path = "/api/baggage/history/v1.0"
    tags = ("Baggage",)
    opt = RULED

    @get(
        "/tag/{licence_plate:str}/flightdate/{flight_date:str}",
        operation_id="GetTagHistory",
        opt={"permission": "baggage:read"},
    )
    async def history(
        self,
        licence_plate: FromPath[str],
        flight_date: FromPath[str],
        database: NamedDependency[Database],
    ) -> TagHistory:
        """Give the events of a tag on a flight date (ISO 8601), in the codes of the trade.

        Raises
        ------
        NotFoundException
            No bag of this plate travels that day.
        """
        async with database.reading() as session:
            found = await tag_histories(session, licence_plate, flight_date)
        if found is None:
            raise NotFoundException(f"no bag {licence_plate[:32]} travels on {flight_date[:32]}")
        return found
