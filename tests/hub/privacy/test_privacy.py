import asyncio
import io
import json
import re
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.audit.trail import lines
from aerocast_hub.baggage.bags import Wanted, find_passenger, search_bags
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.messages import Incoming, take_in
from aerocast_hub.cli import main
from aerocast_hub.data_keys import data_keys_in
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA, bag_messages
from aerocast_hub.privacy.inventory import INVENTORY, NOBODY
from aerocast_hub.privacy.rotation import seal_anew, sealed_columns
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.webhooks.store import add_webhook
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text, update

PLATE, OTHER = "0220123456", "0220999999"
NAMES = ("MUELLERIN", "Muellerin", "XK4P9Q", "HUBERTUS")


@pytest.fixture
async def people(database, tmp_path):
    await keep_people(database, tmp_path)


async def keep_people(database, folder):
    """Two passengers with a bag each, one of whom a message names, and a webhook."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    day = time.strftime("%d%b", time.gmtime()).upper()
    legs = {"flight": "AF6120", "flight_date": today, "from": "CDG", "to": "TLS"}
    bags = [
        legs | {"licence_plate": PLATE, "surname": "Muellerin", "passenger": "XK4P9Q"},
        legs | {"licence_plate": OTHER, "surname": "Hubertus", "passenger": "AAAAAA"},
    ]
    (folder / "bags.jsonl").write_text("\n".join(map(json.dumps, bags)))
    await import_bags(database, folder / "bags.jsonl")
    message = (
        f"BSM\r\n.V/1LCDG\r\n.F/AF6120/{day}/TLS\r\n.N/{PLATE}001\r\n"
        ".P/1MUELLERIN/ANNA\r\n.L/XK4P9Q\r\nENDBSM\r\n"
    )
    await Storage(database, lambda: None, Metrics()).store([message.encode()], "test")
    async with database.writing() as session:
        _, secret = await add_webhook(session, "https://partner.example/", ["bag_passed"], "ada")
    return secret


async def everything(database):
    """Give every value of every table as the database itself keeps it."""
    held = []
    async with database.reading() as session:
        for name in METADATA.tables:
            rows = await session.execute(text(f"SELECT * FROM {name}"))  # noqa: S608  our own names
            held += [bytes(v) if isinstance(v, memoryview) else v for row in rows for v in row]
    return b"\x00".join(v if isinstance(v, bytes) else str(v).encode() for v in held)


async def test_the_database_holds_no_name_no_reference_and_no_webhook_secret(database, tmp_path):
    secret = await keep_people(database, tmp_path)
    held = await everything(database)
    assert PLATE.encode() in held
    for each in (*NAMES, secret):
        assert each.encode() not in held, each


async def test_passengers_are_found_all_the_same(database, people):
    async with database.reading() as session:
        assert await find_passenger(session, PLATE, "müllerin") is None
        assert await find_passenger(session, PLATE, "Muellerin") is not None
        page = await search_bags(session, Wanted(reference="XK4P9Q"))
        assert [each.licence_plate for each in page.bags] == [PLATE]
        assert (await search_bags(session, Wanted(reference="XK4P9"))).bags == []


def test_every_table_is_in_the_inventory_or_holds_nothing_of_anybody():
    listed = {each.column.partition(".")[0] for each in INVENTORY}
    assert listed & NOBODY == set()
    assert set(METADATA.tables) - listed == NOBODY


def test_every_column_of_the_inventory_exists_and_is_sealed_as_it_says():
    sealed = {f"{table.name}.{name}" for table, names in sealed_columns().items() for name in names}
    for each in INVENTORY:
        table, _, column = each.column.partition(".")
        assert column in METADATA.tables[table].columns, each.column
        if each.sealed and column != "passenger_index":
            assert each.column in sealed
    assert sealed - {each.column for each in INVENTORY} == {"shared_keys.mark", "webhooks.secret"}


def test_every_column_that_looks_like_somebody_is_in_the_inventory():
    tell = {"surname", "surname_key", "passenger", "actor", "client", "browser", "by", "account"}
    looks = {
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.name in tell
        or (column.name.endswith("_by") and column.name not in {"fed_by", "asked_by", "used_by"})
    }
    assert looks - {each.column for each in INVENTORY} == set()


async def rotated(folder, address):
    database = Database(address, data_keys=lambda: data_keys_in(folder))
    try:
        told = [0]
        sealed = await seal_anew(database, told.append)
        assert told[-1] == sealed
        return sealed
    finally:
        await database.close()


async def test_keys_are_rotated_while_a_hub_runs_and_the_old_one_opens_nothing_more(
    database_url, tmp_path
):
    folder = tmp_path / "keys"
    running = Database(database_url, data_keys=lambda: data_keys_in(folder))
    await keep_people(running, tmp_path)
    command = data_keys_in(folder)
    command.add_new()
    assert await rotated(folder, database_url) == 4
    async with running.reading() as session:
        assert await find_passenger(session, PLATE, "Muellerin") is not None
        assert (await search_bags(session, Wanted(reference="XK4P9Q"))).bags
    command.drop_old()
    await running.close()
    fresh = Database(database_url, data_keys=lambda: data_keys_in(folder))
    async with fresh.reading() as session:
        assert await find_passenger(session, PLATE, "Muellerin") is not None
        assert (await search_bags(session, Wanted(reference="XK4P9Q"))).bags
    await fresh.close()


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        issued = client.app.state.hub.keys.signer.issue("1", "ada", {"*"}, int(time.time()))
        client.headers["authorization"] = f"Bearer {issued}"
        yield client


async def test_a_passengers_data_is_handed_out_whole_and_noted(hub, database, people):
    asked = {"licence_plate": PLATE, "surname": "Muellerin"}
    told = (await hub.post("/api/privacy/export", json=asked)).json()
    assert (told["surname"], told["reference"]) == ("Muellerin", "XK4P9Q")
    assert [each["licence_plates"] for each in told["bags"]] == [[PLATE]]
    assert ".P/1MUELLERIN/ANNA" in told["messages"][0]["text"]
    wrong = [
        await hub.post("/api/privacy/export", json=asked | {"surname": "Hubertus"}),
        await hub.post("/api/privacy/export", json=asked | {"licence_plate": "9999999999"}),
    ]
    assert {(each.status_code, each.text) for each in wrong} == {(404, wrong[0].text)}
    async with database.reading() as session:
        (line,) = await lines(session, action="passenger_exported")
    assert line.subject == f"passenger {told['passenger_id']}"


async def test_a_passenger_is_erased_and_nobody_else(hub, database, people):
    asked = {"licence_plate": PLATE, "surname": "Muellerin"}
    erased = (await hub.post("/api/privacy/erasure", json=asked)).json()
    assert (erased["bags"], erased["messages"]) == (1, 1)
    assert (await hub.post("/api/privacy/erasure", json=asked)).status_code == 404
    assert (await hub.get(f"/api/bags/{PLATE}")).status_code == 200
    assert (await hub.get(f"/api/bags/{PLATE}/passenger")).status_code == 404
    assert (await hub.get(f"/api/bags/{OTHER}/passenger")).json()["surname"] == "Hubertus"
    async with database.reading() as session:
        rows = await session.execute(text("SELECT raw FROM bag_messages"))
        assert [bytes(row[0]) for row in rows] == [b""]
        (line,) = await lines(session, action="passenger_erased")
    assert json.loads(line.after) == {"bags": 1, "messages": 1}


async def keep(database, *messages):
    stored = await Storage(database, lambda: None, Metrics()).store(
        [each.encode() for each in messages], "test"
    )
    return [each.id for each in stored]


async def texts(database):
    """Give the messages that still have a text, opened, by their ids."""
    row = bag_messages.BagMessageRow
    async with database.reading() as session:
        rows = await session.execute(select(row.id, row.raw).where(row.raw != b""))
        return {message_id: raw.decode() for message_id, raw in rows}


async def test_nobody_is_handed_out_what_was_said_of_others(hub, database, people):
    """Messages of a whole flight name many; and a tag's number comes again within weeks."""
    now_s = time.time()
    before_s = now_s - 20 * 86_400
    day, before = (time.strftime("%d%b", time.gmtime(at)).upper() for at in (now_s, before_s))
    manifest = (
        f"BTM\r\n.V/1TTLS\r\n.I/AF6120/{day}/CDG\r\n.F/AF10/{day}/NCE\r\n"
        f".N/{PLATE}001\r\n.P/1MUELLERIN/ANNA\r\n.N/{OTHER}001\r\n.P/1HUBERTUS/JOHN\r\nENDBTM\r\n"
    )
    of_another = (
        f"BSM\r\n.V/1LMUC\r\n.F/LH1/{before}/TLS\r\n.N/{PLATE}001\r\n"
        ".P/1SOMEBODY/ELSE\r\nENDBSM\r\n"
    )
    await keep(database, manifest)
    async with database.writing() as session:
        came = Incoming(of_another.encode(), round(before_s * 1_000_000), "test")
        await take_in(session, [came])
    asked = {"licence_plate": PLATE, "surname": "Muellerin"}
    answer = await hub.post("/api/privacy/export", json=asked)
    kept = [each["text"] for each in answer.json()["messages"]]
    assert [text is not None for text in kept] == [True, False, False]
    assert not {"HUBERTUS", "SOMEBODY"} & set(re.split(r"\W", answer.text.upper()))


async def test_erasing_leaves_the_name_in_no_text_that_names_no_bag(hub, database, people):
    day = time.strftime("%d%b", time.gmtime()).upper()
    head = "BSM\r\n.V/1LCDG/PART{}/0012\r\n"
    _, _, broken, second, stranger = await keep(
        database,
        f"{head.format(1)}.F/AF6120/{day}/TLS\r\n.P/1MUELLERIN/ANNA\r\nENDPART1\r\n",
        f"{head.format(2)}.F/AF6120/{day}/TLS\r\n.N/{PLATE}001\r\nENDBSM\r\n",
        f"BSN\r\n.N/{PLATE}001\r\n.P/MUELLERIN",
        "BSN\r\n.P/1Muellerin/Anna",
        "BSN\r\n.P/1MUELLERINGER/ANNA",
    )
    before = await texts(database)
    assert {broken, second, stranger} <= before.keys()
    asked = {"licence_plate": PLATE, "surname": "Muellerin"}
    assert (await hub.post("/api/privacy/erasure", json=asked)).is_success
    left = await texts(database)
    assert list(left) == [stranger], left


async def test_rotating_keys_brings_nothing_back_that_is_erased_meanwhile(postgresql_database):
    database = postgresql_database
    (message,) = await keep(database, "BSN\r\n.P/1MUELLERIN/ANNA")
    row = bag_messages.BagMessageRow
    async with database.writing() as session:
        await session.execute(update(row).where(row.id == message).values(raw=b""))
        rotating = asyncio.create_task(seal_anew(database))
        await waits_for_a_lock(database)
    await rotating
    assert await texts(database) == {}


async def waits_for_a_lock(database):
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(60):
        while True:
            async with database.reading() as session:
                if await session.scalar(waiting):
                    return


async def test_the_inventory_is_told(hub):
    listed = (await hub.get("/api/privacy/inventory")).json()
    assert {each["column"] for each in listed} == {each.column for each in INVENTORY}


async def test_the_command_line_hands_out_erases_and_rotates(
    database_url, people, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))

    async def run(*words, surname="Muellerin\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(surname))
        status = await asyncio.to_thread(main, ["privacy", *words, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    status, (told,) = await run("export", PLATE)
    assert (status, told["surname"]) == (0, "Muellerin")
    assert (await run("export", PLATE, surname="Nobody\n")) == (1, [])
    status, (erased,) = await run("erase", PLATE)
    assert (status, erased["bags"]) == (0, 1)
    status, listed = await run("inventory")
    assert (status, len(listed)) == (0, len(INVENTORY))
    status, (done,) = await run("rotate-keys")
    assert (status, done["keys"]) == (0, 1)
