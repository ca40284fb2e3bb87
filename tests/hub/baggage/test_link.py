"""The hub on BagMessage links: as a client of two hosts, and as a host for partners."""

import asyncio
import contextlib
import logging
import os
import random
from collections import deque

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.link_client import Account, LinkClient
from aerocast_hub.baggage.link_server import LinkServer
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.message_tables import BagMessageRow
from aerocast_hub.baggage.partners import read_partners
from aerocast_hub.hosts import Host, read_hosts
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.running import running
from aerocast_hub.settings import SettingsError, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.baggage.link import Packet, PacketType, encode_packet
from aerocast_simulator.bag_messages import BagMessageHost
from litestar.testing import AsyncTestClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

PASSWORDS = {"AEROCAST": b"secret"}
PATIENCE_S = 60


def bsm(number, station="CDG", airline="AF"):
    return (
        f"BSM\r\n.V/1L{station}\r\n.F/{airline}6120/14JUN/TLS\r\n.N/0057{number:06d}\r\n"
        ".P/DOE/JANE\r\nENDBSM"
    ).encode()


def storage_of(database, metrics=None):
    return Storage(database, lambda: None, metrics or Metrics())


def client_of(storage, *hosts, **more):
    ports = [Host("127.0.0.1", each.port) for each in hosts]
    account = Account("AEROCAST", b"secret")
    return LinkClient(ports, account, storage, Metrics(), reconnect_s=0.01, **more)


async def stored(database):
    async with database.reading() as session:
        rows = await session.scalars(select(BagMessageRow.raw).order_by(BagMessageRow.number))
        return list(rows)


@contextlib.asynccontextmanager
async def hosting(*hosts):
    for host in hosts:
        await host.start()
    try:
        yield hosts
    finally:
        for host in hosts:
            await host.stop()


async def test_messages_come_over_the_link_and_are_acknowledged_once_stored(database):
    host = BagMessageHost(PASSWORDS)
    async with hosting(host):
        async with running(client_of(storage_of(database), host).run()):
            await host.send(*map(bsm, range(5)))
            async with asyncio.timeout(PATIENCE_S):
                await host.sent()
        await until(lambda: host.departures)
    assert await stored(database) == [bsm(number) for number in range(5)]


class Broken:
    """A database that does not answer for a while."""

    def __init__(self, storage, times):
        self.storage, self.times = storage, times
        self.failed = 0

    async def store(self, payloads, sender):
        if self.failed < self.times:
            self.failed += 1
            raise OperationalError("INSERT", {}, OSError("gone"))
        return await self.storage.store(payloads, sender)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_nothing_is_acknowledged_while_the_database_does_not_answer(database, caplog):
    host = BagMessageHost(PASSWORDS, resend_s=0.2)
    broken = Broken(storage_of(database), 1)
    async with hosting(host), running(client_of(broken, host).run()):
        await host.send(bsm(1), bsm(2))
        async with asyncio.timeout(PATIENCE_S):
            await host.sent()
    assert broken.failed == 1
    assert await stored(database) == [bsm(1), bsm(2)]
    assert "wait: they cannot be stored now" in caplog.text
    assert "DOE" not in caplog.text


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_a_refused_login_is_said_without_the_password(database, caplog):
    caplog.set_level(logging.INFO)
    host = BagMessageHost({"AEROCAST": b"other"})
    async with hosting(host), running(client_of(storage_of(database), host).run()):
        await until(lambda: "refuses the login" in caplog.text)
    assert host.logins == 0
    assert "secret" not in caplog.text


class CutProxy:
    """Stands before a host; its first connection ends after so many bytes one way."""

    def __init__(self, port, up=None, down=None):
        self.port, self._upstream, self._left = 0, port, {"up": up, "down": down}
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        left, self._left = self._left, {"up": None, "down": None}
        there, upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        ways = [
            asyncio.ensure_future(self._carry(reader, upstream, left["up"])),
            asyncio.ensure_future(self._carry(there, writer, left["down"])),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            upstream.close()
            self._tasks.discard(asyncio.current_task())

    async def _carry(self, reader, writer, left):
        while left is None or left > 0:
            received = await reader.read(65536)
            if not received:
                return
            writer.write(received[:left])
            left = None if left is None else left - len(received[:left])
            await writer.drain()


async def survive(database, storage, first, way, cut):
    """Cut the first connections to both hosts after ``cut`` bytes one way; all must arrive."""
    messages = [bsm(first + number) for number in range(3)]
    queue = deque(messages)
    hosts = [BagMessageHost(PASSWORDS, queue, resend_s=5.0) for _ in range(2)]
    async with hosting(*hosts):
        proxies = [CutProxy(host.port, **{way: cut}) for host in hosts]
        async with hosting(*proxies), running(client_of(storage, *proxies).run()):
            await until(lambda: not queue)
    assert (await stored(database))[-3:] == messages
    return sum(host.logins for host in hosts)


@pytest.mark.soak
@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_the_link_survives_drops_at_every_byte(database):
    storage = storage_of(database)
    header = len(encode_packet(Packet(PacketType.STATUS, "")))
    up = header + len(PASSWORDS["AEROCAST"]) + 3 * header  # the login, and acknowledgements
    down = header + 3 * (header + len(bsm(0)))
    cuts = [("up", cut) for cut in range(up + 1)] + [("down", cut) for cut in range(down + 1)]
    if not os.environ.get("AEROCAST_SOAK"):
        cuts = random.Random(os.environ.get("PYTEST_XDIST_WORKER", "1745")).sample(cuts, 3)
    for number, (way, cut) in enumerate(cuts):
        await survive(database, storage, number * 10, way, cut)
    assert len(await stored(database)) == 3 * len(cuts)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_a_hub_with_links_set_takes_messages_in_and_serves_partners(
    database, database_url, tmp_path
):
    (tmp_path / "partners.toml").write_text(PARTNERS)
    host = BagMessageHost(PASSWORDS)
    async with hosting(host):
        settings = load_settings(
            mode="dev",
            database_url=database_url,
            data_dir=tmp_path / "data",
            broker_url="none:",
            bag_link_hosts=f"127.0.0.1:{host.port}",
            bag_link_password=PASSWORDS["AEROCAST"].decode(),
            bag_server_port=0,
            bag_server_partners=tmp_path / "partners.toml",
        )
        async with AsyncTestClient(create_app(settings, ["auth", "baggage"])) as client:
            await host.send(bsm(1))
            async with asyncio.timeout(PATIENCE_S):
                await host.sent()
            metrics = client.app.state.hub.metrics.text().decode()
            assert "aerocast_hub_bag_link_connected 1.0" in metrics
            assert 'aerocast_hub_bag_messages_total{outcome="new"} 1.0' in metrics
    assert await stored(database) == [bsm(1)]


PARTNERS = """
[[partner]]
application = "AFBRS"
password = "for-af"
types = ["BSM"]
airlines = ["AF"]

[[partner]]
application = "HANDLER"
password = "for-handler"
stations = ["ORY"]
sends = false
"""


@pytest.fixture
async def serving(database, tmp_path):
    """A hub that serves the partners; gives its server and how messages reach it."""
    file = tmp_path / "partners.toml"
    file.write_text(PARTNERS)
    publisher = Publisher(database, Metrics())
    storage = Storage(database, publisher.wake, Metrics())
    server = LinkServer("AEROCAST", read_partners(file), database, storage, Metrics())
    await publisher.start()
    async with (
        running(publisher.run()),
        server.listening("127.0.0.1", 0),
        running(server.follow(publisher)),
    ):
        yield server, storage


class Sink:
    """Keeps what a partner gets."""

    def __init__(self):
        self.received = []

    async def store(self, payloads, _sender):
        self.received += payloads


def partner_of(server, application, password, sink):
    account = Account(application, password)
    return LinkClient([Host("127.0.0.1", server.port)], account, sink, Metrics(), reconnect_s=0.01)


async def until(claim):
    async with asyncio.timeout(PATIENCE_S):
        while not claim():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.002)


async def test_partners_get_what_is_for_them_once_and_what_they_missed(serving):
    server, storage = serving
    await storage.store([bsm(1)], "api")  # before its first login: not for it
    sink = Sink()
    async with running(partner_of(server, "AFBRS", b"for-af", sink).run()):
        await until(lambda: server._visits)
        await storage.store([bsm(2), bsm(3, airline="BA"), b"MVT\n", bsm(4)], "api")
        await until(lambda: len(sink.received) == 2)
    await until(lambda: not server._visits)  # how far it has got is kept
    await storage.store([bsm(5)], "api")
    async with running(partner_of(server, "AFBRS", b"for-af", sink).run()):
        await until(lambda: len(sink.received) >= 3)
        await storage.store([bsm(6)], "api")
        await until(lambda: len(sink.received) >= 4)
    assert sink.received == [bsm(2), bsm(4), bsm(5), bsm(6)]


async def send(server, application, password, *messages):
    """Speak to the server packet by packet; gives what it answers until it ends or is quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    packets = [Packet(PacketType.LOGIN_RQST, application, 0, password)]
    packets += [
        Packet(PacketType.ACK_DATA, application, number, message)
        for number, message in enumerate(messages, start=1)
    ]
    writer.write(b"".join(map(encode_packet, packets)))
    answer = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while len(answer) < 20 * len(packets):
                received = await reader.read(1000)
                if not received:
                    break
                answer += received
    writer.close()
    return [answer[at + 10] for at in range(0, len(answer), 20)]


async def test_what_a_partner_sends_is_stored_then_acknowledged_and_not_sent_back(
    serving, database
):
    server, _ = serving
    assert await send(server, "AFBRS", b"for-af", bsm(1), bsm(2)) == [
        PacketType.LOGIN_ACCEPT,
        PacketType.ACK_MSG,
        PacketType.ACK_MSG,
    ]
    assert await stored(database) == [bsm(1), bsm(2)]
    await until(lambda: not server._visits)
    sink = Sink()
    async with running(partner_of(server, "AFBRS", b"for-af", sink).run()):
        await until(lambda: server._visits)
        await server._storage.store([bsm(3)], "api")
        await until(lambda: sink.received)
    assert sink.received == [bsm(3)]


async def test_strangers_and_partners_that_may_not_send_are_let_go(serving, database, caplog):
    server, _ = serving
    assert await send(server, "AFBRS", b"wrong") == [PacketType.LOGIN_REJECT]
    assert await send(server, "NOBODY", b"for-af") == [PacketType.LOGIN_REJECT]
    assert await send(server, "HANDLER", b"for-handler", bsm(1)) == [PacketType.LOGIN_ACCEPT]
    assert await stored(database) == []
    assert "may not" in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[partner]]\napplication = "A"', "give one of"),
        ('[[partner]]\napplication = "A"\npassword = ""', "empty"),
        ('[[partner]]\napplication = "TOOLONGID"\npassword = "x"', "8 ASCII"),
        ('[[partner]]\napplication = "A"\npassword = "x"\n' * 2, "two partners"),
        ('[[partner]]\napplication = "A"\npassphrase = "x"', "passphrase"),
        ("[[partner]", "partners.toml"),
    ],
)
def test_a_wrong_file_of_partners_says_what_is_wrong(tmp_path, text, complaint):
    file = tmp_path / "partners.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        read_partners(file)


def test_settings_of_the_links_are_checked(monkeypatch, tmp_path):
    assert read_hosts("a:1, [::1]:2") == (Host("a", 1), Host("::1", 2))
    with pytest.raises(SettingsError, match="HOST:PORT"):
        load_settings(bag_link_hosts="a")
    with pytest.raises(SettingsError, match="bag_link_password"):
        load_settings(bag_link_hosts="a:1")
    with pytest.raises(SettingsError, match="bag_server_partners"):
        load_settings(bag_server_port=0)
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    monkeypatch.setenv("AEROCAST_HUB_BAG_LINK_PASSWORD_FILE", str(secret))
    settings = load_settings(bag_link_hosts="a:1,b:2")
    assert settings.bag_link_password.get_secret_value() == "from a file"
    assert "from a file" not in repr(settings)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
async def test_hosts_that_stop_while_somebody_is_logged_in_complain_of_nothing(
    database, tmp_path, caplog
):
    host = BagMessageHost(PASSWORDS)
    (tmp_path / "partners.toml").write_text(PARTNERS)
    partners = read_partners(tmp_path / "partners.toml")
    server = LinkServer("AEROCAST", partners, database, storage_of(database), Metrics())
    async with (
        contextlib.AsyncExitStack() as clients,
        hosting(host),
        server.listening("127.0.0.1", 0),
    ):
        for client in (
            client_of(storage_of(database), host),
            partner_of(server, "AFBRS", b"for-af", Sink()),
        ):
            await clients.enter_async_context(running(client.run()))
        await until(lambda: host.logins and server._visits)
    assert [record for record in caplog.records if record.name == "asyncio"] == []
