"""Serving the hub over HTTP with granian, in this process, until asked to stop."""

import asyncio
import logging
import signal

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from aerocast_hub.app import create_app
from aerocast_hub.services import ALL_SERVICES_PORT, REGISTRY
from aerocast_hub.settings import Settings
from aerocast_hub.telemetry.logs import set_up_logs

log = logging.getLogger(__name__)

_GRANIAN_LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"level": "ERROR", "handlers": [], "propagate": True}},
}


def port_of(settings: Settings) -> int:
    """Give the port to listen on: as set, else a lone service's own, else the hub's."""
    if settings.http_port is not None:
        return settings.http_port
    names = settings.service_names
    return REGISTRY[names[0]].port if len(names) == 1 else ALL_SERVICES_PORT


def serve(settings: Settings) -> None:
    """Serve the settings' services until SIGINT or SIGTERM; then finish what is under way."""
    set_up_logs(settings.log_format)
    settings.signing_key()  # made now, or refused now
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    port = port_of(settings)
    server = Server(
        create_app(settings, settings.service_names),
        address=settings.http_host,
        port=port,
        interface=Interfaces.ASGI,
        log_dictconfig=_GRANIAN_LOGS,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    log.info("serving %s at http://%s:%d", settings.services, settings.http_host, port)
    await server.serve()
    log.info("stopped")
