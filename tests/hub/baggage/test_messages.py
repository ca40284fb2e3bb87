"""Baggage messages in the hub: kept once, in any order, and heard by the journeys."""

import json
import random
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.bags import find_bag, find_passenger
from aerocast_hub.baggage.message_names import Names
from aerocast_hub.baggage.message_tables import BagMessageRow
from aerocast_hub.baggage.messages import MOST_REFUSED, Incoming, name_all, take_in
from aerocast_hub.baggage.said import owners_of, said_of
from aerocast_hub.cli import main
from aerocast_hub.events.bags import BagChanged, BagMessageReceived
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_protocols.baggage import parse_message
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select, text

from tests.mutated_messages import mutated

NOON = 1_781_438_400_000_000  # 2026-06-14 12:00 UTC
MIN = 60_000_000
BSM = (
    b"QU TLSBMAF\r\n.CDGKMAF 141155 {n}\r\nBSM\r\n.V/1LCDG\r\n.F/AF6120/14JUN/TLS/Y\r\n"
    b".N/0057123456002\r\n.S/Y/12A/C/021\r\n.P/DOE/JANE\r\n.L/ABC123\r\nENDBSM\r\n"
)
PLATE = "0057123456"


def came(raw, minute=0):
    return Incoming(raw, NOON + minute * MIN, "test")


async def take(database, *incoming, **more):
    async with database.writing() as session:
        taken, events = await take_in(session, incoming, **more)
    return taken, [each for each in events if not isinstance(each, BagChanged)]


async def count(database):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(BagMessageRow))


def test_what_a_message_says_has_its_year_its_times_in_utc_and_no_name():
    message = parse_message(
        b"BPM\r\n.V/1TCDG\r\n.J/S/ACT/SC1/31DEC/2359L/LB9\r\n.I/BA9/31DEC/LHR\r\n"
        b".F/AF6120/01JAN/TLS/Y\r\n.O/AF1/02JAN/NCE\r\n.N/0057123456002\r\n.S/N/12A/B/021//1/Y/A\r\n"
        b".P/DOE/JANE\r\n.X//REJ///S1/L1\r\n.X//CLR///S2/L2\r\n.U/AKE1AF/1\r\n.B/OFF\r\n.E/RUSH\r\nENDBPM"
    )
    received_us = 1_798_758_000_000_000  # 2026-12-31 23:00 UTC
    first, second = said_of(message, "id", received_us)
    assert (first.licence_plate, second.licence_plate) == (PLATE, "0057123457")
    assert first.at_us == received_us - MIN  # 23:59 in Paris
    assert first.outbound.date == "2027-01-01"
    assert first.inbound.date == "2026-12-31"
    assert first.onward[0].date == "2027-01-02"
    assert (first.authority_to_load, first.authority_to_transport) == (False, True)
    assert (first.passenger_status, first.screening, first.container) == ("B", "CLR", "AKE1AF")
    assert (first.irregularities, first.exceptions, first.places) == (("OFF",), ("RUSH",), ("LB9",))
    assert "DOE" not in repr(first)
    assert "DOE" not in repr(owners_of(message.bags))


def test_a_time_that_cannot_be_is_not_believed():
    late = b"BPM\n.V/1LCDG\n.J/S///01JAN/0000Z\n.N/0057123456\nENDBPM"
    assert said_of(parse_message(late), "id", NOON)[0].at_us == NOON
    nowhere = b"BPM\n.V/1LXXX\n.J/S///14JUN/1100L\n.N/0057123456\nENDBPM"
    assert said_of(parse_message(nowhere), "id", NOON)[0].at_us == NOON
    sent = b"QU TLSBMAF\n.CDGKMAF 132359\nBPM\n.N/0057123456\nENDBPM"
    assert said_of(parse_message(sent), "id", NOON)[0].at_us == NOON - 721 * MIN


async def test_a_source_message_announces_its_bags_and_whose_they_are(database):
    taken, events = await take(database, came(BSM))
    assert (taken[0].type, taken[0].bags, taken[0].is_new) == ("BSM", 2, True)
    assert events == [
        BagMessageReceived(
            at_us=NOON,
            message_id=taken[0].id,
            type="BSM",
            station="CDG",
            flights=("AF6120",),
            bags=2,
        )
    ]
    async with database.reading() as session:
        bag = await find_bag(session, "0057123457")
        assert (bag.flight, bag.flight_date, bag.origin) == ("AF6120", "2026-06-14", "CDG")
        owner = await find_passenger(session, PLATE, "Doe")
        assert owner is not None
        assert owner == await find_passenger(session, "0057123457", "Doe")


async def test_the_same_message_changes_nothing_however_it_comes(database):
    await take(database, came(BSM))
    elsewhere = BSM.replace(b"TLSBMAF", b"TLSBMXX").replace(b"\r\n", b"\n")
    for again in (BSM, b"\x01" + BSM, elsewhere):
        taken, events = await take(database, came(again, 5))
        assert not taken[0].is_new
        assert events == []
    taken, _ = await take(database, came(BSM.replace(b"{n}", b"2")))
    assert taken[0].is_new  # another reference: said again


async def test_without_a_reference_a_message_is_new_again_once_another_spoke_of_its_bags(database):
    new = b"BSM\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456\nENDBSM"
    gone = new.replace(b"BSM\n.V", b"BSM\nDEL\n.V")
    said = [new, new, gone, gone, new, new]
    one_by_one = [(await take(database, came(each)))[0][0].is_new for each in said]
    assert one_by_one == [True, False, True, False, True, False]
    of_a_file = list(map(came, said))
    whole, _ = await take(database, *of_a_file, ids=name_all(of_a_file, Names()))
    assert [each.is_new for each in whole] == [False] * 6
    assert await count(database) == 3


async def test_parts_are_heard_in_any_order_and_a_flight_holds_in_the_next(database):
    first = (
        b"BTM\n.V/1TCDG/PART1/77\n.I/BA9/14JUN/LHR\n.F/AF6120/14JUN/TLS\n"
        b".N/0057000001\n.P/DOE\nENDPART1"
    )
    second = b"BTM\n.V/1TCDG/PART2/77\n.N/0057000002\n.P/ROE\nENDBTM"
    await take(database, came(second))
    await take(database, came(first, 1))
    async with database.reading() as session:
        bag = await find_bag(session, "0057000002")
        assert (bag.flight, bag.origin) == ("AF6120", "CDG")
        assert await find_passenger(session, "0057000002", "Roe")
        assert not await find_passenger(session, "0057000002", "Doe")


async def test_a_message_without_a_name_leaves_the_known_one(database):
    await take(database, came(BSM))
    await take(database, came(b"BSM\nCHG\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456\nENDBSM", 1))
    async with database.reading() as session:
        assert await find_passenger(session, PLATE, "Doe")


async def test_no_message_however_spoilt_stops_those_beside_it(database):
    rng = random.Random(1745)
    spoilt = [came(mutated(rng, BSM, [BSM])) for _ in range(150)]
    taken, _ = await take(database, *spoilt, came(BSM))
    nul = came(BSM.replace(b"DOE", b"D\0OE").replace(b"ABC123", b"A\0").replace(b"12A", b"\0"))
    taken += (await take(database, nul))[0]
    assert len(taken) == 152
    assert any(each.refused is None and each.problems for each in taken)
    assert not [each for each in taken if "could not hear" in (each.refused or "")]
    async with database.reading() as session:
        assert await find_bag(session, PLATE) is not None


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_what_a_journey_stumbles_over_is_kept_and_named_to_nobody(database, caplog):
    async with database.writing() as session:
        await session.execute(
            text(
                "CREATE TRIGGER stumble BEFORE INSERT ON bag_evidence WHEN NEW.subject = "
                "'0057000666' BEGIN SELECT RAISE(ABORT, 'DOE'); END"
            )
        )
    wrong = BSM.replace(b"0057123456", b"0057000666")
    taken, _ = await take(database, came(wrong), came(BSM))
    assert taken[0].refused == "kept, but its bags could not hear it: IntegrityError"
    assert taken[1].refused is None
    assert await count(database) == 2
    assert "DOE" not in caplog.text
    async with database.reading() as session:
        assert await find_bag(session, PLATE) is not None


async def test_refused_messages_do_not_pile_up(database):
    rubbish = [came(b"rubbish %d" % number) for number in range(MOST_REFUSED + 5)]
    await take(database, came(BSM), *rubbish)
    await take(database, came(b"more"))
    assert await count(database) == 1 + MOST_REFUSED


async def test_what_is_refused_is_kept_with_its_reason(database):
    taken, events = await take(database, came(b"MVT\nBA117/03OCT.GABCD.LHR\x00"), came(BSM))
    assert taken[0].refused.startswith("no baggage message")
    assert taken[1].refused is None
    assert [type(each) for each in events] == [BagMessageReceived]
    assert await count(database) == 2


def test_a_file_is_taken_in_once(database_url, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    file = tmp_path / "messages.txt"
    file.write_bytes(BSM + b"\r\n" + BSM.replace(b"{n}", b"2") + b"MVT\r\nAF6120/14JUN\r\n")
    assert main(["bim", str(file), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["is_new"] for each in lines] == [True, True, True]
    assert main(["bim", str(file)]) == 1
    assert capsys.readouterr().out == "0 messages taken in, 2 were known, 1 refused\n"
    rows = tmp_path / "messages.jsonl"
    row = {"id": "x", "raw": BSM.decode(), "received_at": "2025-06-14T12:00:00Z"}
    rows.write_text(json.dumps(row) + "\n{}\n")
    assert main(["bim", str(rows), "--jsonl"]) == 1
    assert "1 refused" in capsys.readouterr().out
    assert main(["bim", str(tmp_path / "none")]) == 2


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        yield client


def bearer(hub, *permissions):
    token = hub.app.state.hub.keys.signer.issue(
        "00000000-0000-0000-0000-000000000001", "op", frozenset(permissions), int(time.time())
    )
    return {"authorization": f"Bearer {token}", "content-type": "text/plain"}


async def test_messages_can_be_posted_and_looked_at_without_a_name(hub):
    may = bearer(hub, "baggage:write", "baggage:read")
    body = BSM + b"BSM\r\n.V/1LCDG\r\nENDBSM\r\n"
    answer = await hub.post("/api/bag-messages", content=body, headers=may)
    assert answer.status_code == 200
    assert [each["refused"] is None for each in answer.json()] == [True, False]
    again = await hub.post("/api/bag-messages", content=body, headers=may)
    assert [each["is_new"] for each in again.json()] == [False, False]
    shown = await hub.get("/api/bag-messages", headers=may)
    assert [each["type"] for each in shown.json()] == [None, "BSM"]
    assert "DOE" not in shown.text
    refused = await hub.get("/api/bag-messages?only_refused=true", headers=may)
    assert len(refused.json()) == 1


async def test_what_cannot_be_read_at_all_or_may_not_be_posted_is_refused(hub):
    may = bearer(hub, "baggage:write")
    assert (await hub.post("/api/bag-messages", content=b"", headers=may)).status_code == 400
    assert (
        await hub.post("/api/bag-messages", content=b"\xff\x00", headers=may)
    ).status_code == 400
    huge = await hub.post("/api/bag-messages", content=b"x" * 1_100_000, headers=may)
    assert huge.status_code == 413
    may_not = bearer(hub, "baggage:read")
    assert (await hub.post("/api/bag-messages", content=BSM, headers=may_not)).status_code == 403


async def journey(database, plate=PLATE):
    async with database.reading() as session:
        return (await find_bag(session, plate)).journey


def bpm(*lines, minute=1100):
    return b"\n".join((b"BPM\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456", *lines, b"ENDBPM"))


async def test_what_was_done_with_a_bag_is_heard_into_its_journey(database):
    await take(database, came(BSM))
    sorted_ = bpm(b".J/S/ACT/SC1/14JUN/1201Z/LB9", b".X//CLR///S1/L1")
    stowed = bpm(b".J/R/ACT/SC1/14JUN/1205Z", b".U/AKE12345AF")
    await take(database, came(stowed, 10), came(sorted_, 11))
    told = await journey(database)
    assert (told.state, told.container, told.screening) == ("loaded", "AKE12345AF", "cleared")
    assert told.custody["sortation"] == NOON + MIN
    assert (told.passed[0].belt, told.passed[0].evidence) == ("LB9", ("message",))
    unloaded = b"BUM\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456\nENDBUM"
    await take(database, came(unloaded, 20))
    assert (await journey(database)).state == "offloaded"
    other = await journey(database, "0057123457")
    assert (other.state, other.authority_to_load) == ("expected", True)


async def test_a_change_takes_the_authority_and_a_deletion_the_bag(database):
    await take(database, came(BSM))
    no = b"BSM\nCHG\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456\n.S/N//N\nENDBSM"
    await take(database, came(no, 1))
    told = await journey(database)
    assert (told.authority_to_load, told.passenger_status) == (False, "not_boarded")
    gone = b"BSM\nDEL\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456\nENDBSM"
    await take(database, came(gone, 2))
    assert (await journey(database)).is_cancelled
    await take(database, came(bpm(b".B/ONA"), 3))
    told = await journey(database)
    assert told.is_cancelled
    assert told.irregularity == "on_hand"
