import time
from datetime import UTC, datetime

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.settings import load_settings
from aerocast_hub.weather.forecasts import taf_at, timeline_at
from aerocast_hub.weather.metar_files import MetarFiles, keep_read, read_changed, read_texts
from aerocast_hub.weather.store import KEPT_US, list_refused, weather_at
from aerocast_protocols.weather.report_files import RawReport
from litestar.testing import AsyncTestClient


def us(day, hour, minute=0):
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000


MORNING = "TAF LFBO 220500Z 2206/2312 29010KT 9999 SCT020 TEMPO 2210/2218 4000 SHRA BKN012"
NOON = "TAF LFBO 221100Z 2212/2318 31015G28KT 9999 BKN030 FM230000 24005KT 0800 FG OVC002"
AMENDED = "TAF AMD LFBO 221100Z 2212/2318 31030G48KT 9999 BKN030"
CANCELLED = "TAF AMD LFBO 221400Z 2212/2318 CNL"


async def keep(database, now_us, *texts):
    async with database.writing() as session:
        read = list(read_texts([RawReport(text) for text in texts], "test", now_us))
        return await keep_read(session, read, now_us)


async def forecast(database, now_us, code="LFBO"):
    async with database.reading() as session:
        return await timeline_at(session, code, now_us)


async def test_the_newest_forecast_counts_and_the_one_before_it_until_it_begins(database):
    assert await keep(database, us(22, 11, 5), MORNING, NOON, MORNING) == 3
    told = await forecast(database, us(22, 11, 15))
    assert told == await forecast(database, us(22, 11, 15), "tls")
    assert (told.station, told.age_s, told.is_cancelled) == ("LFBO", 900, False)
    assert [taf.raw for taf in told.forecasts] == [NOON, MORNING]
    assert told.now == told.periods[0]
    assert (told.now.prevailing.wind_speed_kt, told.now.to_us) == (10, us(22, 12))
    assert told.now.worst_credible.flight_category == "IFR"
    edges = [(each.from_us, each.to_us) for each in told.periods[1:]]
    assert edges == [(us(22, 12), us(23, 0)), (us(23, 0), us(23, 18))]
    assert told.periods[-1].prevailing.flight_category == "LIFR"
    later = await forecast(database, us(23, 1))
    assert [taf.raw for taf in later.forecasts] == [NOON]
    assert later.now.prevailing.visibility_m == 800
    assert await forecast(database, us(24, 0)) is None
    assert await forecast(database, us(22, 4)) is not None  # an hour early is not too early
    assert await forecast(database, us(22, 3)) is None


async def test_an_amendment_counts_whenever_it_arrives_and_a_cancellation_ends_all(database):
    await keep(database, us(22, 11, 5), AMENDED)
    await keep(database, us(22, 11, 6), MORNING, NOON)
    assert (await forecast(database, us(22, 13))).now.prevailing.wind_gust_kt == 48
    await keep(database, us(22, 14, 5), CANCELLED)
    told = await forecast(database, us(22, 14, 10))
    assert (told.is_cancelled, told.now, told.periods) == (True, None, ())
    async with database.reading() as session:
        assert (await taf_at(session, "LFBO", us(22, 14, 10))).cancelled
        assert (await taf_at(session, "LFBO", us(22, 13))).amended
        assert (await taf_at(session, "LFBO", us(22, 11, 30))).raw == MORNING
        assert await taf_at(session, "KJFK", us(22, 13)) is None


async def test_forecasts_that_are_none_hold_for_no_time_and_broken_ones_are_refused(database):
    await keep(database, us(22, 11, 5), "TAF EGKB 221000Z NIL=", "TAF LFBO what is this")
    assert await forecast(database, us(22, 11, 5), "EGKB") is None
    async with database.reading() as session:
        (refused,) = await list_refused(session)
        assert (refused.station, refused.raw) == ("LFBO", "TAF LFBO what is this")


async def test_forecasts_of_last_week_are_forgotten(database):
    await keep(database, us(1, 11), "TAF LFBO 011100Z 0112/0218 29010KT 9999")
    await keep(database, us(1, 11) + KEPT_US + 1, MORNING)
    assert await forecast(database, us(1, 13)) is None


async def test_a_file_may_hold_reports_and_forecasts(database, tmp_path):
    hour = time.strftime("%d%H", time.gmtime())
    file = tmp_path / "LFBO.txt"
    file.write_text(
        f"LFBO {hour}00Z 31014KT CAVOK 26/14 Q1015=\n\n"
        "2026/11/22 11:00\nTAF LFBO 221100Z 2212/2318 31015KT 9999 BKN030\n"
        "      FM230000 24005KT 0800 FG OVC002=\n"
    )
    assert await read_changed(database, MetarFiles(tmp_path)) == 2
    assert (await forecast(database, us(23, 1))).now.prevailing.visibility_m == 800
    async with database.reading() as session:
        found = await weather_at(session, "LFBO", time.time_ns() // 1000)
    assert found.report.wind_speed_kt == 14


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, ("auth", "weather"))) as client:
        yield client


async def test_the_timeline_is_told_to_those_who_may_read_the_weather(hub, database):
    await keep(database, us(22, 11, 5), NOON)
    path = f"/api/weather/LFBO/timeline?at_us={us(23, 1)}"
    assert (await hub.get(path)).status_code == 401
    token = hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001",
        "op",
        frozenset({"weather:read"}),
        int(time.time()),
    )
    headers = {"authorization": f"Bearer {token}"}
    told = (await hub.get(path, headers=headers)).json()
    assert told["now"]["prevailing"]["flight_category"] == "LIFR"
    assert told["now"]["worst_credible"]["visibility_m"] == 800
    assert told["forecasts"][0]["raw"] == NOON
    assert "Not for flight operations" in told["notice"]
    missing = await hub.get("/api/weather/KJFK/timeline", headers=headers)
    assert missing.status_code == 404
