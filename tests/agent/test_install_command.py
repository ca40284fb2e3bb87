"""The service is installed from what the package carries, as often as anybody likes."""

import json
import shutil
import subprocess

import pytest
from aerocast_agent.cli import main
from aerocast_agent.cli.install import PLACES, UNITS


def installed(root, capsys):
    assert main(["install", "--systemd", "--root", str(root), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_units_are_written_once_and_brought_up_to_date(tmp_path, capsys):
    assert {each["state"] for each in installed(tmp_path, capsys)} == {"written"}
    assert {each["state"] for each in installed(tmp_path, capsys)} == {"kept"}
    unit = tmp_path / PLACES["aerocast-agent.service"]
    unit.write_text("[Service]\n")
    states = {each["file"]: each["state"] for each in installed(tmp_path, capsys)}
    assert states[str(unit)] == "replaced"
    assert unit.stat().st_mode & 0o777 == 0o644
    for name, place in PLACES.items():
        shipped = (UNITS / name).read_text().splitlines()
        assert [line for line in shipped if "ExecStart" not in line] == [
            line for line in (tmp_path / place).read_text().splitlines() if "ExecStart" not in line
        ]


def test_the_unit_runs_the_command_that_installed_it(tmp_path, capsys, monkeypatch):
    command = tmp_path / "venv" / "aerocast-agent"
    command.parent.mkdir()
    command.touch()
    monkeypatch.setattr("sys.argv", [str(command)])
    installed(tmp_path, capsys)
    unit = tmp_path / PLACES["aerocast-agent.service"]
    assert f"ExecStart={command} run --config" in unit.read_text()
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    judged = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "Unknown" not in judged.stderr


def test_where_nothing_can_be_written_the_file_is_named(tmp_path, capsys):
    (tmp_path / "etc").write_text("a file where a folder should be")
    assert main(["install", "--systemd", "--root", str(tmp_path)]) == 1
    assert str(tmp_path / "etc") in capsys.readouterr().err


def test_wrong_usage_is_told(capsys):
    assert main(["install"]) == 2
    assert "--systemd" in capsys.readouterr().err
