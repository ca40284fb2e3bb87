"""What happens, told over a WebSocket."""

import json
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.sessions import standing
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.live import controller
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.settings import load_settings
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient


@pytest.fixture
def engine_kind():
    """Both databases' events are tried with the stream."""
    return "sqlite"


@pytest.fixture
def hub(database_url, tmp_path):
    settings = load_settings(mode="dev", database_url=database_url, data_dir=tmp_path)
    with TestClient(create_app(settings, ["auth", "baggage"])) as client:
        yield client


def token(hub, permission="baggage:read"):
    signer = hub.app.state.hub.keys.signer
    issued = signer.issue("1", "op", frozenset({permission}), int(time.time()))
    return {"authorization": f"Bearer {issued}"}


async def commit(hub, *numbers):
    running = hub.app.state.hub
    async with running.database.writing() as session:
        events = [
            GatewayStateChanged(at_us=n, site="lfbo", gateway=f"hall-{n}", state="gone")
            for n in numbers
        ]
        await write_events(session, events)
    running.publisher.wake()


def heard(socket):
    return json.loads(socket.receive_text(timeout=60))


def test_a_socket_is_ready_and_tells_committed_events_in_order(hub):
    with hub.websocket_connect("/live/ws", headers=token(hub)) as socket:
        assert heard(socket) == {"ready": True}
        hub.blocking_portal.call(commit, hub, 1, 2)
        one, other = heard(socket), heard(socket)
    assert one["event"] == {
        "kind": "gateway_state_changed",
        "at_us": 1,
        "site": "lfbo",
        "gateway": "hall-1",
        "state": "gone",
    }
    assert other["event"]["gateway"] == "hall-2"
    assert other["id"] > one["id"]


def test_a_quiet_socket_says_that_it_is_still_there(hub, monkeypatch):
    monkeypatch.setattr(controller, "HEARTBEAT_S", 0.05)
    with hub.websocket_connect("/live/ws", headers=token(hub)) as socket:
        assert heard(socket) == {"ready": True}
        assert heard(socket) == {"still_here": True}


class NearTheEnd:
    """The time by which streams are watched: a token that was issued just now is nearly over."""

    time_ns, monotonic = time.time_ns, time.monotonic

    @staticmethod
    def time():
        return time.time() + ACCESS_TOKEN_S - 2


def test_a_socket_ends_with_its_token(hub, monkeypatch):
    monkeypatch.setattr(standing, "time", NearTheEnd)
    with hub.websocket_connect("/live/ws", headers=token(hub)) as socket:
        assert heard(socket) == {"ready": True}
        with pytest.raises(WebSocketDisconnect) as closed:
            heard(socket)
    assert closed.value.code == 4001


def test_a_socket_is_closed_to_strangers_and_other_sites_pages(hub):
    elsewhere = {"origin": "https://elsewhere.example"}
    for headers in ({}, token(hub, "weather:read"), token(hub) | elsewhere):
        with (
            pytest.raises(WebSocketDisconnect),
            hub.websocket_connect("/live/ws", headers=headers) as socket,
        ):
            socket.receive_text(timeout=60)


def test_one_who_does_not_keep_up_is_let_go(hub, monkeypatch):
    monkeypatch.setattr(controller, "LONGEST_QUEUE", 4)
    with hub.websocket_connect("/live/ws", headers=token(hub)) as socket:
        assert heard(socket) == {"ready": True}
        hub.blocking_portal.call(commit, hub, *range(100))
        code = None
        while code is None:
            try:
                heard(socket)
            except WebSocketDisconnect as closed:
                code = closed.code
    assert code == 1013
