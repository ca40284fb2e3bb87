"""Commands that put files into the store, and take them out again: a folder, and a real S3."""

import asyncio
import json

import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.months import Month
from aerocast_hub.database.partitions import make_months
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.store import Row, event_store
from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations.bags import BagPassage

MAY = Month(2033, 5)
PLATE = "0057123456"


@pytest.fixture
def hub(store_environment, database_url, monkeypatch, capsysbinary):
    """Run a command: its status, the lines of its answer, what it complains of."""
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)

    async def run(*words):
        status = await asyncio.to_thread(main, [str(word) for word in words])
        said = capsysbinary.readouterr()
        return status, said.out.decode().splitlines(), said.err.decode()

    return run


@pytest.fixture
async def passages(database):
    """Twelve bags of May at two belts."""
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "hall-1")
        await make_months(session, MAY.first_us)
        rows = []
        for number in range(1, 13):
            passed = BagPassage(
                device="portal", boot_ns=number, belt=f"belt-{number % 2}", point="sortation",
                epc=bytes(12), licence_plate=f"{int(PLATE) + number:010d}", sigma_ms=20.0, reads=9,
                confidence=0.9,
            )  # fmt: skip
            at_us = MAY.first_us + number
            body = encode_observation(passed)
            rows.append(Row(1, 7, 1, number, "bag_passage", "portal", 5, at_us, 3, at_us, body))
        await event_store(database).append(session, rows)
    return database


async def test_the_trail_goes_to_the_store_or_to_a_file_whole(hub, database, tmp_path):
    assert (await hub("gateway", "add", "lfbo", "hall-9"))[0] == 0
    status, lines, _ = await hub("audit", "export", "--to", "store:exports/trail.jsonl")
    assert (status, lines) == (0, [])
    assert (await hub("objects", "get", "exports/trail.jsonl", tmp_path / "trail"))[0] == 0
    told = [json.loads(line) for line in (tmp_path / "trail").read_text().splitlines()]
    assert told[-1]["action"] == "trail_exported"
    status, _, said = await hub("audit", "export", "--to", "store:exports/trail.jsonl")
    assert (status, "is there already" in said) == (2, True)
    status, _, said = await hub("audit", "export", "--to", "store:trail.jsonl")
    assert (status, "is no key" in said) == (2, True)
    assert (await hub("audit", "export", "--to", tmp_path / "trail"))[0] == 0
    # What was refused was not exported, and no line of the trail says so.
    again = [json.loads(line)["action"] for line in (tmp_path / "trail").read_text().splitlines()]
    assert again.count("trail_exported") == 2
    status, _, said = await hub("audit", "export", "--to", tmp_path / "none" / "trail")
    assert (status, "cannot be written: No such file" in said) == (2, True)
    assert "it is a folder" in (await hub("audit", "export", "--to", tmp_path))[2]


async def test_resolution_753_is_exported_for_days_and_airports(hub, tmp_path):
    flights, bags = tmp_path / "flights.jsonl", tmp_path / "bags.jsonl"
    plans = (
        ("AF6120", "2033-05-01", "TLS"),
        ("AF1", "2033-05-02", "TLS"),
        ("BA5", "2033-05-02", "LHR"),
    )
    flights.write_text(
        "\n".join(
            json.dumps({"flight": name, "date": day, "from": origin, "to": "CDG"})
            for name, day, origin in plans
        )
    )
    bags.write_text(
        json.dumps(
            {
                "licence_plate": PLATE, "flight": "AF6120", "flight_date": "2033-05-01",
                "from": "TLS", "to": "CDG", "surname": "NOBODY", "passenger": "p1",
            }
        )
    )  # fmt: skip
    assert (await hub("import", "flights", flights))[0] == 0
    assert (await hub("import", "bags", bags))[0] == 0
    words = ("export", "compliance", "2033-05-01")
    status, lines, _ = await hub(*words, "--until", "2033-05-31", "--airport", "LFBO")
    assert status == 0
    assert lines[0].startswith("flight,date,point,expected,read,automatic")
    assert {line.split(",")[0] for line in lines[1:]} == {"AF6120", "AF1"}
    assert not [line for line in lines if "NOBODY" in line]
    place = "store:exports/lfbo/753-2033-05.jsonl"
    assert (await hub(*words, "--json", "--to", place))[0] == 0
    assert (await hub("objects", "get", place.removeprefix("store:"), tmp_path / "back"))[0] == 0
    (told,) = map(json.loads, (tmp_path / "back").read_text().splitlines())
    assert told["flight"]["flight"] == "AF6120"
    for until in ("2033-04-01", "2035-05-01"):
        status, _, said = await hub(*words, "--until", until)
        assert (status, "the last of at most 366 days" in said) == (2, True)
    with pytest.raises(SystemExit):
        await hub("export", "compliance", "May")


@pytest.mark.parametrize("engine_kind", ["sqlite"])
async def test_a_backup_goes_to_the_store_and_comes_back(
    hub, passages, tmp_path, monkeypatch, capsysbinary
):
    status, lines, _ = await hub("backup", "store:backups/nightly", "--json")
    assert (status, json.loads(lines[0])["rows"]["observations"]) == (0, 12)
    status, _, said = await hub("backup", "store:backups/nightly")
    assert (status, "nothing is written over" in said) == (2, True)
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", f"sqlite:///{tmp_path / 'restored.db'}")
    status, lines, _ = await hub("restore", "store:backups/nightly", "--json")
    assert (status, json.loads(lines[0])["rows"]["observations"]) == (0, 12)
    status, _, said = await hub("restore", "store:backups/none")
    assert (status, "backups/none.json cannot be had" in said) == (2, True)
