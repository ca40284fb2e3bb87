"""Health for load balancers, metrics for Prometheus."""

from typing import Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.response import Response
from sqlalchemy import text

from aerocast_hub.client_address import TOLD_BY_PROXIES, is_trusted, read_networks
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import Settings
from aerocast_hub.telemetry.metrics import Metrics

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Health(msgspec.Struct, frozen=True):
    """Whether the hub can do its work: ``ok`` as a whole, then part by part."""

    status: str
    database: str


@get(
    "/health",
    operation_id="GetHealth",
    tags=["Telemetry"],
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
    media_type=PROMETHEUS_TEXT,
    opt={"public": True, "errors": {403: "The setting `metrics` keeps this client out."}},
)
async def metrics(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    metrics: NamedDependency[Metrics],
) -> Response[bytes]:
    """Give every counter in Prometheus' text format, or as OpenMetrics to those who accept it.

    Raises
    ------
    PermissionDeniedException
        The setting ``metrics`` keeps this client out.
    """
    # With none of ours named, a proxy on this machine would make everybody look like one on it.
    is_unknown = not settings.trusted_proxies and TOLD_BY_PROXIES & set(request.headers)
    client = "" if is_unknown or request.client is None else request.client.host
    if not _may_read(settings, client):
        raise PermissionDeniedException("metrics are kept to this machine; see setting metrics")
    if "application/openmetrics-text" in request.headers.get("accept", ""):
        return Response(metrics.open_metrics(), media_type=OPEN_METRICS)
    return Response(metrics.text(), media_type=PROMETHEUS_TEXT)


def _may_read(settings: Settings, client: str) -> bool:
    if settings.metrics in ("anyone", "nobody"):
        return settings.metrics == "anyone"
    inside = "127.0.0.0/8,::1" if settings.metrics == "loopback" else settings.metrics
    return is_trusted(client, read_networks(inside))
