"""Every role at every door: open or shut exactly as the roles' own data says."""

import asyncio
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.permissions import FIRST_ROLES, grants
from aerocast_hub.settings import SERVICES, load_settings
from litestar.routes import HTTPRoute, WebSocketRoute

VALUES = {"str": "0057000000", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


@pytest.fixture
async def app(migrated_sqlite, tmp_path):
    """The whole hub without its background: doors need none of it."""
    settings = load_settings(
        mode="dev",
        database_url=f"sqlite+aiosqlite:///{migrated_sqlite}",
        data_dir=tmp_path / "data",
        broker_url="none:",
    )
    made = create_app(settings, SERVICES)
    yield made
    await made.state.hub.database.close()


def address(path):
    parts = [
        VALUES[part.strip("{}").partition(":")[2]] if part.startswith("{") else part
        for part in path.split("/")
    ]
    return "/".join(parts)


def doors(app):
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method not in {"OPTIONS", "HEAD"}:
                    yield method, address(route.path), handler.opt
        elif isinstance(route, WebSocketRoute):
            yield "WS", address(route.path), route.route_handler.opt


async def knock(app, method, path, token):
    """Ask an application over ASGI and give the first status: streams go on for ever."""
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
            said.set_result(message.get("status") or message.get("code") or 101)

    scope = {
        "type": "websocket" if is_socket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws" if is_socket else "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"hub"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("hub", 80),
    } | ({"subprotocols": []} if is_socket else {"method": method})
    answering = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait({answering, said}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    answering.cancel()
    await asyncio.wait({answering})
    return said.result()


REFUSED = {403, 4403}  # a good token came: nobody is asked to log in by the guard


@pytest.mark.parametrize("role", FIRST_ROLES)
async def test_a_role_opens_exactly_the_doors_its_permissions_name(app, role):
    allowed = FIRST_ROLES[role].permissions
    token = app.state.hub.keys.signer.issue("1", role, allowed, int(time.time()))
    tried, wrong = 0, []
    for method, path, opt in doors(app):
        if opt.get("public") is True:
            continue
        status = await knock(app, method, path, token)
        tried += 1
        if (status not in REFUSED) != grants(allowed, opt["permission"]):
            wrong.append((method, path, opt["permission"], status))
    assert wrong == []
    assert tried > 80


async def test_who_is_bound_finds_every_door_shut_that_tells_of_all(app):
    allowed = FIRST_ROLES["admin"].permissions
    few = frozenset({"AF"})
    token = app.state.hub.keys.signer.issue("1", "af", allowed, int(time.time()), airlines=few)
    wrong = []
    for method, path, opt in doors(app):
        if opt.get("public") is True:
            continue
        status = await knock(app, method, path, token)
        if (status not in REFUSED) != (opt.get("rows") in {"ruled", "none"}):
            wrong.append((method, path, opt.get("rows"), status))
    assert wrong == []
