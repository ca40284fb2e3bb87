"""The daemon as a process: devices on one side, a broker and a hub on the other."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from pathlib import Path

import pytest
from aerocast_agent.asking import order_daemon
from aerocast_protocols import batch, commands
from aerocast_protocols.commands import Command
from aerocast_protocols.epc.bag_tag import BagTag, bag_tag_pc, encode_bag_tag
from aerocast_protocols.observations.bags import BagPassage, CodeScan, TagRead
from aerocast_protocols.observations.every import LIVE
from aerocast_protocols.observations.gateways import DeviceEvent, GatewayHealth, PositionFix
from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.serial_devices import PtyGps, PtyScanner

AGENT = Path(sys.executable).with_name("aerocast-agent")
BAG = encode_bag_tag(BagTag("0220123456", 187))


def write_config(folder, broker, devices=""):
    file = folder / "agent.toml"
    file.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'
        "position = { latitude_deg = 43.6293, longitude_deg = 1.3638 }\n"
        f'[hub]\nbroker = "{broker.url_v5}"\nbroker_v3 = "{broker.url_v3}"\n'
        '[spool]\npath = "spool.db"\nbudget_mb = 16\n' + devices
    )
    return file


@contextlib.asynccontextmanager
async def running(config, **environment):
    daemon = await asyncio.create_subprocess_exec(
        AGENT,
        "run",
        "--config",
        str(config),
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    try:
        yield daemon
    finally:
        if daemon.returncode is None:
            daemon.terminate()
        _, log = await daemon.communicate()
    assert b"Traceback" not in log  # however it ended


async def command(*arguments):
    process = await asyncio.create_subprocess_exec(
        AGENT, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def status(config):
    code, out, err = await command("status", "--config", str(config), "--json")
    assert code == 0, err
    return json.loads(out)


async def told_once_degraded(config):
    """Ask until the daemon answers: before that, the command tells of the disk and exits with 1."""
    async with asyncio.timeout(60):
        while True:
            _, out, err = await command("status", "--config", str(config), "--json")
            told = json.loads(out or "{}")
            if told.get("running") and told["degraded"]:
                return told
            assert not err
            await asyncio.sleep(0.1)


def seen(hub, kind):
    with hub.changed:
        encoded = [each for held in hub.stored.values() for each in held.values()]
    decoded = [batch.decode_observation(each) for each in encoded]
    return [each for each in decoded if isinstance(each, kind)]


async def eventually(claim, seconds=60):
    async with asyncio.timeout(seconds):
        while not (found := claim()):  # noqa: ASYNC110  what is claimed has no event
            await asyncio.sleep(0.05)
    return found


async def test_what_devices_see_reaches_the_hub_and_status_tells(tmp_path, broker, hub):
    reader, scanner, gps = FakeReader(), PtyScanner(), PtyGps(43.6293, 1.3638)
    await reader.start()
    sending = asyncio.create_task(gps.run())
    config = write_config(
        tmp_path,
        broker,
        f'[[device]]\nname = "portal"\nkind = "llrp"\nhost = "127.0.0.1"\nport = {reader.port}\n'
        f'[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "{scanner.path}"\n'
        f'[[device]]\nname = "gps"\nkind = "gps_serial"\nport = "{gps.path}"\n'
        '[[belt]]\nname = "b4"\npoint = "sortation"\nantennas = ["portal:1"]\n',
    )
    try:
        async with running(config) as daemon:
            await eventually(lambda: len(seen(hub, DeviceEvent)) >= 3 + len(reader.state.antennas))
            assert {each.event for each in seen(hub, DeviceEvent)} == {
                "connected",
                "antenna_connected",
            }
            for dbm in (-70, -60, -50, -60, -70):
                reader.report(BAG, 1, dbm, pc=bag_tag_pc(BAG))
                await asyncio.sleep(0.05)
            scanner.scan("0220123456")
            await eventually(lambda: len(seen(hub, TagRead)) >= 5)
            (scan,) = await eventually(lambda: seen(hub, CodeScan))
            assert scan.licence_plate == "0220123456"
            assert await eventually(lambda: seen(hub, PositionFix))
            assert await eventually(lambda: seen(hub, GatewayHealth))
            told = await status(config)
            assert told["running"]
            assert set(told["devices"].values()) == {"connected"}
            assert told["link"]["connected"]
            assert told["threads"] <= 6
            assert told["rss_kb"] < 60_000
            code, text, _ = await command("status", "--config", str(config))
            assert code == 0
            assert "device     portal: connected" in text
            hub.order(
                commands.encode(Command(id="a1", verb="ping", expires_at_us=2**60)), "command"
            )
            await eventually(lambda: any(isinstance(each, bytes) for each in hub.statuses))
            daemon.terminate()
            assert await asyncio.wait_for(daemon.wait(), 60) == 0
        told = await status(config)
        assert not told["running"]
        assert told["waiting"] == 0
        assert told["accepted"] == told["acked"] == sum(map(len, hub.stored.values()))
        assert hub.wait_for(lambda hub: hub.statuses[-1] == "gone")
    finally:
        sending.cancel()
        scanner.unplug()
        gps.unplug()
        await reader.stop()


async def test_a_passage_is_concluded_by_time_alone(tmp_path, broker, hub):
    reader = FakeReader()
    await reader.start()
    config = write_config(
        tmp_path,
        broker,
        f'[[device]]\nname = "portal"\nkind = "llrp"\nhost = "127.0.0.1"\nport = {reader.port}\n'
        '[[belt]]\nname = "b4"\npoint = "sortation"\nantennas = ["portal:1"]\n',
    )
    try:
        async with running(config):
            await eventually(lambda: seen(hub, DeviceEvent))
            for dbm in (-70, -60, -50, -60, -70):
                reader.report(BAG, 1, dbm, pc=bag_tag_pc(BAG))
                await asyncio.sleep(0.1)
            (passage,) = await eventually(lambda: seen(hub, BagPassage))
            assert (passage.belt, passage.licence_plate) == ("b4", "0220123456")
    finally:
        await reader.stop()


async def test_killed_and_started_again_it_brings_what_was_durable(tmp_path, broker, hub):
    hub.answer_with = lambda *_: None
    config = write_config(tmp_path, broker)
    async with running(config) as daemon:
        await eventually(lambda: hub.arrivals)
        daemon.send_signal(signal.SIGKILL)
        await daemon.wait()
    before = await status(config)
    assert not before["running"]
    assert before["waiting"] == before["accepted"] > 0
    hub.answer_with = None
    async with running(config):
        first, all_of_it = before["epoch"], list(range(1, before["accepted"] + 1))
        await eventually(lambda: hub.sequences(LIVE, first) == all_of_it)
        await eventually(lambda: any(epoch != first for _, epoch in hub.stored))


async def test_a_device_that_is_not_there_stops_nothing_and_is_named(tmp_path, broker, hub):
    config = write_config(
        tmp_path,
        broker,
        '[[device]]\nname = "gps"\nkind = "gps_serial"\nport = "/dev/no-such-device"\n',
    )
    async with running(config):
        await eventually(lambda: seen(hub, GatewayHealth))
        told = await status(config)
        assert told["devices"] == {"gps": "lost"}
        assert "/dev/no-such-device" in told["device_errors"]["gps"]
        assert "gps" in told["degraded"]


async def test_without_a_disk_it_runs_and_says_so(tmp_path, broker, hub):
    config = write_config(tmp_path, broker)
    (tmp_path / "spool.db").mkdir()
    async with running(config):
        told = await told_once_degraded(config)
        assert "unable to open" in told["degraded"]
        (tmp_path / "spool.db").rmdir()
        assert await eventually(lambda: seen(hub, GatewayHealth))


async def test_a_second_daemon_on_the_same_spool_is_refused(tmp_path, broker, hub):
    config = write_config(tmp_path, broker)
    async with running(config):
        await eventually(lambda: seen(hub, GatewayHealth))
        code, _, err = await command("run", "--config", str(config))
        assert code == 1
        assert "runs on" in err


async def test_an_unusable_configuration_is_one_clear_message(tmp_path, broker):
    config = write_config(
        tmp_path, broker, '[[device]]\nname = "r"\nkind = "llrp"\nhost = "x"\nprofile = "nine"\n'
    )
    for arguments in (["run", "--config"], ["config", "check"]):
        code, _, err = await command(*arguments, str(config))
        assert code == 2
        assert "device r: profile: no profile 'nine'" in err
        assert "Traceback" not in err


async def test_systemd_hears_that_it_is_ready_and_alive(tmp_path, broker, hub):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(0)
        config = write_config(tmp_path, broker)
        loop = asyncio.get_running_loop()
        async with running(config, NOTIFY_SOCKET=address, WATCHDOG_USEC="30000000") as daemon:
            assert await asyncio.wait_for(loop.sock_recv(systemd, 100), 60) == b"READY=1"
            assert await asyncio.wait_for(loop.sock_recv(systemd, 100), 60) == b"WATCHDOG=1"
            daemon.terminate()
            said = b""
            while said != b"STOPPING=1":
                said = await asyncio.wait_for(loop.sock_recv(systemd, 100), 60)


async def test_status_of_a_gateway_that_never_ran_is_empty(tmp_path, broker):
    told = await status(write_config(tmp_path, broker))
    assert (told["running"], told["accepted"], told["waiting"]) == (False, 0, 0)
    assert told["epoch"] is None


async def test_config_show_and_schema_are_json(tmp_path, broker):
    config = write_config(tmp_path, broker)
    code, out, _ = await command("config", "show", str(config), "--json")
    assert code == 0
    assert json.loads(out)["spool"]["path"] == str(tmp_path / "spool.db")
    code, out, _ = await command("config", "schema")
    assert "serial_scanner" in out
    assert json.loads(out)
    code, out, _ = await command("config", "check", str(config), "--json")
    assert json.loads(out) == {"file": str(config), "problems": []}


@pytest.mark.parametrize("name", ["run", "status", "config", "decode", "version"])
async def test_every_command_explains_itself(name):
    code, out, _ = await command(name, "--help")
    assert code == 0
    assert "Example: aerocast-agent" in out
    assert "--json" in out


async def test_an_antenna_that_dies_shows_at_the_hub_and_to_a_technician(tmp_path, broker, hub):
    reader = FakeReader()
    await reader.start()
    config = write_config(
        tmp_path,
        broker,
        f'[[device]]\nname = "portal"\nkind = "llrp"\nhost = "127.0.0.1"\nport = {reader.port}\n',
    )

    def dead():
        told = [each.device_health.get("portal") for each in seen(hub, GatewayHealth)]
        return told and told[-1] is not None and told[-1].antennas.get(2) is False

    try:
        async with running(config):
            await eventually(lambda: seen(hub, DeviceEvent))
            reader.antenna(2, connected=False)
            async with asyncio.timeout(60):
                while not dead():
                    await asyncio.to_thread(order_daemon, str(tmp_path / "spool.db"), "health")
                    await asyncio.sleep(0.1)
            assert seen(hub, GatewayHealth)[-1].degraded == "no antenna: portal:2"
            _, out, _ = await command("status", "--config", str(config))
            assert "NO ANTENNA on port 2" in out
            code, out, _ = await command("probe", "portal", "--config", str(config))
            assert code == 1
            assert "antenna 2" in out
            assert "mend: " in out
    finally:
        await reader.stop()
