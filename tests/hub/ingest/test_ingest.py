"""Partners' events over HTTP: once only, as the gateway of the account's name."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.observations import list_stored
from aerocast_hub.gateways.registry import add_gateway, revoke_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.ingest.reported import (
    EVENTS_A_BODY,
    MOST_EVENTS,
    Report,
    ReportedPassage,
    as_sent,
)
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_protocols.batch import LARGEST_BODY, decode_body, decode_envelope
from litestar.testing import AsyncTestClient

from tests.hub.auth.conftest import PASSWORD, HashedBefore

WHERE = "/api/ingest/lfbo"
SEEN_US = 1_781_438_400_000_000
PLATE = "0057123456"


@asynccontextmanager
async def running_hub(database_url, folder):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", broker_url="none:"
    )
    database = Database(database_url)
    async with database.writing() as session:
        await seed_roles(session)
        for name, role in (("sorter", "service"), ("eva", "viewer"), ("not.a.gateway", "service")):
            await add_user(session, HashedBefore(), NewUser(name, PASSWORD, role), now_us=1)
        await add_gateway(session, "lfbo", "sorter")
    await database.close()
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        yield client


@pytest.fixture
async def hub(database_url, tmp_path):
    async with running_hub(database_url, tmp_path) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing_hub(shared_database_url, tmp_path_factory):
    """One for all that is refused."""
    async with running_hub(shared_database_url, tmp_path_factory.mktemp("hub")) as client:
        yield client


@pytest.fixture
async def sorter(hub):
    return await log_in(hub, "sorter")


async def log_in(hub, name):
    got = await hub.post("/auth/login", json={"name": name, "password": PASSWORD})
    return {"authorization": f"Bearer {got.json()['access_token']}"}


def passage(number=0, **fields):
    event = {
        "kind": "bag_passage",
        "device": "line-2",
        "seen_at_us": SEEN_US + number * 1_000_000,
        "belt": "line-2",
        "point": "sortation",
        "licence_plate": PLATE,
    }
    return event | fields


def report(first, count, **fields):
    return {"first_sequence": first, "events": [passage(first + n) for n in range(count)]} | fields


async def test_events_are_stored_at_their_time_and_make_a_journey(hub, sorter, database):
    got = await hub.post(WHERE, json=report(1, 100), headers=sorter)
    assert got.status_code == 200
    assert got.json() == {
        "epoch": 0,
        "up_to_sequence": 100,
        "highest_sequence": 100,
        "missing": [],
        "refused": [],
        "retry_after_ms": 0,
    }
    async with database.reading() as session:
        newest = (await list_stored(session, limit=1))[0]
    assert (newest.gateway, newest.seen_at_us) == ("sorter", SEEN_US + 100_000_000)
    assert newest.clock_quality == 3
    bag = await hub.get(f"/api/bags/{PLATE}", headers=sorter)
    assert "line-2" in bag.text


async def test_the_same_numbers_sent_again_change_nothing(hub, sorter, database):
    for _ in range(3):
        await hub.post(WHERE, json=report(1, 60), headers=sorter)
    await asyncio.gather(*(hub.post(WHERE, json=report(31, 60), headers=sorter) for _ in range(4)))
    async with database.reading() as session:
        (account,) = await loss_accounts(session)
        assert len(await list_stored(session, limit=1000)) == 90
    assert (account.received, account.unexplained) == (90, 0)


async def test_what_is_still_to_come_is_told(hub, sorter):
    got = (await hub.post(WHERE, json=report(101, 50), headers=sorter)).json()
    assert (got["up_to_sequence"], got["highest_sequence"]) == (0, 150)
    assert got["missing"] == [[1, 100]]
    got = (await hub.post(WHERE, json=report(1, 100), headers=sorter)).json()
    assert (got["up_to_sequence"], got["missing"]) == (150, [])


async def test_every_kind_a_partner_may_report_is_taken(hub, sorter, database):
    seen = {"device": "d", "seen_at_us": SEEN_US}
    events = [
        passage(),
        seen | {"kind": "tag_read", "epc": "E2801160", "antenna": 2, "rssi_dbm": -51.5},
        seen | {"kind": "code_scan", "licence_plate": PLATE, "point": "loading"},
        seen | {"kind": "no_read", "point": "sortation", "belt": "line-2"},
        seen | {"kind": "unread_bag", "point": "sortation", "belt": "line-2"},
    ]
    got = await hub.post(WHERE, json={"first_sequence": 1, "events": events}, headers=sorter)
    assert got.json()["up_to_sequence"] == 5
    async with database.reading() as session:
        kinds = {each.observation["kind"] for each in await list_stored(session)}
    assert kinds == {event["kind"] for event in events}


async def test_a_partner_speaks_for_itself_alone(hub, sorter, database):
    assert (await hub.post(WHERE, json=report(1, 1))).status_code == 401
    eva = await log_in(hub, "eva")
    assert (await hub.post(WHERE, json=report(1, 1), headers=eva)).status_code == 403
    elsewhere = await hub.post("/api/ingest/lfpg", json=report(1, 1), headers=sorter)
    assert elsewhere.status_code == 404
    assert "aerocast-hub gateway add lfpg sorter" in elsewhere.json()["detail"]
    dotted = await log_in(hub, "not.a.gateway")
    assert (await hub.post(WHERE, json=report(1, 1), headers=dotted)).status_code == 403
    async with database.writing() as session:
        await revoke_gateway(session, "lfbo", "sorter")
    assert (await hub.post(WHERE, json=report(1, 1), headers=sorter)).status_code == 404


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        (report(0, 1), "first_sequence"),
        (report(1, 1, epoch=-1), "epoch"),
        ({"first_sequence": 1, "events": []}, "events"),
        ({"first_sequence": 1, "events": [passage()] * (MOST_EVENTS + 1)}, "events"),
        ({"first_sequence": 1, "events": [passage(licence_plate="12")]}, "licence_plate"),
        ({"first_sequence": 1, "events": [passage(seen_at_us=-1)]}, "seen_at_us"),
        ({"first_sequence": 1, "events": [passage(kind="evicted")]}, "kind"),
        ({"first_sequence": 1, "events": [passage(colour="red")]}, "colour"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_stored(refusing_hub, spoiled, named):
    sorter = await log_in(refusing_hub, "sorter")
    got = await refusing_hub.post(WHERE, json=spoiled, headers=sorter)
    assert got.status_code == 400
    assert named in got.text


def test_the_longest_events_fit_the_wire():
    longest = Report(
        first_sequence=2**62 - 1,
        events=[long_passage()] * (EVENTS_A_BODY + 1),
    )
    sent = as_sent(longest, 1)
    assert [decode_body(decode_envelope(each).body).count for each in sent] == [EVENTS_A_BODY, 1]
    assert all(len(decode_envelope(each).body) <= LARGEST_BODY for each in sent)


def long_passage():
    wide = "\N{BAGGAGE CLAIM}"  # four bytes of UTF-8
    return ReportedPassage(
        device=wide * 64,
        seen_at_us=SEEN_US,
        belt=wide * 256,
        point="acceptance",
        licence_plate=PLATE,
    )
