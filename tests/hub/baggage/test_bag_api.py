"""The API about bags: what operators ask and tell, on both databases."""

import json
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

PLATE, SECOND, RUSH = "0220123456", "0220123457", "2220000001"
MIN = 60_000_000


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
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
async def day(database, hub, tmp_path):
    """Two bags for a flight that leaves in twenty minutes; gives the flight's date and id."""
    now_us = time.time_ns() // 1000
    due = time.gmtime(now_us / 1e6 + 1200)
    today = time.strftime("%Y-%m-%d", due)
    flight = {
        "flight": "AF6120",
        "date": today,
        "from": "TLS",
        "to": "CDG",
        "scheduled_off_block": time.strftime("%Y-%m-%dT%H:%M:%SZ", due),
    }
    bag = {"flight": "AF6120", "flight_date": today, "from": "TLS", "to": "CDG"}
    people = {"surname": "Müller", "passenger": "ABC123"}
    (tmp_path / "flights.jsonl").write_text(json.dumps(flight))
    (tmp_path / "bags.jsonl").write_text(
        "\n".join(json.dumps(bag | people | {"licence_plate": each}) for each in (PLATE, SECOND))
    )
    await import_flights(database, tmp_path / "flights.jsonl")
    await import_bags(database, tmp_path / "bags.jsonl")
    (flight,) = (await hub.get("/api/flights")).json()
    return today, flight["id"]


async def act(hub, plate=PLATE, status=200, **action):
    answer = await hub.post(f"/api/bags/{plate}/actions", json=action)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_bag_is_stowed_moved_with_its_container_and_handed_over(hub, day):
    today, _ = day
    stowed = await act(
        hub, did="stowed", container="AKE1", flight="AF6120", flight_date=today, site="lfbo"
    )
    assert stowed["journey"]["state"] == "loaded"
    moved = await hub.post(
        "/api/containers/AKE1/moves", json={"did": "into", "parent": "DOLLY 3", "site": "lfbo"}
    )
    assert [each["licence_plate"] for each in moved.json()["bags"]] == [PLATE]
    moves = {"did": "at", "site": "lfbo", "place": "stand B2", "latitude_deg": 43.6}
    placed = await hub.post("/api/containers/DOLLY 3/moves", json=moves)
    place = placed.json()["bags"][0]["journey"]["place"]
    assert (place["name"], place["inside"]) == ("stand B2", ["AKE1", "DOLLY 3"])
    claimed = await act(hub, did="claimed", site="lfpg", place="desk 2")
    assert (claimed["journey"]["state"], "container" in claimed["journey"]) == ("claimed", False)


async def test_what_was_known_at_an_instant_is_told_again_whatever_came_later(hub, day):
    await act(hub, did="held", site="lfbo")
    before_us = time.time_ns() // 1000
    long_ago = before_us - 90 * MIN
    await act(hub, did="screened", result="rejected", at_us=long_ago)
    (then,) = (await hub.get(f"/api/bags/{PLATE}/history?known_by_us={before_us}")).json()
    (now,) = (await hub.get(f"/api/bags/{PLATE}/history")).json()
    assert "screening" not in then["journey"]
    assert now["journey"]["screening"] == "rejected"
    assert [each["kind"] for each in now["evidence"]] == ["screened", "announced", "handled"]
    assert "ABC123" not in json.dumps(now)
    wrong = next(each["id"] for each in now["evidence"] if each["kind"] == "screened")
    await act(hub, did="voided", voids=wrong, reason="another bag was meant")
    (again,) = (await hub.get(f"/api/bags/{PLATE}/history")).json()
    assert "screening" not in again["journey"]


async def test_a_retagged_bag_is_found_under_both_plates(hub, day):
    bag = await act(hub, did="retagged", new_plate=RUSH)
    other = (await hub.get(f"/api/bags/{RUSH}")).json()
    assert other["id"] == bag["id"]
    assert other["licence_plate"] == PLATE


async def test_an_unchanged_bag_is_not_sent_again(hub, day):
    answer = await hub.get(f"/api/bags/{PLATE}")
    same = {"if-none-match": answer.headers["etag"]}
    assert (await hub.get(f"/api/bags/{PLATE}", headers=same)).status_code == 304
    await act(hub, did="held")
    assert (await hub.get(f"/api/bags/{PLATE}", headers=same)).status_code == 200


async def test_bags_are_found_by_flight_container_state_and_booking_a_page_at_a_time(hub, day):
    today, _ = day
    await act(hub, did="stowed", container="AKE1", site="lfbo")

    async def search(**wanted):
        answer = await hub.post("/api/bags/search", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    both = await search(flight="af 6120", flight_date=today)
    assert {each["licence_plate"] for each in both["bags"]} == {PLATE, SECOND}
    assert both["next"] is None
    first = await search(reference="ABC123", limit=1)
    second = await search(reference="ABC123", limit=1, after=first["next"])
    assert {each["bags"][0]["licence_plate"] for each in (first, second)} == {PLATE, SECOND}
    assert [each["licence_plate"] for each in (await search(container="AKE1"))["bags"]] == [PLATE]
    assert (await search(state="expected", site="lfbo"))["bags"] == []
    refused = await hub.post("/api/bags/search", json={"flight": "\x00"})
    assert refused.status_code == 400


async def test_a_flight_s_bags_are_reconciled(hub, day):
    today, flight_id = day
    await act(hub, did="screened", result="cleared")
    await act(hub, did="stowed", container="AKE1", flight="AF6120", flight_date=today)
    await act(hub, SECOND, did="held")
    await act(hub, SECOND, did="stowed", container="AKE1", flight="AF6120", flight_date=today)
    answer = (await hub.get(f"/api/flights/{flight_id}/bags")).json()
    assert answer["bags"]["counts"] == {"loaded": 2}
    assert [each["reasons"] for each in answer["bags"]["offload"]] == [["held back"]]
    first, _ = answer["bags"]["bags"]
    assert first["authority"]["decision"] == "unsure"
    assert (await hub.get("/api/flights/nothing/bags")).status_code == 404
    assert (await hub.get("/api/airports/TLS/transfers")).json() == []


async def test_partners_read_the_history_of_a_tag_in_the_codes_of_the_trade(hub, day):
    today, _ = day
    await act(hub, did="screened", result="cleared", site="lfbo")
    await act(hub, did="stowed", container="AKE1", flight="AF6120", flight_date=today)
    path = f"/api/baggage/history/v1.0/tag/{PLATE}/flightdate/{today}"
    told = (await hub.get(path)).json()
    assert told["flights"] == ["AF6120"]
    assert [each["code"] for each in told["events"]] == [
        "EXPECTED",
        "SCREENING_PASSED",
        "LOADED_ON_AIRCRAFT",
    ]
    assert (await hub.get(path.replace(today, "2020-01-01"))).status_code == 404


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
    answer = await act(hub, status=400, **action)
    assert why in answer["detail"]


async def test_what_is_no_plate_or_container_is_refused(hub):
    await act(hub, "022", status=400, did="held")
    assert (await hub.post("/api/containers/a%2Fb/moves", json={"did": "at"})).status_code in (
        400,
        404,
    )
    assert (await hub.post("/api/containers/AKE1/moves", json={"did": "into"})).status_code == 400


async def test_a_flight_s_custody_points_are_reported_as_json_and_as_a_table(hub, day):
    today, flight_id = day
    await act(hub, did="stowed", container="AKE1", flight="AF6120", flight_date=today, site="lfbo")
    found = (await hub.get(f"/api/flights/{flight_id}/compliance")).json()
    points = {each["point"]: each for each in found["report"]["points"]}
    assert (points["loading"]["expected"], points["loading"]["read"]) == (2, 1)
    assert points["loading"]["gaps"] == [SECOND]
    table = await hub.get(f"/api/flights/{flight_id}/compliance.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("flight,date,point,expected,read,automatic")
    assert f"AF6120,{today},loading,2,1,0" in table.text
    assert (await hub.get("/api/flights/none/compliance.csv")).status_code == 404
    reason = await hub.get(f"/api/flights/{flight_id}/bags/{PLATE}/loss-reason")
    assert reason.status_code == 404


async def test_performance_and_clocks_are_told_even_when_nothing_was_read(hub):
    told = (await hub.get("/api/performance?hours=2")).json()
    assert (told["portals"], told["dwells"], told["manual_share"]) == ([], [], None)
    assert (await hub.get("/api/performance?hours=2&until_us=5")).status_code == 400
    assert (await hub.get("/api/gateway-clocks")).status_code == 403


async def test_a_plate_is_read_by_itself(hub):
    assert (await hub.get("/api/plates/1220123456")).json()["kind"] == "fallback"
    assert (await hub.get("/api/plates/12")).status_code == 400


async def test_whose_bag_it_is_shows_an_initial_to_who_may_not_see_names(hub, day):
    told = (await hub.get(f"/api/bags/{PLATE}/passenger")).json()
    assert told["is_hidden"]
    assert told["surname"].startswith("M")
    assert "ller" not in told["surname"]
    assert (await hub.get("/api/bags/0000000001/passenger")).status_code == 404
