"""The embedded broker lets in the hub and its gateways, and no other program of this machine."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
from aerocast_agent.broker_login import find_login
from aerocast_agent.mqtt_link import Broker, Link, LinkError, login_of
from aerocast_hub.inbox.broker import EmbeddedBroker, Outside
from aerocast_hub.inbox.broker_login import gateways_login, hubs_login, left_for_this_user
from aerocast_hub.settings import SettingsError, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols import broker_login
from aerocast_protocols.broker_login import Login
from aerocast_protocols.errors import ProtocolError
from aerocast_simulator.processes import free_port

from tests.agent.certificates import certify

SECRET = "the hub's secret key, long enough to be one"  # noqa: S105  of this test alone


async def lets_in(port, version, login=None):
    broker = Broker(
        f"mqtt://127.0.0.1:{port}", version, user=login and login.user,
        password=login and login.password,
    )  # fmt: skip
    return await opens(broker)


async def opens(broker):
    link = Link(broker, f"{broker.version}-{broker.user}", None, lambda *_: None)
    try:
        await link.open(["aerocast/1/lfbo/hall-1/down/ack"])
    except LinkError:
        return False
    await link.close()
    return True


async def test_beyond_loopback_it_speaks_tls_alone_and_asks_for_a_login_all_the_same(
    tmp_path, caplog
):
    certify(tmp_path, "broker", certify(tmp_path, "authority"))
    theirs, port = gateways_login(SECRET), free_port()
    outside = Outside("127.0.0.1", port, tmp_path / "broker.pem", tmp_path / "broker.key")
    broker = EmbeddedBroker(tmp_path, Metrics(), [hubs_login(), theirs], outside=outside)
    encrypted = Broker(
        f"mqtts://127.0.0.1:{port}", 5, ca=str(tmp_path / "authority.pem"),
        user=theirs.user, password=theirs.password,
    )  # fmt: skip
    async with broker.running(), asyncio.timeout(60):
        assert await opens(encrypted)
        assert not await opens(encrypted._replace(password="guessed"))  # noqa: S106  nobody's
        assert not await opens(encrypted._replace(user=None))
        assert not await lets_in(port, 5, theirs)  # without TLS
    assert "each could speak in another's name" in caplog.text


def test_beyond_loopback_it_does_not_listen_without_a_certificate():
    with pytest.raises(SettingsError, match="beyond loopback the embedded broker speaks TLS alone"):
        load_settings(mode="dev", embedded_broker_host="0.0.0.0")  # noqa: S104  refused


async def test_the_hub_and_its_gateways_are_let_in_and_nobody_else(tmp_path):
    ours, theirs = hubs_login(), gateways_login(SECRET)
    broker = EmbeddedBroker(tmp_path, Metrics(), [ours, theirs])
    async with broker.running(), asyncio.timeout(60):
        for port, version in ((broker.port, 5), (broker.v3_port, 3)):
            assert await lets_in(port, version, ours)
            assert await lets_in(port, version, theirs)
            assert not await lets_in(port, version)
            assert not await lets_in(port, version, Login(theirs.user, "guessed"))
            assert not await lets_in(port, version, Login(ours.user, theirs.password))
            assert not await lets_in(port, version, Login("someone", theirs.password))
    assert stat.S_IMODE((tmp_path / "broker.toml").stat().st_mode) == 0o600


def test_the_gateways_login_outlives_a_restart_and_follows_from_the_secret():
    assert gateways_login(SECRET) == gateways_login(SECRET)
    assert gateways_login(SECRET) != gateways_login(SECRET + ".")
    assert hubs_login() != hubs_login()
    assert SECRET not in str(gateways_login(SECRET))


def test_the_login_is_left_for_this_user_alone_and_taken_away_again():
    login = gateways_login(SECRET)
    url = "mqtt://127.0.0.1:9"  # nobody's broker: the discard port
    assert find_login(url, None) is None
    with left_for_this_user(login, [9]):
        assert find_login(url, None) == login
        assert find_login("mqtt://localhost:9", None) == login
        assert find_login("mqtt://127.0.0.1:10", None) is None
        assert find_login("mqtt://broker.example:9", None) is None
        places = [Path(folder, "broker-9") for folder in broker_login.folders(os.getuid())]
        (file,) = [place for place in places if place.exists()]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert find_login(url, None) is None


def test_who_has_a_certificate_takes_no_login_that_a_killed_hub_left_for_this_port():
    url = "mqtts://127.0.0.1:9"
    login = gateways_login(SECRET)
    certified = Broker(url, 5, certificate="gateway.pem", key="gateway.key", is_the_hubs=True)
    with left_for_this_user(login, [9]):
        assert login_of(certified) == (None, None)
        assert login_of(certified._replace(certificate=None, key=None)) == login


def test_a_folder_that_others_may_write_in_is_not_believed(tmp_path, monkeypatch):
    open_to_all = tmp_path / "aerocast"
    open_to_all.mkdir()
    (open_to_all / "broker-1883").write_bytes(broker_login.encode(Login("gateway", "planted")))
    monkeypatch.setattr(broker_login, "folders", lambda _: (open_to_all,))
    open_to_all.chmod(0o777)
    assert find_login("mqtt://127.0.0.1", None) is None
    with left_for_this_user(Login("gateway", "secret"), [1883]):
        assert (open_to_all / "broker-1883").read_bytes() == b"gateway\nplanted\n"
    open_to_all.chmod(0o700)
    assert find_login("mqtt://127.0.0.1", None) == Login("gateway", "planted")


@pytest.mark.parametrize("text", [b"", b"one line", b"a\nb\nc\n", b"\nb\n", b"\xff\n\xff\n"])
def test_a_login_that_is_none_is_named_by_its_file_and_not_repeated(tmp_path, text):
    file = tmp_path / "login"
    file.write_bytes(text)
    with pytest.raises(ProtocolError):
        broker_login.decode(text)
    with pytest.raises(ValueError, match="two lines") as refused:
        find_login("mqtt://broker.example", str(file))
    assert str(file) in str(refused.value)
    assert "one line" not in str(refused.value).replace("is two lines", "")
