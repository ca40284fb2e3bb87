"""EPCIS 2.0: capturing events and asking for them (EPCIS 2.0 §12, REST bindings)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aerocast_protocols.epcis.schema import EVENT_TYPES
from aerocast_protocols.epcis.vocabulary import bare
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from litestar.params import FromPath

from aerocast_hub.database.engine import Database
from aerocast_hub.epcis.answering import (
    answer_query,
    asked_query,
    decoded,
    encoded,
    page_of,
    parameters_of,
    token_number,
)
from aerocast_hub.epcis.answers import (
    ASKED_MUCH,
    CAPTURE_FILE_SIZE_LIMIT,
    CAPTURE_LIMIT,
    ERROR_HANDLERS,
    JSON,
    JSON_LD,
    NEGOTIATED,
    PATH,
    SENT,
    TAKEN,
    Asking,
    EpcisError,
    EpcisProblem,
    add_headers,
    answer,
    asked_resource,
    check_media_type,
    collection,
    negotiate,
    page_headers,
    read_token,
)
from aerocast_hub.epcis.capturing import Behaviour, find_job, list_jobs, take_in
from aerocast_hub.epcis.store import find_event, find_events, list_values
from aerocast_hub.epcis.validation import Document, RefusedError, check_event, read_document
from aerocast_hub.epcis.writing import alone
from aerocast_hub.outbox.publish import Publisher, write_events

READ = {"permission": "baggage:read", "rows": "ruled"}
WRITE = {"permission": "baggage:write", "rows": "all"}
RESOURCES = {
    "eventTypes": ("type", "eventType"),
    "epcs": ("epc", "MATCH_anyEPC"),
    "bizSteps": ("biz_step", "EQ_bizStep"),
    "bizLocations": ("biz_location", "EQ_bizLocation"),
    "readPoints": ("read_point", "EQ_readPoint"),
    "dispositions": ("disposition", "EQ_disposition"),
}
TOP = ("capture", "events", *RESOURCES, "queries")
_SHOWN = ("eventType", "GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime",
          "EQ_action", "EQ_bizStep", "EQ_disposition", "EQ_readPoint", "WD_readPoint",
          "EQ_bizLocation", "WD_bizLocation", "EQ_eventID", "MATCH_epc", "MATCH_parentID",
          "MATCH_anyEPC", "MATCH_epcClass", "EQ_quantity", "EXISTS_errorDeclaration",
          "orderBy", "orderDirection", "eventCountLimit", "maxEventCount", "perPage",
          "nextPageToken")  # fmt: skip


@dataclass
class _TakesDocument(Operation):
    """Says in the API's description that the body is an EPCIS document or event."""

    def __post_init__(self) -> None:
        any_object = OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))
        self.request_body = RequestBody(
            content={JSON: any_object, JSON_LD: any_object}, required=True
        )


@dataclass
class _TakesQuery(Operation):
    """Says in the API's description which parameters a query takes."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        queried = [Parameter(name=name, param_in="query", schema=text) for name in _SHOWN]
        self.parameters = [*(self.parameters or []), *queried]


class EpcisController(Controller):
    """EPCIS 2.0: bags' journeys in the language of supply chains, and others' events."""

    path = PATH
    tags = ("EPCIS",)
    exception_handlers = ERROR_HANDLERS
    before_request = staticmethod(negotiate)
    after_request = staticmethod(add_headers)
    opt = READ | {"problem": EpcisProblem, "errors": NEGOTIATED}  # READ: also for OPTIONS

    @get("/", operation_id="ListEpcisResources")
    async def top(self) -> Response[Any]:
        """Give the names of what there is."""
        return answer(collection(list(TOP)))

    @post(
        "/capture",
        operation_id="CaptureEpcisDocument",
        status_code=202,
        opt=WRITE | {"errors": SENT},
        request_max_body_size=CAPTURE_FILE_SIZE_LIMIT,
        operation_class=_TakesDocument,
    )
    async def capture(
        self,
        request: Asking,
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Response[Any]:
        """Take in an EPCIS document; the header ``Location`` says where its job is.

        ``GS1-Capture-Error-Behaviour``: ``rollback`` (all of it or nothing) or ``proceed``.

        Raises
        ------
        EpcisError
            It is no document, or (rollback) an event of it is wrong.
        """
        behaviour = _behaviour(request)
        told = await _document(request)
        if len(told.events) > CAPTURE_LIMIT:
            raise EpcisError(
                413, "CaptureLimitExceededException", f"more than {CAPTURE_LIMIT} events"
            )
        if behaviour == "rollback":
            _refuse_faults(told)
        async with database.writing() as session:
            taken = await take_in(session, told, behaviour, request.user.name)
            await write_events(session, taken.events)
        publisher.wake()
        where = f"{PATH}/capture/{taken.job.capture_id}"
        return answer(taken.job, 202, {"Location": where, "GS1-Capture-Error-Behaviour": behaviour})

    @get("/capture", operation_id="ListEpcisCaptures")
    async def jobs(
        self,
        request: Asking,
        database: NamedDependency[Database],
    ) -> Response[Any]:
        """Give what became of the documents sent, the last first."""
        asked = page_of(request)
        after = read_token(asked.token, "captures")
        position = None
        if after is not None:
            at_us, _, last = after.partition("_")
            position = (token_number(at_us), last)
        async with database.reading() as session:
            found = await list_jobs(session, asked.size + 1, position)
        shown = found[: asked.size]
        more = len(found) > asked.size
        token = f"{shown[-1][0][0]}_{shown[-1][0][1]}" if more else None
        return answer([job for _, job in shown], 200, page_headers(request, token, "captures"))

    @get("/capture/{capture_id:str}", operation_id="GetEpcisCapture")
    async def job(
        self, capture_id: FromPath[str], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Say what became of a document.

        Raises
        ------
        EpcisError
            There was none of this id.
        """
        async with database.reading() as session:
            found = await find_job(session, capture_id)
        if found is None:
            raise EpcisError(404, "NoSuchResourceException", f"no capture {capture_id[:64]!r}")
        return answer(found)

    @post(
        "/events",
        operation_id="CaptureEpcisEvent",
        opt=WRITE | {"errors": SENT | TAKEN},
        request_max_body_size=CAPTURE_FILE_SIZE_LIMIT,
        operation_class=_TakesDocument,
    )
    async def capture_one(
        self,
        request: Asking,
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Response[Any]:
        """Take in one event; the header ``Location`` says where it is.

        Raises
        ------
        EpcisError
            It is no event, or another one has its id.
        """
        told = await _document(request)
        if told.where or len(told.events) != 1:
            raise EpcisError(400, "ValidationException", "expected one event, not a document")
        _refuse_faults(told)
        async with database.writing() as session:
            taken = await take_in(session, told, "rollback", request.user.name)
            await write_events(session, taken.events)
        publisher.wake()
        if not taken.job.success:
            raise EpcisError(409, "ResourceAlreadyExistsException", taken.job.errors[0].detail)
        named = quote(taken.ids[0], safe="")
        return answer(None, 201, {"Location": f"{PATH}/events/{named}"})

    @get(
        "/events",
        operation_id="QueryEpcisEvents",
        operation_class=_TakesQuery,
        opt={"errors": ASKED_MUCH},
    )
    async def events(self, request: Asking, database: NamedDependency[Database]) -> Response[Any]:
        """Give events, the last first; parameters as in EPCIS 2.0 §8.2.7.1."""
        return await answer_query(request, database, parameters_of(request))

    @get("/events/{rest:path}", operation_id="GetEpcisEvent")
    async def event(
        self, request: Asking, rest: FromPath[str], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Give an event by its id, percent-encoded; of one declared wrong, the declaration.

        Raises
        ------
        EpcisError
            There is none.
        """
        del rest  # decoded, and so not what was asked for
        _, named = asked_resource(request)
        async with database.reading() as session:
            found = await find_event(session, named)
        if found is None:
            raise EpcisError(404, "NoSuchResourceException", f"no event {named[:200]!r}")
        return answer(alone(found))

    @get(
        [f"/{name}" for name in RESOURCES],
        operation_id=lambda _handler, _method, path: f"List_{path[-1]}".replace("_", ""),
    )
    async def values(self, request: Asking, database: NamedDependency[Database]) -> Response[Any]:
        """Give the event types, things, business steps ... that events name."""
        name, _ = asked_resource(request)
        asked = page_of(request)
        after = read_token(asked.token, name)
        if name == "eventTypes":
            return answer(collection(list(EVENT_TYPES)))
        column, _ = RESOURCES[name]
        async with database.reading() as session:
            found = await list_values(
                session, column, asked.size + 1, None if after is None else decoded(after)
            )
        more = encoded(found[asked.size - 1]) if len(found) > asked.size else None
        field = {"bizSteps": "bizStep", "dispositions": "disposition"}.get(name, "")
        shown = [bare(field, each) for each in found[: asked.size]]
        return answer(collection(shown), 200, page_headers(request, more, name))

    @get(
        [f"/{name}/{{rest:path}}" for name in RESOURCES],
        operation_id=lambda _handler, _method, path: f"Query_{path[-2]}".replace("_", ""),
        operation_class=_TakesQuery,
        opt={"errors": ASKED_MUCH},
    )
    async def of_value(
        self, request: Asking, rest: FromPath[str], database: NamedDependency[Database]
    ) -> Response[Any]:
        """Give what there is of a value, or with ``/events`` behind it the events that name it.

        Raises
        ------
        EpcisError
            No event names it.
        """
        name, value = asked_resource(request)
        wants_events = rest.endswith("/events")
        _, parameter = RESOURCES[name]
        asked = {**(parameters_of(request) if wants_events else {})}
        if parameter in asked:
            raise EpcisError(400, "QueryParameterException", f"{parameter} is in the path already")
        asked[parameter] = [value]
        if wants_events:
            return await answer_query(request, database, asked)
        async with database.reading() as session:
            found = await find_events(session, asked_query(asked), 1)
        if not found.events and not (name == "eventTypes" and value in EVENT_TYPES):
            raise EpcisError(404, "NoSuchResourceException", f"no event names {value[:200]!r}")
        return answer(collection(["events"]))

    @delete(
        "/nextPageToken/{token:str}", operation_id="ForgetEpcisPage", opt={**READ, "changes": False}
    )
    async def forget(self, token: FromPath[str]) -> Response[None]:
        """Let a page token go: nothing is kept for one."""
        del token
        return Response(None, status_code=204)


def _behaviour(request: Asking) -> Behaviour:
    told = request.headers.get("GS1-Capture-Error-Behaviour", "rollback")
    if told == "rollback":
        return "rollback"
    if told == "proceed":
        return "proceed"
    raise EpcisError(
        400, "ValidationException", "GS1-Capture-Error-Behaviour: expected rollback or proceed"
    )


async def _document(request: Asking) -> Document:
    check_media_type(request)
    try:
        return read_document(await request.body())
    except RefusedError as refused:
        raise EpcisError(400, "ValidationException", str(refused)) from None


def _refuse_faults(told: Document) -> None:
    faults = [
        fault
        for i, event in enumerate(told.events)
        for fault in check_event(event, f"{told.where}/{i}" if told.where else "")
    ]
    if faults:
        raise EpcisError(400, "ValidationException", "; ".join(map(str, faults[:20])))
