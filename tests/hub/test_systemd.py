"""The hub under systemd: a tight unit, and a watchdog that only real progress feeds."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from aerocast_hub.inbox.gathering import LONGEST_TURN_S
from aerocast_hub.watchdog import feeding_watchdog, notify
from aerocast_simulator.processes import free_port

from tests.hub.test_serve import hub
from tests.servers import find_server

UNIT = Path(__file__).parents[2] / "systemd" / "aerocast-hub.service"


class Systemd:
    """systemd's end of the notification socket."""

    def __init__(self, address):
        self.address = str(address)
        self.heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.heard.bind(self.address)

    def next(self, within_s):
        """Give what is said next; None when nothing is."""
        self.heard.settimeout(within_s)
        try:
            return self.heard.recv(100).decode()
        except TimeoutError:
            return None


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    manager = Systemd(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    yield manager
    manager.heard.close()


class Source:
    """An inbox of which only its last turn is known."""

    def __init__(self):
        self.turned_at_s = time.monotonic()


def test_systemd_hears_that_the_hub_is_ready_alive_and_stopping(systemd, tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    ports = {
        "http_port": free_port(),
        "embedded_broker_port": free_port(),
        "embedded_broker_v3_port": free_port(),
        "broker_url": "embedded:",
    }
    with hub(tmp_path, **ports) as (process, log):
        words, said = {"READY=1", "WATCHDOG=1"}, set()
        while said != words:
            said.add(systemd.next(60))
            assert said <= words, log()
        process.send_signal(signal.SIGTERM)
        while (word := systemd.next(60)) == "WATCHDOG=1":
            pass
        assert word == "STOPPING=1"
        assert process.wait(60) == 0


async def test_the_watchdog_is_fed_while_the_inbox_comes_round_and_goes_hungry_when_not(
    systemd, monkeypatch
):
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    source = Source()
    async with feeding_watchdog(source):
        assert await asyncio.to_thread(systemd.next, 60) == "WATCHDOG=1"
        source.turned_at_s -= 3 * LONGEST_TURN_S
        while await asyncio.to_thread(systemd.next, 0.2) is not None:
            pass
        assert await asyncio.to_thread(systemd.next, 0.2) is None
        source.turned_at_s = time.monotonic()
        assert await asyncio.to_thread(systemd.next, 60) == "WATCHDOG=1"


async def test_without_systemd_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notify("READY=1")
    async with feeding_watchdog(None):
        pass
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")


def test_the_unit_exposes_little():
    analyze = find_server("systemd-analyze", "systemd")
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-1500:] + judged.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_the_unit_has_no_unknown_setting(tmp_path):
    copied = tmp_path / UNIT.name
    copied.write_text(UNIT.read_text().replace("/opt/aerocast/bin/aerocast-hub", "/bin/true"))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copied)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unknown" not in judged.stderr
