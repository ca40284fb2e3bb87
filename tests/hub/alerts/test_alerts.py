"""Alerts on both databases: raised once, acknowledged, cleared, with their history."""

import asyncio
import time

import pytest
from aerocast_hub.alerts.conditions import Condition
from aerocast_hub.alerts.store import (
    acknowledge,
    alert_history,
    open_alerts,
    past_alerts,
    settle,
)
from aerocast_hub.alerts.watch import look_and_settle, take_in
from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.events.alerts import AlertCleared, AlertRaised
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.sighting import Sighting
from aerocast_protocols.observations.bags import UnreadBag

from tests.hub.baggage.test_bag_api import act, day, running_hub

__all__ = ["day"]


@pytest.fixture
async def hub(database_url, tmp_path):
    """One of each test's own: what is wrong at an airport is about all of it."""
    async with running_hub(database_url, tmp_path / "hub") as client:
        yield client


def wrong(key="a", severity="warning", reason="late"):
    return Condition(key=key, kind="at_risk", severity=severity, subject="bag 1", reason=reason)


async def settled(database, *conditions, scope="bag 1", at_us=1):
    async with database.writing() as session:
        return await settle(session, {scope: conditions}, at_us)


async def until(question):
    async with asyncio.timeout(60):
        while True:
            answer = await question()
            if answer:
                return answer
            await asyncio.sleep(0.05)


async def test_the_same_thing_wrong_is_raised_once_and_cleared_once(database):
    (raised,) = await settled(database, wrong())
    assert isinstance(raised, AlertRaised)
    assert await settled(database, wrong(), at_us=2) == []
    assert await settled(database, scope="bag 2", at_us=3) == []
    (cleared,) = await settled(database, at_us=4)
    assert isinstance(cleared, AlertCleared)
    assert cleared.alert_id == raised.alert_id
    (again,) = await settled(database, wrong(), at_us=5)
    assert again.alert_id != raised.alert_id
    async with database.reading() as session:
        assert [each.id for each in await open_alerts(session)] == [again.alert_id]
        assert [each.id for each in await past_alerts(session, 9)] == [raised.alert_id]


async def test_an_alert_tells_its_history(database):
    (raised,) = await settled(database, wrong())
    await settled(database, wrong(reason="very late", severity="critical"), at_us=2)
    async with database.writing() as session:
        assert len(await acknowledge(session, raised.alert_id, "eva", "on my way", 3)) == 1
        assert await acknowledge(session, raised.alert_id, "max", "me too", 4) == []
        assert await acknowledge(session, "none", "eva", "", 4) is None
    await settled(database, at_us=5)
    async with database.reading() as session:
        told = await alert_history(session, raised.alert_id)
    assert told.alert.acknowledged_by == "eva"
    assert (told.alert.severity, told.alert.cleared_at_us) == ("critical", 5)
    assert [(each.what, each.by, each.note) for each in told.changes] == [
        ("raised", None, "late"),
        ("reason", None, "very late"),
        ("acknowledged", "eva", "on my way"),
        ("acknowledged", "max", "me too"),
        ("cleared", None, "it is wrong no more"),
    ]


async def test_the_most_severe_alerts_come_first(database):
    for number, severity in enumerate(("info", "critical", "warning")):
        await settled(database, wrong(severity, severity), scope=severity, at_us=number)
    async with database.reading() as session:
        told = [each.severity for each in await open_alerts(session)]
    assert told == ["critical", "warning", "info"]


async def test_a_bag_loaded_against_the_rules_raises_an_alert_by_itself(hub, day, ours):
    hub.headers["authorization"] = "Bearer " + hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001",
        "op",
        frozenset({"baggage:read", "baggage:write", "alerts:read", "alerts:write"}),
        int(time.time()),
    )
    await act(hub, day.plate, did="held")
    await act(hub, day.plate, did="stowed", **day.aboard)

    async def critical():
        return [
            each for each in (await hub.get("/api/alerts")).json() if each["severity"] == "critical"
        ]

    async def none_critical():
        return not await critical()

    (raised,) = await until(critical)
    assert raised["kind"] == "not_authorised"
    path = f"/api/alerts/{raised['id']}"
    answer = await hub.post(f"{path}/acknowledgement", json={"note": "stopping the loading"})
    assert answer.json()["alert"]["acknowledged_by"] == "op"
    await act(hub, day.plate, did="released")
    await until(none_critical)
    assert (await hub.get(path)).json()["alert"]["cleared_at_us"] is not None
    past = (await hub.get("/api/alerts/past")).json()  # time alone may have raised others meanwhile
    assert [each["id"] for each in past if each["severity"] == "critical"] == [raised["id"]]
    assert (await hub.get("/api/alerts/none")).status_code == 404


@pytest.fixture
async def ours(database):
    """A gateway of ours at the airport the flight leaves."""
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")


async def test_flights_that_leave_where_we_have_no_gateway_raise_nothing(database, hub, day):
    assert await look_and_settle(database, time.time_ns() // 1000) == []


async def test_time_alone_puts_bags_at_risk(database, hub, day, ours):
    told = await look_and_settle(database, time.time_ns() // 1000)
    assert {each.alert_kind for each in told} <= {"at_risk"}
    async with database.reading() as session:
        reasons = {each.reason for each in await open_alerts(session)}
    assert len(reasons) == 1
    assert reasons.pop().startswith(f"2 bags not made up in time for {day.flight}")


async def test_a_belt_with_unread_bags_is_quiet_again_when_none_follow(database):
    now_us = time.time_ns() // 1000
    unread = UnreadBag(device="eye", boot_ns=1, belt="belt-4", point="sortation")
    sighting = Sighting(
        site="lfbo",
        gateway="hall-1",
        epoch=1,
        lane=1,
        sequence=1,
        seen_at_us=now_us,
        clock_quality=3,
        observation=unread,
    )
    async with database.writing() as session:
        (raised,) = await take_in(session, await absorb(session, [sighting]))
    assert raised.reason == "bags went past unread: 1 in 15 min"
    (cleared,) = await look_and_settle(database, now_us + 3_600_000_000)
    assert isinstance(cleared, AlertCleared)
