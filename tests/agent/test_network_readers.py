"""Readers that tell in JSON, on loopback: an R700's HTTP stream, and MQTT through a real broker."""

import asyncio
import json
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aerocast_agent import clock
from aerocast_agent.build import build
from aerocast_agent.config_file import ConfigError, parse_config
from aerocast_agent.driver import Probeable
from aerocast_agent.drivers import r700
from aerocast_agent.drivers.r700 import R700Stream
from aerocast_agent.drivers.reader_http_server import HttpReader
from aerocast_agent.drivers.reader_mqtt import MqttReader
from aerocast_agent.mqtt_link import LinkError
from aerocast_agent.network_reader import Access
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import GpioEdge
from aerocast_simulator.processes import free_port
from aerocast_simulator.r700 import R700, event
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.waiting import until

sys.path.insert(0, str(Path(__file__).parents[1]))
from servers import find_server

from tests.agent.seen import TagsSeen

NOBODY = Access()


def epc(number):
    return number.to_bytes(12, "big")


async def ended(task):
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() or isinstance(task.exception(), Exception)


@asynccontextmanager
async def serving(reader):
    await reader.start()
    try:
        yield f"http://127.0.0.1:{reader.port}"
    finally:
        await reader.stop()


@asynccontextmanager
async def reading(reader, preset="belts", access=NOBODY, **settings):
    seen = TagsSeen()
    async with serving(reader) as url:
        running = asyncio.create_task(
            R700Stream("portal", url, access, preset, **settings).run(seen.accept)
        )
        try:
            await seen.holds(lambda: seen.events("connected") or running.done())
            yield seen, running
        finally:
            await ended(running)


@pytest.mark.parametrize("texts", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("chunk", [None, 7])
async def test_every_tag_of_an_r700_arrives_once_and_in_order(texts, chunk):
    reader = R700(epc_hex=texts[0], epc_base64=texts[1], chunk=chunk)
    async with reading(reader) as (seen, _):
        before_ns = clock.boot_ns()
        for number in range(200):
            assert reader.read(epc(number), antenna=number % 4 + 1, rssi_dbm=-51.25)
        await seen.holds(lambda: len(seen.tags) == 200)
    assert [tag.epc for tag in seen.tags] == [epc(number) for number in range(200)]
    assert [tag.antenna for tag in seen.tags[:5]] == [1, 2, 3, 4, 1]
    assert (seen.tags[0].rssi_dbm, seen.tags[0].phase_deg) == (-51.25, 33.75)
    assert before_ns < seen.tags[0].boot_ns < clock.boot_ns()
    assert abs(seen.tags[0].reader_seen_at_us - clock.wall_ns() // 1000) < 60_000_000


async def test_an_idle_reader_is_told_to_begin_and_one_that_reads_is_left_alone():
    reader = R700()
    async with reading(reader):
        assert reader.starts == ["belts"]
    busy = R700()
    busy.status = "running"
    async with reading(busy) as (seen, _):
        busy.read(epc(1))
        await seen.holds(lambda: seen.tags)
    assert busy.starts == []


async def test_an_idle_reader_without_a_preset_is_said_to_be_idle_once(monkeypatch):
    monkeypatch.setattr(r700, "SHORTEST_ANSWER_S", 60.0)
    reader = R700()
    async with reading(reader, preset=None, quiet_s=0.05) as (seen, _):
        asked = len(reader.asked)
        await until(lambda: len(reader.asked) >= asked + 3)
        (told,) = seen.events("configuration")
        assert "idle: start an inventory" in told.detail
    assert reader.starts == []


async def test_inputs_antennas_and_overflow_are_told():
    reader = R700()
    async with reading(reader) as (seen, _):
        reader.gpio(1, 1)
        reader.gpio(1, 0)
        reader.antenna(3, connected=False)
        reader.antenna(3, connected=True)
        reader.tell("overflow", {})
        await seen.holds(lambda: seen.events("overflow"))
    assert [(each.pin, each.level) for each in seen if isinstance(each, GpioEdge)] == [
        (1, 1),
        (1, 0),
    ]
    assert [each.antenna for each in seen.events("antenna_disconnected")] == [3]
    assert [each.antenna for each in seen.events("antenna_connected")] == [3]


async def test_a_line_that_cannot_be_read_costs_only_itself():
    reader = R700()
    async with reading(reader) as (seen, running):
        reader.tell("tagInventory", {"epcHex": "odd"})
        reader.read(epc(2))
        await seen.holds(lambda: seen.tags)
        assert not running.done()


async def test_a_reader_that_falls_silent_without_a_word_is_found_out():
    reader = R700()
    async with reading(reader, quiet_s=0.1) as (_, running):
        await until(lambda: len(reader.asked) >= 4)  # quiet, and still there
        assert not running.done()
        reader.silent = True
        with pytest.raises(TimeoutError, match="did not answer /api/v1/status"):
            async with asyncio.timeout(60):
                await running


async def test_a_reader_that_answers_with_its_first_event_counts_as_connected_before(monkeypatch):
    monkeypatch.setattr(r700, "SHORTEST_ANSWER_S", 60.0)
    reader = R700(answers_late=True)
    async with reading(reader, quiet_s=0.1) as (seen, running):
        await until(lambda: len(reader.asked) >= 5)
        reader.read(epc(1))
        await seen.holds(lambda: seen.tags)
        assert not running.done()


async def test_lost_connections_cost_no_inventory():
    reader, seen = R700(), TagsSeen()
    async with serving(reader) as url:
        driver = R700Stream("portal", url, NOBODY, "belts")
        watching = asyncio.create_task(Supervisor([driver], seen.accept).run())
        for time in range(3):
            await seen.holds(lambda time=time: len(seen.events("connected")) > time)
            reader.read(epc(time))
            await seen.holds(lambda time=time: len(seen.tags) > time)
            reader.drop()
            await seen.holds(lambda time=time: len(seen.events("lost")) > time)
        await ended(watching)
    assert reader.starts == ["belts"]


async def test_a_wrong_password_is_called_one_and_the_right_one_lets_in():
    access = Access("root", "impinj")
    async with serving(R700(user=access.user, password=access.password)) as url:
        driver = R700Stream("portal", url, Access("root", "secret"))
        with pytest.raises(PermissionError, match="does not know this user"):
            await driver.run([].append)
    reader = R700(user=access.user, password=access.password)
    async with reading(reader, access=access) as (seen, _):
        assert seen.events("connected")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "status"),
    ],
)
async def test_what_is_no_r700_is_named_with_what_it_said(said, says):
    async def be_a_peer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(be_a_peer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ProtocolError, match=says):
            await R700Stream("portal", url, NOBODY).run([].append)


async def test_probing_says_what_the_reader_does():
    async with serving(R700()) as url:
        driver = R700Stream("portal", url, NOBODY)
        assert isinstance(driver, Probeable)
        report = await driver.probe()
    assert report.says == {"inventory": "idle", "serial": "370-20-44-1234"}
    assert report.faults[0].found == "the reader is idle"


@pytest.fixture
def own_certificate(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "reader.pem"
    made = [find_server("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(
        [*made, "-subj", "/CN=impinj-14-00-01", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_a_reader_is_reached_over_tls_by_its_own_certificate(own_certificate):
    certificate, key = own_certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen, reader = TagsSeen(), R700()
    server = await asyncio.start_server(reader._serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await R700Stream("portal", url, NOBODY, "belts").run(seen.accept)
        driver = R700Stream("portal", url, Access(ca=str(certificate)), "belts")
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.holds(lambda: seen.events("connected"))
        reader.read(epc(5))
        await seen.holds(lambda: seen.tags)
        await ended(running)
        await until(lambda: not reader._serving)


class Mosquitto:
    """A real broker on a free port; can be stopped and started again."""

    def __init__(self, folder, binary):
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"persistence true\npersistence_location {folder}/\nmax_queued_messages 10000\n"
        )
        self._binary = binary
        self._process = None

    def start(self):
        self._process = subprocess.Popen(
            [self._binary, "-c", self._config], stderr=subprocess.DEVNULL
        )

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    async def answers(self):
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory):
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"), find_server("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@asynccontextmanager
async def publishing(broker):
    """A reader's side of the broker: publishes and waits until the broker has it."""
    await broker.answers()
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    async def publish(topic, message):
        sent = client.publish(topic, message, qos=1)
        await until(sent.is_published)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


def impinj_tag(number):
    return event("tagInventory", {"epcHex": epc(number).hex(), "antennaPort": 2})


def zebra_tag(number):
    data = {"idHex": epc(number).hex(), "peakRssi": -48, "antenna": 2}
    return json.dumps(
        {"data": data, "timestamp": "2026-08-13T09:14:28Z", "type": "SIMPLE"}
    ).encode()


@pytest.mark.parametrize(("maker", "tag"), [("impinj", impinj_tag), ("zebra", zebra_tag)])
async def test_every_tag_published_arrives_once_also_those_while_we_were_away(
    mosquitto, maker, tag
):
    seen = TagsSeen()
    topic = f"readers/{maker}/data"
    driver = MqttReader(
        "portal", mosquitto.url, "readers/+/data", NOBODY, maker=maker, client_id=f"gw-{maker}"
    )
    async with publishing(mosquitto) as publish:
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.holds(lambda: seen.events("connected"))
        for number in range(20):
            await publish(topic, tag(number))
        await publish(topic, b"not JSON at all")
        await seen.holds(lambda: len(seen.tags) == 20)
        await ended(running)
        for number in range(20, 40):
            await publish(topic, tag(number))
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.holds(lambda: len(seen.tags) == 40)
        await ended(running)
    assert [read.epc for read in seen.tags] == [epc(number) for number in range(40)]
    assert {read.antenna for read in seen.tags} == {2}


async def test_a_broker_that_goes_and_comes_is_found_again(tmp_path):
    broker, seen = Mosquitto(tmp_path, find_server("mosquitto")), TagsSeen()
    driver = MqttReader("portal", broker.url, "tags", NOBODY, maker="zebra", client_id="gw")
    with pytest.raises(LinkError):
        await driver.run(seen.accept)
    broker.start()
    try:
        await broker.answers()
        watching = asyncio.create_task(Supervisor([driver], seen.accept).run())
        await seen.holds(lambda: seen.events("connected"))
        broker.stop()
        await seen.holds(lambda: seen.events("lost"))
        broker.start()
        await seen.holds(lambda: len(seen.events("connected")) == 2)
        async with publishing(broker) as publish:
            await publish("tags", zebra_tag(1))
        await seen.holds(lambda: seen.tags)
        await ended(watching)
    finally:
        broker.stop()


@asynccontextmanager
async def listening(maker):
    seen = TagsSeen()
    driver = HttpReader("dock", "127.0.0.1", 0, Access("fx", "s3cret"), maker)
    running = asyncio.create_task(driver.run(seen.accept))
    await seen.holds(lambda: seen.events("connected"))
    try:
        yield seen, f"http://127.0.0.1:{driver.port}/tags"
    finally:
        await ended(running)


@pytest.mark.parametrize(("maker", "tag"), [("impinj", impinj_tag), ("zebra", zebra_tag)])
async def test_what_a_reader_posts_is_taken_before_it_is_answered(maker, tag):
    async with listening(maker) as (seen, url), httpx.AsyncClient(auth=("fx", "s3cret")) as client:
        assert (await client.post(url, content=tag(0))).status_code == 200
        assert [read.epc for read in seen.tags] == [epc(0)]
        many = b"[" + b",".join(tag(number) for number in range(1, 100)) + b"]"
        assert (await client.post(url, content=many)).status_code == 200
        assert (await client.post(url, content=b"no JSON")).status_code == 200
        assert (await client.get(url)).status_code == 405
    assert [read.epc for read in seen.tags] == [epc(number) for number in range(100)]


async def test_nobody_posts_tags_without_the_password():
    async with listening("zebra") as (seen, url), httpx.AsyncClient() as client:
        for auth in (None, ("fx", "wrong"), ("", "")):
            answer = await client.post(url, content=zebra_tag(1), auth=auth)
            assert answer.status_code == 401
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2][:-5]))
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        assert b"400 Bad Request" in await reader.read()
        writer.close()
        await writer.wait_closed()
    assert seen.tags == []


GATEWAY = '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ('kind = "r700"', "key url or broker or listen is missing"),
        ('kind = "zebra_iot"', "key broker or listen is missing"),
        ('kind = "zebra_iot"\nlisten = "0.0.0.0"\nuser = "fx"', "key port is missing"),
        ('kind = "r700"\nlisten = "0.0.0.0"\nport = 8080\nuser = "fx"', "key password_file"),
        ('kind = "zebra_iot"\nlisten = "hall"\nport = 8080', "expected an IP address"),
        ('kind = "r700"\nurl = "http://a"\nbroker = "mqtt://b"\ntopic = "t"', "leave out one"),
        ('kind = "zebra_iot"\nbroker = "mqtt://b"', "key topic is missing"),
        ('kind = "zebra_iot"\nbroker = "http://b"\ntopic = "t"', "expected mqtt://"),
        ('kind = "r700"\nurl = "ftp://a"', "expected http://host or https://host"),
    ],
)
def test_a_reader_that_cannot_be_reached_is_said_in_the_configuration(device, says):
    with pytest.raises(ConfigError, match=says):
        parse_config(
            f'{GATEWAY}[[device]]\nname = "portal"\n{device}\n', name="agent.toml", folder=Path()
        )


def test_readers_are_built_as_configured_and_watch_belts(tmp_path):
    (tmp_path / "secret").write_text("impinj\n")
    text = (
        f'{GATEWAY}[[device]]\nname = "portal"\nkind = "r700"\nurl = "http://192.0.2.40"\n'
        'user = "root"\npassword_file = "secret"\n'
        '[[device]]\nname = "dock"\nkind = "zebra_iot"\nbroker = "mqtt://b"\ntopic = "t"\n'
        '[[device]]\nname = "door"\nkind = "zebra_iot"\nlisten = "127.0.0.1"\nport = 8080\n'
        'user = "fx"\npassword_file = "secret"\n'
        '[[device]]\nname = "desk"\nkind = "uhf_serial"\nport = "/dev/null"\nprotocol = "m100"\n'
        '[[belt]]\nname = "belt-4"\npoint = "sortation"\n'
        'antennas = ["portal:1", "dock:2", "desk:1"]\nphoto_eye = "portal:gpi1"\n'
    )
    settings = parse_config(text, name="agent.toml", folder=tmp_path)
    portal, dock, door, desk = build(settings, [].append).drivers
    assert portal._client._access == Access("root", "impinj")
    assert isinstance(dock, MqttReader)
    assert isinstance(door, HttpReader)
    assert desk.name == "desk"
    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigError, match="password_file"):
        build(settings, [].append)
