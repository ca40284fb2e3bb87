"""The operators' pages: everything at a glance."""

import time
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType

from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.web.bag_pages import BAG_PAGES
from aerocast_hub.web.gateway_pages import GATEWAY_PAGES
from aerocast_hub.web.overview import overview
from aerocast_hub.web.templates import render
from aerocast_hub.web.weather_page import weather_page
from aerocast_hub.web.wind_plot import wind_plot


@get(
    "/",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read", "rows": "ruled"},
)
async def overview_page(
    request: Request[Principal, Any, State], database: NamedDependency[Database]
) -> str:
    """Show gateways, bags, flights and weather as they are now."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        gathered = await overview(session, now_us, with_gateways=sees_gateways(request.user))
    return render(
        "overview.html",
        overview=gathered,
        now_us=now_us,
        user=request.user.name,
        wind_plot=wind_plot,
    )


def sees_gateways(user: Principal) -> bool:
    """Say whether somebody may see the gateways: those are of no airline."""
    is_bound = user.airlines is not None or user.stations is not None
    return grants(user.permissions, "gateways:read") and not is_bound


OPERATOR_PAGES = (overview_page, weather_page, *BAG_PAGES, *GATEWAY_PAGES)
