"""mqtts: a gateway proves itself with its certificate, and trusts only its own authority."""

import asyncio
import contextlib
import datetime as dt
import gc
import os
import time

import pytest
from aerocast_agent import clock
from aerocast_agent.config import Config, Gateway, Hub
from aerocast_agent.config import Spool as SpoolSettings
from aerocast_agent.doctor.network import brokers, check_certificates
from aerocast_agent.mqtt_link import Broker, Link, LinkError, Will

from tests.agent.certificates import NOW, certify
from tests.mosquitto import mosquitto

WILL = Will("aerocast/1/lfbo/hall-1/up/status", b"gone")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A broker that lets in only whom its authority has certified; gives its port and folder."""
    folder = tmp_path_factory.mktemp("mqtts")
    with guarding(folder) as port:
        yield port, folder


@contextlib.contextmanager
def guarding(folder, days=(-1, 1)):
    """Run a broker whose own certificates are valid for those ``days`` from now."""
    authority = certify(folder, "authority", days=days)
    certify(folder, "broker", authority, days=days)
    certify(folder, "hall-1", certify(folder, "gateways"))
    certify(folder, "stranger")
    lines = (
        "require_certificate true\nallow_anonymous true\n"
        f"cafile {folder}/gateways.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
    )
    with mosquitto(folder, lines) as broker:
        yield broker.port


def link_to(guarded, name="hall-1", ca="authority", passed_s=0.0):
    port, folder = guarded
    files = (str(folder / each) for each in (f"{name}.pem", f"{name}.key", f"{ca}.pem"))
    broker = Broker(f"mqtts://127.0.0.1:{port}", 5, *files, passed_s)
    return Link(broker, "hall-1", WILL, lambda *_: None)


async def test_a_certified_gateway_is_let_in(guarded):
    link = link_to(guarded)
    await link.open(["aerocast/1/lfbo/hall-1/down/ack"])
    assert not link.lost.is_set()
    await link.close()


# paho leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("name", "ca"), [("stranger", "authority"), ("hall-1", "stranger")])
async def test_a_stranger_on_either_side_is_not_trusted(guarded, name, ca):
    async with asyncio.timeout(60):
        with pytest.raises(LinkError):
            await link_to(guarded, name, ca).open(["aerocast/1/lfbo/hall-1/down/ack"])
    gc.collect()


async def passes(guarded, passed_days, name="hall-1", ca="authority"):
    """Say whether a gateway gets in that knows of no more than that so many days have passed."""
    passed_s = (NOW + dt.timedelta(days=passed_days)).timestamp()
    link = link_to(guarded, name, ca, passed_s)
    try:
        await link.open(["aerocast/1/lfbo/hall-1/down/ack"])
    except LinkError:
        return False
    await link.close()
    return True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_gateway_whose_clock_is_behind_trusts_what_has_not_ended_for_sure(tmp_path):
    with guarding(tmp_path, days=(30, 60)) as port:  # as a gateway of long ago sees today's
        there = port, tmp_path
        assert not await passes(there, -1)  # its clock may be right: not yet valid
        assert await passes(there, 10)
        assert await passes(there, 45)
        assert not await passes(there, 70)  # ended before what has passed
        assert not await passes(there, 45, ca="stranger")
    gc.collect()


def test_what_has_passed_for_sure_is_when_the_files_were_written(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for file, at_s in ((old, 1_000.0), (new, 2_000_000_000.0)):
        file.touch()
        os.utime(file, (at_s, at_s))
    assert clock.passed_s(old, new, tmp_path / "absent") == 2_000_000_000.0
    assert 1_700_000_000 < clock.passed_s(old) < time.time()


async def test_a_certificate_that_is_not_there_is_named():
    with pytest.raises(LinkError, match="certificate, key or ca"):
        Link(
            Broker("mqtts://127.0.0.1:1", 5, "/no/such.pem", "/no/such.key", "/no/ca.pem"),
            "hall-1",
            WILL,
            lambda *_: None,
        )


@pytest.mark.parametrize(
    ("host", "ca", "result", "told"),
    [
        ("127.0.0.1", "authority.pem", "doubtful", "ends on"),
        ("127.0.0.1", "stranger.pem", "failed", "must name the authority"),
        ("localhost", "authority.pem", "failed", "as its certificate does"),
        ("127.0.0.1", "none.pem", "failed", "PEM"),
    ],
)
def test_doctor_says_what_is_wrong_with_certificates(guarded, host, ca, result, told):
    port, folder = guarded
    settings = Config(
        gateway=Gateway(site="lfbo", name="hall-1"),
        hub=Hub(
            broker=f"mqtts://{host}:{port}",
            ca=str(folder / ca),
            certificate=str(folder / "hall-1.pem"),
            key=str(folder / "hall-1.key"),
        ),
    )
    (place,) = brokers(settings)
    check = check_certificates(place, settings)
    assert check.result == result, check
    assert told in f"{check.found} {check.mend}"


@pytest.mark.parametrize(("written_days", "result"), [(45, "doubtful"), (-1, "failed")])
def test_doctor_says_when_the_clock_is_wrong_and_that_it_does_not_matter(
    tmp_path, written_days, result
):
    with guarding(tmp_path, days=(30, 60)) as port:
        spool = tmp_path / "spool.db"
        spool.touch()
        at_s = (NOW + dt.timedelta(days=written_days)).timestamp()
        os.utime(spool, (at_s, at_s))
        settings = Config(
            gateway=Gateway(site="lfbo", name="hall-1"),
            hub=Hub(
                broker=f"mqtts://127.0.0.1:{port}",
                ca=str(tmp_path / "authority.pem"),
                certificate=str(tmp_path / "hall-1.pem"),
                key=str(tmp_path / "hall-1.key"),
            ),
            spool=SpoolSettings(path=str(spool)),
        )
        (place,) = brokers(settings)
        check = check_certificates(place, settings)
    assert check.result == result, check
    assert result == "failed" or "clock is wrong" in check.found
