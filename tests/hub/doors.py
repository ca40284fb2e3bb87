"""Every door of an application, and what the first word behind it is."""

import asyncio
import time
from uuid import UUID

from aerocast_hub.app import create_app
from aerocast_hub.settings import SERVICES, load_settings
from litestar.routes import HTTPRoute, WebSocketRoute

SOMEBODY = str(UUID(int=1))
VALUES = {"str": "0057000000", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


def whole_hub(file, folder):
    """Make the whole hub without its background; whoever asks for it closes its database."""
    settings = load_settings(
        mode="dev",
        database_url=f"sqlite+aiosqlite:///{file}",
        data_dir=folder / "data",
        broker_url="none:",
    )
    return create_app(settings, SERVICES)


def token_for(app, permissions, **bound):
    """Make a token of somebody who has these permissions now."""
    return app.state.hub.keys.signer.issue(SOMEBODY, "x", permissions, int(time.time()), **bound)


def address(path):
    """Give an address for a route, with a value for every parameter."""
    parts = [
        VALUES[part.strip("{}").partition(":")[2]] if part.startswith("{") else part
        for part in path.split("/")
    ]
    return "/".join(parts)


def doors(app):
    """Give method, address and ``opt`` of every handler; ``WS`` is a WebSocket's method."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method not in {"OPTIONS", "HEAD"}:
                    yield method, address(route.path), handler.opt
        elif isinstance(route, WebSocketRoute):
            yield "WS", address(route.path), route.route_handler.opt


async def first_word(app, method, path, *headers, scheme="http"):
    """Ask an application over ASGI and give its first message: streams go on for ever."""
    said = asyncio.get_running_loop().create_future()
    is_socket = method == "WS"

    first = {"type": "http.request", "body": b""}
    coming = [{"type": "websocket.connect"} if is_socket else first]

    async def receive():
        if not coming:
            await asyncio.Event().wait()
        return coming.pop()

    async def send(message):
        if not said.done():  # http.response.start, websocket.accept or websocket.close
            said.set_result(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "websocket" if is_socket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws" if is_socket else scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"hub"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("hub", 80),
    } | ({"subprotocols": []} if is_socket else {"method": method})
    answering = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait({answering, said}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    answering.cancel()
    await asyncio.wait({answering})
    return said.result()


def bearing(token):
    """Give the header that carries a token."""
    return b"authorization", f"Bearer {token}".encode()
