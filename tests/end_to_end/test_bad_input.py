"""One bad thing at a time beside good ones: it is named once, and nothing else stops."""

import asyncio
import os

import pytest
from aerocast_agent.broker_login import find_login
from aerocast_protocols import topics
from aerocast_simulator.processes import CommandError, call
from aerocast_simulator.serial_devices import PtyScanner
from aerocast_simulator.town import Gateway, Hub
from paho.mqtt import publish

from tests.end_to_end.conftest import until

PLATE = "0220123456"


@pytest.fixture
async def hub(tmp_path):
    metars = tmp_path / "metars.txt"
    metars.write_text("2026/11/22 12:00\nLFBO 221200Z 30010KT 9999 FEW030 12/06 Q1016\n")
    hub = Hub(tmp_path / "hub", metars=metars)
    await hub.prepare()
    await hub.start()
    yield hub
    await hub.process.stop()


async def speak_nonsense(_, writer):
    writer.write(os.urandom(64) + b"\xff" * 64)
    await writer.drain()
    writer.close()


async def test_a_reader_that_sends_garbage_stops_no_scanner(hub, tmp_path):
    nonsense = await asyncio.start_server(speak_nonsense, "127.0.0.1", 0)
    port = nonsense.sockets[0].getsockname()[1]
    with PtyScanner() as scanner:
        configuration = {
            "gateway": {"site": "lfbo", "name": "hall-1"},
            "device": [
                {"name": "portal", "kind": "llrp", "host": "127.0.0.1", "port": port},
                {"name": "desk", "kind": "serial_scanner", "port": scanner.path},
            ],
        }
        gateway = Gateway(tmp_path / "hall-1", configuration, hub)
        await gateway.process.start()
        try:

            async def status():
                return await gateway.status()

            # The hub does not know this gateway yet: it keeps everything, and says so.
            said = await until(
                status,
                lambda each: each["gateway_unknown"] and each["devices"]["desk"] == "connected",
            )
            assert said["devices"]["desk"] == "connected"
            scanner.scan(PLATE)
            said = await until(
                status, lambda each: each["devices"]["portal"] == "lost" and has_scanned(each)
            )
            assert has_scanned(said)
            assert said["device_errors"]["portal"]
            assert said["devices"]["desk"] == "connected"
            assert said["waiting"] > 0
            await gateway.register(hub)
            await gateway.process.stop()  # else it asks again within a minute
            await gateway.process.start()
            scans = await until(
                lambda: hub.client.get("/api/observations?kind=code_scan"),
                lambda answer: answer["items"],
            )
            assert [each["observation"]["licence_plate"] for each in scans["items"]] == [PLATE]
        finally:
            await gateway.process.stop()
            nonsense.close()


def has_scanned(status):
    """Say whether the scan was taken in, after the desk's "connected"."""
    return status["observations_by_device"].get("desk", 0) >= 2 and status["waiting"] > 0


async def test_batches_nobody_can_read_are_set_aside_and_the_hub_goes_on(hub):
    await hub.command("gateway", "add", "lfbo", "hall-1")
    user, password = find_login(f"mqtt://127.0.0.1:{hub.broker_v3_port}", None)
    for payload in (b"", b"\x00garbage", os.urandom(300)):
        await asyncio.to_thread(
            publish.single,
            topics.up("lfbo", "hall-1", 0),
            payload,
            qos=1,
            hostname="127.0.0.1",
            port=hub.broker_v3_port,
            auth={"username": user, "password": password},
        )
    metrics = await until(lambda: metrics_of(hub), lambda text: "quarantine" in text)
    assert metrics
    assert (await hub.client.get("/health"))["status"]


async def metrics_of(hub):
    def read():
        from urllib.request import urlopen  # noqa: PLC0415  only here

        with urlopen(hub.url + "/metrics", timeout=60) as answer:  # noqa: S310  our own hub
            return answer.read().decode()

    return await asyncio.to_thread(read)


async def test_a_wrong_configuration_names_file_line_and_the_nearest_key(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text('[gateway]\nsite = "lfbo"\nnames = "hall-1"\n')
    with pytest.raises(CommandError, match=r"agent\.toml:3: .*names.*name"):
        await call("aerocast-agent", "config", "check", str(file), environment={})
