"""Serving the hub over HTTP with granian, in this process, until asked to stop."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.app import Application, create_app
from aerocast_hub.running import end
from aerocast_hub.services import ALL_SERVICES_PORT, REGISTRY
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.telemetry.logs import set_up_logs
from aerocast_hub.telemetry.process import name_of
from aerocast_hub.telemetry.security_log import also_write_to
from aerocast_hub.watchdog import notify

log = logging.getLogger(__name__)

LARGEST_HEADERS = 65_536  # bytes; hyper takes no more than 100 of them besides
# A hub that is asked to stop waits this long for requests under way, or as long as it has patience
# with clients; then their connections are cut.
STOP_S = 10.0
# So long, or this long, it then waits for engines to let go of it.
LEAST_STOP_S = 3.0
# A request that is answered, or whose client has gone, may take so long to end then.
ANSWERED_S = 2.0
# Files that are open besides connections: the database's, the broker's, logs.
OTHER_FILES = 512
LOOK_AGAIN_S = 0.02

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
    service = name_of(settings.service_names)
    set_up_logs(settings.log_format, to=settings.log_to, service=service)
    if settings.security_log is not None:
        also_write_to(settings.security_log, service)
    settings.signing_key()  # made now, or refused now
    settings.sealing_keys()
    _check_port(settings.http_host, port_of(settings))
    within_s = min(STOP_S, float(settings.http_patience_s))
    leaving = threading.Timer(max(LEAST_STOP_S, within_s), _leave)
    leaving.daemon = True
    try:
        uvloop.run(_serve(settings, within_s, leaving.start))
    finally:
        leaving.cancel()


def _leave() -> None:
    """End the process: a client, a thread or a connection may wait for an engine without end.

    Nothing is lost: what was not committed nobody was told is kept.
    """
    log.warning("stopped, without waiting any longer for engines that do not answer")
    logging.shutdown()
    os._exit(0)


async def _serve(settings: Settings, within_s: float, leave_soon: Callable[[], None]) -> None:
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
        # In plain text 'auto' would wait without end for a first byte, to tell the versions apart.
        http=HTTPModes.http1 if settings.http_certificate is None else HTTPModes.auto,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.http_patience_s * 1000,
            max_buffer_size=LARGEST_HEADERS,
        ),
        backpressure=_files_for(settings.http_connections),
        log_level=LogLevels.error,
        log_dictconfig=_GRANIAN_LOGS,
    )
    async with AsyncExitStack() as stack:
        stopping = await _start_unless_stopped(app, stack, leave_soon)
        if stopping.is_set():
            log.info("stopped while starting")
            return
        # What stands now stands for good: to search it for garbage again and again, as Python would
        # with every full collection, holds every answer up for a tenth of a second.
        gc.collect()
        gc.freeze()
        gc.enable()
        serving = asyncio.create_task(server.serve())
        await _until_it_listens(settings.http_host, port, serving, stopping)
        scheme = "http" if settings.http_certificate is None else "https"
        log.info("serving %s at %s://%s:%d", settings.services, scheme, settings.http_host, port)
        notify("READY=1")
        await _serve_until(stopping, within_s, app, serving, server.stop)
        leave_soon()
        notify("STOPPING=1")
    log.info("stopped")


async def _start_unless_stopped(
    app: Application, stack: AsyncExitStack, leave_soon: Callable[[], None]
) -> asyncio.Event:
    """Start, unless asked to stop first; give what is set when asked to stop.

    A start may wait for long: for a database that says nothing, for another hub that brings it up
    to date.
    """
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    stopping = asyncio.Event()

    def stop_starting() -> None:
        if me is not None and not stopping.is_set():
            stopping.set()
            leave_soon()
            me.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_starting)
    try:
        await _start(app, stack)
    except asyncio.CancelledError:
        if me is None or not stopping.is_set():
            raise
        me.uncancel()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
    return stopping


async def _until_it_listens(
    host: str, port: int, serving: "asyncio.Task[None]", stopping: asyncio.Event
) -> None:
    """Wait until somebody would be answered: granian does not say when."""
    while port:  # 0: it is told to choose one, and does not say which
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            if serving.done() or stopping.is_set():
                return
            await asyncio.sleep(LOOK_AGAIN_S)
        else:
            writer.close()
            return


async def _serve_until(
    stopping: asyncio.Event,
    within_s: float,
    app: Application,
    serving: "asyncio.Task[None]",
    stop: Callable[[], None],
) -> None:
    """Serve until asked to stop, and then as long as requests take that are under way.

    Granian waits for every client without end, also for one that never finishes what it says; and
    not at all for a request whose client has gone.
    """
    asked = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    app.state.hub.publisher.close()  # the server waits for its open streams
    stop()
    _, left = await asyncio.wait({serving}, timeout=within_s)
    if left:
        log.warning("connections that did not end in %.0f s are cut", within_s)
        # One warning for the cut is enough: not a traceback for each client.
        logging.getLogger("_granian").setLevel(logging.CRITICAL)
        asyncio.get_running_loop().set_exception_handler(_tell_but_of_the_cut)
        serving.cancel()
        await asyncio.wait({serving})
    else:
        serving.result()
        if app.under_way:
            await asyncio.wait(app.under_way, timeout=ANSWERED_S)
    # Now, not with the loop: what they ask and write with is closed before that.
    await end(*app.under_way)


def _tell_but_of_the_cut(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out that granian's future was cancelled when granian came to say it is done."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)


def _files_for(connections: int) -> int:
    """Let this process open files for so many connections; give how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning("%d connections at most: no more than %d files may be open", most // 2, most)
        return most // 2
    return connections


async def _start(app: Application, stack: AsyncExitStack) -> None:
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
