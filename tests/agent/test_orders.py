"""What a gateway makes of orders: each once, answered as often as it is asked, never late."""

import asyncio
import sys

import psutil
import pytest
from aerocast_agent import clock, diagnosing
from aerocast_agent.attending import UnknownDeviceError
from aerocast_agent.diagnosing import DiagnosisError, send_bundle
from aerocast_agent.orders import MOST_ANSWERS, MOST_REMEMBERED, Orders
from aerocast_protocols import commands
from aerocast_protocols.commands import Command

LATER_US = 2**60


class Attendant:
    """Knows one device."""

    def __init__(self):
        self.restarted = []

    async def restart(self, name):
        if name != "portal":
            raise UnknownDeviceError(f"no device {name!r} in agent.toml")
        self.restarted.append(name)


class Bundles:
    """Sends a bundle when it is let."""

    def __init__(self):
        self.let, self.begun = asyncio.Event(), asyncio.Event()
        self.error = None

    async def send(self):
        self.begun.set()
        await self.let.wait()
        if self.error is not None:
            raise DiagnosisError(self.error)
        return "7 bytes are in the hub's store, bundles/lfbo/hall-1/a.zip"


@pytest.fixture
def attendant():
    return Attendant()


@pytest.fixture
def bundles():
    return Bundles()


@pytest.fixture
def orders(attendant, bundles):
    return Orders(None, attendant, bundles.send)


async def do(orders, name, verb, device=None, expires_at_us=LATER_US):
    command = Command(id=name, verb=verb, expires_at_us=expires_at_us, device=device)
    said = await orders.answer(commands.encode(command))
    return None if said is None else commands.decode(said)


async def test_an_order_that_comes_again_is_answered_again_and_not_run_again(orders, attendant):
    first = await do(orders, "a1", "restart_device", "portal")
    assert (first.error, first.output) == (None, "restarted")
    assert await do(orders, "a1", "restart_device", "portal") == first
    assert attendant.restarted == ["portal"]
    for number in range(MOST_ANSWERS):
        assert (await do(orders, f"b{number}", "ping")).output == "pong"
    assert await do(orders, "a1", "restart_device", "portal") is None  # its answer is not kept
    assert attendant.restarted == ["portal"]
    for number in range(MOST_REMEMBERED):
        await do(orders, f"c{number}", "ping")
    assert len(orders._run) == MOST_REMEMBERED
    assert len(orders._answers) == MOST_ANSWERS


async def test_what_cannot_be_done_is_answered_with_why(orders, attendant):
    told = await do(orders, "a1", "restart_device", "none")
    assert told.error == "no device 'none' in agent.toml"
    assert attendant.restarted == []


async def test_an_order_that_came_late_is_refused_where_the_time_is_known(
    orders, attendant, monkeypatch
):
    monkeypatch.setattr(clock, "_looked", (clock.boot_ns(), clock.NETWORK))
    told = await do(orders, "a1", "restart_device", "portal", expires_at_us=1)
    assert told.error == "it came after it expired"
    assert attendant.restarted == []


async def test_one_bundle_at_a_time_and_other_orders_go_on_beside_it(orders, bundles):
    first = asyncio.create_task(do(orders, "a1", "diagnose"))
    await bundles.begun.wait()
    assert await do(orders, "a1", "diagnose") is None  # the same: its answer is still to come
    assert (await do(orders, "a2", "diagnose")).error == "another is on its way to the hub"
    assert (await do(orders, "a3", "ping")).output == "pong"
    bundles.let.set()
    assert (await first).output.endswith("bundles/lfbo/hall-1/a.zip")
    bundles.error = "the hub does not answer " + "x" * 1000
    told = await do(orders, "a4", "diagnose")
    assert told.error.startswith("the hub does not answer")
    assert len(told.error) == 256


async def test_what_is_no_order_is_not_answered(orders):
    for wild in (b"", b"\xff", commands.encode(commands.CommandResult(id="a1"))):
        assert await orders.answer(wild) is None


async def test_a_gateway_that_never_enrolled_says_that_it_sends_no_bundle(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[hub]\nbroker = "mqtt://127.0.0.1:1"\n'
        f'[spool]\npath = "{tmp_path}/spool.db"\nbudget_mb = 16\n'
    )
    with pytest.raises(DiagnosisError, match="enrolled gateways alone"):
        await send_bundle(file)
    with pytest.raises(DiagnosisError, match="ended with status 2: see the gateway's log"):
        await send_bundle(tmp_path / "none.toml")


async def test_a_bundle_that_takes_too_long_is_given_up_and_its_process_ended(
    tmp_path, monkeypatch
):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(diagnosing, "WITHIN_S", 1.0)
    others = set(psutil.Process().children())
    with pytest.raises(DiagnosisError, match="longer than 1 s"):
        await send_bundle(tmp_path / "agent.toml")
    assert set(psutil.Process().children()) <= others
