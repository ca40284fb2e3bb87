"""The API about bags: what operators ask and tell, on both databases."""

import itertools
import json
import time
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

PLATE = "0220123456"  # of no bag
MIN = 60_000_000
_numbers = itertools.count(1)


class Day(NamedTuple):
    """A flight that leaves in twenty minutes and two bags of its, of one test alone."""

    date: str
    flight: str
    flight_id: str
    plate: str
    second: str
    rush: str
    container: str
    dolly: str
    booking: str

    @property
    def aboard(self):
        return {"container": self.container, "flight": self.flight, "flight_date": self.date}


@asynccontextmanager
async def running_hub(database_url, folder):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        token = client.app.state.hub.keys.signer.issue(
            "00000000-0000-0000-0000-000000000001",
            "op",
            frozenset({"baggage:read", "baggage:write", "flights:read"}),
            int(time.time()),
        )
        client.headers["authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
async def database(shared_database_url):
    """One for all: each test has a flight, bags and containers of its own."""
    opened = Database(shared_database_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url, tmp_path_factory):
    async with running_hub(shared_database_url, tmp_path_factory.mktemp("hub")) as client:
        yield client


@pytest.fixture
async def day(database, hub, tmp_path):
    number = next(_numbers)
    due = time.gmtime(time.time() + 1200)
    today = time.strftime("%Y-%m-%d", due)
    name, booking = f"AF{6000 + number}", f"ABC{number:03}"
    plate, second = f"0220{2 * number:06}", f"0220{2 * number + 1:06}"
    flight = {
        "flight": name,
        "date": today,
        "from": "TLS",
        "to": "CDG",
        "scheduled_off_block": time.strftime("%Y-%m-%dT%H:%M:%SZ", due),
    }
    bag = {"flight": name, "flight_date": today, "from": "TLS", "to": "CDG"}
    people = {"surname": "Müller", "passenger": booking}
    (tmp_path / "flights.jsonl").write_text(json.dumps(flight))
    (tmp_path / "bags.jsonl").write_text(
        "\n".join(json.dumps(bag | people | {"licence_plate": each}) for each in (plate, second))
    )
    await import_flights(database, tmp_path / "flights.jsonl")
    await import_bags(database, tmp_path / "bags.jsonl")
    flights = (await hub.get("/api/flights")).json()
    (flight_id,) = [each["id"] for each in flights if each["flight"] == name]
    return Day(
        today, name, flight_id, plate, second, f"2220{number:06}",
        f"AKE{number}", f"DOLLY {number}", booking,
    )  # fmt: skip


async def act(hub, plate, status=200, **action):
    answer = await hub.post(f"/api/bags/{plate}/actions", json=action)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_bag_is_stowed_moved_with_its_container_and_handed_over(hub, day):
    stowed = await act(hub, day.plate, did="stowed", site="lfbo", **day.aboard)
    assert stowed["journey"]["state"] == "loaded"
    moved = await hub.post(
        f"/api/containers/{day.container}/moves",
        json={"did": "into", "parent": day.dolly, "site": "lfbo"},
    )
    assert [each["licence_plate"] for each in moved.json()["bags"]] == [day.plate]
    moves = {"did": "at", "site": "lfbo", "place": "stand B2", "latitude_deg": 43.6}
    placed = await hub.post(f"/api/containers/{day.dolly}/moves", json=moves)
    place = placed.json()["bags"][0]["journey"]["place"]
    assert (place["name"], place["inside"]) == ("stand B2", [day.container, day.dolly])
    claimed = await act(hub, day.plate, did="claimed", site="lfpg", place="desk 2")
    assert (claimed["journey"]["state"], "container" in claimed["journey"]) == ("claimed", False)


async def test_what_was_known_at_an_instant_is_told_again_whatever_came_later(hub, day):
    await act(hub, day.plate, did="held", site="lfbo")
    before_us = time.time_ns() // 1000
    long_ago = before_us - 90 * MIN
    await act(hub, day.plate, did="screened", result="rejected", at_us=long_ago)
    (then,) = (await hub.get(f"/api/bags/{day.plate}/history?known_by_us={before_us}")).json()
    (now,) = (await hub.get(f"/api/bags/{day.plate}/history")).json()
    assert "screening" not in then["journey"]
    assert now["journey"]["screening"] == "rejected"
    assert [each["kind"] for each in now["evidence"]] == ["screened", "announced", "handled"]
    assert day.booking not in json.dumps(now)
    wrong = next(each["id"] for each in now["evidence"] if each["kind"] == "screened")
    await act(hub, day.plate, did="voided", voids=wrong, reason="another bag was meant")
    (again,) = (await hub.get(f"/api/bags/{day.plate}/history")).json()
    assert "screening" not in again["journey"]


async def test_a_retagged_bag_is_found_under_both_plates(hub, day):
    bag = await act(hub, day.plate, did="retagged", new_plate=day.rush)
    other = (await hub.get(f"/api/bags/{day.rush}")).json()
    assert other["id"] == bag["id"]
    assert other["licence_plate"] == day.plate


async def test_an_unchanged_bag_is_not_sent_again(hub, day):
    answer = await hub.get(f"/api/bags/{day.plate}")
    same = {"if-none-match": answer.headers["etag"]}
    assert (await hub.get(f"/api/bags/{day.plate}", headers=same)).status_code == 304
    await act(hub, day.plate, did="held")
    assert (await hub.get(f"/api/bags/{day.plate}", headers=same)).status_code == 200


async def test_bags_are_found_by_flight_container_state_and_booking_a_page_at_a_time(hub, day):
    await act(hub, day.plate, did="stowed", container=day.container, site="lfbp")

    async def search(**wanted):
        answer = await hub.post("/api/bags/search", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    both = await search(flight=f"af {day.flight[2:]}", flight_date=day.date)
    assert {each["licence_plate"] for each in both["bags"]} == {day.plate, day.second}
    assert both["next"] is None
    first = await search(reference=day.booking, limit=1)
    second = await search(reference=day.booking, limit=1, after=first["next"])
    assert {each["bags"][0]["licence_plate"] for each in (first, second)} == {day.plate, day.second}
    assert [each["licence_plate"] for each in (await search(container=day.container))["bags"]] == [
        day.plate
    ]
    assert (await search(state="expected", site="lfbp"))["bags"] == []
    refused = await hub.post("/api/bags/search", json={"flight": "\x00"})
    assert refused.status_code == 400


async def test_a_flight_s_bags_are_reconciled(hub, day):
    await act(hub, day.plate, did="screened", result="cleared")
    await act(hub, day.plate, did="stowed", **day.aboard)
    await act(hub, day.second, did="held")
    await act(hub, day.second, did="stowed", **day.aboard)
    answer = (await hub.get(f"/api/flights/{day.flight_id}/bags")).json()
    assert answer["bags"]["counts"] == {"loaded": 2}
    assert [each["reasons"] for each in answer["bags"]["offload"]] == [["held back"]]
    first, _ = answer["bags"]["bags"]
    assert first["authority"]["decision"] == "unsure"
    assert (await hub.get("/api/flights/nothing/bags")).status_code == 404
    assert (await hub.get("/api/airports/TLS/transfers")).json() == []


async def test_partners_read_the_history_of_a_tag_in_the_codes_of_the_trade(hub, day):
    await act(hub, day.plate, did="screened", result="cleared", site="lfbo")
    await act(hub, day.plate, did="stowed", **day.aboard)
    path = f"/api/baggage/history/v1.0/tag/{day.plate}/flightdate/{day.date}"
    told = (await hub.get(path)).json()
    assert told["flights"] == [day.flight]
    assert [each["code"] for each in told["events"]] == [
        "EXPECTED",
        "SCREENING_PASSED",
        "LOADED_ON_AIRCRAFT",
    ]
    assert (await hub.get(path.replace(day.date, "2020-01-01"))).status_code == 404


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"did": "stowed"}, "container '': expected a container, or a flight and its date"),
        ({"did": "screened"}, "result '': expected cleared, rejected or unclear"),
        ({"did": "retagged", "new_plate": "12"}, "new_plate '12': expected ten digits"),
        ({"did": "voided"}, "voids '': expected the id of the evidence that was wrong"),
        ({"did": "stowed", "flight": "AF1", "flight_date": "soon"}, "flight_date 'soon'"),
    ],
)
async def test_an_action_that_lacks_something_is_told_what(hub, action, why):
    answer = await act(hub, PLATE, status=400, **action)
    assert why in answer["detail"]


async def test_what_is_no_plate_or_container_is_refused(hub):
    await act(hub, "022", status=400, did="held")
    assert (await hub.post("/api/containers/a%2Fb/moves", json={"did": "at"})).status_code in (
        400,
        404,
    )
    assert (await hub.post("/api/containers/AKE1/moves", json={"did": "into"})).status_code == 400


async def test_a_flight_s_custody_points_are_reported_as_json_and_as_a_table(hub, day):
    await act(hub, day.plate, did="stowed", site="lfbo", **day.aboard)
    found = (await hub.get(f"/api/flights/{day.flight_id}/compliance")).json()
    points = {each["point"]: each for each in found["report"]["points"]}
    assert (points["loading"]["expected"], points["loading"]["read"]) == (2, 1)
    assert points["loading"]["gaps"] == [day.second]
    table = await hub.get(f"/api/flights/{day.flight_id}/compliance.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("flight,date,point,expected,read,automatic")
    assert f"{day.flight},{day.date},loading,2,1,0" in table.text
    assert (await hub.get("/api/flights/none/compliance.csv")).status_code == 404
    reason = await hub.get(f"/api/flights/{day.flight_id}/bags/{day.plate}/loss-reason")
    assert reason.status_code == 404


async def test_performance_and_clocks_are_told_even_when_nothing_was_read(database_url, tmp_path):
    async with running_hub(database_url, tmp_path) as hub:
        told = (await hub.get("/api/performance?hours=2")).json()
        assert (told["portals"], told["dwells"], told["manual_share"]) == ([], [], None)
        assert (await hub.get("/api/performance?hours=2&until_us=5")).status_code == 400
        assert (await hub.get("/api/gateway-clocks")).status_code == 403


async def test_a_plate_is_read_by_itself(hub):
    assert (await hub.get("/api/plates/1220123456")).json()["kind"] == "fallback"
    assert (await hub.get("/api/plates/12")).status_code == 400


async def test_whose_bag_it_is_shows_an_initial_to_who_may_not_see_names(hub, day):
    told = (await hub.get(f"/api/bags/{day.plate}/passenger")).json()
    assert told["is_hidden"]
    assert told["surname"].startswith("M")
    assert "ller" not in told["surname"]
    assert (await hub.get("/api/bags/0000000001/passenger")).status_code == 404
