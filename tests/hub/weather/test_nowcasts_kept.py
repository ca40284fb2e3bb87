"""Nowcasts in the database: learned from what was reported, issued, measured, asked for."""

import time

import msgspec
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.weather.forecasts import ReadForecast, keep_forecasts
from aerocast_hub.weather.metar_files import _read_report
from aerocast_hub.weather.nowcast import learn
from aerocast_hub.weather.nowcast_issue import Told
from aerocast_hub.weather.nowcast_keeping import (
    ISSUE_EVERY_US,
    NOWCASTS_KEPT_US,
    PAST_KEPT_US,
    forget,
    issue_at,
    keep_up,
    learn_station,
)
from aerocast_hub.weather.nowcast_store import (
    Learned,
    count_hours,
    followed_stations,
    issued_between,
    keep_learned,
    keep_observed,
    learned_of,
    nowcast_at,
    past_of,
    place_of,
    verify,
)
from aerocast_hub.weather.station_history import DAY_US, HOUR_US, MINUTE_US, history_of
from aerocast_hub.weather.store import keep_reports
from aerocast_hub.weather.taf_blend import TafTrust
from aerocast_protocols.weather.taf import decode_taf
from litestar.testing import AsyncTestClient

from tests.hub.weather.station_made import START_US, observed

LEARNED_H, SHOWN_H = 20 * 24, 36
NOW = START_US + LEARNED_H * HOUR_US + 5 * MINUTE_US


@pytest.fixture(scope="module")
def reports():
    return observed(22)


@pytest.fixture(scope="module")
def learned(reports):
    model = learn(history_of(reports[:LEARNED_H]), place_of("LFBO"))
    return Learned(learned_at_us=NOW, model=model, trust=TafTrust())


async def bring(database, reports):
    async with database.writing() as session:
        await keep_observed(session, [("LFBO", each) for each in reports])


async def test_reports_of_our_airports_are_kept_for_years_corrections_first(database):
    at_us = START_US + 30 * MINUTE_US
    texts = [
        "METAR COR LFBO 010030Z 24012KT 2000 BR OVC004 04/03 Q1011=",
        "METAR LFBO 010030Z 24012KT 9999 OVC004 04/03 Q1011=",
        "METAR EGLL 010030Z 24012KT 9999 OVC004 04/03 Q1011=",
    ]
    read = [_read_report(text, at_us, at_us) for text in texts]
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")
        await add_gateway(session, "backyard", "hall-1")
        await keep_reports(session, read, at_us)
    for _ in range(2):
        assert await keep_up(database, at_us + MINUTE_US, 0) == at_us + MINUTE_US
    async with database.reading() as session:
        assert await followed_stations(session) == ["LFBO"]
        kept = await past_of(session, "LFBO", START_US, at_us)
        told = await nowcast_at(session, "TLS", at_us + MINUTE_US)
        elsewhere = await nowcast_at(session, "EGLL", at_us + MINUTE_US)
    assert [each.visibility_m for each in kept] == [2000.0]
    assert (told.nowcast, told.missing, told.hours_known) == (None, "past_too_short", 1)
    assert elsewhere.missing == "not_followed"


async def test_a_nowcast_is_issued_every_ten_minutes_and_measured_when_its_hours_come(
    database, reports, learned
):
    await bring(database, reports[:LEARNED_H])
    async with database.writing() as session:
        await keep_learned(session, "LFBO", learned)
    async with database.reading() as session:
        assert await learned_of(session, "LFBO") == learned
        assert await count_hours(session, "LFBO") == LEARNED_H
    for hour in range(SHOWN_H):
        await bring(database, reports[LEARNED_H + hour : LEARNED_H + hour + 1])
        at_us = NOW + hour * HOUR_US
        assert await issue_at(database, "LFBO", learned, at_us)
        assert not await issue_at(database, "LFBO", learned, at_us + ISSUE_EVERY_US - 1)
    async with database.reading() as session:
        found = await verify(session, "LFBO", at_us, days=7.0)
        none = await verify(session, "EGLL", at_us, days=7.0)
        told = await nowcast_at(session, "LFBO", at_us + 80 * MINUTE_US)
    assert found.issues == SHOWN_H
    assert (none.issues, none.scores.leads) == (0, [])
    assert [each.lead_h for each in found.scores.leads] == [1, 2, 3, 4, 5, 6]
    for each in found.scores.leads:
        forecast = each.temperature["forecast"]
        assert forecast.cases == SHOWN_H - each.lead_h
        assert forecast.skill_persistence > 0.2
        assert each.low_visibility["calibrated_persistence"].cases == forecast.cases
        assert "taf" not in each.temperature
        assert each.temperature["persistence"].skill_climatology is not None
        assert each.wind_direction["forecast"].rmse < 90.0
    assert sum(each.cases for each in found.scores.reliability) == sum(
        SHOWN_H - lead for lead in range(1, 7)
    )
    assert told.freshness == "stale"
    hours = told.nowcast.hours
    assert [each.lead_h for each in hours] == [1, 2, 3, 4, 5, 6]
    assert hours[0].temperature_range.sigma < hours[5].temperature_range.sigma
    assert all(0.0 <= each.forecast.low_visibility <= 1.0 for each in hours)
    assert hours[0].persistence.temperature_c == reports[LEARNED_H + SHOWN_H - 1].temperature_c


async def test_a_nowcast_knows_nothing_that_was_reported_after_its_issue(
    database, reports, learned
):
    issued = []
    for known in (reports[: LEARNED_H + 1], reports):
        await bring(database, known)
        assert await issue_at(database, "LFBO", learned, NOW)
        async with database.reading() as session:
            issued += await issued_between(session, "LFBO", NOW, NOW)
        await forget(database, "LFBO", NOW + NOWCASTS_KEPT_US + 1)
    assert issued[0] == issued[1]
    assert issued[0].observed_at_us == reports[LEARNED_H].observed_at_us


async def test_nothing_is_foretold_from_an_old_report(database, reports, learned):
    await bring(database, reports[:LEARNED_H])
    assert not await issue_at(database, "LFBO", learned, NOW + 20 * MINUTE_US)
    async with database.reading() as session:
        told = await nowcast_at(session, "LFBO", NOW + 20 * MINUTE_US)
    assert (told.nowcast, told.missing) == (None, "no_fresh_report")


TAF = (
    "TAF LFBO 202330Z 2100/2206 24015KT 9999 SCT030 PROB40 2101/2103 0800 FG "
    "BECMG 2104/2106 30022KT 0600 FG OVC001"
)


async def bring_taf(database):
    taf = decode_taf(TAF, NOW)
    async with database.writing() as session:
        await keep_forecasts(session, [ReadForecast(digest=b"1", taf=taf)], NOW)


async def test_the_taf_has_its_say_in_wind_and_low_visibility(database, reports, learned):
    await bring(database, reports[: LEARNED_H + 1])
    await bring_taf(database)
    assert await issue_at(database, "LFBO", learned, NOW)
    await bring(database, reports[LEARNED_H : LEARNED_H + 7])
    async with database.reading() as session:
        told = await nowcast_at(session, "LFBO", NOW)
        found = await verify(session, "LFBO", NOW + 6 * HOUR_US, days=1.0)
    hours = told.nowcast.hours
    assert [each.taf_said for each in hours] == ["possible", "possible", "no"] + ["prevailing"] * 3
    for each in hours:
        own, taf, blended = each.nowcast, each.taf, each.forecast
        for name in ("wind_speed_kt", "low_visibility"):
            low, high = sorted((getattr(own, name), getattr(taf, name)))
            assert low < getattr(blended, name) < high
        assert blended.temperature_c == own.temperature_c
    assert hours[5].wind_speed_range.low < hours[5].forecast.wind_speed_kt
    assert {"forecast", "nowcast", "taf", "persistence", "climatology"} <= set(
        found.scores.leads[0].wind_speed
    )
    again = await learn_station(database, "LFBO", NOW + 7 * HOUR_US)
    assert again.trust.cases == 6
    assert again.model.hours == LEARNED_H + 7
    async with database.reading() as session:
        assert await learned_of(session, "LFBO") == again


async def test_before_the_past_is_long_enough_the_taf_speaks_alone(database, reports):
    await bring(database, reports[LEARNED_H : LEARNED_H + 1])
    await bring_taf(database)
    nothing = await learn_station(database, "LFBO", NOW)
    assert nothing.model is None
    assert await issue_at(database, "LFBO", nothing, NOW)
    async with database.reading() as session:
        told = (await nowcast_at(session, "LFBO", NOW)).nowcast
    assert told.hours_learned == 0
    assert told.hours[0].nowcast == Told()
    assert told.hours[0].forecast == told.hours[0].taf
    assert told.hours[0].temperature_range is None
    assert told.hours[0].wind_speed_range.sigma == 5.0
    await bring(database, reports[: LEARNED_H + 2])
    later_us = NOW + 61 * MINUTE_US
    await keep_up(database, later_us, NOW)
    async with database.reading() as session:
        told = (await nowcast_at(session, "LFBO", later_us)).nowcast
    assert told.hours_learned == LEARNED_H + 2


async def test_what_is_old_is_forgotten(database, reports, learned):
    await bring(database, reports[:LEARNED_H])
    assert await issue_at(database, "LFBO", learned, NOW)
    await forget(database, "LFBO", NOW + NOWCASTS_KEPT_US - 1)
    async with database.reading() as session:
        assert len(await issued_between(session, "LFBO", 0, NOW)) == 1
    await forget(database, "LFBO", START_US + PAST_KEPT_US + DAY_US)
    async with database.reading() as session:
        assert await issued_between(session, "LFBO", 0, NOW) == []
        assert await count_hours(session, "LFBO") == LEARNED_H - 24


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        yield client


def allow(hub):
    token = hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001", "op", frozenset({"weather:read"}), int(time.time())
    )
    return {"authorization": f"Bearer {token}"}


async def test_the_api_tells_the_nowcast_and_how_good_they_were(
    database, database_url, learned, tmp_path, hub
):
    now_us = time.time_ns() // 1000
    start_us = now_us - now_us % HOUR_US - (LEARNED_H + 7) * HOUR_US
    made = observed(21, start_us=start_us)
    issued_us = start_us + (LEARNED_H - 1) * HOUR_US + 20 * MINUTE_US
    await bring(database, made[:LEARNED_H])
    async with database.writing() as session:
        now = msgspec.structs.replace(learned, learned_at_us=now_us)
        await keep_learned(session, "LFBO", now)  # or the hub would learn while it is asked
    assert await issue_at(database, "LFBO", learned, issued_us)
    await bring(database, made[LEARNED_H : LEARNED_H + 7])
    asked = {"at_us": issued_us + 5 * MINUTE_US}
    told = (await hub.get("/api/weather/tls/nowcast", params=asked, headers=allow(hub))).json()
    assert told["station"] == "LFBO"
    assert told["age_s"] == 1500.0
    assert len(told["nowcast"]["hours"]) == 6
    assert told["notice"].startswith("Not for flight operations")
    asked = {"at_us": issued_us + 7 * HOUR_US, "days": 1}
    found = await hub.get("/api/weather/LFBO/verification", params=asked, headers=allow(hub))
    leads = found.json()["scores"]["leads"]
    assert [each["temperature"]["forecast"]["cases"] for each in leads] == [1] * 6
    assert found.json()["notice"].startswith("Not for flight operations")
    page = (await hub.get("/weather/LFBO", headers=allow(hub))).text
    assert "Toulouse" in page
    assert "Not for flight operations" in page
    assert "Chance of less than 3 miles" in page
    assert "Error of temperature, by hours ahead" in page
    assert "style=" not in page
    nowhere = (await hub.get("/weather/%3Cb%3E", headers=allow(hub))).text
    assert "No report of this airport was kept" in nowhere
    assert "<b>" not in nowhere.lower()
    assert (await hub.get("/api/weather/LFBO/nowcast")).status_code == 401
    wrong = await hub.get("/api/weather/LFBO/verification", params={"days": 0}, headers=allow(hub))
    assert wrong.status_code == 400
