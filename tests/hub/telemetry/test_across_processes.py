"""A trace goes on where one service asks another, and where an event leaves the hub."""

import socket

import pytest
from aerocast_hub.announcing.cloud_event import cloud_event
from aerocast_hub.announcing.reading import events_after
from aerocast_hub.asking.client import ServiceAwayError, ServiceClient
from aerocast_hub.events.flights import FlightLanded
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.tracing import (
    current_traceparent,
    span,
    traceparent_for_others,
    tracing,
)

from tests.hub.telemetry.otlp_receiver import receiving


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.fixture
def received(unhurried):
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def nobody():
    """An address where nobody listens, and nobody will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def test_who_is_asked_and_away_is_a_span_that_failed(received, nobody):
    client = ServiceClient(
        "weather", nobody, "orientation", lambda: "a key of tests" * 3, Metrics()
    )
    with tracing(received.url, 1.0), span("advise"), pytest.raises(ServiceAwayError):
        await client.ask("/internal/weather/ramp", {}, list[int])
    await client.close()
    asked, advise = received.named("ask weather /internal/weather/ramp"), received.named("advise")
    assert asked.parent_span_id == advise.span_id
    assert (asked.kind, asked.status.code) == (3, 2)  # a client's, and an error


async def test_what_is_not_kept_here_is_not_kept_there(received):
    assert traceparent_for_others() is None
    with tracing(received.url, 0.0), span("advise"):
        assert traceparent_for_others()[-3:] == "-00"
        assert current_traceparent() is None


async def test_an_event_outside_names_the_trace_that_made_it(received, database):
    landed = FlightLanded(at_us=1, flight_id="1", sigma_s=1.0)
    with tracing(received.url, 1.0), span("store"):
        made_by = current_traceparent()
        async with database.writing() as session:
            await write_events(session, [landed])
    async with database.writing() as session:
        await write_events(session, [landed])
    async with database.reading() as session:
        traced, untraced = (await events_after(session, 0, 10, ("flight_landed",))).events
    assert made_by is not None
    assert cloud_event(*traced[:2], "hub", traced.traceparent).traceparent == made_by
    assert untraced.traceparent is None
