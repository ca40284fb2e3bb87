"""What a gateway installs: the wheel carries profiles and units, and the units are tight."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or str(HOUSE / ".venv/bin/uv")
    made = subprocess.run(
        [uv, "build", "--wheel", "--quiet", "--out-dir", folder, HOUSE / "agent"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode and "network" in made.stderr.lower():
        pytest.skip(f"the build backend cannot be fetched: {made.stderr[-200:]}")
    assert made.returncode == 0, made.stderr
    (found,) = folder.glob("*.whl")
    with zipfile.ZipFile(found) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_carries_profiles_and_units(wheel):
    for folder in ("firmware_configs", "systemd"):
        here = HOUSE / "agent/aerocast_agent" / folder
        for file in (each for each in here.rglob("*") if each.is_file()):
            name = f"aerocast_agent/{folder}/{file.relative_to(here)}"
            assert wheel[name] == file.read_bytes()
    assert "aerocast_agent/systemd/aerocast-agent.service" in wheel


def test_the_wheel_carries_the_command_and_nothing_of_the_hub(wheel):
    entry_points = next(text for name, text in wheel.items() if name.endswith("entry_points.txt"))
    assert b"aerocast-agent = aerocast_agent.cli:main" in entry_points
    metadata = next(text for name, text in wheel.items() if name.endswith("METADATA")).decode()
    assert "litestar" not in metadata
    assert not any(name.startswith(("aerocast_hub", "tests")) for name in wheel)


def test_the_folders_at_the_top_are_the_ones_in_the_wheel():
    profiles = HOUSE / "firmware_configs"
    assert profiles.resolve() == (HOUSE / "agent/aerocast_agent/firmware_configs").resolve()
    for member in ("agent/aerocast_agent", "hub/aerocast_hub"):
        for unit in (HOUSE / member / "systemd").iterdir():
            assert (HOUSE / "systemd" / unit.name).resolve() == unit.resolve()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_the_unit_exposes_little():
    judged = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--threshold=20",
            str(HOUSE / "systemd/aerocast-agent.service"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-1500:] + judged.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_the_unit_has_no_unknown_setting(tmp_path):
    unit = (HOUSE / "systemd/aerocast-agent.service").read_text()
    copied = tmp_path / "aerocast-agent.service"
    copied.write_text(unit.replace("/opt/aerocast/bin/aerocast-agent", "/bin/true"))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copied)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unknown" not in judged.stderr
