import json

import pytest
from aerocast_hub.cli import main
from aerocast_hub.events.every import decode_event
from aerocast_hub.gateways.registry import (
    GatewayRefusedError,
    Position,
    add_gateway,
    list_gateways,
    revoke_gateway,
)
from aerocast_hub.gateways.state import absorb
from aerocast_hub.gateways.views import loss_accounts, view_gateway, view_gateways
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.gateways import Evicted, GatewayHealth, PositionFix
from sqlalchemy import select

from tests.hub.inbox.wire import EPOCH, GATEWAY, NOW_US, SECOND_NS, SITE, batch, status, tags

PLACE = Position(latitude_deg=43.6293, longitude_deg=1.3638, altitude_m=152.0)


def health(second, acked):
    return GatewayHealth(
        device="agent",
        boot_ns=second * SECOND_NS,
        agent_version="0.1.0",
        accepted=acked,
        durable=acked,
        acked=acked,
        devices={"portal-4": "connected"},
    )


def fix(second, latitude_deg, mode=3):
    return PositionFix(
        device="gps",
        boot_ns=second * SECOND_NS,
        mode=mode,
        latitude_deg=latitude_deg,
        longitude_deg=1.5,
    )


@pytest.fixture
async def inbox(database):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY, PLACE)
    metrics = Metrics()
    return Inbox(database, {"gateways": absorb}, Publisher(database, metrics), metrics)


@pytest.fixture
def look(database):
    async def view(now_us=NOW_US):
        async with database.reading() as session:
            return await view_gateway(session, SITE, GATEWAY, now_us)

    return view


async def test_a_gateway_is_registered_once_revoked_and_let_in_again(database):
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1", PLACE)
        with pytest.raises(GatewayRefusedError, match="registered already"):
            await add_gateway(session, "lfbo", "hall-1")
        assert (await revoke_gateway(session, "lfbo", "hall-1")).revoked_at_us is not None
        again = await add_gateway(session, "lfbo", "hall-1")
        assert (again.revoked_at_us, again.position) == (None, PLACE)
        await add_gateway(session, "egll", "z")
        assert [each.name for each in await list_gateways(session)] == ["z", "hall-1"]


async def test_whoever_listens_is_told_of_a_gateway_let_in_and_of_one_shut_out_once(database):
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")
        for _ in range(2):
            await revoke_gateway(session, "lfbo", "hall-1")
        await add_gateway(session, "lfbo", "hall-1")
        told = [decode_event(body) for body in await session.scalars(select(OutboxRow.body))]
    assert [(each.gateway, each.state) for each in told] == [
        ("hall-1", "added"),
        ("hall-1", "revoked"),
        ("hall-1", "added"),
    ]


@pytest.mark.parametrize("name", ["", "Hall", "a.b", "a/b", "#", "x" * 33])
async def test_what_is_no_name_is_refused(database, name):
    async with database.writing() as session:
        with pytest.raises(GatewayRefusedError, match="is no name"):
            await add_gateway(session, "lfbo", name)


async def test_a_gateway_never_heard_stands_where_it_was_registered(inbox, look):
    view = await look()
    assert (view.state, view.position, view.position_source) == ("never", PLACE, "registered")


async def test_health_and_position_are_the_newest_in_any_order(inbox, look):
    messages = [
        status("online"),
        batch(1, [health(10, 1), fix(11, 43.1)], lane=1),
        batch(3, [health(20, 2), fix(21, 43.2), fix(22, 0.0, mode=1)], lane=1),
    ]
    for message in reversed(messages):
        await inbox.receive([message])
    view = await look()
    assert view.state == "online"
    assert view.health.acked == 2
    assert (view.position.latitude_deg, view.position_source) == (43.2, "fix")
    assert view.agent_version == "0.1.0"


async def test_backlog_of_an_earlier_life_does_not_hide_the_present(inbox, look):
    await inbox.receive([status("online", epoch=8), batch(1, [health(10, 5)], lane=1, epoch=8)])
    await inbox.receive([batch(90, [health(900, 3)], lane=1, epoch=7)])
    assert (await look()).health.acked == 5
    # A fresh disk counts its lives from 0 again.
    await inbox.receive([status("online", epoch=1), batch(1, [health(5, 1)], lane=1, epoch=1)])
    assert (await look()).health.acked == 1


async def test_silence_is_told_after_three_missed_healths(inbox, look):
    await inbox.receive([tags(1, 1)])
    assert (await look(NOW_US + 89_000_000)).state == "online"
    assert (await look(NOW_US + 91_000_000)).state == "silent"
    await inbox.receive([status("gone")])
    assert (await look(NOW_US + 91_000_000)).state == "gone"


async def test_the_account_tells_lost_from_given_up(inbox, database):
    evicted = Evicted(
        device="agent",
        boot_ns=1,
        lane=2,
        epoch=EPOCH,
        first_sequence=11,
        last_sequence=15,
        reason="budget",
    )
    await inbox.receive([tags(1, 10), tags(21, 30, oldest=21), batch(1, [evicted], lane=0)])
    async with database.reading() as session:
        (account,) = await loss_accounts(session)
        assert len(await view_gateways(session, NOW_US)) == 1
    assert account.received == 21
    assert account.explained == {"budget": 5}
    assert account.unexplained == 5
    assert account.lanes[0].unexplained_ranges == ((16, 20),)


def run(capsys, *words):
    code = main([*words, "--json"])
    printed = capsys.readouterr().out.splitlines()
    return code, [json.loads(line) for line in printed]


def test_gateways_are_kept_from_the_shell(database_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    code, (added,) = run(capsys, "gateway", "add", "lfbo", "hall-1", "--position", "43.6,1.3,152")
    assert (code, added["position"]["altitude_m"]) == (0, 152.0)
    code, (refused,) = run(capsys, "gateway", "add", "lfbo", "hall-1")
    assert (code, refused["input"]) == (1, "lfbo/hall-1")
    code, (listed,) = run(capsys, "gateway", "list")
    assert (code, listed["name"], listed["revoked_at_us"]) == (0, "hall-1", None)
    code, (account,) = run(capsys, "gateway", "losses")
    assert (code, account["unexplained"], account["received"]) == (0, 0, 0)
    code, (revoked,) = run(capsys, "gateway", "revoke", "lfbo", "hall-1")
    assert code == 0
    assert revoked["revoked_at_us"] is not None


def test_a_position_that_is_none_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["gateway", "add", "lfbo", "hall-1", "--position", "91,0"])
    assert stopped.value.code == 2
    assert "no place on Earth" in capsys.readouterr().err
