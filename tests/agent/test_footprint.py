"""The daemon is small: what it may take is promised in README, and gateways have little."""

import asyncio
import importlib
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aerocast_agent import VERSION
from aerocast_agent.asking import ask_daemon
from aerocast_agent.config import Config, Gateway, Hub, Llrp, may_speak_tls
from aerocast_agent.imports import leaving_out
from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.serial_devices import PtyGps, PtyScanner
from aerocast_simulator.sky import BeastServer
from brokers import Broker

AGENT = Path(sys.executable).with_name("aerocast-agent")
GATEWAY = Gateway(site="lfbo", name="hall-1")


@pytest.fixture
def broker(tmp_path):
    one = Broker(tmp_path)
    one.start()
    yield one
    one.kill()


@pytest.mark.parametrize("tls", [False, True])
async def test_an_idle_daemon_with_four_devices_takes_less_than_38_mb(tmp_path, broker, tls):
    reader, scanner, gps, sky = FakeReader(), PtyScanner(), PtyGps(43.6293, 1.3638), BeastServer()
    await reader.start()
    await sky.start()
    config = tmp_path / "agent.toml"
    config.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'
        "position = { latitude_deg = 43.6, longitude_deg = 1.4 }\n"
        f'[hub]\nbroker = "{broker.url_v5}"\n'
        + ('broker_v3 = "mqtts://127.0.0.1:1"\n' if tls else "")
        + '[spool]\npath = "spool.db"\n'
        f'[[device]]\nname = "portal"\nkind = "llrp"\nhost = "127.0.0.1"\nport = {reader.port}\n'
        f'[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "{scanner.path}"\n'
        f'[[device]]\nname = "gps"\nkind = "gps_serial"\nport = "{gps.path}"\n'
        f'[[device]]\nname = "sky"\nkind = "adsb_beast"\nhost = "127.0.0.1"\nport = {sky.port}\n'
    )
    daemon = await asyncio.create_subprocess_exec(
        AGENT, "run", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    try:
        spool = str(tmp_path / "spool.db")
        async with asyncio.timeout(60):
            while not (  # noqa: ASYNC110  another process tells
                (status := await asyncio.to_thread(ask_daemon, spool))
                and status.link["connected"]
                and set(status.devices.values()) == {"connected"}
            ):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        status = await asyncio.to_thread(ask_daemon, spool)
        assert status.rss_kb * 1024 < 38_000_000
        assert status.threads <= 5
    finally:
        daemon.terminate()
        await daemon.communicate()
        await sky.stop()
        await reader.stop()


def test_what_is_left_out_can_be_imported_afterwards():
    for name in ("colorsys", "this_is_no_module"):
        sys.modules.pop(name, None)
    with leaving_out("colorsys", empty=("this_is_no_module",)):
        with pytest.raises(ImportError):
            importlib.import_module("colorsys")
        assert not hasattr(importlib.import_module("this_is_no_module"), "anything")
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("this_is_no_module")


def test_tls_is_loaded_for_whatever_may_speak_it():
    assert not may_speak_tls(Config(gateway=GATEWAY, hub=Hub(broker="mqtt://hub")))
    assert may_speak_tls(Config(gateway=GATEWAY, hub=Hub(broker="mqtts://hub")))
    assert may_speak_tls(
        Config(gateway=GATEWAY, hub=Hub(broker="mqtt://hub", broker_v3="mqtts://hub"))
    )
    for tls in (False, True):
        reader = Llrp(name="portal", host="192.0.2.40", tls=tls)
        assert may_speak_tls(Config(gateway=GATEWAY, devices=(reader,))) is tls


def test_the_version_the_daemon_tells_is_the_installed_one():
    assert version("aerocast-agent") == VERSION
