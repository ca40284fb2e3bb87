"""A hub as it runs in life: WebSockets, and addresses with addresses in them."""

import json
from urllib.parse import quote

import httpx
import pytest

from tests.hub.browser.conftest import NAME, PASSWORD, Hub
from tests.hub.epcis.bag_events import BAG, document, seen
from tests.hub.epcis.web_socket import RefusedError, web_socket

V2 = "/epcis/v2"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    started = Hub(tmp_path_factory.mktemp("hub"))
    started.command("user", "add", NAME, "--role", "admin", given=f"{PASSWORD}\n")
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def client(hub):
    asked = {"name": NAME, "password": PASSWORD}
    tokens = httpx.post(f"{hub.base}/auth/login", json=asked, timeout=60).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    with httpx.Client(base_url=hub.base, headers=headers, timeout=60) as opened:
        made = {"name": "loaded", "query": {"EQ_bizStep": ["loading"]}}
        assert opened.post(f"{V2}/queries", json=made).status_code == 201
        yield opened


def test_what_a_query_finds_comes_over_a_web_socket(hub, client):
    allowed = {"authorization": client.headers["authorization"]}
    with web_socket(f"{hub.base}{V2}/queries/loaded/events?stream=true", allowed) as listening:
        told = document(seen(1), seen(2, bizStep="loading"))
        assert client.post(f"{V2}/capture", json=told).status_code == 202
        found = json.loads(listening.receive())
    (event,) = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert event["eventTime"] == "2026-11-22T20:02:00+01:00"
    with web_socket(f"{hub.base}{V2}/queries/loaded/events?second=[0-59]", allowed) as listening:
        client.post(f"{V2}/capture", json=document(seen(3, bizStep="loading")))
        assert "20:03:00" in listening.receive()


@pytest.mark.parametrize(
    ("name", "headers"),
    [("none", {}), ("loaded", {"origin": "https://evil.example"}),
     ("loaded", {"authorization": ""}), ("loaded?hour=25", {})],
)  # fmt: skip
def test_a_web_socket_is_opened_only_to_who_may_and_for_what_is_there(hub, client, name, headers):
    path, _, query = name.partition("?")
    allowed = {"authorization": client.headers["authorization"]} | headers
    with (
        pytest.raises(RefusedError),
        web_socket(f"{hub.base}{V2}/queries/{path}/events?{query}", allowed),
    ):
        pass


def test_addresses_with_addresses_in_them_are_found(client):
    made = client.post(
        f"{V2}/events",
        json={"@context": "https://x.example/c", **seen(9, epcList=[BAG, "urn:a:1"])},
    )
    assert made.status_code == 201
    found = client.get(made.headers["location"])
    assert found.status_code == 200, found.text
    assert found.json()["epcList"] == [BAG, "urn:a:1"]
    for path in (quote(BAG, safe=""), quote(BAG, safe=":/")):
        events = client.get(f"{V2}/epcs/{path}/events").json()
        assert events["epcisBody"]["queryResults"]["resultsBody"]["eventList"], path
    place = quote("https://other.example/id/place/lfpg/desk-7", safe="")
    assert client.get(f"{V2}/readPoints/{place}").json()["member"] == ["events"]
