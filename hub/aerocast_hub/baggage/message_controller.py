"""Baggage messages over HTTP: partners without a link post them, operators look what came."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.message_tables import BagMessageRow
from aerocast_hub.baggage.messages import TakenIn
from aerocast_hub.database.engine import Database

LARGEST_BODY = 1_048_576
MOST_SHOWN = 1000


class MessageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A message that came in, without its text: names stand in it.

    Attributes
    ----------
    received_at_us
        UTC microseconds.
    sender
        The link, account or file it came from.
    type
        BSM, BTM, ...; None when it was refused.
    problems
        How many of its elements could not be read.
    refused
        Why nothing could be made of it.
    """

    id: str
    received_at_us: int
    sender: str
    type: str | None
    station: str | None
    problems: int
    refused: str | None


async def list_messages(
    session: AsyncSession, limit: int, *, only_refused: bool
) -> list[MessageShown]:
    """Give the messages that came in last, newest first."""
    query = select(BagMessageRow).order_by(BagMessageRow.number.desc())
    if only_refused:
        query = query.where(BagMessageRow.refused.is_not(None))
    rows = await session.scalars(query.limit(max(1, min(limit, MOST_SHOWN))))
    return [
        MessageShown(
            id=row.id,
            received_at_us=row.received_at_us,
            sender=row.sender,
            type=row.type,
            station=row.station,
            problems=row.problems,
            refused=row.refused,
        )
        for row in rows
    ]


@dataclass
class _TakesText(Operation):
    """Says in the API's description that the body is text."""

    def __post_init__(self) -> None:
        text = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=LARGEST_BODY),
            example="BSM\r\n.V/1LCDG\r\n.F/AF6120/14JUN/TLS\r\n.N/0057123456001\r\nENDBSM\r\n",
        )
        self.request_body = RequestBody(
            content={"text/plain": text}, description="Messages as sent", required=True
        )


class BagMessageController(Controller):
    """Baggage messages (IATA RP1745)."""

    path = "/api/bag-messages"
    tags = ("Baggage",)
    opt = RULED

    @post(
        "/",
        operation_id="PostBagMessages",
        opt={"permission": "baggage:write", "rows": "all"},
        request_max_body_size=LARGEST_BODY,
        status_code=200,
        operation_class=_TakesText,
    )
    async def take(
        self,
        request: Request[Principal, Any, State],
        bag_storage: NamedDependency[Storage],
    ) -> list[TakenIn]:
        """Take in messages sent as plain text, one or more, with their envelopes or without.

        Posting the same again changes nothing (``is_new`` is false). The answer has one entry a
        message, in order; a message that was refused says why, the others are taken in all the
        same.

        Raises
        ------
        ClientException
            None of it could be read.
        """
        body = await request.body()
        if not body.strip():
            raise ClientException("no message: the body is empty")
        taken = await bag_storage.store([body], f"api:{request.user.name}")
        if all(each.refused is not None for each in taken):
            raise ClientException(f"no message was taken in: {taken[0].refused}")
        return taken

    @get("/", operation_id="ListBagMessages", opt={"permission": "baggage:read"})
    async def came(
        self,
        *,
        database: NamedDependency[Database],
        limit: FromQuery[int] = 100,
        only_refused: FromQuery[bool] = False,
    ) -> list[MessageShown]:
        """Give the messages that came in last, newest first, without their texts."""
        async with database.reading() as session:
            return await list_messages(session, limit, only_refused=only_refused)
