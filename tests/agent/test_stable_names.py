"""Serial devices keep their names: what `devices` tells, and the rules that make them."""

import re
from pathlib import Path

import pytest
from aerocast_agent.stable_names import stable_name

RULES = Path(__file__).parents[2] / "systemd" / "60-aerocast.rules"


@pytest.fixture
def dev(tmp_path):
    for folder in ("aerocast", "by-path", "by-id"):
        (tmp_path / folder).mkdir()
    for device in ("ttyUSB0", "ttyUSB1", "ttyUSB2"):
        (tmp_path / device).touch()
    (tmp_path / "aerocast" / "usb-10c4-ea60-ABC-00").symlink_to("../ttyUSB0")
    (tmp_path / "by-path" / "pci-0").symlink_to("../ttyUSB0")
    (tmp_path / "by-path" / "pci-1").symlink_to("../ttyUSB1")
    return tmp_path


def test_the_best_name_that_stays_is_told(dev):
    folders = [str(dev / name) for name in ("aerocast", "by-path", "by-id", "not-there")]
    ours = str(dev / "aerocast" / "usb-10c4-ea60-ABC-00")
    assert stable_name(str(dev / "ttyUSB0"), folders) == ours
    assert stable_name(ours, folders) == ours
    assert stable_name(str(dev / "by-path" / "pci-0"), folders) == str(dev / "by-path" / "pci-0")
    assert stable_name(str(dev / "ttyUSB1"), folders) == str(dev / "by-path" / "pci-1")
    assert stable_name(str(dev / "ttyUSB2"), folders) is None
    assert stable_name(str(dev / "ttyUSB9"), folders) is None
    assert stable_name("socket://192.0.2.7:4001", folders) is None
    assert stable_name("/dev/ttyS0") is None


def test_the_rules_jump_only_to_labels_that_are_there():
    text = RULES.read_text()
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    labels = set(re.findall(r'LABEL="(\w+)"', text))
    assert set(re.findall(r'GOTO="(\w+)"', text)) == labels
    assert any("SYMLINK+=" in rule for rule in rules)
    for rule in "\n".join(rules).replace("\\\n", "").splitlines():
        for term in re.findall(r'(?:[^,"]|"[^"]*")+', rule):
            assert re.fullmatch(r'\s*[A-Z_]+(\{[^}]*\})?(==|!=|=|\+=)"[^"]*"\s*', term), term
