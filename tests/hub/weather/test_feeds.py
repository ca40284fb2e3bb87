"""Services that answer as they should, and in every way they should not; over real HTTP."""

import asyncio
import gzip
import json
import random
import time
from pathlib import Path

import httpx
import pytest
from aerocast_hub.outgoing_tls import believed
from aerocast_hub.settings import SettingsError
from aerocast_hub.weather.feeds.feed_file import Feed, FeedFile, asks, read_feeds
from aerocast_hub.weather.feeds.feed_tables import FeedRow, HazardRow, ModelForecastRow
from aerocast_hub.weather.feeds.fetching import Condition, FetchError, fetch
from aerocast_hub.weather.feeds.hazards import decode_hazards
from aerocast_hub.weather.feeds.iwxxm import decode_iwxxm
from aerocast_hub.weather.feeds.models import decode_metno, decode_open_meteo
from aerocast_hub.weather.feeds.pacing import Failing, TokenBucket, failed, wait_after
from aerocast_hub.weather.feeds.provider import decode_awc_metars, differences
from aerocast_hub.weather.feeds.running import Feeds, FeedWorker
from aerocast_hub.weather.feeds.strikes import decode_strikes
from aerocast_hub.weather.ramp_store import ramp_at
from aerocast_hub.weather.store import count_reports, weather_at
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar import decode_metar
from aerocast_simulator.weather_service import Answer, WeatherService, packed
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "weather"
PATH = "/api/data/metar"
GZIP = {"Content-Encoding": "gzip"}


def metar(age_min=5, station="LFBO", body="31008KT 9999 FEW030 25/14 Q1015"):
    stamp = time.strftime("%d%H%MZ", time.gmtime(time.time() - age_min * 60))
    return f"METAR {station} {stamp} {body}"


def item(age_min=5, **more):
    text = metar(age_min)
    return {"icaoId": "LFBO", "rawOb": text, "obsTime": int(time.time() - age_min * 60)} | more


def body(*items):
    return json.dumps(items).encode()


def feed(service, **more):
    known = {"name": "awc", "kind": "awc_api", "product": "metar", "url": service.url}
    return Feed(**known | {"stations": ("LFBO",), "every_s": 1.0, "per_min": 1200.0} | more)


@pytest.fixture
async def service():
    async with WeatherService() as running:
        yield running


@pytest.fixture
async def client():
    async with httpx.AsyncClient(headers={"User-Agent": "test"}, verify=believed()) as opened:
        yield opened


WORDS = [
    *("rawOb", "obsTime", "temp", "features", "properties", "geometry", "type", "coordinates"),
    *("strikes", "time", "latitude", "longitude", "hourly", "generated_at", "timeseries", "data"),
    *("instant", "details"),
]


async def kept(database):
    async with database.reading() as session:
        return await count_reports(session)


async def test_a_round_keeps_reports_under_an_own_name_and_asks_whether_there_is_anything_new(
    database, service
):
    service.says(PATH, Answer(body=body(item()), headers={"ETag": '"one"'}))
    file = FeedFile(contact="ops@example.org", feeds=(feed(service),))
    feeds = Feeds(file, database, _Waking())
    working = asyncio.create_task(feeds.run())
    await asyncio.wait_for(service.until_asked(2), 60)
    await asyncio.wait_for(service.until_asked(3), 60)  # by then the second was noted
    assert feeds.workers[0].told["unchanged"] >= 1
    working.cancel()
    await asyncio.wait({working})
    first, second = service.asked[:2]
    assert first.path == "/api/data/metar?ids=LFBO&format=json"
    assert first.headers["user-agent"].startswith("AeroCast/")
    assert "ops@example.org" in first.headers["user-agent"]
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == '"one"'
    assert await kept(database) == 1
    async with database.reading() as session:
        row = await session.get(FeedRow, "awc")
    assert (row.state, row.rank, row.error) == ("answering", 1, None)


class _Waking:
    def wake(self):
        pass


def round_of(worker, client, database):
    return worker.round(client, database)


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (Answer(204), "answering", None),
        (Answer(410), "gone", "410"),
        (Answer(404), "gone", "404"),
        (Answer(429, headers={"Retry-After": "900"}), "failing", "429"),
        (Answer(500), "failing", "500"),
        (Answer(body=b"<!DOCTYPE html><html>Call Blocked"), "failing", "page for people"),
        (Answer(body=b'{"error": "no"}'), "failing", "no list"),
        (Answer(body=b'[{"rawOb": 5}, "x", null]'), "failing", "no report"),
        (Answer(body=b"[" * 4000), "failing", "no list"),
        (Answer(body=gzip.compress(b"[]", mtime=0)[:-6], headers=GZIP), "failing", "cut"),
        (Answer(body=b"plain", headers=GZIP), "failing", "gzip"),
        (Answer(body=b"[]" * 50, cut=True), "failing", "RemoteProtocolError"),
        (Answer(302, headers={"Location": "/api/data/metar"}), "failing", "itself"),
        (Answer(308, headers={"Location": "http://["}), "failing", "address"),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_used_changes_nothing_and_is_told(
    client, service, tmp_path, answer, state, error
):
    service.says(PATH, answer)
    worker = FeedWorker(feed(service), 1, {})
    wait_s = await worker.round(client, None)
    assert worker.told["state"] == state
    assert (worker.told["error"] is None) == (error is None)
    assert error is None or error in worker.told["error"]
    assert wait_s >= {"answering": 0.9, "gone": 3600, "failing": 45}[state]
    if answer.status == 429:
        assert wait_s >= 900


async def test_a_source_that_moved_is_followed_and_the_new_address_told(client, service, database):
    service.says(PATH, Answer(308, headers={"Location": "/new"}))
    service.says("/new", Answer(body=body(item())))
    worker = FeedWorker(feed(service), 1, {})
    await worker.round(client, database)
    assert worker.told["state"] == "answering"
    assert "/new" in worker.told["note"]
    assert await kept(database) == 1


async def test_duplicates_count_once_and_a_correction_in_place_of_what_it_corrects(
    client, service, database
):
    wrong = metar(body="31008KT 9999 TSRA FEW030CB 25/14 Q1015")
    right = wrong.replace("Z 31008KT", "Z COR 31008KT").replace("TSRA FEW030CB", "FEW030")
    answers = [
        body({"rawOb": wrong}, {"rawOb": wrong}),
        body({"rawOb": right}),
        body({"rawOb": wrong}),
    ]
    service.says(PATH, *(Answer(body=each) for each in answers))
    worker = FeedWorker(feed(service), 1, {})
    for _ in answers:
        await worker.round(client, database)
    assert await kept(database) == 2
    async with database.reading() as session:
        found = await weather_at(session, "LFBO", time.time_ns() // 1000)
    assert found.report.corrected
    assert found.ramp.state == "open"


async def test_a_source_that_only_has_old_reports_is_not_well(client, service, database):
    service.says(PATH, Answer(body=body(item(age_min=200)), headers={"ETag": '"old"'}))
    worker = FeedWorker(feed(service), 1, {})
    for _ in range(2):  # also when nothing changed since
        await worker.round(client, database)
        assert worker.told["state"] == "failing"
        assert "200 min old" in worker.told["error"]


async def test_when_the_first_source_fails_the_next_is_asked_and_rests_when_it_is_back(
    database, service
):
    service.says(PATH, Answer(500))
    stations = "/data/observations/metar/stations/LFBO.TXT"
    service.says(
        stations, Answer(body=f"2026/11/23 04:00\n{metar().removeprefix('METAR ')}\n".encode())
    )
    second = feed(service, name="noaa", kind="noaa")
    feeds = Feeds(FeedFile(contact="ops", feeds=(feed(service), second)), database, _Waking())
    first, noaa = feeds.workers
    assert (first.rank, noaa.rank) == (1, 2)
    assert not feeds.is_turn_of(noaa)
    working = asyncio.create_task(feeds.run())
    await asyncio.wait_for(service.until_asked(2), 60)
    working.cancel()
    await asyncio.wait({working})
    assert stations in [each.path for each in service.asked]
    first.failing = Failing()
    assert not feeds.is_turn_of(noaa)
    assert feeds.is_turn_of(FeedWorker(feed(service, always=True), 2, {}))


async def test_a_providers_own_reading_is_only_compared(client, service, database):
    service.says(PATH, Answer(body=body(item(temp=40, wdir=310, wspd=8, altim=1015))))
    worker = FeedWorker(feed(service), 1, {})
    await worker.round(client, database)
    assert worker.told["disagreements"] == 1
    assert worker.told["disagreement"] == "LFBO: temperature_c"
    async with database.reading() as session:
        found = await weather_at(session, "LFBO", time.time_ns() // 1000)
    assert found.report.temperature_c == 25


async def test_a_redirect_never_leaves_encryption(client):
    class Answering(httpx.AsyncBaseTransport):
        async def handle_async_request(self, *_):
            return httpx.Response(302, headers={"Location": "http://elsewhere.example/"})

    async with httpx.AsyncClient(transport=Answering()) as secure:
        with pytest.raises(FetchError, match="from https"):
            await fetch(secure, "https://example.org/x", Condition())


def test_waits_double_to_a_quarter_of_an_hour_and_follow_what_is_asked():
    dice = random.Random(1)
    failing, waits = Failing(), []
    for _ in range(8):
        failing = failed(failing)
        waits.append(wait_after(failing, None, gone=False, dice=dice))
    for wait_s, middle in zip(waits, (60, 120, 240, 480, 900, 900, 900, 900), strict=True):
        assert 0.75 * middle <= wait_s <= 1.25 * middle
    assert failing.is_open
    assert wait_after(Failing(1), 7200, gone=False, dice=dice) == 7200
    assert wait_after(Failing(1), None, gone=True, dice=dice) == 3600


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 30), max_size=60), st.floats(1, 120))
def test_no_source_is_asked_more_often_than_it_allows(pauses, per_min):
    bucket, now_s, asked = TokenBucket(per_min, burst=3), 1000.0, []
    for pause in pauses:
        now_s += pause
        now_s += bucket.wait_s(now_s)
        asked.append(now_s)
    for number, at_s in enumerate(asked):
        within = sum(1 for each in asked[number:] if each <= at_s + 60)
        assert within <= per_min + 4


def test_real_answers_of_the_api_are_read_and_agree():
    file = DATA / "awc_api_metar_2026-09-27.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    items = decode_awc_metars(file.read_bytes())
    assert items.reports
    assert items.refused == 0
    for each in items.reports:
        report = decode_metar(each.raw.raw, each.raw.observed_at_us)
        assert differences(report, each.said) == []


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner, max_size=4,
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)  # fmt: skip
def test_no_answer_of_any_provider_is_more_than_refused(answer):
    for decode in (
        decode_awc_metars,
        decode_metno,
        decode_open_meteo,
        decode_strikes,
        lambda each: decode_hazards(each, "sigmet"),
        lambda each: decode_iwxxm(each, 0),
    ):
        try:
            decode(answer)
        except ProtocolError:
            continue


def test_hazards_of_real_cache_files_have_their_shapes():
    for name, kind, count in (("airsigmets", "sigmet", 38), ("pireps", "pirep", 2014)):
        file = DATA / f"awc_{name}_20221022.csv.gz"
        if not file.exists():
            pytest.skip(f"{file} is not there")
        found, refused = decode_hazards(gzip.decompress(file.read_bytes()), kind)
        assert len(found) + refused == count
        assert refused <= count // 100
        assert all(len(each.points) > 2 for each in found if kind == "sigmet")
        assert {each.kind for each in found} <= {"sigmet", "airmet", "pirep"}


async def test_hazards_of_geojson_are_kept_once(client, service, database):
    now_s = int(time.time())
    ring = [[1.0, 43.0], [2.0, 43.0], [2.0, 44.0], [1.0, 43.0]]
    said = {"rawSigmet": "LFFF SIGMET 1", "validTimeFrom": now_s - 60, "validTimeTo": now_s + 3600}
    polygon = {
        "type": "Feature",
        "properties": said | {"hazard": "TURB"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    broken = {
        "type": "Feature",
        "properties": said,
        "geometry": {"type": "Polygon", "coordinates": [[[1, "x"]]]},
    }
    document = json.dumps({"type": "FeatureCollection", "features": [polygon, polygon, broken]})
    for name in ("airsigmet", "isigmet"):
        service.says(f"/api/data/{name}", Answer(body=document.encode()))
    worker = FeedWorker(feed(service, product="sigmet"), 1, {})
    await worker.round(client, database)
    assert worker.told["refused"] == 2
    async with database.reading() as session:
        (row,) = await session.scalars(select(HazardRow))
    assert (row.hazard, row.west_deg, row.north_deg) == ("TURB", 1, 44)


async def test_models_are_kept_by_airport_and_expiry_is_respected(client, service, database):
    details = {"air_temperature": 12.5, "wind_speed": 10.0, "wind_from_direction": 200.0}
    series = [{"time": "2026-11-23T04:00:00Z", "data": {"instant": {"details": details}}}]
    metno = json.dumps({"properties": {"timeseries": series}}).encode()
    path = "/weatherapi/locationforecast/2.0/complete"
    service.says(path, Answer(body=metno, headers={"Cache-Control": "max-age=1800"}))
    model = feed(service, name="metno", kind="metno", product="forecast")
    wait_s = await FeedWorker(model, 1, {}).round(client, database)
    assert wait_s >= 1700
    assert all(len(each.partition(".")[2]) <= 4 for each in ("43.6294",))
    hourly = {
        "time": [1763870400],
        "temperature_2m": [11.0],
        "wind_speed_10m": [12.0],
        "visibility": None,
    }
    units = {"wind_speed_10m": "kn"}
    service.says(
        "/v1/forecast", Answer(body=json.dumps({"hourly": hourly, "hourly_units": units}).encode())
    )
    await FeedWorker(feed(service, name="om", kind="open_meteo", product="forecast"), 2, {}).round(
        client, database
    )
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ModelForecastRow)) == 2
    (hour,) = decode_metno(metno)
    assert (hour.temperature_c, hour.wind_speed_kt, hour.visibility_m) == (12.5, 19.44, None)
    with pytest.raises(ProtocolError, match="knots"):
        decode_open_meteo(
            json.dumps({"hourly": hourly, "hourly_units": {"wind_speed_10m": "m/s"}}).encode()
        )


async def test_a_lightning_service_counts_by_when_it_says_it_listened(client, service, database):
    now_s = time.time()
    strikes = [{"time": now_s - 60, "latitude": 43.64, "longitude": 1.37}, {"time": "x"}]
    told = {"generated_at": now_s, "strikes": strikes}
    service.says("/strikes", Answer(body=json.dumps(told).encode()))
    source = Feed(
        name="storms", kind="http", product="lightning", format="lightning",
        url=f"{service.url}/strikes", stations=("LFBO",), every_s=1.0,
    )  # fmt: skip
    worker = FeedWorker(source, 1, {})
    await worker.round(client, database)
    async with database.reading() as session:
        struck = await ramp_at(session, "LFBO", round(now_s * 1e6))
        stale = await ramp_at(session, "LFBO", round((now_s + 1800) * 1e6))
    assert (struck.state, struck.reason) == ("closed", "lightning")
    assert struck.rules[0].inputs["nearest_by"] == "feed/storms"
    # The service stands still and answers as if all were well: never a clear sky.
    assert (stale.state, stale.reason) in {
        ("unknown", "lightning_silent"),
        ("unknown", "no_report"),
    }
    assert worker.told["refused"] == 1


def test_official_xml_says_what_the_text_beside_it_says():
    file = DATA / "iwxxm_examples" / "metar-A3-1.xml"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    (read,) = decode_iwxxm(file.read_bytes(), time.time_ns() // 1000)
    text = decode_metar(
        "METAR YUDO 221630Z 24004MPS 0600 R12/1000U DZ FG SCT010 OVC020 17/16 Q1018",
        read.observed_at_us,
    )
    for name in (
        "station", "wind_direction_deg", "visibility_m", "weather", "ceiling_ft", "temperature_c",
        "dew_point_c", "altimeter_hpa", "flight_category", "observed_at_us",
    ):  # fmt: skip
        assert getattr(read.report, name) == getattr(text, name), name
    assert read.report.wind_speed_kt == pytest.approx(text.wind_speed_kt, abs=0.1)
    (speci,) = decode_iwxxm(file.with_name("speci-A3-2.xml").read_bytes(), time.time_ns() // 1000)
    assert speci.report.wind_gust_kt is not None
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><METAR>&b;</METAR>'
    with pytest.raises(ProtocolError, match="no IWXXM"):
        decode_iwxxm(bomb, 0)


def test_the_file_of_feeds_is_read_and_its_mistakes_named(tmp_path):
    file = tmp_path / "feeds.toml"
    head = 'contact = "ops@example.org"\n[[feed]]\nname = "a"\n'
    file.write_text(head + 'kind = "noaa"\nproduct = "taf"\nstations = ["LFBO", "LFPG"]\n')
    (read,) = read_feeds(file).feeds
    assert [each.url for each in asks(read)][1].endswith("/data/forecasts/taf/stations/LFPG.TXT")
    for text, error in (
        ('kind = "noaa"\nproduct = "metar"\n', "feed a: stations are missing"),
        ('kind = "noaa"\nproduct = "sigmet"\n', "gives no sigmet"),
        ('kind = "http"\nproduct = "metar"\nurl = "http://x"\n', "format: expected one of"),
        ('kind = "http"\nproduct = "metar"\nformat = "text"\nurl = "ftp://x"\n', "url: expected"),
        ('kind = "open_meteo"\nproduct = "forecast"\nstations = ["LFBO"]\n', "url: expected"),
        ('kind = "file"\nproduct = "metar"\nformat = "text"\n', "file is missing"),
        ('kind = "awc"\nproduct = "metar"\n', "kind"),
        ('kind = "noaa"\nproduct = "metar"\nstation = "x"\n', "station"),
    ):
        file.write_text(head + text)
        with pytest.raises(SettingsError, match=error):
            read_feeds(file)
    file.write_text(
        head
        + 'kind = "awc_cache"\nproduct = "metar"\n'
        + '[[feed]]\nname = "a"\nkind = "awc_cache"\nproduct = "metar"\n'
    )
    with pytest.raises(SettingsError, match="another feed has this name"):
        read_feeds(file)


async def test_a_cache_file_and_a_file_on_disk_are_read(client, service, database, tmp_path):
    text = f"No errors\nraw_text,station_id,observation_time\n{metar(station='LFPG')},LFPG,\n"
    service.says("/data/cache/metars.cache.csv.gz", Answer(body=packed(text)))
    cache = FeedWorker(feed(service, kind="awc_cache", stations=()), 1, {})
    await cache.round(client, database)
    place = tmp_path / "reports.txt"
    place.write_text(metar() + "\n")
    local = Feed(name="disk", kind="file", product="metar", format="text", file=str(place))
    disk = FeedWorker(local, 1, {})
    await disk.round(client, database)
    assert (cache.told["state"], disk.told["state"]) == ("answering", "answering")
    assert await kept(database) == 2
    place.unlink()
    await disk.round(client, database)
    assert disk.told["state"] == "failing"
