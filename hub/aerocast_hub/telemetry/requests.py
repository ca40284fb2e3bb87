"""Requests as spans and in a histogram, named by their route's pattern.

Ours and not OpenTelemetry's ASGI instrumentation, because that keeps every request's path and
query: a passenger's link is in the one, and what a client asked for in the other.
"""

import time

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry.trace import SpanKind, StatusCode

from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.tracing import TRACEPARENT, current_trace_id, span

_UNWATCHED = frozenset({"/health", "/metrics"})  # asked every few seconds by machines
_WATCHED = "aerocast_watched"


class WatchRequests(ASGIMiddleware):
    """Times requests until their answer begins: a live stream's end says nothing."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through, and note how long it took and what came of it."""
        route = scope["path_template"]
        is_watched = _WATCHED in scope["state"]
        if scope["type"] != ScopeType.HTTP or route in _UNWATCHED or is_watched:
            await next_app(scope, receive, send)
            return
        await self.watch(route, scope, receive, send, next_app)

    async def watch(
        self, route: str, scope: HTTPScope, receive: Receive, send: Send, next_app: ASGIApp
    ) -> None:
        """Watch a request of a route, whoever answers it: whatever it passes on is not watched."""
        scope.setdefault("state", {})[_WATCHED] = True
        method: str = scope["method"]
        started_s = time.perf_counter()
        with span(f"{method} {route}", [_traceparent(scope)], kind=SpanKind.SERVER) as kept:
            trace_id = current_trace_id()

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    seconds = time.perf_counter() - started_s
                    self._metrics.observe_request(method, route, status, seconds, trace_id)
                    if kept is not None:
                        kept.set_attributes(
                            {
                                "http.request.method": method,
                                "http.route": route,
                                "http.response.status_code": status,
                            }
                        )
                        if status >= 500:
                            kept.set_status(StatusCode.ERROR)
                await send(message)

            await next_app(scope, receive, watched)


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == TRACEPARENT.encode():
            return value[:55].decode("ascii", "replace")
    return None
