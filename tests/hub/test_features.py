import json
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.absorb import absorb as absorb_bags
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.baggage.messages import Incoming, take_in
from aerocast_hub.flights.absorb import absorb as absorb_flights
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.weather.metar_files import read_file
from aerocast_hub.weather.store import keep_reports
from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from aerocast_protocols.observations.bags import BagPassage
from litestar.testing import AsyncTestClient

PLATE = "0220123456"
MIN = 60_000_000
READ = frozenset(
    {"flights:read", "baggage:read", "weather:read", "orientation:read", "gateways:read"}
)


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        yield client


@pytest.fixture
def operator(hub):
    token = hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001", "op", READ, int(time.time())
    )
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def now_us():
    return time.time_ns() // 1000


def iso(at_us):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))


def seen(observation, at_us, number):
    return Sighting(
        site="lfbo",
        gateway="hall-1",
        epoch=1,
        lane=0,
        sequence=number,
        seen_at_us=at_us,
        clock_quality=3,
        observation=observation,
    )


@pytest.fixture
async def airport(database, tmp_path, now_us):
    """A flight that landed 6 minutes ago and parked 3 minutes ago, with two bags of Ms Müller."""
    today = time.strftime("%Y-%m-%d", time.gmtime(now_us / 1e6))
    flight = {
        "flight": "AF6120",
        "date": today,
        "icao": "393322",
        "from": "CDG",
        "to": "TLS",
        "scheduled_off_block": iso(now_us - 90 * MIN),
        "scheduled_on_block": iso(now_us),
        "reclaim": "4",
    }
    bag = {
        "flight": "AF6120",
        "flight_date": today,
        "from": "CDG",
        "to": "TLS",
        "surname": "Müller",
        "passenger": "Anna",
    }
    (tmp_path / "flights.jsonl").write_text(json.dumps(flight))
    (tmp_path / "bags.jsonl").write_text(
        "\n".join(json.dumps(bag | {"licence_plate": plate}) for plate in (PLATE, "0220123457"))
    )
    minutes = time.strftime("%d%H%MZ", time.gmtime((now_us - 20 * MIN) / 1e6))
    (tmp_path / "LFBO.txt").write_text(f"LFBO {minutes} 31012KT 9999 FEW030 25/14 Q1015\n")
    await import_flights(database, tmp_path / "flights.jsonl")
    await import_bags(database, tmp_path / "bags.jsonl")

    def ground(event, at_us, number, stand=None):
        what = AircraftGroundEvent(
            device="sky",
            boot_ns=1,
            icao="393322",
            event=event,
            sigma_s=5.0,
            known_at_boot_ns=2,
            stand=stand,
        )
        return seen(what, at_us, number)

    passage = BagPassage(
        device="portal",
        boot_ns=1,
        belt="belt-4",
        point="loading",
        epc=b"\x0c" * 12,
        licence_plate=PLATE,
        sigma_ms=40.0,
        reads=9,
        confidence=0.9,
    )
    async with database.writing() as session:
        await absorb_flights(
            session,
            [
                ground("landed", now_us - 6 * MIN, 1),
                ground("on_stand", now_us - 3 * MIN, 2, "B2"),
            ],
        )
        await absorb_bags(session, [seen(passage, now_us - 100 * MIN, 3)])
        await keep_reports(session, read_file(tmp_path / "LFBO.txt", now_us), now_us)


async def find(hub, plate=PLATE, surname="muller", **headers):
    body = {"licence_plate": plate, "surname": surname}
    return await hub.post("/api/guidance/find", json=body, headers=headers)


async def test_a_passenger_is_told_belt_time_and_why(hub, airport):
    answer = await find(hub, "0220 123456", " Müller ")
    assert answer.status_code == 200
    guidance = answer.json()["guidance"]
    assert guidance["headline"]["text"] == "Reclaim 4: first bags in about 10 minutes."
    assert guidance["reasons"][0]["text"].startswith("The aircraft reached stand B2 at ")
    assert guidance["weather"]["key"] == "ramp_fine"
    assert guidance["belt"] == "4"
    assert guidance["time_zone"] == "Europe/Paris"
    first = guidance["first_bag"]
    assert first["p10_us"] < first["p50_us"] < first["p90_us"]
    assert [bag["plate"][-4:] for bag in guidance["bags"]] == ["3456", "3457"]
    assert [bag["state"] for bag in guidance["bags"]] == ["loaded", "expected"]
    everything = answer.text.upper()
    assert PLATE not in everything
    assert "LLER" not in everything
    assert "ANNA" not in everything


async def test_a_passenger_whose_bag_is_booked_through_is_told_of_their_connection(
    hub, airport, database, tmp_path, now_us
):
    leaves_us = now_us + 55 * MIN
    today = time.strftime("%Y-%m-%d", time.gmtime(now_us / 1e6))
    onward = {
        "flight": "BA2",
        "date": today,
        "from": "TLS",
        "to": "LHR",
        "scheduled_off_block": iso(leaves_us),
        "scheduled_on_block": iso(now_us + 150 * MIN),
        "gate": "12",
    }
    (tmp_path / "onward.jsonl").write_text(json.dumps(onward))
    await import_flights(database, tmp_path / "onward.jsonl")
    day = time.strftime("%d%b", time.gmtime(now_us / 1e6)).upper()
    message = (
        f"BSM\r\n.V/1LCDG\r\n.F/AF6120/{day}/TLS\r\n.O/BA2/{day}/LHR\r\n"
        ".N/0057654321001\r\n.P/1WEBER/EVA\r\nENDBSM\r\n"
    )
    async with database.writing() as session:
        await take_in(session, [Incoming(message.encode(), now_us - 120 * MIN, "test")])
    told = (await find(hub, "0057654321", "weber")).json()["guidance"]
    assert (told["phase"], told["flight"], told["onward"]) == ("connecting", "AF6120", "BA2")
    assert told["headline"]["text"] == "Go straight to gate 12 for flight BA2."
    assert told["boarding_closes_us"] // MIN == (leaves_us - 15 * MIN) // MIN
    assert 0 < told["miss"] < 1
    assert 0 < told["bags"][0]["miss"] < 1
    assert told["belt"] is None
    assert "unknown_way" in [each["key"] for each in told["unknown"]]
    assert "step_through" in [each["key"] for each in told["steps"]]


async def test_the_link_opens_the_same_advice_in_the_language_asked_for(hub, airport):
    token = (await find(hub)).json()["token"]
    link = f"/api/guidance/{token}"
    french = await hub.get(link, headers={"accept-language": "fr-FR, en;q=0.5"})
    assert french.json()["headline"]["text"].startswith(
        "Tapis 4\N{NO-BREAK SPACE}: premiers bagages"
    )
    english = await hub.get(f"{link}?language=en", headers={"accept-language": "fr"})
    assert english.json()["language"] == "en"
    changed = await hub.get(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}")
    assert changed.status_code == 404
    assert (await hub.get("/api/guidance/nonsense")).status_code == 404


async def test_before_departure_gate_and_weather_are_those_of_the_airport_they_leave(
    hub, database, tmp_path, airport, now_us
):
    day = time.strftime("%Y-%m-%d", time.gmtime(now_us / 1e6))
    legs = {"flight": "BA375", "from": "LFBO", "to": "LHR"}
    due = {"scheduled_off_block": iso(now_us + 60 * MIN), "gate": 12}
    (tmp_path / "out.jsonl").write_text(json.dumps(legs | due | {"date": day}))
    own = {"licence_plate": "0125123456", "flight_date": day, "surname": "Roy"}
    (tmp_path / "own.jsonl").write_text(json.dumps(legs | own | {"from": "TLS"}))
    await import_flights(database, tmp_path / "out.jsonl")
    await import_bags(database, tmp_path / "own.jsonl")
    guidance = (await find(hub, "0125123456", "Roy")).json()["guidance"]
    assert guidance["headline"]["text"] == "Go to gate 12."
    assert guidance["weather"]["key"] == "ramp_fine"
    assert guidance["time_zone"] == "Europe/Paris"


async def test_wrong_and_unknown_give_one_answer(hub, airport):
    answers = [
        await find(hub, surname="Schmidt"),
        await find(hub, plate="9999999999"),
        await find(hub, plate="'; --", surname=""),
        await find(hub, plate="\x00", surname="\x00"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_operators_see_what_the_passenger_sees_and_others_do_not(hub, operator, airport):
    preview = await hub.get(f"/api/guidance/preview/{PLATE}", headers=operator)
    assert preview.json()["headline"]["key"] == "first_bags"
    bag = (await hub.get(f"/api/bags/{PLATE}", headers=operator)).json()
    by_id = await hub.get(f"/api/guidance/preview/{bag['id']}", headers=operator)
    assert by_id.json()["headline"] == preview.json()["headline"]
    assert (await hub.get(f"/api/guidance/preview/{PLATE}")).status_code == 401
    assert (await hub.get("/api/guidance/preview/none", headers=operator)).status_code == 404


async def test_flights_bags_and_weather_are_given_to_operators_only(hub, operator, airport):
    (flight,) = (await hub.get("/api/flights", headers=operator)).json()
    assert flight["actual"]["on_block"]["stand"] == "B2"
    assert (await hub.get("/api/flights/parked", headers=operator)).json() == [flight]
    one = await hub.get(f"/api/flights/{flight['id']}", headers=operator)
    assert one.json() == flight
    (bag,) = (await hub.get("/api/bags", headers=operator)).json()
    assert (bag["licence_plate"], bag["journey"]["state"]) == (PLATE, "loaded")
    assert (await hub.get(f"/api/bags/{PLATE}", headers=operator)).json() == bag
    weather = (await hub.get("/api/weather/tls", headers=operator)).json()
    assert weather["report"]["wind_speed_kt"] == 12
    assert weather["ramp"]["state"] == "open"
    winds = (await hub.get("/api/weather/LFBO/winds", headers=operator)).json()
    assert winds["levels"][0]["wind_speed_kt"] is None
    assert (await hub.get("/api/weather/refused", headers=operator)).json() == []
    for path in ("flights", "flights/x", "bags", "bags/1", "weather/LFBO", "summary"):
        assert (await hub.get(f"/api/{path}")).status_code == 401, path
    for path in ("flights/x", "bags/1", "weather/KJFK", "bags/%00", "flights/%00", "weather/%00"):
        assert (await hub.get(f"/api/{path}", headers=operator)).status_code == 404, path
    for path in ("flights", "bags", "weather/LFBO", "weather/LFBO/winds"):
        for at_us in ("-1", "9" * 30, "x"):
            answer = await hub.get(f"/api/{path}?at_us={at_us}", headers=operator)
            assert answer.status_code == 400, (path, at_us)


async def test_the_summary_counts_what_was_done(hub, operator, airport):
    token = (await find(hub)).json()["token"]
    await hub.get(f"/api/guidance/{token}")
    await hub.get(f"/api/guidance/preview/{PLATE}", headers=operator)
    summary = (await hub.get("/api/summary", headers=operator)).json()
    assert summary == {
        "stored": 0,
        "unexplained_loss": 0,
        "bags": 2,
        "bags_seen": 1,
        "passages": 1,
        "flights_on_block": 1,
        "winds": 0,
        "wind_levels": 0,
        "weather_reports": 1,
        "advice_given": 2,
    }
