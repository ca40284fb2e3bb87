"""Scanners on the network and scanners that type, as the gateway meets the real ones."""

import asyncio
import logging
import os
import socket
from pathlib import Path

import pytest
from aerocast_agent.build import build
from aerocast_agent.config_file import parse_config
from aerocast_agent.drivers.hid_scanner import HidScanner
from aerocast_agent.drivers.serial_scanner import SerialScanner
from aerocast_agent.drivers.tcp_scanner import TcpScanner
from aerocast_agent.drivers.tcp_scanner_server import MOST_SCANNERS, TcpScannerServer
from aerocast_agent.scans import ScanReports, ScanRules
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols import batch
from aerocast_protocols.barcode.keyboard import encode_typed
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import CodeScan, NoRead
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.network_scanners import TunnelScanner
from aerocast_simulator.serial_devices import PtyScanner

from tests.agent.seen import Seen, stopped

PRINTED = "M1QUIXOTE/ZEPHYRINA   EPNR456 YULFRAAC 0834 226F001A0025 106>60000"


async def listening(driver):
    async with asyncio.timeout(60):
        await driver.listening.wait()


@pytest.fixture
async def tunnel():
    scanner = TunnelScanner()
    await scanner.listen()
    yield scanner
    scanner.stop()


async def test_a_tunnel_that_listens_is_read_and_its_no_reads_are_observations(tunnel):
    seen = Seen()
    rules = ScanRules(heartbeat="HB", point="sortation", belt="b-4")
    running = asyncio.create_task(
        TcpScanner("tunnel", "127.0.0.1", tunnel.port, rules).run(seen.accept)
    )
    await seen.until(1)
    await tunnel.connected()
    for text in ("]I00220123456", "HB", "NoRead", "]I0022012345", "]C00220123456"):
        tunnel.scan(text)
    await seen.until(5)
    await stopped(running)
    connected, plate, no_read, short, other = seen
    assert connected.event == "connected"
    assert (plate.licence_plate, plate.point, plate.belt) == ("0220123456", "sortation", "b-4")
    assert no_read == NoRead(
        device="tunnel", boot_ns=no_read.boot_ns, point="sortation", belt="b-4"
    )
    assert [each.content for each in (short, other)] == ["other", "other"]


async def test_a_tunnel_that_closes_the_connection_is_lost(tunnel):
    seen = Seen()
    running = asyncio.create_task(TcpScanner("tunnel", "127.0.0.1", tunnel.port).run(seen.accept))
    await seen.until(1)
    await tunnel.connected()
    tunnel.drop()
    with pytest.raises(ConnectionResetError, match="tunnel closed"):
        async with asyncio.timeout(60):
            await running


async def test_a_scanner_that_misses_its_heartbeats_is_lost_on_every_kind_of_line(tunnel):
    rules = ScanRules(heartbeat="HB", heartbeat_s=0.04)
    with PtyScanner() as line:
        for driver in (
            TcpScanner("tunnel", "127.0.0.1", tunnel.port, rules),
            SerialScanner("desk", line.path, rules=rules),
        ):
            with pytest.raises(TimeoutError, match=r"said nothing for 0\.1 s"):
                async with asyncio.timeout(60):
                    await driver.run(Seen().accept)


async def test_a_peer_that_is_gone_without_a_word_will_be_noticed(tunnel):
    seen = Seen()
    driver = TcpScanner("tunnel", "127.0.0.1", tunnel.port)
    links = []
    running = asyncio.create_task(
        driver.run(lambda each: (links.append(_sockets()), seen.accept(each)))
    )
    await seen.until(1)
    await stopped(running)
    assert (1, 10, 5, 3) in links[0]


def _sockets():
    """Give the keepalive settings of every TCP socket of this process."""
    found = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            with socket.socket(fileno=os.dup(int(number))) as each:
                found.append(tuple(each.getsockopt(*option) for option in (
                    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                )))  # fmt: skip
        except OSError:
            continue
    return found


async def test_scanners_that_connect_by_themselves_are_read_side_by_side():
    seen, heads = Seen(), [TunnelScanner("stx_etx") for _ in range(3)]
    driver = TcpScannerServer("tunnel", "127.0.0.1", 0, ScanRules("stx_etx"))
    supervisor = Supervisor([driver], seen.accept)
    running = asyncio.create_task(supervisor.run())
    await listening(driver)
    assert supervisor.states == {"tunnel": "connecting"}
    for head in heads:
        await head.connect("127.0.0.1", driver.port)
    await seen.until(3)
    assert supervisor.states == {"tunnel": "connected"}
    for number, head in enumerate(heads):  # halves of texts interleave
        head.send(b"\x0202201234")
        head.send(b"5%d\x03" % number)
    await seen.until(6)
    assert {scan.licence_plate for scan in seen[3:]} == {f"022012345{n}" for n in range(3)}
    heads[0].drop()
    heads[1].send(b"7" * 4096)  # garbage: this one is sent away
    await seen.until(6)
    heads[2].scan("0220999999")
    await seen.until(7)
    assert supervisor.states == {"tunnel": "connected"}
    heads[2].drop()
    await seen.until(8)
    assert (seen[7].event, supervisor.states) == ("lost", {"tunnel": "lost"})
    await heads[2].connect("127.0.0.1", driver.port)  # it never stopped listening
    await seen.until(9)
    assert supervisor.states == {"tunnel": "connected"}
    assert supervisor.errors == {}
    for head in heads:
        head.stop()
    await stopped(running)


async def refused(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(60):
        left = await reader.read()
    writer.close()
    return left == b""


async def test_only_the_tunnels_own_scanners_may_connect(caplog):
    seen = Seen()
    driver = TcpScannerServer("tunnel", "127.0.0.1", 0, scanners=["192.0.2.7", "2001:db8::7"])
    running = asyncio.create_task(driver.run(seen.accept))
    await listening(driver)
    for _ in range(3):
        assert await refused(driver.port)
    assert seen == []
    assert caplog.text.count("turned away") == 1  # not each time: it comes back for ever
    await stopped(running)


async def test_no_more_than_a_tunnels_worth_of_connections_is_held():
    seen, heads = Seen(), [TunnelScanner() for _ in range(MOST_SCANNERS)]
    driver = TcpScannerServer("tunnel", "127.0.0.1", 0)
    running = asyncio.create_task(driver.run(seen.accept))
    await listening(driver)
    for head in heads:
        await head.connect("127.0.0.1", driver.port)
    await seen.until(MOST_SCANNERS)
    assert await refused(driver.port)
    for head in heads:
        head.stop()
    await stopped(running)


async def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await TcpScannerServer("tunnel", "127.0.0.1", taken.getsockname()[1]).run(print)


@pytest.fixture
def keyboard(tmp_path):
    """Give a pipe of input events in place of ``/dev/input/event*``, and its writing end."""
    path = tmp_path / "event0"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    yield str(path), end
    os.close(end)


async def test_a_scanner_that_types_is_read(keyboard):
    path, end = keyboard
    seen = Seen()
    driver = HidScanner("hand", path, ScanRules(heartbeat="alive", point="loading"), layout="fr")
    running = asyncio.create_task(driver.run(seen.accept))
    await seen.until(1)
    typed = b"".join(
        encode_typed(text, "fr") for text in ("0220123456", "alive", "NoRead", PRINTED)
    )
    os.write(end, typed[:101])
    os.write(end, typed[101:])
    await seen.until(4)
    await stopped(running)
    connected, plate, no_read, boarding_pass = seen
    assert isinstance(connected, DeviceEvent)
    assert (plate.licence_plate, plate.point) == ("0220123456", "loading")
    assert isinstance(no_read, NoRead)
    assert boarding_pass.legs[0].flight_number == "0834"


async def test_what_is_no_input_device_is_refused_by_name():
    with pytest.raises(OSError, match="not an input device: '/dev/null'"):
        await HidScanner("hand", "/dev/null").run(print)
    with pytest.raises(OSError, match="no-such-device"):
        await HidScanner("hand", "/dev/no-such-device").run(print)


async def test_a_typing_scanner_that_is_unplugged_is_lost(tmp_path):
    path = tmp_path / "event0"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    seen = Seen()
    running = asyncio.create_task(HidScanner("hand", str(path)).run(seen.accept))
    await seen.until(1)
    os.close(end)
    with pytest.raises(ConnectionResetError, match="was closed"):
        async with asyncio.timeout(60):
            await running


async def test_a_name_on_a_boarding_pass_reaches_no_observation_and_no_log(tunnel, caplog):
    caplog.set_level(logging.DEBUG)
    texts = [
        PRINTED,
        PRINTED[:70] + "9",
        PRINTED[:40],
        PRINTED.lower(),
        "x" + PRINTED,
        PRINTED.replace("1Q", "1"),
    ]
    texts += [
        " ".join(PRINTED.split()),
        PRINTED[2:],
        PRINTED[5:],
        PRINTED + "é",
    ]
    seen = Seen()
    running = asyncio.create_task(TcpScanner("tunnel", "127.0.0.1", tunnel.port).run(seen.accept))
    await seen.until(1)
    await tunnel.connected()
    for text in texts:
        tunnel.scan(text)
    await seen.until(1 + len(texts))
    tunnel.send((PRINTED * 40).encode())  # and never an end
    with pytest.raises(ProtocolError) as lost:
        async with asyncio.timeout(60):
            await running
    told = [batch.encode_observation(each).decode("latin-1") for each in seen]
    told += [caplog.text, str(lost.value), repr(lost.value)]
    for secret in ("QUIXOTE", "UIXOTE", "ZEPHYRINA", "PNR456", "quixote", "zephyrina"):
        assert not [each for each in told if secret in each]
    assert [leg.arrival for leg in seen[1].legs] == ["FRA"]


def test_every_kind_of_scanner_is_made_from_its_configuration():
    said = "".join(
        f'[[device]]\nname = "{kind}"\nkind = "{kind}"\nbelt = "b"\nheartbeat_s = 2\n{where}\n'
        for kind, where in (
            ("serial_scanner", 'port = "/dev/ttyACM0"\nframing = "stx_etx"'),
            ("tcp_scanner", 'host = "192.0.2.7"\nport = 9004\nframing = "crlf"'),
            ("tcp_scanner_server", 'listen = "::"\nport = 9004\nscanners = ["192.0.2.7"]'),
            ("hid_scanner", 'port = "/dev/input/event0"\nlayout = "de"'),
        )
    )
    text = '[gateway]\nsite = "lfbo"\nname = "hall-1"\n' + said
    built = build(parse_config(text, name="agent.toml", folder=Path("/")), print)
    kinds = [SerialScanner, TcpScanner, TcpScannerServer, HidScanner]
    assert [type(driver) for driver in built.drivers] == kinds
    assert {driver._rules.silence_limit_s for driver in built.drivers} == {5.0}
    assert [driver._rules.framing for driver in built.drivers] == [
        "stx_etx",
        "crlf",
        "auto",
        "auto",
    ]


def test_a_code_scan_of_every_kind_travels_and_comes_back():
    reports = ScanReports("desk", ScanRules(point="loading"))
    for text in (
        PRINTED,
        "0220123456",
        "AKE12345LH",
        "IATALPE97K24XR6E3D$14U:6PO8*YMVKK+%9.8VNHCK:030G391**2E8C900.8CVQI1B8AW6",
    ):
        seen = reports.observe(text, 1)
        assert isinstance(seen, CodeScan)
        assert batch.decode_observation(batch.encode_observation(seen)) == seen
