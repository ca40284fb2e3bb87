"""Connections at an airport and how likely they fail, for those who chase bags and passengers."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.orientation.connections import ConnectionAtRisk, connections_at
from aerocast_hub.orientation.others import Others

HOUR_US = 3_600_000_000


class ConnectionController(Controller):
    """Connections and their risk."""

    path = "/api/connections"
    tags = ("Guidance",)
    opt = RULED

    @get(
        "/{airport:str}",
        operation_id="ListConnections",
        opt={"permission": "baggage:read"},
    )
    async def connections(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        others: NamedDependency[Others],
        at_us: AskedInstant = None,
        hours: Annotated[int, QueryParameter(ge=1, le=24)] = 6,
    ) -> list[ConnectionAtRisk]:
        """Give the bags that change aircraft here soon, the likeliest to miss it first, and why.

        Each with its own risk and its passenger's.
        """
        async with database.reading() as session:
            return await connections_at(
                session,
                airport[:8].upper(),
                asked_us(at_us),
                ahead_us=hours * HOUR_US,
                others=others,
            )
