"""The operators' pages about bags: one bag, a flight's bags, connections, alerts."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType, RequestEncodingType
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from aerocast_hub.alerts.store import acknowledge, alert_history, open_alerts, past_alerts
from aerocast_hub.audit.trail import record
from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.baggage.bags import find_bag_by_id, may_act_on, plates_of
from aerocast_hub.baggage.flight_bags import bags_of_flight
from aerocast_hub.baggage.history import histories
from aerocast_hub.baggage.insight import flight_compliance
from aerocast_hub.baggage.insight_keeping import InsightKept
from aerocast_hub.baggage.operations import Action, act
from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.arrivals import airports_arrived_at, learned_times
from aerocast_hub.orientation.connections import connections_at
from aerocast_hub.orientation.link_desk import LinkDesk
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.web.alert_lines import alert_lines
from aerocast_hub.web.connection_lines import cause_words, risk_tone
from aerocast_hub.web.templates import render

Operator = Request[Principal, Any, State]
SHOWN_EVIDENCE = 60
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
PAGE_ACTIONS: dict[str, Literal["held", "released", "claimed"]] = {
    "held": "held",
    "released": "released",
    "claimed": "claimed",
}


@get(
    "/bags/{bag_id:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read", "rows": "ruled"},
)
async def bag_page(
    bag_id: FromPath[str],
    request: Operator,
    database: NamedDependency[Database],
    link_desk: NamedDependency[LinkDesk],
    known_by: FromQuery[str | None] = None,
) -> str:
    """Show one bag's journey, what is doubtful about it, and what was known of it at an instant.

    Raises
    ------
    NotFoundException
        There is no such bag.
    """
    known_by_us = _asked_us(known_by)
    async with database.reading() as session:
        bag = await find_bag_by_id(session, bag_id)
        if bag is None:
            raise NotFoundException(
                "there is no such bag, or it was seen under another one's journey"
            )
        told = await histories(session, bag.licence_plate, known_by_us)
    history = next((each for each in told if each.bag_id == bag.id), None)
    may_link = grants(request.user.permissions, "orientation:links")
    return render(
        "bag.html",
        bag=bag,
        journey=bag.journey if known_by_us is None or history is None else history.journey,
        is_unknown=known_by_us is not None and history is None,
        evidence=() if history is None else history.evidence[-SHOWN_EVIDENCE:],
        known_by_us=known_by_us,
        may_act=grants(request.user.permissions, "baggage:write"),
        may_link=may_link and bag.flight is not None and known_by_us is None,
        links=(await link_desk.of_bag(bag.id) or []) if may_link else [],
        now_us=time.time_ns() // 1000,
        user=request.user.name,
    )


@get(
    "/flights/{flight_id:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read", "rows": "ruled"},
)
async def flight_page(
    flight_id: FromPath[str], request: Operator, database: NamedDependency[Database]
) -> str:
    """Show a flight's bags: who may be loaded, who must come off, what Resolution 753 asks for.

    Raises
    ------
    NotFoundException
        There is no such flight.
    """
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        found = await bags_of_flight(session, flight_id, now_us)
        report = await flight_compliance(session, flight_id, now_us)
    if found is None or report is None:
        raise NotFoundException("there is no such flight")
    return render(
        "flight.html",
        flight=found.flight,
        bags=found.bags,
        points=report.report.points,
        now_us=now_us,
        user=request.user.name,
    )


@get(
    "/transfers/{airport:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read", "rows": "ruled"},
)
async def transfers_page(
    airport: FromPath[str], request: Operator, database: NamedDependency[Database]
) -> str:
    """Show the bags that change aircraft at an airport, the likeliest to miss it first."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        found = await connections_at(session, airport.upper(), now_us, ahead_us=6 * HOUR_US)
    return render(
        "transfers.html",
        airport=airport.upper()[:4],
        connections=found,
        tone=risk_tone,
        words=cause_words,
        now_us=now_us,
        user=request.user.name,
    )


@get(
    "/alerts",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "alerts:read", "rows": "ruled"},
)
async def alerts_page(request: Operator, database: NamedDependency[Database]) -> str:
    """Show what is wrong now, and what lately was."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        current = await open_alerts(session)
        past = await past_alerts(session, now_us, 30)
        plates = await plates_of(session, [each.subject for each in (*current, *past)])
    return render(
        "alerts.html",
        alerts=alert_lines(current, plates),
        past=alert_lines(past, plates),
        may_acknowledge=grants(request.user.permissions, "alerts:write"),
        now_us=now_us,
        user=request.user.name,
    )


@post(
    "/alerts/{alert_id:str}/acknowledge",
    include_in_schema=False,
    opt={"permission": "alerts:write", "rows": "ruled"},
)
async def acknowledge_alert(
    alert_id: FromPath[str],
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Operator,
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
) -> Redirect:
    """Take an alert into one's hands, and go back to the list.

    Raises
    ------
    NotFoundException
        There is no such alert.
    """
    note = data.get("note", "").replace("\x00", "")[:500]
    async with database.reading() as session:
        if await alert_history(session, alert_id) is None:
            raise NotFoundException("there is no such alert")
    async with database.writing() as session:
        events = await acknowledge(
            session, alert_id, request.user.name, note, time.time_ns() // 1000
        )
        await write_events(session, events or [])
    publisher.wake()
    return Redirect("/alerts", status_code=303)


@post(
    "/bags/{bag_id:str}/actions",
    include_in_schema=False,
    opt={"permission": "baggage:write", "rows": "ruled"},
)
async def act_on_bag(
    bag_id: FromPath[str],
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Operator,
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
) -> Redirect:
    """Take in what somebody did with a bag, and go back to its page.

    Raises
    ------
    NotFoundException
        There is no such bag.
    ClientException
        The page asks for nothing of the kind.
    """
    did = data.get("did", "")
    if did not in PAGE_ACTIONS:
        raise ClientException(f"{did[:32]!r}: a bag can be {', '.join(PAGE_ACTIONS)} here")
    place = data.get("place", "").replace("\x00", "")[:200]
    async with database.reading() as session:
        bag = await find_bag_by_id(session, bag_id)
        if bag is None or not await may_act_on(session, bag.licence_plate):
            raise NotFoundException("there is no such bag")
    async with database.writing() as session:
        action = Action(did=PAGE_ACTIONS[did], place=place, site=bag.journey.last_site or "")
        await write_events(
            session, await act(session, bag.licence_plate, action, request.user.name)
        )
        await record(session, f"bag_{did}", subject=f"bag {bag.licence_plate}", after=action)
    publisher.wake()
    return Redirect(f"/bags/{bag.id}", status_code=303)


@get(
    "/performance",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read"},
)
async def performance_page(
    request: Operator,
    database: NamedDependency[Database],
    insight_kept: NamedDependency[InsightKept],
) -> str:
    """Show how the portals read, how long bags take between points, and whose clock strays."""
    now_us = time.time_ns() // 1000
    told, clocks = await insight_kept.performance(24), await insight_kept.clocks()
    async with database.reading() as session:
        arrivals = [
            await learned_times(session, each, now_us, days=30)
            for each in await airports_arrived_at(session)
        ]
    return render(
        "performance.html",
        told=told,
        clocks=clocks,
        arrivals=arrivals,
        now_us=now_us,
        user=request.user.name,
    )


def _asked_us(known_by: str | None) -> int | None:
    """Read the instant a form asks for, UTC; nothing readable is now."""
    if not known_by:
        return None
    try:
        asked = datetime.fromisoformat(known_by)
    except ValueError:
        return None
    return round(asked.replace(tzinfo=asked.tzinfo or UTC).timestamp()) * 1_000_000


BAG_PAGES = (
    bag_page,
    act_on_bag,
    flight_page,
    transfers_page,
    performance_page,
    alerts_page,
    acknowledge_alert,
)
