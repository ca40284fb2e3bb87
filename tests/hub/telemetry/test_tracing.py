import logging
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.events.flights import FlightLanded
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import SERVICES, Settings, SettingsError, load_settings
from aerocast_hub.telemetry import spans_out
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.process import AGENT, INSTANCE, VERSION, name_of
from aerocast_hub.telemetry.tracing import batch_ids, current_traceparent, span, tracing
from aerocast_simulator.processes import free_port
from hypothesis import given
from hypothesis import strategies as st
from litestar import get
from litestar.testing import AsyncTestClient

from tests.hub.inbox.wire import EPOCH, GATEWAY, NOW_US, SECOND_NS, SITE, tags
from tests.hub.telemetry.otlp_receiver import attributes, receiving
from tests.waiting import until


@pytest.fixture
def received(unhurried):
    with receiving() as receiver:
        yield receiver


def said(caplog):
    """Give what was logged of traces, and nothing that another test's threads still say."""
    ours = ("aerocast_hub.telemetry", "opentelemetry")
    return [each for each in caplog.records if each.name.startswith(ours)]


async def landed(_session, sightings):
    return [
        FlightLanded(at_us=each.seen_at_us, flight_id=str(each.sequence), sigma_s=1.0)
        for each in sightings[:1]
    ]


@pytest.fixture
async def inbox(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    return Inbox(database, {"flights": landed}, Publisher(database, metrics), metrics)


async def test_one_trace_leads_from_the_antenna_over_the_store_to_who_lives_on_the_event(
    inbox, database, received
):
    followed = []

    async def take_in(_session, events):
        followed.append((events, current_traceparent()))
        return []

    publisher = Publisher(database, Metrics())
    await publisher.start()  # that there is a gateway is old news
    with tracing(received.url, 1.0):
        await inbox.receive([tags(1, 5, wall_ns=(NOW_US - 40_000) * 1000)])
        await publisher.publish_committed()
        follower = Follower("advice", ["flight_landed"], take_in, database, publisher)
        assert await follower.catch_up()
    ids = batch_ids(SITE, GATEWAY, EPOCH, 2, 1)
    seen, crossed = received.named("see and hold"), received.named("cross the network")
    stored, told = received.named("store batches"), received.named("tell events")
    advised = received.named("follow for advice")
    trace = ids.trace_id.to_bytes(16)
    assert {each.trace_id for each in (seen, crossed, stored, told, advised)} == {trace}
    assert (seen.span_id, seen.parent_span_id) == (ids.span_id.to_bytes(8), b"")
    assert crossed.parent_span_id == stored.parent_span_id == seen.span_id
    assert told.parent_span_id == advised.parent_span_id == stored.span_id
    assert followed[0][1].split("-")[1] == trace.hex()
    # Sent at boot + 1000 s, first seen at boot + 1 s; 40 ms on the way.
    assert seen.end_time_unix_nano - seen.start_time_unix_nano == 999 * SECOND_NS
    assert crossed.end_time_unix_nano - crossed.start_time_unix_nano == 40_000_000
    assert attributes(seen) == {
        "aerocast.site": SITE,
        "aerocast.gateway": GATEWAY,
        "aerocast.lane": 2,
        "aerocast.observations": 5,
    }
    services = {span.name: service for service, span in received.spans}
    assert services["see and hold"] == "aerocast-agent"
    assert services["store batches"] == "aerocast-hub"


async def test_a_hub_of_one_service_says_which_and_a_gateway_is_none_of_the_hub(inbox, received):
    with tracing(received.url, 1.0, name_of(["baggage"])):
        await inbox.receive([tags(1, 5)])
    assert {service for service, _ in received.spans} == {"aerocast-hub-baggage", "aerocast-agent"}
    ours, gateways = (received.resources[each] for each in ("aerocast-hub-baggage", AGENT))
    assert ours["service.namespace"] == gateways["service.namespace"] == "aerocast"
    assert (ours["service.version"], ours["service.instance.id"]) == (VERSION, INSTANCE)
    assert "service.version" not in gateways


@given(st.sets(st.sampled_from(SERVICES), min_size=1), st.randoms())
def test_every_set_of_services_has_one_name_and_all_of_them_the_hubs_own(services, random):
    name = name_of(random.sample(sorted(services), len(services)))
    assert name == name_of(sorted(services))
    assert name.startswith("aerocast-hub")
    named = set(name.removeprefix("aerocast-hub").split("-")) - {""}
    assert named == (set() if services == set(SERVICES) else services)


async def test_batches_stored_together_are_linked(inbox, received):
    with tracing(received.url, 1.0):
        await inbox.receive([tags(1, 3), tags(4, 6)])
    stored = received.named("store batches")
    assert stored.trace_id == batch_ids(SITE, GATEWAY, EPOCH, 2, 1).trace_id.to_bytes(16)
    (link,) = stored.links
    assert link.trace_id == batch_ids(SITE, GATEWAY, EPOCH, 2, 4).trace_id.to_bytes(16)


async def test_a_batch_that_comes_again_is_told_once(inbox, received):
    with tracing(received.url, 1.0):
        await inbox.receive([tags(1, 3)])
        await inbox.receive([tags(1, 3)])
    assert [span.name for _, span in received.spans].count("see and hold") == 1


async def test_a_clock_that_does_not_know_the_time_is_not_asked_for_it(inbox, received):
    with tracing(received.url, 1.0):
        await inbox.receive([tags(1, 3, quality=0, wall_ns=0)])
    assert received.named("see and hold").end_time_unix_nano == NOW_US * 1000
    assert "cross the network" not in {span.name for _, span in received.spans}


async def test_what_is_not_sampled_is_stored_and_not_told(inbox, database, received):
    with tracing(received.url, 0.0):
        await inbox.receive([tags(1, 3)])
        assert await Publisher(database, Metrics()).publish_committed()
    assert received.spans == []


async def test_a_receiver_that_is_down_costs_nothing_but_the_traces(inbox, caplog):
    caplog.set_level(logging.INFO)
    with tracing("http://127.0.0.1:9", 1.0):
        assert await inbox.receive([tags(1, 3)])
    told = len(said(caplog))
    await until(lambda: "last spans" not in {each.name for each in threading.enumerate()})
    assert len(said(caplog)) == told <= 2


def send(out):
    out.hub.get_tracer("tests").start_span("work").end()
    out.hub.force_flush()


def test_of_a_receiver_that_is_away_the_log_says_one_word(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(spans_out, "_EXPORT_TIMEOUT_S", 0.5)
    url = f"http://127.0.0.1:{free_port()}/v1/traces"
    out = spans_out.spans_out(url, 1.0, "aerocast-hub", lambda: None)
    for _ in range(3):
        send(out)
    out.close(60)
    (told,) = said(caplog)
    assert told.levelname == "WARNING"
    assert "traces are lost until their receiver takes them: " in told.message


def test_of_a_receiver_that_takes_traces_again_the_log_says_so_once(caplog, received):
    caplog.set_level(logging.INFO)
    received.status = 400  # which is not tried again: with a receiver that is away time decides
    url = f"{received.url}/v1/traces"
    out = spans_out.spans_out(url, 1.0, "aerocast-hub", lambda: None)
    for _ in range(3):
        send(out)
    received.status = 200
    send(out)
    send(out)
    out.close(60)
    assert len(received.spans) == 2
    lost, again = said(caplog)
    assert (lost.levelname, again.levelname) == ("WARNING", "INFO")
    assert "400" in lost.message
    assert again.message == "traces are taken again"


def test_a_receiver_that_says_nothing_does_not_keep_a_hub_from_its_end(caplog):
    caplog.set_level(logging.INFO)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        with tracing(f"http://127.0.0.1:{silent.getsockname()[1]}", 1.0):
            for _ in range(8192):
                with span("work"):
                    pass
            begun_s = time.monotonic()
        # 16 batches, each of which it is given 5 s for.
        assert time.monotonic() - begun_s < 30
    assert "traces of the last moments are lost" in caplog.text


async def test_requests_are_named_by_their_pattern_and_never_by_what_was_in_it(tmp_path, received):
    settings = load_settings(
        data_dir=tmp_path,
        mode="dev",
        metrics="anyone",
        otlp_endpoint=received.url,
        telemetry_sample=1.0,
    )
    app = create_app(settings, ["auth", "baggage", "weather", "orientation"])

    @get("/fails", opt={"public": True}, include_in_schema=False)
    async def fails() -> None:
        with span("inside"):
            raise ZeroDivisionError

    app.register(fails)
    sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with AsyncTestClient(app) as client:
        await client.get("/p/SECRETTOKEN?lang=fr", headers={"traceparent": sent})
        await client.get("/health")
        assert (await client.get("/fails")).status_code == 500
        text = (
            await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
        ).text
    page = received.named("GET /p/{token}")
    assert page.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert page.parent_span_id.hex() == "b7ad6b7169203331"
    assert attributes(page) == {
        "http.request.method": "GET",
        "http.route": "/p/{token}",
        "http.response.status_code": 404,
    }
    failed = received.named("GET /fails")
    assert failed.status.code == 2
    assert received.named("inside").parent_span_id == failed.span_id
    assert b"SECRETTOKEN" not in received.raw
    assert b"lang=fr" not in received.raw
    assert "GET /health" not in {span.name for _, span in received.spans}
    (counted,) = [
        line
        for line in text.splitlines()
        if line.startswith("aerocast_hub_http_request_seconds_b")
        and "{token}" in line
        and "# {" in line
    ]
    assert f'trace_id="{page.trace_id.hex()}"' in counted
    assert text.endswith("# EOF\n")


def test_switched_off_nothing_is_kept_and_nothing_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from aerocast_hub.app import create_app\n"
        "from aerocast_hub.settings import load_settings\n"
        "create_app(load_settings(mode='dev'), ['auth'])\n"
        "loaded = [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
        "print(loaded)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
    with tracing(None, 1.0), span("nothing") as kept:
        assert kept is None
        assert current_traceparent() is None


def test_without_its_library_the_setting_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "aerocast_hub.telemetry.spans_out", raising=False)
    wanted = pytest.raises(SettingsError, match=r"install aerocast-hub\[telemetry\]")
    with wanted, tracing("http://127.0.0.1:4318", 1.0):
        pass


@pytest.mark.parametrize("wrong", ["localhost:4318", "ftp://a", "http://a b"])
def test_an_address_that_is_none_is_refused(wrong):
    with pytest.raises(SettingsError, match="otlp_endpoint"):
        load_settings(otlp_endpoint=wrong)


def test_an_empty_address_is_none():
    assert Settings(otlp_endpoint="").otlp_endpoint == ""


NAMES = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
NUMBERS = st.integers(0, 2**63 - 1)


@given(st.lists(st.tuples(NAMES, NAMES, NUMBERS, st.integers(0, 2), NUMBERS), unique=True))
def test_every_batch_has_ids_of_its_own_that_are_never_zero(batches):
    made = [batch_ids(*each) for each in batches]
    assert made == [batch_ids(*each) for each in batches]
    assert len({ids.trace_id for ids in made}) == len(batches)
    assert all(0 < ids.trace_id < 2**128 and 0 < ids.span_id < 2**64 for ids in made)
