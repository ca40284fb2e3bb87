"""Webhook endpoints: who is pushed what, and how that went."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.settings import Settings
from aerocast_hub.sight.designators import MOST_NAMED, DesignatorError, read_airlines
from aerocast_hub.webhooks.destinations import (
    LONGEST_URL,
    Allowed,
    RefusedDestinationError,
    resolve,
)
from aerocast_hub.webhooks.following import KINDS, USUAL
from aerocast_hub.webhooks.store import (
    Delivery,
    Webhook,
    add_webhook,
    deliveries_of,
    find_webhook,
    list_webhooks,
    queue,
    remove_webhook,
    revive_webhook,
)

TEST = b'{"type":"test","data":{}}'


Asked = Annotated[str, msgspec.Meta(max_length=8)]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook to be added.

    Attributes
    ----------
    url
        ``https://...``, on the public internet unless the hub's settings allow others.
    kinds
        Kinds of events to be told of; alerts when left out.
    airlines
        Designators such as AF: be told of events that name a flight of theirs alone
        (``guidance_changed``); left out: of all events.
    """

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_URL)]
    kinds: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=len(KINDS))] = USUAL
    airlines: Annotated[tuple[Asked, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()


class WebhookAdded(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with its secret: it is shown this once.

    Attributes
    ----------
    secret
        Key of the signatures (Standard Webhooks 1.0): ``whsec_`` and base64.
    """

    webhook: Webhook
    secret: str


class WebhookHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook and its last deliveries, the newest first."""

    webhook: Webhook
    deliveries: list[Delivery]


class WebhookController(Controller):
    """Webhooks: what happens, pushed to others' servers, signed and tried again."""

    path = "/api/webhooks"
    tags = ("Webhooks",)
    opt = {"permission": "webhooks:write"}  # noqa: RUF012  Litestar's way; who reads sees addresses

    @get("/", operation_id="ListWebhooks")
    async def every(self, database: NamedDependency[Database]) -> list[Webhook]:
        """Give the webhooks, the oldest first."""
        async with database.reading() as session:
            return await list_webhooks(session)

    @post("/", operation_id="AddWebhook")
    async def add(
        self,
        data: JSONBody[NewWebhook],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        settings: NamedDependency[Settings],
    ) -> WebhookAdded:
        """Add a webhook; its secret is shown this once.

        Raises
        ------
        ClientException
            Nothing may be sent to the address, or a kind of event or airline does not exist.
        """
        unknown = sorted(set(data.kinds) - set(KINDS))
        if unknown:
            raise ClientException(f"no kind of event: {unknown[0][:40]!r}; {', '.join(KINDS)} are")
        try:
            await resolve(data.url, Allowed(settings.webhooks_private, settings.webhook_host_names))
        except RefusedDestinationError as error:
            raise ClientException(str(error)) from None
        try:
            airlines = read_airlines(data.airlines)
        except DesignatorError as error:
            raise ClientException(str(error)) from None
        async with database.writing() as session:
            added, secret = await add_webhook(
                session, data.url, data.kinds, request.user.name, airlines=airlines
            )
        return WebhookAdded(webhook=added, secret=secret)

    @get("/{webhook_id:str}", operation_id="GetWebhook")
    async def one(
        self, webhook_id: FromPath[str], database: NamedDependency[Database]
    ) -> WebhookHistory:
        """Give a webhook and what was sent to it last.

        Raises
        ------
        NotFoundException
            There is no such webhook.
        """
        async with database.reading() as session:
            found = await find_webhook(session, webhook_id)
            if found is None:
                raise _unknown(webhook_id)
            return WebhookHistory(webhook=found, deliveries=await deliveries_of(session, found.id))

    @post("/{webhook_id:str}/test", operation_id="TestWebhook", status_code=202)
    async def test(self, webhook_id: FromPath[str], database: NamedDependency[Database]) -> None:
        """Send a message of type ``test``; the webhook's page says how it went.

        Raises
        ------
        NotFoundException
            There is no such webhook.
        """
        async with database.writing() as session:
            found = await find_webhook(session, webhook_id)
            if found is None:
                raise _unknown(webhook_id)
            await queue(session, found.id, "test", [TEST])

    @post("/{webhook_id:str}/revival", operation_id="ReviveWebhook", status_code=200)
    async def revive(
        self,
        webhook_id: FromPath[str],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Webhook:
        """Try a webhook again that was given up, with everything it has not got.

        Raises
        ------
        NotFoundException
            There is no such webhook.
        """
        async with database.writing() as session:
            if await find_webhook(session, webhook_id) is None:
                raise _unknown(webhook_id)
            await write_events(session, await revive_webhook(session, webhook_id))
        publisher.wake()
        async with database.reading() as session:
            revived = await find_webhook(session, webhook_id)
        if revived is None:
            raise _unknown(webhook_id)
        return revived

    @delete("/{webhook_id:str}", operation_id="RemoveWebhook")
    async def remove(
        self,
        webhook_id: FromPath[str],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> None:
        """Remove a webhook and everything that was still to be sent to it.

        Raises
        ------
        NotFoundException
            There is no such webhook.
        """
        async with database.writing() as session:
            if await find_webhook(session, webhook_id) is None:
                raise _unknown(webhook_id)
            await write_events(session, await remove_webhook(session, webhook_id))
        publisher.wake()


def _unknown(webhook_id: str) -> NotFoundException:
    return NotFoundException(f"webhook {webhook_id[:64]!r} is not known")
