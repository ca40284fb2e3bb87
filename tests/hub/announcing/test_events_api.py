"""Events asked for from where a system stopped reading."""

import time

import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.settings import load_settings
from litestar.testing import AsyncTestClient
from sqlalchemy import text


@pytest.fixture
def database_url(shared_database_url):
    """One for all: each test begins with events of its own, and no others."""
    return shared_database_url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_hub(shared_database_url, tmp_path_factory):
    settings = load_settings(
        mode="dev",
        database_url=shared_database_url,
        data_dir=tmp_path_factory.mktemp("hub"),
        base_url="https://hub.example",
        broker_url="none:",
    )
    async with AsyncTestClient(create_app(settings, ["auth", "baggage"])) as client:
        yield client


@pytest.fixture
def hub(running_hub):
    signer = running_hub.app.state.hub.keys.signer
    token = signer.issue("0", "partner", frozenset({"webhooks:write"}), int(time.time()))
    running_hub.headers["authorization"] = f"Bearer {token}"
    return running_hub


@pytest.fixture
async def three_events(hub, database):
    async with database.writing() as session:
        await session.execute(text("DELETE FROM outbox"))
        events = [
            GatewayStateChanged(at_us=n, site="lfbo", gateway=f"hall-{n}", state="gone")
            for n in (1, 2, 3)
        ]
        await write_events(session, events)
    async with database.reading() as session:
        return list(await session.scalars(text("SELECT id FROM outbox ORDER BY id")))


async def test_a_reader_goes_through_all_of_them_and_comes_back_for_more(hub, three_events):
    first = (await hub.get("/api/events", params={"limit": 2})).json()
    assert [each["data"]["at_us"] for each in first["events"]] == [1, 2]
    assert first["next_after"] == three_events[1]
    assert first["events"][0]["source"] == "https://hub.example"
    rest = (await hub.get("/api/events", params={"after": first["next_after"]})).json()
    assert [each["id"] for each in rest["events"]] == [str(three_events[2])]
    nothing = (await hub.get("/api/events", params={"after": rest["next_after"]})).json()
    assert nothing == {"events": [], "next_after": three_events[2]}


async def test_an_event_names_the_trace_that_made_it(hub, database, three_events):
    made_by = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with database.writing() as session:
        await session.execute(
            text("UPDATE outbox SET traceparent = :made_by WHERE id = :id"),
            {"made_by": made_by, "id": three_events[1]},
        )
    told = (await hub.get("/api/events")).json()["events"]
    assert [each.get("traceparent") for each in told] == [None, made_by, None]


async def test_what_is_no_longer_kept_is_said(hub, database, three_events):
    async with database.writing() as session:
        await session.execute(text("DELETE FROM outbox WHERE id <= :id"), {"id": three_events[1]})
    assert (await hub.get("/api/events", params={"after": three_events[1]})).status_code == 200
    gone = await hub.get("/api/events", params={"after": max(1, three_events[0] - 1)})
    if three_events[0] > 1 or three_events[1] > 2:
        assert gone.status_code == 410
        assert f"the oldest that is kept is {three_events[2]}" in gone.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kinds": "bag_lost"}, "'bag_lost' is no kind of event"),
        ({"after": "-1"}, "after"),
        ({"limit": "1001"}, "limit"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_is_wrong(hub, asked, said):
    answer = await hub.get("/api/events", params=asked)
    assert answer.status_code == 400
    assert said in answer.text


async def test_strangers_are_told_nothing_but_what_could_be_told(hub):
    del hub.headers["authorization"]
    assert (await hub.get("/api/events")).status_code == 401
    described = await hub.get("/asyncapi.json")
    assert described.json()["asyncapi"] == "3.0.0"
