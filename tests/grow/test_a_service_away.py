"""The orientation service while others are away: every answer has a name, and they come back."""

import asyncio
import contextlib
import socket

import httpx
import pytest
from aerocast_hub.asking.breaker import TRIES

from tests.grow.test_every_shape import PASSWORD, PLATE, lay_out
from tests.grow.town import HubProcess
from tests.hub.telemetry.otlp_receiver import receiving

FIND = {"licence_plate": PLATE, "surname": "muller"}
PATIENCE_S = 120


class Services:
    """Orientation, and baggage, which is started when a test says so; weather never is."""

    def __init__(self, folder, collector, held):
        def process(name, services, **settings):
            return HubProcess(
                folder / name,
                data_dir=folder / "data",
                services=services,
                broker_url="none:",
                otlp_endpoint=collector.url,
                telemetry_sample=1,
                **settings,
            )

        self.baggage = process("baggage", "baggage")
        self.orientation = process(
            "orientation",
            "auth,orientation",
            baggage_url=self.baggage.url,
            weather_url=f"http://127.0.0.1:{held(0).getsockname()[1]}",
        )
        self.collector = collector
        self._held = {self.baggage: held(self.baggage.port)}

    async def begin(self, hub):
        if (port := self._held.pop(hub, None)) is not None:
            port.close()
        hub.start()
        await asyncio.to_thread(hub.wait)

    def questions(self, service, outcome):
        """How many questions to a service had an outcome so far."""
        lines = httpx.get(f"{self.orientation.url}/metrics", timeout=60).text.splitlines()
        name = f'aerocast_hub_service_questions_total{{outcome="{outcome}",service="{service}"}}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


@pytest.fixture
async def services(tmp_path):
    (tmp_path / "data").mkdir()
    await lay_out(tmp_path)
    with receiving() as collector, contextlib.ExitStack() as stack:

        def held(port):
            """Keep a port from whoever looks for a free one; nobody answers at it."""
            kept = stack.enter_context(socket.socket())
            kept.bind(("127.0.0.1", port))
            return kept

        services = Services(tmp_path, collector, held)
        for hub in (services.orientation, services.baggage):
            stack.callback(hub.kill)
        await services.begin(services.orientation)
        async with httpx.AsyncClient(base_url=services.orientation.url, timeout=60) as client:
            login = {"name": "op", "password": PASSWORD}
            answer = await client.post("/auth/login", json=login)
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            yield services, client


async def ask_until(client, method, path, is_so, question=None):
    """Ask until an answer is as wished; whatever comes before it has a name."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.request(method, path, json=question)
            assert answer.status_code in (200, 503), answer.text
            if is_so(answer):
                return answer
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_every_answer_has_a_name_while_a_service_is_away_and_comes_when_it_is_back(services):
    services, client = services
    for _ in range(2):
        for method, path, question in (
            ("POST", "/api/guidance/find", FIND),
            ("GET", f"/api/guidance/preview/{PLATE}", None),
            ("GET", "/api/guidance/flights/1", None),
            ("GET", "/api/boards/TLS/belts", None),
            ("GET", "/boards/TLS/belts", None),
            ("GET", "/api/connections/TLS", None),
            ("POST", "/api/passenger-links", {"bag": PLATE}),
        ):
            answer = await client.request(method, path, json=question)
            assert answer.status_code == 503, (path, answer.text)
            assert "the baggage service does not answer" in answer.json()["detail"], path
            assert answer.headers["retry-after"] == "5"
    report = await client.get("/api/arrival-times/TLS")
    assert "the weather service does not answer" in report.json()["detail"]
    assert services.questions("baggage", "failed") >= TRIES
    assert services.questions("baggage", "left_alone") > 0
    assert (await client.get("/health")).is_success

    # Baggage comes, weather is still away: advice that says what nobody knows.
    await services.begin(services.baggage)
    find = "POST", "/api/guidance/find"
    found = await ask_until(client, *find, lambda answer: answer.is_success, FIND)
    guidance = found.json()["guidance"]
    assert guidance["belt"] == "4"
    assert guidance["weather"]["key"] == "ramp_not_told"
    assert "unknown_weather" in {each["key"] for each in guidance["unknown"]}
    belts = "GET", "/api/boards/TLS/belts"
    board = (await ask_until(client, *belts, lambda answer: answer.is_success)).json()
    assert (board["ramp"], [each["belt"] for each in board["belts"]]) == ("unknown", ["4"])

    await asyncio.to_thread(services.orientation.stop)
    await asyncio.to_thread(services.baggage.stop)  # what they tell last are their spans
    trace_leads_through_both(services.collector)


def trace_leads_through_both(collector):
    """See that a question is a span of who asks, and its answer one of who is asked, below it."""
    asked = {
        span.span_id: span
        for service, span in collector.spans
        if (service, span.name)
        == ("aerocast-hub-auth-orientation", "ask baggage /internal/baggage/passenger")
    }
    answered = [
        span
        for service, span in collector.spans
        if (service, span.name) == ("aerocast-hub-baggage", "POST /internal/baggage/passenger")
        and span.parent_span_id in asked
    ]
    assert answered
    requests = {
        span.span_id: span for _, span in collector.spans if span.name == "POST /api/guidance/find"
    }
    for span in answered:
        question = asked[span.parent_span_id]
        assert span.trace_id == question.trace_id == requests[question.parent_span_id].trace_id
