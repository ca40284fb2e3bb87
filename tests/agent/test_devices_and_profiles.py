"""``devices`` and ``profiles``, as a technician uses them."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aerocast_agent.cli import COMMANDS
from aerocast_agent.profile_files import FOLDER, profile_names
from aerocast_simulator.serial_devices import PtyScanner

from tests.agent.desk import called, write_config

AGENT = Path(sys.executable).with_name("aerocast-agent")


def test_devices_are_listed_while_the_daemon_is_down(tmp_path, capsys):
    config = write_config(tmp_path, "/dev/ttyACM98")
    code, out, err = called(capsys, "devices", "--json", "--config", config)
    assert code == 0
    desk, gps = map(json.loads, out.splitlines())
    assert (desk["kind"], desk["where"], desk["state"]) == ("serial_scanner", "/dev/ttyACM98", None)
    assert gps["observations"] is None
    assert "Next:" in err
    assert called(capsys, "devices", "--config", tmp_path / "none.toml")[0] == 2


async def test_devices_tell_what_the_daemon_finds(tmp_path, capsys):
    scanner = PtyScanner()
    config = write_config(tmp_path, scanner.path)
    daemon = await asyncio.create_subprocess_exec(
        AGENT, "run", "--config", config, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while True:
                code, out, _ = called(capsys, "devices", "--json", "--config", config)
                desk, gps = map(json.loads, out.splitlines())
                if (desk["state"], gps["state"]) == ("connected", "lost"):
                    break
                await asyncio.sleep(0.1)
        assert code == 1
        assert "ttyACM99" in gps["error"]
        assert desk["error"] is None
        code, out, err = called(capsys, "devices", "--config", config)
        assert "connected" in out.splitlines()[0]
        assert "doctor" in err
    finally:
        daemon.terminate()
        await daemon.wait()
        scanner.unplug()


def test_profiles_are_listed_and_shown_as_they_came(capsys):
    code, out, _ = called(capsys, "profiles", "list", "--json")
    assert code == 0
    assert [json.loads(line)["name"] for line in out.splitlines()] == profile_names()
    name = "impinj-r700-etsi"
    assert called(capsys, "profiles", "show", name)[1] == (FOLDER / f"{name}.toml").read_text()
    shown = json.loads(called(capsys, "profiles", "show", name, "--json")[1])
    assert shown["session"] in {0, 1, 2, 3}
    code, _, err = called(capsys, "profiles", "show", name[:-1])
    assert code == 2
    assert f"did you mean '{name}'" in err
    assert called(capsys, "profiles", "show")[0] == 2


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(command, capsys):
    code, out, _ = called(capsys, command, "--help")
    assert code == 0
    assert "Example: " in out


@pytest.mark.parametrize("action", ["ls", "export", "verify", "salvage"])
def test_every_action_on_the_spool_has_help_with_an_example(action, capsys):
    code, out, _ = called(capsys, "spool", action, "--help")
    assert code == 0
    assert "Example: aerocast-agent spool" in " ".join(out.split())
