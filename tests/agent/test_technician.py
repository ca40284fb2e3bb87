"""What a technician types at a gateway: doctor, tail, replay; daemon and broker are real ones."""

import asyncio
import contextlib
import http.server
import json
import os
import sys
import threading
from pathlib import Path

import pytest
from aerocast_agent import clock
from aerocast_agent.asking import NotPermittedError, ask_daemon, order_daemon, watch_daemon
from aerocast_agent.doctor.machine import Account, may
from aerocast_agent.spool import Spool
from aerocast_agent.watching import MOST_UNTOLD, Accepted, Watching
from aerocast_protocols import batch
from aerocast_protocols.batch import UNKNOWN_GATEWAY, Acknowledgement
from aerocast_protocols.observations.bags import CodeScan
from aerocast_protocols.observations.every import CRITICAL
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.processes import free_port
from aerocast_simulator.serial_devices import PtyScanner

from tests.agent.brokers import Broker
from tests.agent.fake_hub import FakeHub

AGENT = Path(sys.executable).with_name("aerocast-agent")


class _Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture
def web():
    server = http.server.HTTPServer(("127.0.0.1", 0), _Healthy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def write_config(folder, url, *, web=None, devices="", more=""):
    file = folder / "agent.toml"
    file.write_text(
        f'[gateway]\nsite = "lfbo"\nname = "hall-1"\n[hub]\nbroker = "{url}"\n{more}'
        + (f'http = "{web}"\n' if web else "")
        + '[spool]\npath = "spool.db"\nbudget_mb = 16\n'
        + devices
    )
    return file


@contextlib.asynccontextmanager
async def running(config):
    log = config.with_suffix(".log")
    with log.open("wb") as written:
        daemon = await asyncio.create_subprocess_exec(
            AGENT, "run", "--config", config, stderr=written
        )
    try:
        spool = str(config.parent / "spool.db")
        while not order_daemon(spool, "health"):  # noqa: ASYNC110  a process has no event
            await asyncio.sleep(0.05)
        yield daemon
    finally:
        with contextlib.suppress(ProcessLookupError):
            daemon.terminate()
        await daemon.wait()
    assert "Traceback" not in log.read_text()  # however it ended


async def command(*arguments):
    process = await asyncio.create_subprocess_exec(
        AGENT, *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def doctor(config):
    code, out, err = await command("doctor", "--json", "--config", config)
    assert err == ""
    found = {each["check"]: each for each in map(json.loads, out.splitlines())}
    assert all(
        (each["mend"] is None) == (each["result"] in {"well", "skipped"}) for each in found.values()
    )
    return code, found


def fill(folder, count=3):
    spool = Spool(folder / "spool.db", 16 * 1024 * 1024, clock.boot_id())
    spool.start()
    for number in range(count):
        text = f"{number:010}"
        scan = CodeScan(device="desk", boot_ns=clock.boot_ns(), content="plate", text=text)
        spool.add(CRITICAL, batch.encode_observation(scan))
    spool.flush().result(60)
    spool.stop()


async def test_doctor_finds_all_well_with_the_daemon_down_and_leaves_no_gap(
    tmp_path, broker, hub, web
):
    fill(tmp_path)
    code, found = await doctor(write_config(tmp_path, broker.url_v5, web=web))
    assert code == 0, found
    assert found["daemon"]["result"] == "doubtful"
    for check in (
        "config",
        "disk",
        "spool",
        "broker port",
        "CONNECT, MQTT 5",
        "round trip",
        "hub web",
    ):
        assert found[check]["result"] == "well", found[check]
    (probed,) = hub.stored.values()
    (told,) = [batch.decode_observation(each) for each in probed.values()]
    assert isinstance(told, DeviceEvent)
    assert list(probed) == [1]
    assert hub.statuses == []


async def test_a_spare_broker_that_is_down_is_only_doubtful(tmp_path, broker, hub):
    spare = f'broker_v3 = "mqtt://127.0.0.1:{free_port()}"\n'
    code, found = await doctor(write_config(tmp_path, broker.url_v5, more=spare))
    assert code == 0, found
    assert found["broker_v3 port"]["result"] == "doubtful"


async def test_doctor_asks_the_daemon_while_it_runs(tmp_path, broker, hub, web):
    async with running(write_config(tmp_path, broker.url_v5, web=web)):
        assert await asyncio.to_thread(hub.wait_for, lambda hub: hub.arrivals)
        code, found = await doctor(tmp_path / "agent.toml")
        assert code == 0, found
        assert found["daemon"]["result"] == "well"
        assert found["round trip"]["result"] == "well"
        assert found["CONNECT, MQTT 5"]["found"].startswith("the daemon is connected")


async def test_doctor_says_what_fails_and_how_to_mend_it(tmp_path, broker, hub):
    hub.answer_with = lambda _, body: Acknowledgement(
        lane=body.lane, epoch=body.epoch, up_to_sequence=0, status=UNKNOWN_GATEWAY
    )
    config = write_config(
        tmp_path,
        broker.url_v5,
        web=f"http://127.0.0.1:{free_port()}",
        devices='[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "/dev/ttyACM99"\n'
        f'[[device]]\nname = "portal"\nkind = "llrp"\nhost = "127.0.0.1"\nport = {free_port()}\n'
        f'[[device]]\nname = "gate"\nkind = "tcp_scanner"\nport = {free_port()}\nhost = "127.0.0.1"'
        "\n"
        '[[device]]\nname = "hand"\nkind = "hid_scanner"\nport = "/dev/input/event99"\n',
    )
    (tmp_path / "spool.corrupt-00000000.db").touch()
    code, found = await doctor(config)
    assert code == 1
    assert "aerocast-hub gateway add lfbo hall-1" in found["round trip"]["mend"]
    assert "/dev/serial/by-id" in found["device desk"]["mend"]
    assert found["device portal"]["result"] == "failed"
    assert found["device gate"]["result"] == "failed"
    assert "/dev/input/by-id/" in found["device hand"]["mend"]
    assert found["hub web"]["result"] == "failed"
    assert "spool salvage" in found["spool"]["mend"]


async def test_doctor_stops_where_nothing_can_follow(tmp_path):
    code, found = await doctor(write_config(tmp_path, f"mqtt://127.0.0.1:{free_port()}"))
    assert code == 1
    assert found["broker port"]["result"] == "failed"
    assert found["round trip"]["result"] == "skipped"
    code, found = await doctor(write_config(tmp_path, "mqtt://no-such-host.invalid"))
    assert code == 1
    assert found["broker DNS"]["result"] == "failed"
    (tmp_path / "agent.toml").write_text('[gateway]\nsite = "lfbo"\n')
    code, found = await doctor(tmp_path / "agent.toml")
    assert code == 1
    assert "name is missing" in found["config"]["found"]


@pytest.mark.parametrize(
    ("mode", "owner", "group", "allowed"),
    [
        (0o660, 0, 20, True),
        (0o660, 0, 21, False),
        (0o666, 0, 0, True),
        (0o606, 7, 0, True),
        (0o066, 7, 20, False),
    ],
)
def test_an_account_may_open_what_owner_group_and_the_rest_are_granted(mode, owner, group, allowed):
    found = os.stat_result((mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    assert may(found, Account("aerocast", 7, frozenset({7, 20})), os.R_OK | os.W_OK) is allowed
    assert may(found, Account("root", 0, frozenset({0})), os.R_OK | os.W_OK)


async def test_tail_shows_the_newest_that_wait(tmp_path, broker):
    fill(tmp_path, 30)
    config = write_config(tmp_path, broker.url_v5)
    code, out, _ = await command("tail", "-n", "2", "--json", "--config", config)
    assert code == 0
    assert [json.loads(each)["text"] for each in out.splitlines()] == ["0000000028", "0000000029"]
    code, out, _ = await command("tail", "--lane", "critical", "--config", config)
    assert len(out.splitlines()) == 10
    assert "code_scan" in out
    code, out, err = await command("tail", "--kind", "tag_read", "--config", config)
    assert (code, out) == (0, "")
    assert "-f" in err


EARLY = "0220123456"


async def first_line(follower, scanner):
    """Scan until the follower tells of it: from then on it follows."""
    reading = asyncio.create_task(follower.stdout.readline())
    async with asyncio.timeout(60):
        while not reading.done():
            scanner.scan(EARLY)
            await asyncio.wait({reading}, timeout=0.2)
    return json.loads(reading.result())


async def test_tail_follows_every_observation_though_the_hub_takes_them_at_once(
    tmp_path, broker, hub
):
    scanner = PtyScanner()
    config = write_config(
        tmp_path,
        broker.url_v5,
        devices=f'[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "{scanner.path}"\n',
    )
    follower = None
    try:
        async with running(config):
            follower = await asyncio.create_subprocess_exec(
                AGENT, "tail", "-f", "-n", "0", "--kind", "code_scan", "--json", "--config", config,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            before = await first_line(follower, scanner)
            plates = [f"{number:010}" for number in range(20)]
            for plate in plates:
                scanner.scan(plate)
                await asyncio.sleep(0.02)
            told = [before]
            while told[-1]["licence_plate"] != plates[-1]:
                told.append(json.loads(await asyncio.wait_for(follower.stdout.readline(), 60)))
            assert [each["licence_plate"] for each in told][-20:] == plates
            first = before["sequence"]
            assert [each["sequence"] for each in told] == list(range(first, first + len(told)))
        assert b"has stopped" in await asyncio.wait_for(follower.stderr.readline(), 60)
        async with running(config):
            assert (await first_line(follower, scanner))["licence_plate"] == EARLY
    finally:
        if follower is not None:
            follower.terminate()
            await follower.communicate()
        scanner.unplug()


def test_a_slow_watcher_is_told_how_much_it_missed():
    watching = Watching()
    accepted = Accepted(lane=0, epoch=1, sequence=1, boot_id=bytes(16), encoded=b"")
    with watching.begin() as watcher:
        assert watching
        for _ in range(MOST_UNTOLD + 7):
            watching.tell(accepted)
        told = watcher.take()
        assert (len(told), told[0].missed, told[1].missed) == (MOST_UNTOLD, 7, 0)
        assert not watcher.take()
    assert not watching


async def until_it_waits(spool):
    """Wait until the daemon has heard that the hub does not know it: an hour, or until asked."""
    async with asyncio.timeout(60):
        while not (  # noqa: ASYNC110  another process tells
            (told := await asyncio.to_thread(ask_daemon, spool)) and told.gateway_unknown
        ):
            await asyncio.sleep(0.05)


async def test_replay_wakes_a_daemon_that_waits_for_the_hub_to_know_it(tmp_path, broker, hub):
    fill(tmp_path)
    hub.answer_with = lambda _, body: Acknowledgement(
        lane=body.lane, epoch=body.epoch, up_to_sequence=0, status=UNKNOWN_GATEWAY,
        retry_after_ms=3_600_000,
    )  # fmt: skip
    config = write_config(tmp_path, broker.url_v5)
    code, out, _ = await command("replay", "--from", "-1h", "--to", "now", "--config", config)
    assert code == 1
    assert "The daemon is down. Next:" in out
    async with running(config):
        assert await asyncio.to_thread(hub.wait_for, lambda hub: hub.arrivals)
        await until_it_waits(str(tmp_path / "spool.db"))
        hub.answer_with = None
        code, out, err = await command(
            "replay", "--from", "-1h", "--to", "now", "--lane", "critical", "--json",
            "--config", config,
        )  # fmt: skip
        told = json.loads(out)
        assert code == 0, (told, err)
        assert (told["observations"], told["acknowledged"], told["waiting"]) == (3, 1, 0)
        assert any(len(each) == 3 for each in hub.stored.values())
        code, out, _ = await command("replay", "--from", "-1h", "--to", "now", "--json", "--config",
                                     config, "--lane", "critical")  # fmt: skip
        assert (code, json.loads(out)["batches"], json.loads(out)["gone"] >= 3) == (0, 0, True)


async def test_replay_reaches_a_hub_whose_broker_came_back_a_moment_ago(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    late = Broker(folder)
    config = write_config(tmp_path, late.url_v5)
    fill(tmp_path)
    async with running(config):
        late.start()
        hub = FakeHub(late.port_v5)
        try:
            code, out, _ = await command(
                "replay", "--from", "-1h", "--to", "now", "--json", "--config", config,
                "--lane", "critical", "--wait", "50",
            )  # fmt: skip
            told = json.loads(out)
            assert (code, told["waiting"]) == (0, 0)
            assert told["acknowledged"] == 1 or told["gone"] >= 3  # it may have been there first
        finally:
            hub.stop()
    late.kill()


async def test_replay_names_a_time_it_does_not_understand(tmp_path, broker):
    config = write_config(tmp_path, broker.url_v5)
    code, _, err = await command("replay", "--from", "noon", "--to", "now", "--config", config)
    assert code == 2
    assert "expected as 2026-05-04T12:00" in err
    code, _, err = await command("replay", "--from", "now", "--to", "-1h", "--config", config)
    assert code == 2
    assert "after" in err


def test_questions_to_a_daemon_that_is_down_have_no_answer(tmp_path):
    assert order_daemon(str(tmp_path / "spool.db"), "send_again") is False
    assert watch_daemon(str(tmp_path / "spool.db")) is None
    assert issubclass(NotPermittedError, Exception)


async def test_what_is_no_question_is_refused_and_the_daemon_goes_on(tmp_path, broker, hub):
    async with running(write_config(tmp_path, broker.url_v5)):
        spool = str(tmp_path / "spool.db")
        from aerocast_agent.asking import socket_name  # noqa: PLC0415  only here

        for sent in (b"\xff\xfe\n", b"{}\n", b'{"ask": "rm"}\n', b"x" * 5000 + b"\n", b""):
            reader, writer = await asyncio.open_unix_connection(socket_name(spool))
            writer.write(sent)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                answer = await asyncio.wait_for(reader.read(), 60)
                assert not answer or b"not understood" in answer
            writer.close()
        assert order_daemon(spool, "health")
