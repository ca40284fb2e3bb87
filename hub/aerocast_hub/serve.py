"""Serving the hub over HTTP with granian, in this process, until asked to stop."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvloop
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server
from litestar import Litestar
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.app import create_app
from aerocast_hub.services import ALL_SERVICES_PORT, REGISTRY
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.telemetry.logs import set_up_logs
from aerocast_hub.telemetry.security_log import also_write_to
from aerocast_hub.watchdog import notify

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
    """Serve the settings' services until SIGINT or SIGTERM; then finish what is under way.

    Raises
    ------
    SettingsError
        It cannot start: a port is taken, or the database does not answer.
    """
    set_up_logs(settings.log_format, to=settings.log_to)
    if settings.security_log is not None:
        also_write_to(settings.security_log)
    settings.signing_key()  # made now, or refused now
    settings.sealing_keys()
    _check_port(settings.http_host, port_of(settings))
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app = create_app(settings, settings.service_names)
    port = port_of(settings)
    server = Server(
        app,
        address=settings.http_host,
        port=port,
        # Not granian's own lifespan: what fails at the start must end the hub with one line.
        interface=Interfaces.ASGINL,
        ssl_cert=settings.http_certificate,
        ssl_key=settings.http_key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_level=LogLevels.error,
        log_dictconfig=_GRANIAN_LOGS,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, app, server.stop)
    async with AsyncExitStack() as stack:
        await _start(app, stack)
        # What stands now stands for good: to search it for garbage again and again, as Python would
        # with every full collection, holds every answer up for a tenth of a second.
        gc.collect()
        gc.freeze()
        scheme = "http" if settings.http_certificate is None else "https"
        log.info("serving %s at %s://%s:%d", settings.services, scheme, settings.http_host, port)
        notify("READY=1")
        await server.serve()
        notify("STOPPING=1")
    log.info("stopped")


def _stop(app: Litestar, stop_server: Callable[[], None]) -> None:
    app.state.hub.publisher.close()  # the server waits for its open streams
    stop_server()


async def _start(app: Litestar, stack: AsyncExitStack) -> None:
    try:
        await stack.enter_async_context(app.lifespan())
    except (OSError, SQLAlchemyError, SettingsError, ExceptionGroup) as error:
        # Not except*: before Python 3.11.4 what it raises comes out inside a group.
        first: Exception = error
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, SettingsError):
            raise first from error
        if not isinstance(first, OSError | SQLAlchemyError):
            raise
        reason = str(first).splitlines()[0] if str(first) else repr(first)
        raise SettingsError(f"the hub cannot start: {reason}") from first


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from error
