"""Gateway endpoints for operators."""

from litestar import Controller, get
from litestar.di import NamedDependency

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.registry import Gateway, list_gateways


class GatewayController(Controller):
    """The gateways of the airport and how they are."""

    path = "/api/gateways"
    tags = ("Gateways",)

    @get("/", operation_id="ListGateways", opt={"permission": "gateways:read"})
    async def all(self, database: NamedDependency[Database]) -> list[Gateway]:
        """Give every gateway, by site and name."""
        async with database.reading() as session:
            return await list_gateways(session)
