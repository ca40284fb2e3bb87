"""Asking for events: parameters, pages, resources, named queries."""

from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.hub.epcis.bag_events import BAG, CONTEXT, document, seen
from tests.hub.epcis.conftest import speaking_hub
from tests.hub.epcis.test_capture import EVENTS, capture, events

V2 = "/epcis/v2"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine_kind(request):
    """Which database the test runs on."""
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url, tmp_path_factory):
    """One for all who ask about the same forty events."""
    async with speaking_hub(shared_database_url, tmp_path_factory.mktemp("hub")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def many(hub):
    """Forty events, one a minute, every other one a loading; with things under GS1 keys."""
    told = [
        seen(
            minute,
            bizStep=("accepting", "loading")[minute % 2],
            epcList=[BAG, f"urn:epc:id:sscc:4012345.{minute:010d}"],
        )
        for minute in range(40)
    ]
    await capture(hub, document(*told))
    return told


def minutes(told):
    return [int(each["eventTime"][14:16]) for each in told]


async def test_events_are_found_by_what_is_asked(hub, many):
    assert minutes(await events(hub, EQ_bizStep="loading", perPage="3")) == [39, 37, 35]
    step = "https://ref.gs1.org/cbv/BizStep-loading"
    assert minutes(await events(hub, EQ_bizStep=step, perPage="1")) == [39]
    early = {"LT_eventTime": "2026-11-22T20:02:00+01:00", "orderDirection": "ASC"}
    assert minutes(await events(hub, **early)) == [0, 1]
    thing = "https://id.gs1.org/00/040123450000000078"
    assert minutes(await events(hub, MATCH_epc=thing)) == [7]
    assert minutes(await events(hub, MATCH_anyEPC="urn:epc:id:sscc:4012345.0000000007")) == [7]
    assert await events(hub, MATCH_parentID=BAG) == []
    place = "https://other.example/id/place/lfpg"
    assert len(await events(hub, WD_readPoint=place, perPage="100")) == 40
    assert await events(hub, EQ_readPoint=place) == []
    assert len(await events(hub, eventCountLimit="4")) == 4
    assert len(await events(hub, GE_recordTime="2020-01-01T00:00:00Z", perPage="50")) == 40
    assert await events(hub, EQ_quantity="5") == []


async def test_pages_follow_each_other_to_the_end(hub, many):
    answer = await hub.get(EVENTS, params={"perPage": "15", "EQ_action": "OBSERVE"})
    found = []
    for _ in range(5):
        told = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        found += minutes(told)
        if "link" not in answer.headers:
            break
        assert "gs1-next-page-token-expires" in answer.headers
        address = answer.headers["link"].partition(">")[0].removeprefix("<")
        answer = await hub.get(address)
    assert found == list(range(39, -1, -1))
    limited = await hub.get(EVENTS, params={"perPage": "3", "eventCountLimit": "5"})
    rest = await hub.get(limited.headers["link"].partition(">")[0].removeprefix("<"))
    assert len(rest.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 2
    assert "link" not in rest.headers
    token = address.partition("nextPageToken=")[2]
    other = await hub.get(EVENTS, params={"nextPageToken": token, "EQ_action": "ADD"})
    assert other.json()["type"] == "epcisException:QueryParameterException"
    assert (await hub.delete(f"{V2}/nextPageToken/{token}")).status_code == 204


NO_QUERIES = (
    {"perhaps": "1"}, {"GE_eventTime": "soon"}, {"perPage": "0"}, {"perPage": "9999999"},
    {"nextPageToken": "x"}, {"nextPageToken": "x.y.z"}, {"orderBy": "colour"}, {"EQ_action": "EAT"},
)  # fmt: skip


async def test_a_query_that_is_none_is_refused(hub):
    for asked in NO_QUERIES:
        told = await events(hub, status=400, **asked)
        assert told["type"] == "epcisException:QueryParameterException"


async def test_too_many_are_refused_by_their_name(hub, many):
    answer = await hub.get(EVENTS, params={"maxEventCount": "39"})
    assert (answer.status_code, answer.json()["type"]) == (
        413,
        "epcisException:QueryTooLargeException",
    )
    assert len(await events(hub, maxEventCount="40", perPage="50")) == 40


async def test_there_is_a_resource_for_each_word_and_thing(hub, many):
    async def member(path, status=200, **asked):
        answer = await hub.get(f"{V2}{path}", params=asked)
        assert answer.status_code == status, answer.text
        return answer.json().get("member")

    assert "queries" in await member("/")
    assert await member("/bizSteps") == ["accepting", "loading"]
    assert await member("/dispositions") == ["in_progress"]
    assert "ObjectEvent" in await member("/eventTypes")
    assert await member("/readPoints") == ["https://other.example/id/place/lfpg/desk-7"]
    assert len(await member("/epcs", perPage="10")) == 10
    assert await member("/bizSteps/loading") == ["events"]
    assert await member("/eventTypes/AggregationEvent") == ["events"]
    await member("/bizSteps/picking", 404)
    thing = quote("urn:epc:id:sscc:4012345.0000000007", safe="")
    assert await member(f"/epcs/{thing}") == ["events"]
    answer = await hub.get(f"{V2}/epcs/{quote(BAG, safe='')}/events", params={"perPage": "2"})
    told = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert minutes(told) == [39, 38]
    twice = await hub.get(f"{V2}/bizSteps/loading/events", params={"EQ_bizStep": "loading"})
    assert twice.status_code == 400
    for path in ("", "/events", "/bizSteps", "/queries", "/queries/x/subscriptions"):
        answer = await hub.options(f"{V2}{path}")
        assert answer.status_code == 204
        assert answer.headers["gs1-cbv-max"] == "2.0.0"


async def test_a_query_has_a_name_until_it_is_removed(hub, many):
    query = {"name": "loaded", "query": {"EQ_bizStep": ["loading"], "eventCountLimit": 3}}
    made = await hub.post(f"{V2}/queries", json=query)
    assert (made.status_code, made.headers["location"]) == (201, f"{V2}/queries/loaded")
    again = await hub.post(f"{V2}/queries", json=query)
    assert again.json()["type"] == "epcisException:ResourceAlreadyExistsException"
    assert (await hub.get(f"{V2}/queries/loaded")).json() == query
    answer = await hub.get(f"{V2}/queries/loaded/events")
    results = answer.json()["epcisBody"]["queryResults"]
    assert results["queryName"] == "loaded"
    assert minutes(results["resultsBody"]["eventList"]) == [39, 37, 35]
    bad = await hub.post(f"{V2}/queries", json={"name": "bad", "query": {"perhaps": 1}})
    assert bad.json()["type"] == "epcisException:QueryParameterException"
    await hub.post(f"{V2}/queries", json={"name": "all", "query": {}})
    first = await hub.get(f"{V2}/queries", params={"perPage": "1"})
    second = await hub.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    assert [each["name"] for each in first.json() + second.json()] == ["all", "loaded"]
    assert (await hub.delete(f"{V2}/queries/loaded")).status_code == 204
    gone = await hub.get(f"{V2}/queries/loaded/events")
    assert gone.json()["type"] == "epcisException:NoSuchNameException"


async def test_prefixes_that_mean_two_things_stay_apart(database_url, tmp_path):
    async with speaking_hub(database_url, tmp_path) as hub:
        await told_apart(hub)


async def told_apart(hub):
    await capture(hub, document(seen(1, **{"ext:a": "1"})))
    other = [CONTEXT, {"ext": "https://elsewhere.example/"}]
    await capture(hub, document(seen(2, **{"ext:a": "2"}), **{"@context": other}))
    answer = (await hub.get(EVENTS)).json()
    second, first = answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert answer["@context"] == [CONTEXT, {"ext": "https://elsewhere.example/"}]
    assert "@context" not in second
    assert first["@context"] == [CONTEXT, {"ext": "https://other.example/ns/"}]
