"""Events from where a system stopped reading, and the description of them all."""

import functools
from importlib.metadata import version
from typing import Annotated, Any

import msgspec
from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, ValidationException
from litestar.params import QueryParameter

from aerocast_hub.announcing.asyncapi import asyncapi
from aerocast_hub.announcing.cloud_event import (
    HUB_WITHOUT_NAME,
    KINDS,
    CloudEvent,
    cloud_event,
)
from aerocast_hub.announcing.reading import events_after, oldest_kept
from aerocast_hub.auth.permissions import RULED
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import Settings
from aerocast_hub.sight.happenings import may_hear

MOST = 1000
AskedAfter = Annotated[
    int, QueryParameter(ge=0, le=2**63 - 1, description="The last number already known; 0: none")
]
AskedLimit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Events at most")]
AskedKinds = Annotated[
    str, QueryParameter(max_length=1000, description="Kinds of events, by comma; all when empty")
]


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order.

    Attributes
    ----------
    next_after
        What to ask for next: events after this number.
    """

    events: list[CloudEvent]
    next_after: int


class EventController(Controller):
    """What happened, for systems that come back for what they missed."""

    path = "/api/events"
    tags = ("Events",)

    @get(
        "/",
        operation_id="ListEvents",
        opt={
            "permission": "webhooks:write",
            "errors": {410: "Events after this number are no longer kept."},
        }
        | RULED,
    )
    async def after(
        self,
        database: NamedDependency[Database],
        settings: NamedDependency[Settings],
        after: AskedAfter = 0,
        limit: AskedLimit = 100,
        kinds: AskedKinds = "",
    ) -> Events:
        """Give the events after a number, oldest first, as CloudEvents. They are kept for a day.

        Raises
        ------
        HTTPException
            410: events after this number are no longer kept. Ask for the present state, and go on
            from the number the answer names.
        ValidationException
            A kind is none.
        """
        asked = tuple(each.strip() for each in kinds.split(",") if each.strip())
        unknown = sorted(set(asked) - set(KINDS))
        if unknown:
            raise ValidationException(
                f"{unknown[0][:50]!r} is no kind of event; there are {', '.join(KINDS)}"
            )
        async with database.reading() as session:
            oldest = await oldest_kept(session)
            stretch = await events_after(session, after, limit, asked)
        if after and oldest is not None and after < oldest - 1:
            raise HTTPException(
                f"events after {after} are gone: the oldest that is kept is {oldest}",
                status_code=410,
            )
        source = settings.base_url or HUB_WITHOUT_NAME
        return Events(
            events=[
                cloud_event(each.number, each.event, source, each.traceparent)
                for each in stretch.events
                if await may_hear(database, each.event)
            ],
            next_after=after if stretch.reached is None else stretch.reached,
        )


@get(
    "/asyncapi.json",
    operation_id="DescribeEvents",
    tags=["Events"],
    media_type=MediaType.JSON,
    opt={"public": True},
)
async def describe_events() -> Response[dict[str, Any]]:
    """Give the AsyncAPI 3.0 document of the events on the exchange."""
    return Response(msgspec.json.decode(described(), type=dict[str, Any]))


@functools.cache
def described() -> bytes:
    """Write the document as it is served and committed."""
    written = msgspec.json.encode(asyncapi(version("aerocast-hub")), order="sorted")
    return msgspec.json.format(written, indent=1)
