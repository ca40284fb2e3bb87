import asyncio
import gzip
import time
from pathlib import Path

import pytest
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.running import running
from aerocast_hub.weather import metar_files
from aerocast_hub.weather.metar_files import MetarFiles, follow_files, read_changed, read_file
from aerocast_hub.weather.ramp_store import ramp_at
from aerocast_hub.weather.store import (
    KEPT_US,
    ReadReport,
    RefusedReport,
    count_reports,
    keep_reports,
    list_refused,
    weather_at,
)
from aerocast_hub.weather.winds import absorb, count_aircraft_winds, count_wind_levels, winds_over
from aerocast_protocols.observations.aircraft import AircraftWeather

DATA = Path(__file__).parents[3].parent / "shared" / "data"
MIN = 60_000_000
NOON = 1_720_267_200_000_000  # 2024-07-06 12:00 UTC
HEADER = "raw_text,station_id,observation_time,latitude,longitude\n"


def cache(tmp_path, *rows, name="metars.cache.csv.gz"):
    text = "No errors\nNo warnings\n1 ms\ndata source=metars\n2 results\n" + HEADER
    text += "".join(f"{raw},{raw.split()[0]},{when},1,1\n" for raw, when in rows)
    file = tmp_path / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


async def keep(database, file, now_us=NOON):
    async with database.writing() as session:
        return await keep_reports(session, read_file(file, now_us), now_us)


async def weather(database, code="LFBO", now_us=NOON):
    async with database.reading() as session:
        return await weather_at(session, code, now_us)


async def test_the_newest_report_is_given_with_its_age(database, tmp_path):
    file = cache(
        tmp_path,
        ("LFBO 061100Z 31012KT 9999 FEW030 25/14 Q1015", "2024-07-06T11:00:00Z"),
        ("LFBO 061130Z 31014KT 9999 FEW030 26/14 Q1015", "2024-07-06T11:30:00Z"),
        ("LFPG 061130Z 21030G45KT 9999 FEW030 26/14 Q1005", "2024-07-06T11:30:00Z"),
    )
    assert await keep(database, file) == 3
    found = await weather(database)
    assert found.report.wind_speed_kt == 14
    assert (found.age_s, found.freshness, found.ramp.state) == (1800, "fresh", "open")
    assert await weather(database, "tls") == found
    assert (await weather(database, "LFPG")).ramp.reason == "wind_closed"
    assert await weather(database, "KJFK") is None
    stale = await weather(database, "LFBO", NOON + 90 * MIN)
    assert (stale.freshness, stale.ramp.state, stale.ramp.reason) == (
        "stale",
        "unknown",
        "report_old",
    )
    expired = await weather(database, "LFBO", NOON + 600 * MIN)
    assert (expired.freshness, expired.ramp.reason) == ("expired", "report_old")


async def test_the_same_report_twice_is_one_and_a_correction_counts(database, tmp_path):
    first = ("LFBO 061130Z 31014KT 9999 TSRA FEW030CB 26/14 Q1015", "2024-07-06T11:30:00Z")
    await keep(database, cache(tmp_path, first))
    await keep(database, cache(tmp_path, first, name="again.csv"))
    async with database.reading() as session:
        assert await count_reports(session) == 1
        assert (await ramp_at(session, "LFBO", NOON)).reason == "thunder"
    corrected = ("LFBO 061130Z COR 31014KT 9999 FEW030 26/14 Q1015", "2024-07-06T11:30:00Z")
    await keep(database, cache(tmp_path, corrected))
    await keep(database, cache(tmp_path, first))
    found = await weather(database)
    assert found.report.corrected
    assert found.ramp.state == "open"


async def test_a_report_nobody_can_read_is_named_and_stops_nothing(database, tmp_path):
    file = cache(
        tmp_path,
        ("LFBO total nonsense", ""),
        ("!!", ""),
        ("LFPG 061130Z 21010KT CAVOK 26/14 Q1005", "2024-07-06T11:30:00Z"),
    )
    assert await keep(database, file) == 1
    found = await weather(database)
    assert found.report is None
    assert found.ramp.reason == "no_report"
    assert found.refused[0].raw == "LFBO total nonsense"
    assert "LFBO total nonsense" in found.refused[0].reason
    async with database.reading() as session:
        assert len(await list_refused(session)) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.csv.gz", gzip.compress(b"raw_text\n" * 1000, mtime=0)[:40]),
        ("broken.csv.gz", b"not gzip at all"),
        ("broken.csv", b"no,header,here\n"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named(database, tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    assert await keep(database, file) == 0
    async with database.reading() as session:
        (refused,) = await list_refused(session)
    assert refused.reason.startswith(f"file {name} cannot be read: ")


async def test_plain_texts_take_their_day_from_the_clock_or_their_own_date(database, tmp_path):
    file = tmp_path / "LFBO.txt"
    file.write_text("LFBO 061130Z 31014KT CAVOK 26/14 Q1015=\n")
    (report,) = read_file(file, NOON)
    assert report.observed_at_us == NOON - 30 * MIN
    file.write_text("2023/02/06 11:30\nLFBO 061130Z 31014KT CAVOK 26/14 Q1015\n")
    (report,) = read_file(file, NOON)
    assert time.gmtime(report.observed_at_us / 1e6)[:3] == (2023, 2, 6)


async def test_files_are_read_again_when_they_change(database, tmp_path):
    one = ("LFBO 061130Z 31014KT CAVOK 26/14 Q1015", "2024-07-06T11:30:00Z")
    two = ("LFBO 061200Z 31015KT CAVOK 26/14 Q1015", "2024-07-06T12:00:00Z")
    cache(tmp_path, one)
    (tmp_path / "readme.md").write_text("not a report")
    files = MetarFiles(tmp_path)
    assert await read_changed(database, files) == 1
    assert await read_changed(database, files) == 0
    cache(tmp_path, one, two)
    assert await read_changed(database, files) == 2
    assert (await weather(database)).report.wind_speed_kt == 15
    assert await read_changed(database, MetarFiles(tmp_path / "absent.txt")) == 0
    assert await read_changed(database, MetarFiles(tmp_path / "absent")) == 0


async def test_following_files_goes_on_until_cancelled(database, tmp_path, monkeypatch):
    monkeypatch.setattr(metar_files, "LOOK_EVERY_S", 0.02)
    early = ("LFBO 061130Z 31014KT CAVOK 26/14 Q1015", "2024-07-06T11:30:00Z")
    late = ("LFBO 061200Z 31015KT CAVOK 26/14 Q1015", "2024-07-06T12:00:00Z")
    cache(tmp_path, early)
    async with asyncio.timeout(60), running(follow_files(database, tmp_path)):
        while (await weather(database)) is None:  # noqa: ASYNC110  a row has no event
            await asyncio.sleep(0.02)
        cache(tmp_path, early, late)
        while (await weather(database)).report.wind_speed_kt != 15:  # noqa: ASYNC110  nor has this
            await asyncio.sleep(0.02)


async def test_reports_of_last_week_are_forgotten(database, tmp_path):
    await keep(
        database,
        cache(tmp_path, ("LFBO 061130Z 31014KT CAVOK 26/14 Q1015", "2024-07-06T11:30:00Z")),
    )
    await keep(database, cache(tmp_path), NOON + KEPT_US + MIN)
    async with database.reading() as session:
        assert await count_reports(session) == 0


async def test_a_real_cache_file_of_the_whole_world_is_kept(database):
    file = DATA / "weather" / "awc_metars_20250814T1840Z.csv.gz"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    read = read_file(file, time.time_ns() // 1000)
    refused = [each for each in read if isinstance(each, RefusedReport)]
    assert len(read) == 5073
    assert len(refused) <= 10, refused[:10]
    async with database.writing() as session:
        await keep_reports(session, read, time.time_ns() // 1000)
    observed_us = max(
        each.observed_at_us
        for each in read
        if isinstance(each, ReadReport) and each.report.station == "LFBO"
    )
    found = await weather(database, "TLS", observed_us + 10 * MIN)
    assert found.report.station == "LFBO"
    assert found.report.raw.startswith("LFBO 14")
    assert found.freshness == "fresh"


def wind(minute, icao, number, **more):
    seen = {
        "latitude_deg": 43.65,
        "longitude_deg": 1.4,
        "altitude_ft": 3000.0,
        "wind_direction_deg": 270.0,
        "wind_speed_kt": 20.0,
    } | more
    return Sighting(
        site="lfbo",
        gateway="apron",
        epoch=1,
        lane=2,
        sequence=number,
        seen_at_us=NOON + minute * MIN,
        clock_quality=3,
        observation=AircraftWeather(device="sky", boot_ns=1, icao=icao, **seen),
    )


async def test_winds_are_kept_once_and_averaged_over_the_airport(database):
    seen = [
        wind(-1, "393322", 1),
        wind(-2, "4b1234", 2, wind_speed_kt=22.0),
        wind(-60, "aaaaaa", 3),
    ]
    async with database.writing() as session:
        assert await absorb(session, seen) == []
        await absorb(session, seen)
    async with database.reading() as session:
        assert await count_aircraft_winds(session) == 3
        over = await winds_over(session, "LFBO", NOON)
        assert [each.icao for each in over.aircraft] == ["393322", "4b1234"]
        levels = [each for each in over.levels if each.wind_speed_kt is not None]
        assert [each.bottom_ft for each in levels] == [2000, 3000]  # both flew at 3,000 ft
        assert levels[0].wind_speed_kt == pytest.approx(21, abs=0.2)
        assert await count_wind_levels(session, NOON) == 2
        assert (await winds_over(session, "KJFK", NOON)).aircraft == []
        nowhere = await winds_over(session, "terminal-9", NOON)
        assert (nowhere.latitude_deg, nowhere.levels) == (None, [])
