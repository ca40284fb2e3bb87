import asyncio
import json
import logging
import sys
import time
from typing import get_args

import msgspec
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.audit.acting import Acting, acting
from aerocast_hub.audit.append_only import TRIGGERS
from aerocast_hub.audit.chain import Anchor, Break, Line
from aerocast_hub.audit.trail import let_go, lines, record, verify
from aerocast_hub.auth.audit import Action
from aerocast_hub.cli import main
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.telemetry.security_log import EcsLines, also_write_to, fields_of
from litestar.testing import AsyncTestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


async def write(database, count=3, **told):
    for number in range(count):
        async with database.writing() as session:
            told = {"subject": f"gateway lfbo/hall-{number}", "actor": "ada"} | told
            await record(session, "gateway_added", after={"n": number}, **told)


async def tamper(database, *statements, **values):
    """Do what nobody may: without the triggers, as whoever owns the database could."""
    async with database.writing() as session:
        if database.is_sqlite:
            for each in TRIGGERS:
                await session.execute(text(f"DROP TRIGGER IF EXISTS {each}"))
        else:
            await session.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for each in statements:
            await session.execute(text(each), values)


async def test_every_line_says_who_what_when_from_where_before_and_after(database):
    with acting(Acting(actor="ada", client="192.0.2.7")):
        async with database.writing() as session:
            told = {"before": {"b": 1, "a": 2}, "after": None, "at_us": 5}
            await record(session, "gateway_revoked", subject="gateway lfbo/hall-1", **told)
    async with database.reading() as session:
        (line,) = await lines(session)
    assert (line.number, line.at_us, line.action) == (1, 5, "gateway_revoked")
    assert (line.actor, line.client, line.subject) == ("ada", "192.0.2.7", "gateway lfbo/hall-1")
    assert (line.before, line.after) == ('{"a":2,"b":1}', None)
    verdict = await verify(database)
    assert verdict.is_whole
    assert (verdict.first, verdict.last, verdict.head) == (1, 1, line.hash.hex())


async def test_what_is_rolled_back_left_no_line_and_was_told_nobody(database, caplog):
    with caplog.at_level(logging.INFO, "aerocast_hub.security"):
        async with database.writing() as session:
            await record(session, "gateway_added", subject="x")
            await session.rollback()
        assert caplog.records == []
        await write(database, 1)
    assert [each.ecs["event.sequence"] for each in caplog.records] == [1]
    assert (await verify(database)).last == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET actor = 'nobody' WHERE number = 2",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE number = 3",
    ],
)
async def test_the_database_itself_refuses_to_change_the_trail(database, statement):
    await write(database)
    with pytest.raises(DBAPIError, match="the trail is only added to"):
        async with database.writing() as session:
            await session.execute(text(statement))
    assert (await verify(database)).last == 3


async def test_a_changed_line_is_named_and_so_are_triggers_that_are_gone(database):
    await write(database, 5)
    await tamper(database, "UPDATE audit SET actor = 'nobody' WHERE number = 4")
    verdict = await verify(database)
    assert verdict.broken == Break(number=4, why="changed")
    assert verdict.last == 3
    assert set(verdict.unguarded) >= {"audit_no_update", "audit_no_delete"}
    assert not verdict.is_whole


async def test_a_line_taken_out_is_named_and_a_cut_end_by_who_knew_it(database):
    await write(database, 5)
    head = (await verify(database)).head
    known = Anchor(number=5, hash=bytes.fromhex(head))
    assert (await verify(database, known)).is_whole
    await tamper(database, "DELETE FROM audit WHERE number = 5")
    assert (await verify(database)).broken is None  # nothing left shows it ...
    assert (await verify(database, known)).broken == Break(number=5, why="cut off")  # ... but this
    await tamper(database, "DELETE FROM audit WHERE number = 2")
    assert (await verify(database)).broken == Break(number=2, why="missing")


async def test_a_line_forged_with_a_right_seal_is_noticed_by_who_knew_another(database):
    await write(database, 2)
    known = Anchor(number=2, hash=b"\x01" * 32)
    assert (await verify(database, known)).broken == Break(number=2, why="changed")


async def test_old_lines_go_from_the_beginning_and_the_rest_hangs_on_their_seal(database):
    for at_us in (10, 20, 30, 40):
        await write(database, 1, at_us=at_us)
    assert await let_go(database, before_us=30, now_us=50) == 2
    assert await let_go(database, before_us=30, now_us=50) == 0
    verdict = await verify(database)
    assert verdict.is_whole
    assert (verdict.first, verdict.last) == (3, 5)
    async with database.reading() as session:
        last = (await lines(session))[-1]
    assert (last.action, last.subject, last.actor) == ("trail_let_go", "up to 2", "hub")
    with pytest.raises(DBAPIError, match="only added to"):
        async with database.writing() as session:
            await session.execute(text("DELETE FROM audit_anchors"))


async def test_a_line_known_from_before_what_is_kept_proves_nothing_and_is_told_so(database):
    """Who forged a beginning, and says that the rest was let go of, is not taken at their word."""
    for at_us in (10, 20, 30, 40):
        await write(database, 1, at_us=at_us)
    async with database.reading() as session:
        first, second = [
            Anchor(number=each.number, hash=each.hash) for each in await lines(session)
        ][:2]
    await let_go(database, before_us=30, now_us=50)
    assert (await verify(database, first)).broken == Break(number=1, why="let go")
    assert (await verify(database, second)).is_whole
    forged = Anchor(number=2, hash=bytes(32))
    assert (await verify(database, forged)).broken == Break(number=2, why="changed")


WRITER = """
import asyncio, sys
from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database

async def main(address, name, count):
    database = Database(address)
    async def one(number):
        async with database.writing() as session:
            await record(session, "tried", subject=f"{name} {number}", actor=name)
    for at in range(0, count, 5):
        await asyncio.gather(*(one(at + n) for n in range(5)))
    await database.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_two_processes_that_write_at_once_make_one_trail(database_url, database):
    written = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, database_url, name, "30")
        for name in ("one", "two")
    ]
    assert [await each.wait() for each in written] == [0, 0]
    verdict = await verify(database)
    assert verdict.is_whole
    assert verdict.last == 60
    async with database.reading() as session:
        actors = [each.actor for each in await lines(session)]
    assert sorted(actors) == ["one"] * 30 + ["two"] * 30


def test_security_events_go_to_a_file_in_the_common_schema(tmp_path):
    file = tmp_path / "security" / "events.jsonl"
    handler = also_write_to(file)

    async def tell(database):
        async with database.writing() as session:
            what = {"subject": "ada", "client": "192.0.2.7", "outcome": "failure"}
            await record(session, "login_failed", after={"secret": "hunter2"}, **what)

    logger = logging.getLogger("aerocast_hub.security")
    level, logger.level = logger.level, logging.INFO
    try:
        asyncio.run(_with_database(tmp_path, tell))
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.setLevel(level)
    assert file.stat().st_mode & 0o777 == 0o600
    (event,) = [json.loads(each) for each in file.read_text().splitlines()]
    assert event["event.category"] == ["authentication"]
    assert event["event.action"] == "login_failed"
    assert event["event.outcome"] == "failure"
    assert event["client.address"] == "192.0.2.7"
    assert len(event["event.hash"]) == 64
    assert "hunter2" not in file.read_text()
    assert json.loads(EcsLines().format(logging.makeLogRecord({"msg": "plain"})))


async def _with_database(folder, work):
    database = Database(f"sqlite+aiosqlite:///{folder / 'hub.db'}")
    await migrate(database)
    await work(database)
    await database.close()


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        issued = client.app.state.hub.keys.signer.issue("1", "ada", {"*"}, int(time.time()))
        client.headers["authorization"] = f"Bearer {issued}"
        yield client


async def trail(hub, **query):
    return (await hub.get("/api/audit", params=query)).json()


async def test_changes_over_the_api_leave_lines_with_before_and_after(hub):
    gateway = {"site": "lfbo", "name": "hall-1"}
    assert (await hub.post("/api/gateways", json=gateway)).status_code == 201
    assert (await hub.post("/api/gateways/lfbo/hall-1/revoke")).status_code == 201
    added, revoked = await trail(hub, subject="gateway lfbo/hall-1")
    assert (added["action"], added["actor"], added["before"]) == ("gateway_added", "ada", None)
    assert json.loads(revoked["before"])["revoked_at_us"] is None
    assert json.loads(revoked["after"])["revoked_at_us"] > 0
    assert revoked["client"]


async def test_a_change_whose_feature_writes_no_line_leaves_one_all_the_same(hub):
    asked = {"url": "https://8.8.8.8/hook"}
    added = (await hub.post("/api/webhooks", json=asked)).json()["webhook"]
    before = len(await trail(hub))
    path = f"/api/webhooks/{added['id']}/test"
    assert (await hub.post(path)).status_code == 202
    (line,) = (await trail(hub))[before:]
    assert (line["action"], line["subject"]) == ("TestWebhook", path)
    assert (line["actor"], line["before"], line["after"]) == ("ada", None, None)


async def test_messages_somebody_brings_are_counted_and_never_shown(hub):
    named = "BSM\r\n.V/1LTLS\r\n.F/AF6120/14JUN/CDG\r\n.N/0057123456001\r\n"
    message = f"{named}.P/1SECRETIVE/ANN\r\nENDBSM\r\n"
    before = len(await trail(hub))
    assert (await hub.post("/api/bag-messages", content=message)).status_code == 200
    (line,) = (await trail(hub))[before:]
    assert (line["action"], line["subject"]) == ("bag_messages_taken", "messages api:ada")
    told = json.loads(line["after"])
    assert (told["messages"]["rows"], told["new"], told["refused"]) == (1, 1, 0)
    assert "SECRETIVE" not in json.dumps(line)


async def test_what_was_refused_or_changes_nothing_leaves_none(hub):
    before = len(await trail(hub))
    assert (await hub.post("/api/gateways", json={"site": "NO", "name": "x"})).status_code == 400
    assert (await hub.post("/api/bags/search", json={})).status_code == 200
    assert len(await trail(hub)) == before


async def test_the_trail_is_taken_away_whole_and_its_verdict_told(hub):
    await hub.post("/api/gateways", json={"site": "lfbo", "name": "hall-1"})
    exported = [json.loads(each) for each in (await hub.get("/api/audit/export")).text.splitlines()]
    assert [each["number"] for each in exported] == list(range(1, len(exported) + 1))
    assert exported[-1]["action"] == "trail_exported"
    head = f"{exported[-1]['number']}:{exported[-1]['hash']}"
    verdict = (await hub.get("/api/audit/verdict", params={"head": head})).json()
    assert (verdict["broken"], verdict["unguarded"]) == (None, [])
    wrong = await hub.get("/api/audit/verdict", params={"head": "nonsense"})
    assert (wrong.status_code, "expected NUMBER:HASH" in wrong.text) == (400, True)


async def test_the_command_line_names_the_first_broken_line(
    database_url, database, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    await write(database, 3)
    assert await asyncio.to_thread(main, ["audit", "verify"]) == 0
    head = capsys.readouterr().out.split()[-1]
    assert await asyncio.to_thread(main, ["audit", "verify", "--head", head, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["last"] == 3
    assert await asyncio.to_thread(main, ["audit", "export"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    await tamper(database, "UPDATE audit SET subject = 'x' WHERE number = 2")
    assert await asyncio.to_thread(main, ["audit", "verify"]) == 1
    assert "line 2 of the trail: changed" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["audit", "verify", "--head", "2"]) == 2


async def test_a_command_that_changes_something_leaves_a_line(
    database_url, database, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    flight = {"flight": "AF6120", "date": "2026-06-14", "from": "TLS", "to": "CDG"}
    (tmp_path / "flights.jsonl").write_text(json.dumps(flight))
    words = ["import", "flights", str(tmp_path / "flights.jsonl")]
    assert await asyncio.to_thread(main, words) == 0
    assert await asyncio.to_thread(main, ["gateway", "add", "lfbo", "hall-1"]) == 0
    bags = [
        {"licence_plate": f"00571111{n:02}", "flight": "AF6120", "flight_date": "2026-06-14",
         "from": "TLS", "to": "CDG", "surname": "Secretive", "passenger": "PNR9"}
        for n in range(20)
    ]  # fmt: skip
    (tmp_path / "bags.jsonl").write_text("\n".join(map(json.dumps, bags)))
    assert await asyncio.to_thread(main, ["import", "bags", str(tmp_path / "bags.jsonl")]) == 0
    (tmp_path / "flights.jsonl").write_text(json.dumps(flight | {"gate": "B12"}))
    assert await asyncio.to_thread(main, words) == 0
    async with database.reading() as session:
        found = await lines(session)
    told = [(each.action, each.subject, each.actor) for each in found]
    assert "Secretive" not in str(found)
    assert "PNR9" not in str(found)
    first, _, brought, again = (json.loads(each.after) for each in found)
    assert (first["read"], first["refused"], first["flights"][0]["gate"]) == (1, 0, None)
    assert brought["bags"] == 20
    assert (brought["read"]["rows"], len(brought["read"]["sha256"])) == (20, 64)
    assert json.loads(found[2].before) == {"bags": 0}
    assert json.loads(found[3].before)["flights"][0]["gate"] is None
    assert again["flights"][0]["gate"] == "B12"
    assert told == [
        ("flights_imported", "flights flights.jsonl", "command line"),
        ("gateway_added", "gateway lfbo/hall-1", "command line"),
        ("bags_imported", "bags bags.jsonl", "command line"),
        ("flights_imported", "flights flights.jsonl", "command line"),
    ]
    capsys.readouterr()


def test_a_siem_is_told_what_concerns_accounts_as_such():
    line = Line(
        number=1, at_us=1, action="", outcome="failure", subject="anna", actor="anna",
        client=None, before=None, after=None, previous=b"",
    )  # fmt: skip
    told = {
        each: fields_of(msgspec.structs.replace(line, action=each))["event.category"]
        for each in get_args(Action)
    }
    others = {"keys_accepted", "keys_rotated", "link_made", "link_revoked"}
    assert {each for each, category in told.items() if category == ["configuration"]} <= others
    guesses = ("login_failed", "badge_login_failed", "second_factor_failed")
    for each in (*guesses, "password_change_failed"):
        assert told[each] == ["authentication"]
    assert told["account_locked"] == told["password_changed"] == told["api_key_made"] == ["iam"]
