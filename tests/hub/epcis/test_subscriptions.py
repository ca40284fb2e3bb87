"""Subscriptions: to a real server, signed, as it comes or by a schedule; and over a WebSocket."""

import json
import time

import pytest
from aerocast_hub.webhooks.signing import is_genuine

from tests.hub.epcis.bag_events import document, seen
from tests.hub.epcis.test_capture import capture
from tests.hub.webhooks.receiver import receiving

QUERIES = "/epcis/v2/queries"


@pytest.fixture
async def receiver():
    async with receiving() as found:
        yield found


@pytest.fixture
async def loaded(hub):
    """A named query for loadings."""
    query = {"name": "loaded", "query": {"EQ_bizStep": ["loading"]}}
    assert (await hub.post(QUERIES, json=query)).status_code == 201
    return f"{QUERIES}/loaded"


def told(got):
    return json.loads(got.body)["epcisBody"]["queryResults"]


async def test_what_a_query_finds_is_posted_as_it_comes_and_signed(hub, loaded, receiver):
    await capture(hub, document(seen(1, bizStep="loading")))
    wanted = {"dest": receiver.url, "signatureToken": "13df38d8275b13f0", "stream": True}
    made = await hub.post(f"{loaded}/subscriptions", json=wanted)
    assert made.status_code == 201, made.text
    assert "signatureToken" not in made.json()
    await capture(hub, document(seen(2), seen(3, bizStep="loading")))
    got = await receiver.next()
    results = told(got)
    assert [each["eventTime"] for each in results["resultsBody"]["eventList"]] == [
        "2026-11-22T20:03:00+01:00"
    ]
    assert results["queryName"] == "loaded"
    assert results["subscriptionID"] == made.json()["subscriptionID"]
    assert got.headers["content-type"] == "application/ld+json"
    assert is_genuine(
        "13df38d8275b13f0",
        got.headers["webhook-id"],
        got.headers["webhook-timestamp"],
        got.headers["gs1-signature"],
        got.body,
        now_s=int(time.time()),
    )
    (listed,) = (await hub.get(f"{loaded}/subscriptions")).json()
    assert listed["stream"] is True
    assert "lastNotifiedAt" in listed
    where = made.headers["location"]
    assert (await hub.delete(where)).status_code == 204
    assert (await hub.get(where)).status_code == 404
    await capture(hub, document(seen(4, bizStep="loading")))
    assert receiver.got.empty()


async def test_a_schedule_reports_even_nothing_and_from_when_it_is_asked(hub, loaded, receiver):
    await capture(hub, document(seen(1, bizStep="loading")))
    wanted = {
        "dest": receiver.url,
        "schedule": {"second": "[0-59]"},
        "reportIfEmpty": True,
        "initialRecordTime": "2020-01-01T00:00:00Z",
    }
    made = await hub.post(f"{loaded}/subscriptions", json=wanted)
    assert made.json()["signatureToken"].startswith("whsec_")
    assert len(told(await receiver.next())["resultsBody"]["eventList"]) == 1
    assert told(await receiver.next())["resultsBody"]["eventList"] == []
    assert (await hub.delete(loaded)).status_code == 204  # and its subscriptions with it
    assert (await hub.get(f"{loaded}/subscriptions")).status_code == 404


async def test_what_is_no_subscription_is_refused(hub, loaded):
    here = {"dest": "https://127.0.0.1/x", "signatureToken": "13df38d8"}
    for wrong in (
        here,
        {**here, "stream": True, "schedule": {"hour": "1"}},
        {**here, "schedule": {"hour": "25"}},
        {**here, "schedule": {"dayOfMonth": "31", "month": "2"}},
        {**here, "stream": True, "initialRecordTime": "soon"},
        {"dest": "ftp://example.com/", "stream": True},
    ):
        answer = await hub.post(f"{loaded}/subscriptions", json=wrong)
        assert answer.status_code == 400
        assert answer.json()["type"] == "epcisException:SubscriptionControlsException"
    lost = await hub.post(f"{QUERIES}/none/subscriptions", json={**here, "stream": True})
    assert lost.json()["type"] == "epcisException:NoSuchNameException"
