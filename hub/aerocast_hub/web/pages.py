"""The operators' pages: everything at a glance, and one bag's journey."""

import time
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from aerocast_hub.auth.tokens import Principal
from aerocast_hub.baggage.bags import find_bag_by_id
from aerocast_hub.database.engine import Database
from aerocast_hub.web.overview import overview
from aerocast_hub.web.templates import render
from aerocast_hub.web.wind_plot import wind_plot


@get(
    "/",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read"},
)
async def overview_page(
    request: Request[Principal, Any, State], database: NamedDependency[Database]
) -> str:
    """Show gateways, bags, flights and weather as they are now."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        gathered = await overview(session, now_us)
    return render(
        "overview.html",
        overview=gathered,
        now_us=now_us,
        user=request.user.name,
        wind_plot=wind_plot,
    )


@get(
    "/bags/{bag_id:str}",
    include_in_schema=False,
    media_type=MediaType.HTML,
    opt={"permission": "baggage:read"},
)
async def bag_page(
    bag_id: FromPath[str],
    request: Request[Principal, Any, State],
    database: NamedDependency[Database],
) -> str:
    """Show one bag's journey and what is doubtful about it.

    Raises
    ------
    NotFoundException
        There is no such bag.
    """
    async with database.reading() as session:
        bag = await find_bag_by_id(session, bag_id)
    if bag is None:
        raise NotFoundException("there is no such bag, or it was seen under another one's journey")
    return render("bag.html", bag=bag, now_us=time.time_ns() // 1000, user=request.user.name)


OPERATOR_PAGES = (overview_page, bag_page)
