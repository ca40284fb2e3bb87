"""Gateway endpoints for operators."""

import time

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.lives import LifeView, view_lives
from aerocast_hub.gateways.losses import Account
from aerocast_hub.gateways.registry import (
    Gateway,
    GatewayRefusedError,
    Position,
    add_gateway,
    revoke_gateway,
)
from aerocast_hub.gateways.views import GatewayView, loss_accounts, view_gateway, view_gateways
from aerocast_hub.outbox.publish import Publisher


class NewGateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway to register; names are ``[a-z0-9-]{1,32}``."""

    site: str
    name: str
    position: Position | None = None


class GatewayController(Controller):
    """The gateways of the airport: who may speak, who is there, what was lost."""

    path = "/api/gateways"
    tags = ("Gateways",)

    @get("/", operation_id="ListGateways", opt={"permission": "gateways:read"})
    async def everyone(self, database: NamedDependency[Database]) -> list[GatewayView]:
        """Give every gateway and how it is, by site and name."""
        async with database.reading() as session:
            return await view_gateways(session, time.time_ns() // 1000)

    @get("/losses", operation_id="ListLosses", opt={"permission": "gateways:read"})
    async def losses(self, database: NamedDependency[Database]) -> list[Account]:
        """Give the loss account of every gateway; ``unexplained`` should be 0 in each."""
        async with database.reading() as session:
            return await loss_accounts(session)

    @get("/{site:str}/{name:str}", operation_id="GetGateway", opt={"permission": "gateways:read"})
    async def one(
        self, site: FromPath[str], name: FromPath[str], database: NamedDependency[Database]
    ) -> GatewayView:
        """Give one gateway and how it is.

        Raises
        ------
        NotFoundException
            It is not registered.
        """
        async with database.reading() as session:
            found = await view_gateway(session, site, name, time.time_ns() // 1000)
        if found is None:
            raise NotFoundException(f"gateway {site}/{name} is not registered")
        return found

    @get(
        "/{site:str}/{name:str}/lives",
        operation_id="ListLives",
        opt={"permission": "gateways:read"},
    )
    async def lives(
        self, site: FromPath[str], name: FromPath[str], database: NamedDependency[Database]
    ) -> list[LifeView]:
        """Give the starts of a gateway in order, and which of them never knew the time.

        Raises
        ------
        NotFoundException
            It is not registered.
        """
        async with database.reading() as session:
            if await view_gateway(session, site, name, 0) is None:
                raise NotFoundException(f"gateway {site}/{name} is not registered")
            return await view_lives(session, site, name)

    @post("/", operation_id="AddGateway", opt={"permission": "gateways:write"})
    async def add(
        self,
        data: JSONBody[NewGateway],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Gateway:
        """Let a gateway speak.

        Raises
        ------
        ValidationException
            The name is no name, or it is registered already.
        """
        try:
            async with database.writing() as session:
                added = await add_gateway(session, data.site, data.name, data.position)
        except GatewayRefusedError as error:
            raise ValidationException(str(error)) from error
        publisher.wake()
        return added

    @post(
        "/{site:str}/{name:str}/revoke",
        operation_id="RevokeGateway",
        opt={"permission": "gateways:write"},
    )
    async def revoke(
        self,
        site: FromPath[str],
        name: FromPath[str],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> Gateway:
        """Let a gateway speak no more; what it sent stays.

        Raises
        ------
        NotFoundException
            It is not registered.
        """
        try:
            async with database.writing() as session:
                revoked = await revoke_gateway(session, site, name)
        except GatewayRefusedError as error:
            raise NotFoundException(str(error)) from error
        publisher.wake()
        return revoked
