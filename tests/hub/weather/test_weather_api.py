"""The API of airports' weather: what is said, to whom, and what follows from it at once."""

import asyncio
import json
import time

import msgspec
import pytest
from aerocast_hub import recent
from aerocast_hub.app import create_app
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather.feeds.feed_tables import FeedRow, HazardRow, ModelForecastRow
from aerocast_hub.weather.local_weather import absorb
from aerocast_hub.weather.metar_files import keep_read, read_texts
from aerocast_hub.weather.runways import import_runways
from aerocast_hub.weather.station_controller import server_sent
from aerocast_protocols.observations.weather import LightningStrike, WeatherMeasured
from aerocast_protocols.weather.report_files import RawReport
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import AsyncTestClient, TestClient

NOT_FOR_FLIGHT = "Not for flight operations"


@pytest.fixture
async def hub(tmp_path, monkeypatch):
    (tmp_path / "airports.toml").write_text('[[airport]]\nairport = "LFBO"\nelevation_ft = 499\n')
    (tmp_path / "runways.csv").write_text(
        "airport,runway,true_bearing_deg\nTLS,14L,143\nLFBO,32R,323\n"
    )
    settings = load_settings(
        mode="dev", data_dir=tmp_path / "data", broker_url="none:",
        airports=tmp_path / "airports.toml",
    )  # fmt: skip
    database = Database(settings.database)
    await migrate(database)
    await import_runways(database, tmp_path / "runways.csv")
    await database.close()
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        yield client


@pytest.fixture
def bearer(hub):
    def issue(*permissions):
        token = hub.app.state.hub.keys.signer.issue(
            "00000000-0000-0000-0000-000000000001", "op", frozenset(permissions), int(time.time())
        )
        return {"authorization": f"Bearer {token}"}

    return issue


def report(age_min, body="31020G30KT 9999 FEW030 25/14 Q1015", station="LFBO"):
    stamp = time.strftime("%d%H%MZ", time.gmtime(time.time() - age_min * 60))
    return RawReport(f"{station} {stamp} {body}")


async def write(hub, work):
    """Write as the hub does, in its own event loop: its connections are bound to that."""

    async def inside():
        async with hub.app.state.hub.database.writing() as session:
            await work(session)

    await asyncio.to_thread(hub.blocking_portal.call, inside)


async def keep(hub, *reports):
    now_us = time.time_ns() // 1000
    read = list(read_texts(reports, "test", now_us))
    await write(hub, lambda session: keep_read(session, read, now_us))


def sighting(number, observation):
    return Sighting(
        site="lfbo", gateway="roof", epoch=1, lane=0, sequence=number, clock_quality=3,
        seen_at_us=time.time_ns() // 1000, observation=observation,
    )  # fmt: skip


async def strike(hub, number=1):
    core = hub.app.state.hub
    seen = LightningStrike(device="tempest", boot_ns=1, distance_km=2.0)
    async with core.database.writing() as session:
        await write_events(session, await absorb(session, [sighting(number, seen)]))
    core.publisher.wake()


async def test_a_station_carries_an_etag_that_holds_while_only_its_age_changes(
    hub, bearer, monkeypatch
):
    monkeypatch.setattr(recent, "KEPT_S", 0.0)
    monkeypatch.setattr(recent, "FORMER_S", 0.0)
    reader = bearer("weather:read")
    assert (await hub.get("/api/weather/LFBO", headers=reader)).status_code == 404
    await keep(hub, report(5))
    first = await hub.get("/api/weather/tls", headers=reader)
    told = first.json()
    assert told["report"]["wind_gust_kt"] == 30
    assert told["notice"].startswith(NOT_FOR_FLIGHT)
    again = await hub.get(
        "/api/weather/LFBO", headers=reader | {"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    await keep(hub, report(3, "31021KT 9999 FEW030 25/14 Q1015"))
    newer = await hub.get(
        "/api/weather/LFBO", headers=reader | {"if-none-match": first.headers["etag"]}
    )
    assert newer.status_code == 200
    assert newer.json()["report"]["wind_speed_kt"] == 21
    assert (await hub.get("/api/weather/LFBO", headers=bearer("flights:read"))).status_code == 403


async def test_field_history_area_and_ramp_say_what_they_know_and_that_it_is_not_for_flight(
    hub, bearer
):
    reader = bearer("weather:read")
    gust = WeatherMeasured(device="wxt", boot_ns=1, wind_speed_mps=5.0, temperature_c=35.0)
    await write(hub, lambda session: absorb(session, [sighting(9, gust)]))
    await keep(
        hub, report(35, "31018KT 9999 FEW030 24/14 Q1015"), report(5), report(5, station="LFPG")
    )

    async def get(path):
        answer = await hub.get(f"/api/weather/{path}", headers=reader)
        assert answer.status_code == 200, answer.text
        assert answer.json()["notice"].startswith(NOT_FOR_FLIGHT)
        return answer.json()

    field = await get("LFBO/field")
    assert [each["runway"] for each in field["runways"]] == ["14L", "32R"]
    assert field["runways"][1]["headwind_kt"] == pytest.approx(19.5, abs=0.1)
    assert field["runways"][1]["crosswind_from"] == "left"
    assert field["flight_category"] == "VFR"
    assert field["density_altitude_ft"] > field["pressure_altitude_ft"]
    assert field["local"][0]["provenance"] == "local, not certified"
    assert field["local"][0]["doubts"] == ["temperature +10.0 °C from the report"]
    assert (field["de_icing"], field["surface"]) == ("none", "dry")
    assert len((await get("LFBO/history?hours=1"))["reports"]) == 2
    area = await get("area?south=43&west=1&north=44&east=2")
    assert [each["station"] for each in area["stations"]] == ["LFBO"]
    assert len((await get("area?south=43&west=170&north=50&east=3"))["stations"]) == 2
    ramp = await get("LFBO/ramp")
    assert ramp["ramp"]["reason"] == "wind_caution"
    assert {each["name"] for each in ramp["ramp"]["rules"]} >= {"wind", "thunder"}
    assert ramp["ramp"]["equipment"][0]["state"] == "usable"
    assert ramp["low_visibility"]["procedures"] == "normal"
    await asyncio.to_thread(hub.blocking_portal.call, strike, hub)
    assert [each["state"] for each in (await get("ramps"))["ramps"]] == ["closed"]
    unknown = await get("KJFK/field")
    assert (unknown["observed_at_us"], unknown["density_altitude_ft"]) == (None, None)


async def test_feeds_hazards_and_models_are_shown(hub, bearer):
    reader, now_us = bearer("weather:read"), time.time_ns() // 1000
    row = FeedRow(
        name="awc", product="metar", rank=1, state="failing", answered_at_us=now_us - 60_000_000,
        failures=2, error="HTTP 410", requests=3, unchanged=1, refused=0, disagreements=0,
    )  # fmt: skip
    hazard = HazardRow(
        digest=b"1", kind="sigmet", source="awc", from_us=now_us - 1, until_us=now_us + 60_000_000,
        west_deg=1, south_deg=43, east_deg=2, north_deg=44, raw="LFFF SIGMET 1",
        points=msgspec.msgpack.encode(((1.0, 43.0), (2.0, 43.0), (2.0, 44.0))),
    )  # fmt: skip
    model = ModelForecastRow(
        airport="LFBO", source="metno", received_at_us=now_us,
        hours=msgspec.msgpack.encode([{"at_us": now_us}]),
    )  # fmt: skip

    async def add(session):
        session.add_all([row, hazard, model])

    await write(hub, add)
    (feed,) = (await hub.get("/api/weather/feeds", headers=reader)).json()["feeds"]
    passed_s = time.time() - now_us / 1e6
    assert 60 <= feed["answered_age_s"] <= 60 + passed_s
    assert feed["error"] == "HTTP 410"
    shown = (
        await hub.get("/api/weather/hazards?south=43&north=43.5&west=1&east=2", headers=reader)
    ).json()
    (feature,) = shown["features"]
    assert shown["type"] == "FeatureCollection"
    ring = feature["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1] == [1.0, 43.0]
    elsewhere = await hub.get("/api/weather/hazards?south=50&north=60", headers=reader)
    assert elsewhere.json()["features"] == []
    models = (await hub.get("/api/weather/tls/models", headers=reader)).json()
    assert models["forecasts"][0]["source"] == "metno"
    assert (await hub.get("/api/weather/KJFK/models", headers=reader)).status_code == 404


async def test_a_stream_tells_the_ramps_then_what_changes_and_ends_with_the_token(database):
    publisher = Publisher(database, Metrics())
    told = {"user_id": "1", "name": "op", "permissions": frozenset()}
    who, late = (Principal(**told, expires_at_s=at_s) for at_s in (2**40, 0))
    standing = Standing(database)
    listening = server_sent(database, publisher, standing, who)
    assert b"event: ramps" in await anext(listening)
    seen = LightningStrike(device="tempest", boot_ns=1, distance_km=2.0)
    async with database.writing() as session:
        await write_events(session, await absorb(session, [sighting(1, seen)]))
    await publisher.publish_committed()
    told = await anext(listening)
    assert b'"kind":"ramp_closed"' in told
    assert NOT_FOR_FLIGHT.encode() in told
    await listening.aclose()
    assert len([each async for each in server_sent(database, publisher, standing, late)]) == 1


@pytest.fixture
def sync_hub(tmp_path):
    settings = load_settings(mode="dev", data_dir=tmp_path / "data", broker_url="none:")
    with TestClient(create_app(settings, SERVICES)) as client:
        yield client


def token(hub, permission):
    signer = hub.app.state.hub.keys.signer
    issued = signer.issue("1", "op", frozenset({permission}), int(time.time()))
    return {"authorization": f"Bearer {issued}"}


def test_a_socket_tells_the_ramps_and_then_what_changes(sync_hub):
    sync_hub.blocking_portal.call(keep, sync_hub, report(5))
    allowed = token(sync_hub, "weather:read")
    with sync_hub.websocket_connect("/api/weather/socket", headers=allowed) as socket:
        assert "ramps" in json.loads(socket.receive_text(timeout=60))
        sync_hub.blocking_portal.call(strike, sync_hub)
        while (event := json.loads(socket.receive_text(timeout=60)))["kind"] != "ramp_closed":
            pass
    assert (event["airport"], event["reason"]) == ("LFBO", "lightning")
    assert event["notice"].startswith(NOT_FOR_FLIGHT)


def test_a_socket_is_closed_to_strangers_and_other_sites_pages(sync_hub):
    elsewhere = {"origin": "https://elsewhere.example"}
    for headers in (
        {},
        token(sync_hub, "flights:read"),
        token(sync_hub, "weather:read") | elsewhere,
    ):
        with (
            pytest.raises(WebSocketDisconnect),
            sync_hub.websocket_connect("/api/weather/socket", headers=headers) as socket,
        ):
            socket.receive_text(timeout=60)
