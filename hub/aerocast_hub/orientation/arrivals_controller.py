"""How long arrivals take at an airport, as the hub has learned it, and how well it foretells."""

import time
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.arrivals import LearnedTimes, learned_times
from aerocast_hub.orientation.others import Others


class ArrivalTimesController(Controller):
    """What was learned of arrivals."""

    path = "/api/arrival-times"
    tags = ("Guidance",)
    opt = NO_ROWS

    @get(
        "/{airport:str}",
        operation_id="GetArrivalTimes",
        opt={"permission": "orientation:read"},
    )
    async def arrival_times(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        others: NamedDependency[Others],
        days: Annotated[int, QueryParameter(ge=1, le=366)] = 30,
    ) -> LearnedTimes:
        """Give how long bags take to the belt here, and how good foretold times were lately."""
        async with database.reading() as session:
            return await learned_times(session, airport[:8], time.time_ns() // 1000, days, others)
