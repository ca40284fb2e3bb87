import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE

import pytest
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.cli import COMMANDS, main
from aerocast_hub.commands.gateway import LOSS_HEADINGS
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import SERVICES
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_simulator.processes import call, command_path

from tests.hub.inbox.wire import GATEWAY, SITE, tags
from tests.hub.orientation.traveller import PLATE, announce


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "example" in printed
    assert f"aerocast-hub {command}" in printed.split("example")[-1]


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(command in printed for command in (*COMMANDS, "version"))


@pytest.mark.parametrize("words", [[], ["fly"], ["serve", "--services", "tower"], ["gateway"]])
def test_wrong_usage_is_status_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_wrong_setting_is_status_2_and_one_line(monkeypatch, capsys):
    monkeypatch.setenv("AEROCAST_HUB_HTTP_PORT", "eighty")
    assert main(["migrate"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("aerocast-hub: http_port:")
    assert told.count("\n") == 1


async def test_a_command_that_asked_the_object_store_ends_with_its_own_status():
    # With the interpreter's own end one of these in four was aborted.
    listed = (
        call("aerocast-hub", "objects", "list", "captures", environment={}) for _ in range(12)
    )
    assert await asyncio.gather(*listed) == [""] * 12


async def test_control_c_is_status_130_without_a_traceback(tmp_path):
    pipe = tmp_path / "document"
    os.mkfifo(pipe)
    # Whoever started the tests may ignore the signal, and what they start would.
    command = ["env", "--default-signal=INT", command_path("aerocast-hub"), "epcis", "hash", pipe]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    # Open at both ends, it is about to be read. A signal just before a read does not end the read:
    # that the pipe is closed does.
    with await asyncio.to_thread(pipe.open, "wb"):
        process.send_signal(signal.SIGINT)
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 130


async def test_a_reader_that_has_seen_enough_is_no_error():
    read, written = os.pipe()
    os.close(read)
    command = [command_path("aerocast-hub"), "openapi"]
    process = await asyncio.create_subprocess_exec(*command, stdout=written, stderr=PIPE)
    os.close(written)
    assert await process.communicate() == (None, b"")
    assert process.returncode == 0


def test_version_is_told_for_people_and_programs(capsys):
    assert main(["version"]) == 0
    assert main(["version", "--json"]) == 0
    people, programs = capsys.readouterr().out.splitlines()
    assert people == f"aerocast-hub {json.loads(programs)['version']}"


def test_migrate_may_be_run_again(capsys):
    assert [main(["migrate"]), main(["migrate", "--json"])] == [0, 0]
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"migrated": True}


def test_one_services_description_names_only_its_paths(capsys):
    assert main(["openapi", "--services", "weather"]) == 0
    paths = json.loads(capsys.readouterr().out)["paths"]
    assert not any(path.startswith("/api/gateways") for path in paths)
    assert main(["openapi"]) == 0
    assert "/api/gateways" in json.loads(capsys.readouterr().out)["paths"]
    assert len(SERVICES) == 4


async def test_a_loss_without_explanation_is_status_1(database_url, monkeypatch, capsys):
    database = Database(database_url)
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    await Inbox(database, {}, Publisher(database, metrics), metrics).receive([tags(5, 9, oldest=5)])
    await database.close()
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    assert await asyncio.to_thread(main, ["gateway", "losses"]) == 1
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.endswith("LOST, EXPLAINED  LOST, UNEXPLAINED")
    assert dict(zip(LOSS_HEADINGS, line.split(), strict=True)) == {
        **dict.fromkeys(LOSS_HEADINGS, "0"),
        "gateway": f"{SITE}/{GATEWAY}",
        "accepted": "9",
        "durable": "5",
        "received": "5",
        "unexplained": "4",
    }


def test_a_passengers_link_is_made_listed_and_revoked(tmp_path, capsys):
    asyncio.run(_announce(tmp_path))
    code = tmp_path / "link.svg"
    assert main(["link", "make", PLATE, "--hours", "2", "--svg", str(code), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["url"] == f"http://127.0.0.1:8000/p/{made['token']}"
    assert code.read_text().startswith("<svg")
    bag = asyncio.run(_bag_id(tmp_path))
    assert main(["link", "revoke", made["link"]["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revoked_by"] == "command line"
    assert main(["link", "list", bag]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["link", "make", "0999999999", "--json"]) == 1
    refused = {"error": "no bag has this id or plate", "input": "0999999999"}
    assert json.loads(capsys.readouterr().out) == refused
    assert main(["link", "revoke", "nothing"]) == 1
    assert "no link has this id" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["link", "make", PLATE, "--hours", "0"])
    assert "'0' is not 1 to 336 hours" in capsys.readouterr().err


async def _announce(folder):
    database = Database(f"sqlite+aiosqlite:///{folder / 'hub.db'}")
    await migrate(database)
    await announce(database, folder)
    await database.close()


async def _bag_id(folder):
    database = Database(f"sqlite+aiosqlite:///{folder / 'hub.db'}")
    async with database.reading() as session:
        found = await find_bag(session, PLATE)
    await database.close()
    return found.id
