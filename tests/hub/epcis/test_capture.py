"""Capturing: once each, all or nothing or what is good, with errors by their EPCIS names."""

import asyncio
import json
from urllib.parse import quote

from aerocast_hub.epcis.answers import ERROR_HANDLERS
from litestar import Litestar, get
from litestar.testing import AsyncTestClient

from tests.hub.epcis.bag_events import BAG, CONTEXT, PLATE, document, seen
from tests.hub.epcis.test_validation import INVALID, VALID, load
from tests.hub.epcis.test_validation import pytestmark as needs_examples

CAPTURE, EVENTS = "/epcis/v2/capture", "/epcis/v2/events"


async def capture(hub, told, status=202, **headers):
    answer = await hub.post(CAPTURE, json=told, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


async def events(hub, status=200, **asked):
    answer = await hub.get(EVENTS, params=asked)
    assert answer.status_code == status, answer.text
    told = answer.json()
    return told["epcisBody"]["queryResults"]["resultsBody"]["eventList"] if status == 200 else told


async def test_a_document_is_captured_once_and_its_job_says_so(hub):
    answer = await capture(hub, document(seen(), seen(5)))
    where = answer.headers["location"]
    job = (await hub.get(where)).json()
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    assert job["captureErrorBehaviour"] == "rollback"
    assert answer.headers["gs1-epcis-version"] == "2.0.0"
    assert answer.headers["gs1-epcis-capture-limit"] == "1000"
    await capture(hub, document(seen(5), seen()))
    told = await events(hub)
    assert [each["eventTime"] for each in told] == [
        "2026-11-22T20:05:00+01:00",
        "2026-11-22T20:00:00+01:00",
    ]
    assert all(each["eventID"].startswith("ni:///sha-256;") for each in told)
    assert all("recordTime" in each for each in told)
    jobs = await hub.get(CAPTURE, params={"perPage": "1"})
    assert len(jobs.json()) == 1
    more = jobs.headers["link"].partition(">")[0].removeprefix("<")
    assert [each["captureID"] for each in (await hub.get(more)).json()] == [job["captureID"]]


async def test_a_wrong_event_takes_all_with_it_or_is_left_out(hub):
    wrong = seen(3, bizStep="transforming")
    refused = await capture(hub, document(seen(), wrong), 400)
    problem = refused.json()
    assert problem["type"] == "epcisException:ValidationException"
    assert problem["detail"].startswith("/epcisBody/eventList/1/bizStep: ")
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert await events(hub) == []
    proceed = {"GS1-Capture-Error-Behaviour": "proceed"}
    job = (await capture(hub, document(seen(), wrong), **proceed)).json()
    assert (job["success"], len(job["errors"])) == (False, 1)
    assert "transforming" in job["errors"][0]["detail"]
    assert len(await events(hub)) == 1
    odd = {"GS1-Capture-Error-Behaviour": "hope"}
    await capture(hub, document(seen()), 400, **odd)


async def test_an_id_belongs_to_one_event(hub):
    await capture(hub, document(seen(eventID="urn:uuid:1")))
    await capture(hub, document(seen(eventID="urn:uuid:1")))
    job = (await capture(hub, document(seen(1, eventID="urn:uuid:1"), seen(2)))).json()
    assert "another event has the id urn:uuid:1" in job["errors"][0]["detail"]
    assert len(await events(hub)) == 1  # all or nothing
    taken = await hub.post(EVENTS, json={"@context": CONTEXT, **seen(3, eventID="urn:uuid:1")})
    assert taken.status_code == 409
    assert taken.json()["type"] == "epcisException:ResourceAlreadyExistsException"
    wrong = {"declarationTime": "2026-11-22T22:00:00Z", "reason": "did_not_occur"}
    await capture(hub, document(seen(eventID="urn:uuid:1", errorDeclaration=wrong)))
    assert len(await events(hub)) == 2
    (declared,) = await events(hub, EXISTS_errorDeclaration="")
    assert declared["errorDeclaration"] == wrong


async def test_one_event_is_captured_and_found_by_its_id(hub):
    event = {"@context": [CONTEXT, {"ext": "https://other.example/ns/"}], **seen(), "ext:x": "1"}
    answer = await hub.post(EVENTS, json=event)
    assert answer.status_code == 201
    found = (await hub.get(answer.headers["location"])).json()
    assert found["@context"] == [CONTEXT, {"ext": "https://other.example/ns/"}]
    assert found["ext:x"] == "1"
    assert (await hub.get(f"{EVENTS}/{quote('urn:none', safe='')}")).status_code == 404
    assert (await hub.post(EVENTS, json=document(seen()))).status_code == 400


async def test_what_others_tell_of_a_bag_is_evidence_marked_as_theirs(hub):
    uld = "https://other.example/id/container/AKE12345AF"
    loaded = seen(
        20,
        type="AggregationEvent",
        parentID=uld,
        childEPCs=[BAG],
        action="ADD",
        bizStep="loading",
        bizTransactionList=[
            {"bizTransaction": "https://other.example/id/flight/AF6120.2026-11-22"}
        ],
    )
    del loaded["epcList"]
    screened = seen(10, bizStep="inspecting", disposition="non_conformant")
    await capture(hub, document(seen(eventID="urn:uuid:1"), screened, loaded))
    (history,) = (await hub.get(f"/api/bags/{PLATE}/history")).json()
    kinds = [(each["kind"], each["told"].get("told_by")) for each in history["evidence"]]
    assert kinds == [("seen", "epcis op"), ("screened", "epcis op"), ("stowed", "epcis op")]
    journey = history["journey"]
    assert (journey["screening"], journey["container"]) == ("rejected", "AKE12345AF")
    assert journey["custody"]["acceptance"] == 1795374000000000
    assert journey["stowed_for"]["flight"] == "AF6120"
    wrong = {"declarationTime": "2026-11-22T22:00:00Z"}
    await capture(hub, document(seen(eventID="urn:uuid:1", errorDeclaration=wrong)))
    (history,) = (await hub.get(f"/api/bags/{PLATE}/history")).json()
    assert "acceptance" not in history["journey"]["custody"]
    told = await events(hub)
    assert len(told) == 4  # and none of our own: it was others who told it


async def test_what_is_not_understood_is_refused_by_its_epcis_name(hub):
    sent = {"content-type": "text/plain"}
    kinds = {
        415: await hub.post(CAPTURE, content="hello", headers=sent),
        400: await hub.post(CAPTURE, content="{", headers={"content-type": "application/json"}),
        406: await hub.get(EVENTS, headers={"accept": "application/xml"}),
        404: await hub.get(f"{CAPTURE}/none"),
        413: await hub.post(CAPTURE, json=document(*[seen()] * 1001)),
        414: await hub.get(EVENTS, params={"EQ_eventID": "urn:x:" + "y" * 17_000}),
        401: await hub.get(EVENTS, headers={"authorization": ""}),
    }
    for status, answer in kinds.items():
        assert answer.status_code == status, answer.text
        assert answer.json()["type"].startswith("epcisException:"), answer.text
        assert answer.json()["status"] == status
    newer = await hub.get(EVENTS, headers={"GS1-EPCIS-Min": "3.0.0"})
    assert newer.json()["type"] == "epcisException:NotAcceptableException"
    assert (await hub.get(EVENTS, headers={"GS1-EPCIS-Version": "2.0"})).status_code == 200


@needs_examples
async def test_every_example_goes_in_and_comes_out_again(hub):
    sent = 0
    for file in VALID:
        told = load(file)
        if told["type"] not in ("EPCISDocument", "EPCISQueryDocument"):
            assert (await hub.post(EVENTS, json=told)).status_code in (201, 409)
            continue
        answer = await capture(hub, told, **{"GS1-Capture-Error-Behaviour": "proceed"})
        for error in answer.json()["errors"]:
            assert "another event has the id" in error["detail"], (file.name, error)
        sent += 1
    assert sent > len(VALID) / 2
    for file in INVALID:
        assert (await hub.post(CAPTURE, json=load(file))).status_code == 400, file.name


async def test_bodies_that_are_no_documents_are_refused(hub):
    deep = "[" * 100_000
    for body in (b"", b"null", b"[]", b'"x"', b"\xff", deep.encode(), b'{"type": 5}', b"{}"):
        answer = await hub.post(CAPTURE, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, body[:20]


async def test_many_at_once_capture_each_event_once(hub):
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(capture(hub, document(seen(), seen(1), seen(2))))
    assert len(await events(hub)) == 3
    assert json.dumps(await events(hub)).count(BAG) == 3


@get("/fails")
async def fails() -> None:
    raise ZeroDivisionError("the password is hunter2")


async def test_a_fault_of_the_hubs_own_is_told_and_logged_under_its_reference(caplog):
    # As the hub makes its own: the log is not Litestar's.
    app = Litestar([fails], exception_handlers=ERROR_HANDLERS, logging_config=None)
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        answer = await client.get("/fails")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["type"] == "epcisException:ImplementationException"
    (logged,) = [each for each in caplog.records if each.name.startswith("aerocast_hub.")]
    assert answer.json()["detail"] == f"reference {logged.args[0]}"
    assert logged.exc_info is not None
