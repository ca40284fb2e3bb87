"""Who may put a question meant for services: another service of this hub."""

import time
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from aerocast_hub.asking.tokens import HEADER, asking_key, read_token
from aerocast_hub.database.sight import Sight, see_only

FOR_SERVICES: dict[str, Any] = {"public": True}
"""Of handlers behind `only_services`: no person's permission opens them."""


async def only_services(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Let services through, seeing the rows of whoever they ask for.

    Raises
    ------
    NotAuthorizedException
        No token of a service came, or it is too old.
    """
    key = asking_key(connection.app.state.hub.settings.signing_key())
    asker = read_token(key, connection.headers.get(HEADER, ""), time.time())
    if asker is None:
        raise NotAuthorizedException("this is for the hub's own services")
    airlines, stations = (
        None if each is None else frozenset(each) for each in (asker.airlines, asker.stations)
    )
    see_only(Sight(airlines, stations))
