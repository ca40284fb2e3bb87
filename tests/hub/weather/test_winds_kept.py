"""Winds in the database: learned from, drawn as profiles, asked for, exported and forgotten."""

import csv
import io
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.inbox.sighting import Retimed, Sighting
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.weather.heading_bias import BLOCK_US
from aerocast_hub.weather.tables import AircraftWindRow
from aerocast_hub.weather.wind_keeping import (
    BIASES_KEPT_US,
    WINDS_KEPT_US,
    draw_profiles,
    forget,
    learn_headings,
    profiles_between,
    thin,
)
from aerocast_hub.weather.wind_tables import HeadingBiasRow, HeadingCellRow, WindBlockRow
from aerocast_hub.weather.winds import absorb, retime, winds_over
from aerocast_protocols.observations.aircraft import AircraftWeather
from litestar.testing import AsyncTestClient
from msgspec.structs import asdict, replace
from sqlalchemy import func, select

from tests.hub.weather.winds_made import NOW, flown

MIN = 60_000_000
BIASES_DEG = {"390001": 1.2, "390002": -0.8, "390003": 0.3, "390004": -0.5}


def sighting(wind, number):
    told = {key: value for key, value in asdict(wind).items() if key != "seen_at_us"}
    return Sighting(
        site="lfbo", gateway="apron", epoch=1, lane=1, sequence=number,
        seen_at_us=wind.seen_at_us, clock_quality=3,
        observation=AircraftWeather(device="sky", boot_ns=1, **told),
    )  # fmt: skip


def days(count=4, now_us=NOW):
    """Let four aircraft fly together once a day, the last time now."""
    met = [
        flown(
            icao, heading, bias_deg, altitude_ft=2500.0 + 1000.0 * layer,
            at_us=now_us - day * 96 * BLOCK_US - (4 * layer + number) * 20_000_000 - MIN,
            true=(20.0 + 3 * day, 5.0 - 4 * day),
        )
        for day in range(count)
        for layer in range(3)
        for number in range(4)
        for heading, (icao, bias_deg) in zip((90, 320, 140, 230), BIASES_DEG.items(), strict=True)
    ]  # fmt: skip
    return [sighting(wind, number) for number, wind in enumerate(met, 1)]


async def take_in(database, seen):
    async with database.writing() as session:
        await absorb(session, seen)


async def count(database, table):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def test_headings_are_learned_from_what_is_kept_and_make_the_profile_better(database):
    await take_in(database, days())
    later = NOW + 30 * MIN
    assert await thin(database, later) == await count(database, WindBlockRow) + 4
    assert await thin(database, later) == 0
    assert await learn_headings(database, later) == 4
    async with database.reading() as session:
        learned = {row.icao: row for row in await session.scalars(select(HeadingBiasRow))}
        over = await winds_over(session, "LFBO", NOW)
    for icao, bias_deg in BIASES_DEG.items():
        assert learned[icao].bias_deg == pytest.approx(bias_deg, abs=0.35)
        assert learned[icao].cells == 12
    level = next(each for each in over.levels if each.bottom_ft == 3000.0)
    assert (level.aircraft, over.refused) == (4, 0)
    assert level.wind_speed_kt == pytest.approx(20.6, abs=0.5)
    assert await draw_profiles(database, NOW) == 1
    assert await draw_profiles(database, NOW) == 1  # the same minute again is the same
    async with database.reading() as session:
        ((at_us, drawn),) = await profiles_between(session, "lfbo", NOW - MIN, NOW)
    assert (at_us, drawn.levels) == (NOW, over.levels)


async def test_order_repetition_and_corrected_times_change_nothing_of_what_is_learned(database):
    seen = days()
    late, early = seen[::3], [each for each in seen if each not in seen[::3]]
    wrong = [replace(each, seen_at_us=each.seen_at_us - 40 * BLOCK_US) for each in late]
    later = NOW + 30 * MIN
    await take_in(database, early)
    await thin(database, later)
    await take_in(database, wrong)
    await thin(database, later)
    async with database.writing() as session:
        moved = zip(late, wrong, strict=True)
        await retime(session, [Retimed(right, before.seen_at_us) for right, before in moved])
    await thin(database, later)
    async with database.reading() as session:
        keys = [column.name for column in HeadingCellRow.__table__.columns]
        rows = await session.scalars(select(HeadingCellRow))
        mixed = sorted(tuple(getattr(row, key) for key in keys) for row in rows)
    async with database.writing() as session:
        await session.execute(HeadingCellRow.__table__.delete())
        blocks = {each.seen_at_us // BLOCK_US * BLOCK_US for each in seen}
        session.add_all([WindBlockRow(block_us=each) for each in blocks])
    await thin(database, later)
    async with database.reading() as session:
        rows = await session.scalars(select(HeadingCellRow))
        assert sorted(tuple(getattr(row, key) for key in keys) for row in rows) == mixed


async def test_what_is_old_is_forgotten_and_what_was_learned_stays_longer(database):
    await take_in(database, days(count=2))
    await thin(database, NOW + 30 * MIN)
    await learn_headings(database, NOW + 30 * MIN)
    await forget(database, NOW + WINDS_KEPT_US + MIN)
    assert await count(database, AircraftWindRow) == 0
    assert await count(database, HeadingCellRow) > 0
    # One wind of a forgotten quarter of an hour comes late: the others' cells stay.
    cells = await count(database, HeadingCellRow)
    await take_in(database, [sighting(flown("39ffff", 10.0, at_us=NOW - MIN), 9999)])
    await thin(database, NOW + WINDS_KEPT_US + MIN)
    assert await count(database, HeadingCellRow) == cells + 1
    await forget(database, NOW + BIASES_KEPT_US + 60 * MIN)
    assert await count(database, HeadingCellRow) == await count(database, HeadingBiasRow) == 0


async def test_a_wind_no_aircraft_can_have_met_is_not_kept(database):
    nonsense = replace(flown("390001", 90.0), wind_speed_kt=float("nan"))
    await take_in(database, [sighting(nonsense, 1), sighting(flown("390002", 90.0), 2)])
    assert await count(database, AircraftWindRow) == 1


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        token = client.app.state.hub.keys.signer.issue(
            "00000000-0000-0000-0000-000000000001",
            "op",
            frozenset({"weather:read"}),
            int(time.time()),
        )
        client.headers["authorization"] = f"Bearer {token}"
        yield client


async def test_winds_are_asked_for_over_http_and_exported(hub, database):
    now_us = time.time_ns() // 1000
    await take_in(database, days(now_us=now_us))
    await thin(database, now_us + 30 * MIN)
    await learn_headings(database, now_us)
    await draw_profiles(database, now_us)

    where = {"latitude_deg": 43.63, "longitude_deg": 1.37, "altitude_ft": 3500}
    there = (await hub.get("/api/weather/wind", params=where)).json()
    assert there["wind"]["aircraft"] == 4
    assert there["wind"]["sigma_kt"] > 0
    assert there["notice"].startswith("Not for flight operations")
    far = (await hub.get("/api/weather/wind", params=where | {"latitude_deg": 10})).json()
    assert far["wind"]["wind_speed_kt"] is None
    wrong = await hub.get("/api/weather/wind", params=where | {"altitude_ft": "x"})
    assert wrong.status_code == 400
    over = (await hub.get("/api/weather/lfbo/winds")).json()
    assert [each["aircraft"] for each in over["levels"][2:5]] == [4, 4, 4]
    history = (await hub.get("/api/weather/lfbo/winds/history")).json()
    assert len(history["profiles"][0]["profile"]["levels"]) == 15

    told = (await hub.get("/api/weather/lfbo/winds/export")).json()["winds"]
    assert len(told) == 48
    assert told == sorted(told, key=lambda each: each["observed_at"])
    assert {each["quality"] for each in told} == {0}
    assert {each["icao"]: each["heading_corrected_deg"] for each in told}["390001"] < -0.7
    text = (await hub.get("/api/weather/lfbo/winds/export?format=csv&hours=100")).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 192
    assert float(rows[0]["flight_level"]) == 45.0
    binary = (await hub.get("/api/weather/lfbo/winds/export?format=bufr")).content
    assert (binary[:4], binary[-4:]) == (b"BUFR", b"7777")
    assert (await hub.get("/api/weather/lfbo/winds/export?format=grib")).status_code == 400
