"""Health for load balancers, metrics for Prometheus."""

from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.response import Response
from sqlalchemy import text

from aerocast_hub.database.engine import Database
from aerocast_hub.settings import Settings
from aerocast_hub.telemetry.metrics import Metrics


class Health(msgspec.Struct, frozen=True):
    """Whether the hub can do its work: ``ok`` as a whole, then part by part."""

    status: str
    database: str


@get(
    "/health",
    operation_id="GetHealth",
    tags=["Telemetry"],
    security=[{}],
    opt={"public": True},
)
async def health(database: NamedDependency[Database]) -> Health:
    """Say whether the hub can do its work; 500 when its database does not answer."""
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))
    return Health(status="ok", database="ok")


@get(
    "/metrics",
    operation_id="GetMetrics",
    tags=["Telemetry"],
    media_type="text/plain; version=0.0.4; charset=utf-8",
    security=[{}],
    opt={"public": True},
)
async def metrics(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    metrics: NamedDependency[Metrics],
) -> Response[bytes]:
    """Give every counter in Prometheus' text format.

    Raises
    ------
    PermissionDeniedException
        The setting ``metrics`` keeps this client out.
    """
    if not _may_read(settings, request.client.host if request.client else ""):
        raise PermissionDeniedException("metrics are kept to this machine; see setting metrics")
    return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(settings: Settings, client: str) -> bool:
    if settings.metrics != "loopback":
        return settings.metrics == "anyone"
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False
