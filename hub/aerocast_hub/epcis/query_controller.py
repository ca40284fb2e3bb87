"""EPCIS 2.0: named queries, and subscriptions to them by webhook and WebSocket."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from aerocast_protocols.epcis.event_hash import time_us
from aerocast_protocols.errors import ProtocolError
from litestar import (
    Controller,
    Response,
    delete,
    get,
    post,
    websocket,
)
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.database.engine import Database
from aerocast_hub.epcis.answering import answer_query, decoded, encoded, page_of
from aerocast_hub.epcis.answers import (
    ASKED_MUCH,
    ERROR_HANDLERS,
    NEGOTIATED,
    PATH,
    SENT,
    TAKEN,
    Asking,
    EpcisError,
    EpcisProblem,
    add_headers,
    answer,
    check_media_type,
    negotiate,
    page_headers,
    read_token,
)
from aerocast_hub.epcis.asking import asked_for
from aerocast_hub.epcis.asking_values import QueryParameterError
from aerocast_hub.epcis.controller import READ, WRITE
from aerocast_hub.epcis.listening import Listener
from aerocast_hub.epcis.schedule import FIELDS, Schedule, SubscriptionControlsError
from aerocast_hub.epcis.store import last_number
from aerocast_hub.epcis.subscriptions import (
    NamedQuery,
    Subscription,
    Wanted,
    add_query,
    add_subscription,
    find_query,
    list_queries,
    list_subscriptions,
    remove_query,
    remove_subscription,
)
from aerocast_hub.live.sockets import Listening, tell_until_left
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import Settings
from aerocast_hub.webhooks.destinations import (
    LONGEST_URL,
    Allowed,
    RefusedDestinationError,
    resolve,
)
from aerocast_hub.webhooks.signing import new_secret

SUBSCRIBE = {"permission": "webhooks:write", "rows": "all"}

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._~-]{1,100}$")]


class NewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query to be given a name."""

    name: Name
    query: dict[str, Any]


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A subscription to be added: ``stream``, or a ``schedule``.

    Attributes
    ----------
    dest
        Where events are posted to.
    signature_token
        Key of the signatures in ``GS1-Signature``; one is made up when it is left out.
    """

    dest: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_URL)]
    signature_token: Annotated[str, msgspec.Meta(min_length=8, max_length=500)] | None = None
    stream: bool = False
    schedule: dict[str, str] | None = None
    report_if_empty: bool = False
    initial_record_time: str | None = None


class QueryController(Controller):
    """Named EPCIS queries."""

    path = f"{PATH}/queries"
    tags = ("EPCIS",)
    exception_handlers = ERROR_HANDLERS
    before_request = staticmethod(negotiate)
    after_request = staticmethod(add_headers)
    opt = READ | {"problem": EpcisProblem, "errors": NEGOTIATED}  # READ: also for OPTIONS

    @get("/", operation_id="ListEpcisQueries")
    async def every(self, request: Asking, database: NamedDependency[Database]) -> Response[Any]:
        """Give the named queries in the order of their names."""
        asked = page_of(request)
        after = read_token(asked.token, "queries")
        async with database.reading() as session:
            start = None if after is None else decoded(after)
            found = await list_queries(session, asked.size + 1, start)
        more = encoded(found[asked.size - 1].name) if len(found) > asked.size else None
        return answer(found[: asked.size], 200, page_headers(request, more, "queries"))

    @post("/", operation_id="AddEpcisQuery", opt=WRITE | {"errors": SENT | TAKEN})
    async def add(
        self, request: Asking, data: JSONBody[NewQuery], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Give a query a name.

        Raises
        ------
        EpcisError
            It is none, or another one has the name.
        """
        check_media_type(request)
        try:
            asked_for(data.query)
        except QueryParameterError as error:
            raise EpcisError(400, "QueryParameterException", str(error)) from None
        async with database.writing() as session:
            is_new = await add_query(session, data.name, data.query)
        if not is_new:
            raise EpcisError(
                409, "ResourceAlreadyExistsException", f"there is a query {data.name!r} already"
            )
        return answer(data, 201, {"Location": f"{PATH}/queries/{data.name}"})

    @get("/{name:str}", operation_id="GetEpcisQuery")
    async def one(self, name: FromPath[str], database: NamedDependency[Database]) -> Response[Any]:
        """Give a named query.

        Raises
        ------
        EpcisError
            There is none of this name.
        """
        return answer(await _known(database, name))

    @delete("/{name:str}", operation_id="RemoveEpcisQuery", opt=WRITE)
    async def remove(
        self, name: FromPath[str], database: NamedDependency[Database]
    ) -> Response[None]:
        """Remove a named query and its subscriptions.

        Raises
        ------
        EpcisError
            There is none of this name.
        """
        query = await _known(database, name)
        async with database.writing() as session:
            await remove_query(session, query.name)
        return Response(None, status_code=204)

    @get("/{name:str}/events", operation_id="RunEpcisQuery", opt={"errors": ASKED_MUCH})
    async def events(
        self, request: Asking, name: FromPath[str], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Give the events a named query finds; as a WebSocket, those that come from now on.

        Raises
        ------
        EpcisError
            There is none of this name.
        """
        query = await _known(database, name)
        return await answer_query(request, database, query.query, query.name)

    @websocket("/{name:str}/events")
    async def listen(
        self,
        socket: Listening,
        name: FromPath[str],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
        standing: NamedDependency[Standing],
    ) -> None:
        """Send the events a named query finds as they come, or by the schedule in the address.

        Raises
        ------
        NotFoundException
            There is no such query.
        PermissionDeniedException
            The schedule is none.
        """
        async with database.reading() as session:
            query = await find_query(session, name)
            reached = await last_number(session)
        if query is None:
            raise NotFoundException(f"no query {name[:100]!r}")
        told = {key: value for key, value in socket.query_params.items() if key in FIELDS}
        try:
            schedule = Schedule(told) if told else None
        except SubscriptionControlsError as error:
            raise PermissionDeniedException(str(error)) from None
        documents = Listener(query, schedule, database, publisher).documents(reached)
        await tell_until_left(socket, _tell(socket, documents), standing)

    @get("/{name:str}/subscriptions", operation_id="ListEpcisSubscriptions")
    async def subscriptions(
        self, name: FromPath[str], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Give the subscriptions to a named query.

        Raises
        ------
        EpcisError
            There is none of this name.
        """
        query = await _known(database, name)
        async with database.reading() as session:
            return answer(await list_subscriptions(session, query.name))

    @post(
        "/{name:str}/subscriptions",
        operation_id="SubscribeToEpcisQuery",
        opt=SUBSCRIBE | {"errors": SENT},
    )
    async def subscribe(
        self,
        request: Asking,
        name: FromPath[str],
        data: JSONBody[NewSubscription],
        database: NamedDependency[Database],
        settings: NamedDependency[Settings],
    ) -> Response[Any]:
        """Have events posted to an address as they come, or by a schedule.

        Posts are tried again and given up as webhooks are. A ``signatureToken`` made up by the hub
        is shown in this answer alone.

        Raises
        ------
        EpcisError
            There is no such query, or it cannot be sent that way.
        """
        check_media_type(request)
        query = await _known(database, name)
        wanted = await _wanted(data, settings)
        async with database.writing() as session:
            added = await add_subscription(session, query, wanted, request.user.name)
        told = msgspec.to_builtins(added)
        if data.signature_token is None:
            told["signatureToken"] = wanted.secret
        where = f"{PATH}/queries/{query.name}/subscriptions/{added.subscriptionID}"
        return answer(told, 201, {"Location": where})

    @get(
        "/{name:str}/subscriptions/{subscription_id:str}",
        operation_id="GetEpcisSubscription",
    )
    async def subscription(
        self,
        name: FromPath[str],
        subscription_id: FromPath[str],
        database: NamedDependency[Database],
    ) -> Response[Any]:
        """Give a subscription.

        Raises
        ------
        EpcisError
            There is none.
        """
        return answer(await _subscription(database, name, subscription_id))

    @delete(
        "/{name:str}/subscriptions/{subscription_id:str}",
        operation_id="UnsubscribeFromEpcisQuery",
        opt=SUBSCRIBE,
    )
    async def unsubscribe(
        self,
        name: FromPath[str],
        subscription_id: FromPath[str],
        database: NamedDependency[Database],
    ) -> Response[None]:
        """End a subscription.

        Raises
        ------
        EpcisError
            There is none.
        """
        found = await _subscription(database, name, subscription_id)
        async with database.writing() as session:
            await remove_subscription(session, found.queryName, found.subscriptionID)
        return Response(None, status_code=204)


async def _tell(socket: Listening, documents: AsyncGenerator[str, None]) -> None:
    async for document in documents:
        await socket.send_data(document, mode="text")
    await socket.close()


async def _known(database: Database, name: str) -> NamedQuery:
    async with database.reading() as session:
        found = await find_query(session, name)
    if found is None:
        raise EpcisError(404, "NoSuchNameException", f"no query {name[:100]!r}")
    return found


async def _subscription(database: Database, name: str, named: str) -> Subscription:
    query = await _known(database, name)
    async with database.reading() as session:
        every = await list_subscriptions(session, query.name)
    for each in every:
        if each.subscriptionID == named:
            return each
    raise EpcisError(404, "NoSuchResourceException", f"no subscription {named[:64]!r}")


async def _wanted(data: NewSubscription, settings: Settings) -> Wanted:
    if data.stream == (data.schedule is not None):
        raise EpcisError(
            400, "SubscriptionControlsException", "expected either stream: true or a schedule"
        )
    try:
        if data.schedule is not None:
            Schedule(data.schedule).next_us(time.time_ns() // 1000)
        start_us = None
        if data.initial_record_time is not None:
            start_us = time_us(data.initial_record_time)
        await resolve(data.dest, Allowed(settings.webhooks_private, settings.webhook_host_names))
    except (SubscriptionControlsError, ProtocolError, RefusedDestinationError) as error:
        raise EpcisError(400, "SubscriptionControlsException", str(error)) from None
    return Wanted(
        dest=data.dest,
        secret=data.signature_token or new_secret(),
        schedule=data.schedule,
        report_if_empty=data.report_if_empty,
        initial_record_time_us=start_us,
    )
