"""Orders to gateways: given by people, answered by the gateway."""

import time
from typing import Annotated, Any

import msgspec
from aerocast_protocols.commands import Verb
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody, QueryParameter

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.orders import (
    GatewayCannotError,
    NoOrderError,
    Order,
    UnknownGatewayError,
    Wish,
    give_order,
    newest_orders,
)
from aerocast_hub.gateways.views import view_gateway
from aerocast_hub.outbox.publish import Publisher

MOST_ORDERS = 100
CANNOT = "The gateway is revoked or not connected, or 8 of its orders wait for an answer."


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order.

    Attributes
    ----------
    verb
        ``ping``; ``flush``: write what was seen to disk and send it; ``probe``: say how a device
        is; ``restart_device``: let go of a device and connect anew; ``diagnose``: send the bundle
        of diagnostics to the hub's store of objects.
    device
        As the gateway's agent.toml calls it; for ``probe`` and ``restart_device``.
    """

    verb: Verb
    device: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00]*$")] | None = None


class OrderController(Controller):
    """Orders to a gateway that is there: none waits for one that is not."""

    path = "/api/gateways/{site:str}/{name:str}/orders"
    tags = ("Gateways",)

    @post(
        "/",
        operation_id="OrderGateway",
        status_code=202,
        opt={"permission": "gateways:order", "errors": {409: CANNOT}},
    )
    async def give(
        self,
        site: FromPath[str],
        name: FromPath[str],
        data: JSONBody[NewOrder],
        request: Request[Any, Any, State],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Order:
        """Order a gateway to do something; what comes of it stands among its orders.

        Raises
        ------
        NotFoundException
            It is not registered.
        ValidationException
            The verb needs a device and none is named, or the other way about.
        ClientException
            It is revoked or not connected, or too many of its orders wait for an answer.
        """
        try:
            async with database.writing() as session:
                order = await give_order(
                    session,
                    (site, name),
                    Wish(data.verb, data.device),
                    request.user.name,
                    time.time_ns() // 1000,
                )
        except UnknownGatewayError as error:
            raise NotFoundException(str(error)) from error
        except NoOrderError as error:
            raise ValidationException(str(error)) from error
        except GatewayCannotError as error:
            raise ClientException(str(error), status_code=409) from error
        publisher.wake()
        return order

    @get("/", operation_id="ListGatewayOrders", opt={"permission": "gateways:read"})
    async def newest(
        self,
        site: FromPath[str],
        name: FromPath[str],
        database: NamedDependency[Database],
        limit: Annotated[int, QueryParameter(ge=1, le=MOST_ORDERS)] = 20,
    ) -> list[Order]:
        """Give the newest orders of a gateway and what came of each, the last first.

        Raises
        ------
        NotFoundException
            It is not registered.
        """
        now_us = time.time_ns() // 1000
        async with database.reading() as session:
            if await view_gateway(session, site, name, now_us) is None:
                raise NotFoundException(f"gateway {site}/{name} is not registered")
            return await newest_orders(session, (site, name), limit, now_us)
