"""What the hub has taken in and made of it, in numbers."""

import time

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from aerocast_hub.baggage.bags import count_bags, count_bags_seen, count_passages
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.store import count_parked
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.weather.store import count_reports
from aerocast_hub.weather.winds import count_aircraft_winds, count_wind_levels


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's work in numbers.

    Attributes
    ----------
    stored
        Observations of every gateway.
    unexplained_loss
        Observations that left a gateway and never came; in normal life there is none.
    flights_on_block
        Flights that reached their stand.
    winds, wind_levels
        Winds aircraft met, and levels that have a wind now.
    """

    stored: int
    unexplained_loss: int
    bags: int
    bags_seen: int
    passages: int
    flights_on_block: int
    winds: int
    wind_levels: int
    weather_reports: int
    advice_given: int


class SummaryController(Controller):
    """The hub's work in numbers."""

    path = "/api/summary"
    tags = ("Summary",)

    @get("/", operation_id="GetSummary", opt={"permission": "baggage:read"})
    async def summary(
        self, database: NamedDependency[Database], advisor: NamedDependency[Advisor]
    ) -> Summary:
        """Count observations, bags, passages, flights, winds and advice."""
        async with database.reading() as session:
            accounts = await loss_accounts(session)
            return Summary(
                stored=sum(each.received - each.refused for each in accounts),
                unexplained_loss=sum(each.unexplained for each in accounts),
                bags=await count_bags(session),
                bags_seen=await count_bags_seen(session),
                passages=await count_passages(session),
                flights_on_block=await count_parked(session),
                winds=await count_aircraft_winds(session),
                wind_levels=await count_wind_levels(session, time.time_ns() // 1000),
                weather_reports=await count_reports(session),
                advice_given=await advisor.counter.given(),
            )
