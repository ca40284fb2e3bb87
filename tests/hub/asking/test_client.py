"""One service asks another: a real server that answers, does not, is slow, or is away."""

import asyncio
import contextlib

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.asking import breaker
from aerocast_hub.asking import client as asking
from aerocast_hub.asking.breaker import TRIES
from aerocast_hub.asking.client import ServiceAwayError, ServiceClient
from aerocast_hub.asking.tokens import HEADER
from aerocast_hub.settings import load_settings
from aerocast_hub.telemetry.metrics import Metrics
from litestar.testing import AsyncTestClient

from tests.waiting import until

KEY = "a key of tests, as long as one must be"


class Other:
    """Another service: answers as told, one status after the other."""

    def __init__(self):
        self.statuses, self.asked = [], 0
        self.metrics = Metrics()
        self.answers = asyncio.Event()
        self.answers.set()
        self._answering = set()

    @contextlib.asynccontextmanager
    async def listening(self):
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.answers.set()
            if self._answering:
                await asyncio.wait(self._answering)

    async def _answer(self, reader, writer):
        self._answering.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self.asked += 1
        assert HEADER.encode() in head
        status = self.statuses.pop(0) if self.statuses else 200
        await self.answers.wait()
        body = b"[1, 2]" if status == 200 else b"{}"
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (status, len(body), body)
        )
        writer.close()


@pytest.fixture
async def other(monkeypatch):
    for name in ("CONNECT_WITHIN_S", "ANSWER_WITHIN_S"):
        monkeypatch.setattr(asking, name, 60.0)
    other = Other()
    async with other.listening() as url:
        other.client = ServiceClient("baggage", url, "orientation", lambda: KEY, other.metrics)
        yield other
        await other.client.close()


async def test_an_answer_comes_at_the_third_try(other):
    other.statuses = [503, 502]
    assert await other.client.ask("/internal", {"id": "1"}, list[int]) == [1, 2]
    assert other.asked == 3
    told = other.metrics.text().decode()
    assert 'questions_total{outcome="failed",service="baggage"} 2.0' in told
    assert 'questions_total{outcome="answered",service="baggage"} 1.0' in told


async def test_a_refusal_is_not_asked_again(other):
    other.statuses = [401]
    with pytest.raises(ServiceAwayError, match="the baggage service answers 401"):
        await other.client.ask("/internal", {}, list[int])
    assert other.asked == 1
    with pytest.raises(ServiceAwayError, match="the baggage service answers Expected"):
        await other.client.ask("/internal", {}, list[str])


async def test_one_that_hangs_is_given_up_and_then_left_alone(other, monkeypatch):
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(breaker, "REST_S", 3600.0)
    metrics = Metrics()
    hasty = ServiceClient("baggage", str(other.client._client.base_url), "me", lambda: KEY, metrics)
    other.answers.clear()
    for _ in range(3):
        with pytest.raises(ServiceAwayError, match="the baggage service does not answer"):
            await hasty.ask("/internal", {}, list[int])
    told = metrics.text().decode()
    assert f'questions_total{{outcome="failed",service="baggage"}} {TRIES}.0' in told
    assert 'questions_total{outcome="left_alone",service="baggage"} 2.0' in told
    await until(lambda: other.asked == TRIES)  # the last one may still be on its way
    await hasty.close()


async def test_nobody_but_services_is_answered_inside(tmp_path):
    settings = load_settings(
        mode="dev", database_url=f"sqlite:///{tmp_path}/hub.db", data_dir=tmp_path
    )
    app = create_app(settings, ["baggage", "weather"])
    inside = [route.path for route in app.routes if route.path.startswith("/internal/")]
    assert len(inside) == 12
    hub = AsyncTestClient(app)  # not entered: nothing is to run beside its requests
    for path in inside:
        for headers in ({}, {HEADER: "AAAA"}):
            answer = await hub.post(path, json={"id": "0057123456"}, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["detail"] == "this is for the hub's own services"
