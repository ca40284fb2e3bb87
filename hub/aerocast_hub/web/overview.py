"""Everything the operators' page shows, gathered in one reading session."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.alerts.store import open_alerts
from aerocast_hub.baggage.bags import list_in_motion, plates_of
from aerocast_hub.flights.store import list_flights, list_parked
from aerocast_hub.gateways.lives import count_unanchored
from aerocast_hub.gateways.views import GatewayView, loss_accounts, view_gateways
from aerocast_hub.weather.store import weather_at
from aerocast_hub.weather.winds import winds_over
from aerocast_hub.web.alert_lines import alert_lines
from aerocast_hub.web.bag_lines import bag_lines
from aerocast_hub.web.flight_lines import SHOWN, flight_lines
from aerocast_hub.web.gateway_cards import gateway_cards
from aerocast_hub.web.loss_lines import loss_lines
from aerocast_hub.web.views import FlightLine, Overview, WeatherPanel
from aerocast_hub.web.weather_panel import weather_panel

MOST_AIRPORTS = 3
SHOWN_ALERTS = 6


async def overview(session: AsyncSession, now_us: int, *, with_gateways: bool = True) -> Overview:
    """Gather gateways, bags, flights and weather as they are at an instant (UTC microseconds)."""
    gateways = await view_gateways(session, now_us) if with_gateways else []
    accounts = await loss_accounts(session) if with_gateways else []
    in_motion = await list_in_motion(session, now_us)
    around = await list_flights(session, now_us)
    parked = await list_parked(session, SHOWN)
    flights = flight_lines(around, parked, now_us)
    alerts = await open_alerts(session)
    worst = alerts[:SHOWN_ALERTS]
    plates = await plates_of(session, [each.subject for each in worst])
    return Overview(
        now_us=now_us,
        with_gateways=with_gateways,
        alerts=alert_lines(worst, plates),
        alerts_total=len(alerts),
        gateways=gateway_cards(gateways, accounts, now_us),
        losses=loss_lines(accounts, await count_unanchored(session) if with_gateways else {}),
        bags=bag_lines(in_motion),
        bags_total=len(in_motion),
        flights=flights,
        weather=await _weather(session, _airports(gateways, flights), now_us),
    )


def _airports(gateways: Sequence[GatewayView], flights: Sequence[FlightLine]) -> list[str]:
    """Choose whose weather to show: where our gateways stand, else where most flights go."""
    ours = {each.site for each in gateways if each.state != "revoked"}
    known = sorted(site for site in ours if airport(site) is not None)
    if known:
        return known[:MOST_AIRPORTS]
    goals = Counter(each.destination for each in flights)
    return [code for code, _ in goals.most_common(1)]


async def _weather(
    session: AsyncSession, codes: Sequence[str], now_us: int
) -> tuple[WeatherPanel, ...]:
    panels = []
    for code in codes:
        weather = await weather_at(session, code, now_us)
        winds = await winds_over(session, code, now_us)
        panels.append(weather_panel(code.upper(), weather, winds))
    return tuple(panels)
