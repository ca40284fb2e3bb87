"""Reports over the bags: Resolution 753, reads of portals, time between points, stray clocks."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, QueryParameter

from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.baggage.clock_skew import StrayClock
from aerocast_hub.baggage.compliance_table import as_csv
from aerocast_hub.baggage.insight import (
    FlightCompliance,
    Performance,
    flight_compliance,
    loss_reason,
    performance,
)
from aerocast_hub.baggage.insight_keeping import InsightKept
from aerocast_hub.baggage.loss_reason import LossReason
from aerocast_hub.baggage.reconciliation import Carried
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.store import find_flight
from aerocast_hub.instants import AskedInstant, asked_us

HOUR_US = 3_600_000_000
LONGEST_HOURS = 24 * 31


class InsightController(Controller):
    """Reports for airlines and for whoever keeps the belts running."""

    path = "/api"
    tags = ("Reports",)

    @get(
        "/flights/{flight_id:str}/compliance",
        operation_id="GetFlightCompliance",
        opt={"permission": "baggage:read", "rows": "ruled"},
    )
    async def compliance(
        self,
        flight_id: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> FlightCompliance:
        """Give a flight's report for IATA Resolution 753: custody points, gaps, inventory.

        Raises
        ------
        NotFoundException
            There is no such flight.
        """
        return await _compliance(database, flight_id, asked_us(at_us))

    @get(
        "/flights/{flight_id:str}/compliance.csv",
        operation_id="GetFlightComplianceCsv",
        media_type="text/csv",
        opt={"permission": "baggage:read", "rows": "ruled"},
    )
    async def compliance_csv(
        self,
        flight_id: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> Response[str]:
        """Give the same as a table: a line for each custody point.

        Raises
        ------
        NotFoundException
            There is no such flight.
        """
        found = await _compliance(database, flight_id, asked_us(at_us))
        name = f"resolution-753-{found.flight.flight}-{found.flight.date}.csv"
        headers = {"content-disposition": f'attachment; filename="{_plain(name)}"'}
        return Response(as_csv([found]), media_type="text/csv; charset=utf-8", headers=headers)

    @get(
        "/flights/{flight_id:str}/bags/{licence_plate:str}/loss-reason",
        operation_id="ProposeLossReason",
        opt={"permission": "baggage:read", "rows": "ruled"},
    )
    async def reason(
        self,
        flight_id: FromPath[str],
        licence_plate: FromPath[str],
        database: NamedDependency[Database],
    ) -> LossReason:
        """Propose a reason for loss (IATA RP1743e) for a bag that missed a flight.

        Raises
        ------
        NotFoundException
            Bag or flight are not known, or nothing speaks for any reason.
        """
        async with database.reading() as session:
            flight = await find_flight(session, flight_id)
            bag = await find_bag(session, licence_plate)
            if flight is None or bag is None:
                raise NotFoundException("bag or flight are not known")
            carried = Carried(bag_id=bag.id, licence_plate=bag.licence_plate, journey=bag.journey)
            found = await loss_reason(session, carried, flight)
        if found is None:
            raise NotFoundException("nothing speaks for a reason: aboard, or not yet departed")
        return found

    @get("/performance", operation_id="GetPerformance", opt={"permission": "baggage:read"})
    async def performance(
        self,
        database: NamedDependency[Database],
        insight_kept: NamedDependency[InsightKept],
        until_us: AskedInstant = None,
        hours: Annotated[int, QueryParameter(ge=1, le=LONGEST_HOURS)] = 24,
    ) -> Performance:
        """Tell what portals read, what was done by hand, and how long bags took between points.

        Until now, it may have been made half a minute ago: ``until_us`` of the answer says when.
        """
        if until_us is None:
            return await insight_kept.performance(hours)
        if until_us < hours * HOUR_US:
            raise ClientException("until_us: the hours before it begin before 1970")
        async with database.reading() as session:
            return await performance(session, until_us - hours * HOUR_US, until_us)

    @get("/gateway-clocks", operation_id="ListGatewayClocks", opt={"permission": "gateways:read"})
    async def clocks(self, insight_kept: NamedDependency[InsightKept]) -> list[StrayClock]:
        """Diagnose the gateways' clocks by how long bags seem to take between them.

        It may have been done five minutes ago.
        """
        return await insight_kept.clocks()


async def _compliance(database: Database, flight_id: str, now_us: int) -> FlightCompliance:
    async with database.reading() as session:
        found = await flight_compliance(session, flight_id, now_us)
    if found is None:
        raise NotFoundException(f"flight {flight_id[:64]!r} is not known")
    return found


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-." else "-" for each in name)
