"""Events pushed to a real server: once each, signed, again after failures, given up at last."""

import json
import time

import httpx
import pytest
from aerocast_hub.alerts.store import open_alerts
from aerocast_hub.app import create_app
from aerocast_hub.events.alerts import AlertCleared, AlertRaised
from aerocast_hub.events.partners import WebhookDied
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.settings import load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.webhooks.destinations import Allowed
from aerocast_hub.webhooks.following import take_in
from aerocast_hub.webhooks.retrying import MOST_ATTEMPTS
from aerocast_hub.webhooks.sender import Sender
from aerocast_hub.webhooks.signing import is_genuine
from aerocast_hub.webhooks.store import (
    KEPT_US,
    Outcome,
    add_webhook,
    deliveries_of,
    find_webhook,
    note_outcome,
    remove_webhook,
    revive_webhook,
    sweep,
    take_due,
)
from aerocast_hub.webhooks.tables import DeliveryRow
from litestar.testing import AsyncTestClient
from sqlalchemy import update

from tests.hub.alerts.test_alerts import until
from tests.hub.webhooks.receiver import receiving

RAISED = AlertRaised(
    at_us=1_700_000_000_000_000,
    alert_id="a1",
    alert_kind="not_authorised",
    subject="bag 1",
    severity="critical",
    reason="loaded without authority",
)
CLEARED = AlertCleared(
    at_us=1_700_000_001_000_000, alert_id="a1", alert_kind="not_authorised", subject="bag 1"
)


@pytest.fixture
async def receiver():
    async with receiving() as found:
        yield found


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=60, trust_env=False) as opened:
        yield opened


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev",
        database_url=database_url,
        data_dir=tmp_path / "data",
        broker_url="none:",
        webhooks_private=True,
    )
    async with AsyncTestClient(create_app(settings, ["auth", "baggage"])) as client:
        may = frozenset({"webhooks:write", "alerts:read"})
        token = client.app.state.hub.keys.signer.issue(
            "00000000-0000-0000-0000-000000000001", "op", may, int(time.time())
        )
        client.headers["authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
async def webhook(database, receiver):
    async with database.writing() as session:
        added, secret = await add_webhook(session, receiver.url, ["alert_raised"], "op")
    return added, secret


async def queued(database, *events):
    async with database.writing() as session:
        assert await take_in(session, events) == []


def sender(database, *, private_too=True):
    return Sender(database, Publisher(database, Metrics()), Allowed(private_too=private_too))


async def state_of(database, webhook_id):
    async with database.reading() as session:
        return (
            await find_webhook(session, webhook_id),
            await deliveries_of(session, webhook_id),
        )


async def test_an_event_is_pushed_once_and_signed(database, receiver, client, webhook):
    added, secret = webhook
    await queued(database, RAISED, CLEARED)
    assert await sender(database).send_due(client) == 1
    assert await sender(database).send_due(client) == 0
    got = await receiver.next()
    assert json.loads(got.body) == {
        "type": "alert_raised",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "data": {
            "kind": "alert_raised",
            "at_us": RAISED.at_us,
            "alert_id": "a1",
            "alert_kind": "not_authorised",
            "subject": "bag 1",
            "severity": "critical",
            "reason": "loaded without authority",
        },
    }
    assert is_genuine(
        secret,
        got.headers["webhook-id"],
        got.headers["webhook-timestamp"],
        got.headers["webhook-signature"],
        got.body,
        now_s=int(time.time()),
    )
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    found, (delivery,) = await state_of(database, added.id)
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 200)
    assert found.delivered_at_us is not None


async def test_what_fails_is_sent_again_later_with_the_same_number(
    database, receiver, client, webhook
):
    receiver.answers = [503, "hang up", 302]
    await queued(database, RAISED)
    ids = set()
    for _ in range(4):
        await sender(database).send_due(client)
        ids.add((await receiver.next()).headers["webhook-id"])
        await make_due(database)
    assert len(ids) == 1
    _, (delivery,) = await state_of(database, webhook[0].id)
    assert (delivery.state, delivery.attempts) == ("delivered", 4)


async def make_due(database):
    """Let the waiting time pass."""
    async with database.writing() as session:
        await session.execute(
            update(DeliveryRow).where(DeliveryRow.state == "waiting").values(next_at_us=0)
        )


async def test_two_hubs_send_nothing_twice(database, receiver, client, webhook):
    await queued(database, RAISED)
    now_us = time.time_ns() // 1000
    async with database.writing() as session:
        first = await take_due(session, now_us)
    async with database.writing() as session:
        second = await take_due(session, now_us)
    assert (len(first), len(second)) == (1, 0)


async def test_a_webhook_that_never_answers_is_given_up_and_revived(database, webhook):
    added, _ = webhook
    await queued(database, RAISED)
    told = []
    for attempt in range(MOST_ATTEMPTS):
        await make_due(database)
        now_us = time.time_ns() // 1000
        async with database.writing() as session:
            (due,) = await take_due(session, now_us)
            assert due.attempts == attempt
            told += await note_outcome(session, due, Outcome(None, "refused"), now_us, 0.5)
    (died,) = told
    assert isinstance(died, WebhookDied)
    found, (delivery,) = await state_of(database, added.id)
    assert (found.state, found.failure, delivery.state) == ("dead", "refused", "dead")
    await queued(database, RAISED)  # nothing is gathered for it meanwhile
    async with database.writing() as session:
        assert await take_due(session, time.time_ns() // 1000) == []
        assert len(await revive_webhook(session, added.id)) == 1
        assert await revive_webhook(session, added.id) == []
        (due,) = await take_due(session, time.time_ns() // 1000)
        assert due.attempts == 0


async def test_one_refused_message_does_not_give_up_a_webhook_that_answers(database, webhook):
    await queued(database, RAISED, RAISED)
    now_us = time.time_ns() // 1000
    async with database.writing() as session:
        poison, good = await take_due(session, now_us)
        await note_outcome(session, good, Outcome(200, None), now_us + 1, 0.5)
        last = poison._replace(attempts=MOST_ATTEMPTS - 1)
        assert await note_outcome(session, last, Outcome(400, "answered 400"), now_us, 0.5) == []
    found, _ = await state_of(database, webhook[0].id)
    assert found.state == "active"


async def test_nothing_is_sent_inwards_unless_the_settings_allow_it(
    database, receiver, client, webhook
):
    await queued(database, RAISED)
    await sender(database, private_too=False).send_due(client)
    assert receiver.got.empty()
    _, (delivery,) = await state_of(database, webhook[0].id)
    assert "not on the public internet" in delivery.failure


async def test_old_deliveries_are_forgotten_and_with_a_webhook_all(database, client, webhook):
    await queued(database, RAISED)
    await sender(database).send_due(client)
    async with database.writing() as session:
        await sweep(session, time.time_ns() // 1000)
        assert len(await deliveries_of(session, webhook[0].id)) == 1
        await sweep(session, time.time_ns() // 1000 + KEPT_US + 1_000_000)
        assert await deliveries_of(session, webhook[0].id) == []
    await queued(database, RAISED)
    async with database.writing() as session:
        assert len(await remove_webhook(session, webhook[0].id)) == 1
        assert await remove_webhook(session, webhook[0].id) == []
        assert await deliveries_of(session, webhook[0].id) == []


async def test_an_alert_reaches_who_asked_over_the_api(hub, database, receiver):
    answer = await hub.post("/api/webhooks", json={"url": receiver.url})
    assert answer.status_code == 201, answer.text
    added = answer.json()
    path = f"/api/webhooks/{added['webhook']['id']}"
    assert added["webhook"]["kinds"] == ["alert_acknowledged", "alert_cleared", "alert_raised"]
    assert added["secret"] not in (await hub.get("/api/webhooks")).text
    async with database.writing() as session:
        await write_events(session, [RAISED])
    hub.blocking_portal.call(hub.app.state.hub.publisher.wake)
    assert json.loads((await receiver.next()).body)["data"]["alert_id"] == "a1"
    assert (await hub.post(f"{path}/test")).status_code == 202
    assert json.loads((await receiver.next()).body) == {"type": "test", "data": {}}

    async def two_delivered():
        told = (await hub.get(path)).json()["deliveries"]
        return [each["state"] for each in told] == ["delivered", "delivered"]

    await until(two_delivered)
    assert (await hub.delete(path)).status_code == 204
    assert (await hub.get(path)).status_code == 404
    assert (await hub.delete(path)).status_code == 404


async def test_a_server_that_says_it_is_gone_raises_an_alert_until_revived(hub, database, receiver):
    receiver.answers = [410]
    wanted = {"url": receiver.url, "kinds": ["bag_passed"]}
    added = (await hub.post("/api/webhooks", json=wanted)).json()["webhook"]
    await hub.post(f"/api/webhooks/{added['id']}/test")

    async def raised():
        async with database.reading() as session:
            return await open_alerts(session)

    (alert,) = await until(raised)
    assert (alert.kind, alert.subject) == ("webhook_dead", f"webhook {added['id']}")
    assert alert.reason == (
        f"nothing reaches http://127.0.0.1:{receiver.port} any more: answered 410"
    )
    await receiver.next()
    revived = (await hub.post(f"/api/webhooks/{added['id']}/revival")).json()
    assert revived["state"] == "active"
    assert json.loads((await receiver.next()).body)["type"] == "test"

    async def cleared():
        return not await raised()

    await until(cleared)


REFUSED = [
    ({"url": "gopher://example.com"}, "begins with https://"),
    ({"url": "https://127.0.0.1/", "kinds": ["bag_eaten"]}, "no kind of event: 'bag_eaten'"),
    ({"url": "https://127.0.0.1/", "kinds": []}, "see errors"),
    ({"url": "https://127.0.0.1/", "secret": "mine"}, "see errors"),
]


async def test_what_cannot_be_pushed_to_is_refused(hub):
    for asked, why in REFUSED:
        answer = await hub.post("/api/webhooks", json=asked)
        assert answer.status_code == 400
        assert why in answer.json()["detail"]
    assert (await hub.post("/api/webhooks/none/revival")).status_code == 404
    assert (await hub.post("/api/webhooks/none/test")).status_code == 404
