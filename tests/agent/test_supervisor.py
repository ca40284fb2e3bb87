"""Drivers are kept running, each on its own."""

import asyncio
import contextlib

from aerocast_agent.device_watch import CONNECTED, CONNECTING, DONE, LOST
from aerocast_agent.supervisor import LONGEST_WAIT_S, Supervisor, longest_wait_s
from aerocast_protocols.observations.gateways import DeviceEvent

from tests.waiting import until


class Device:
    def __init__(self, name, lives):
        self.name = name
        self.runs = 0
        self._lives = lives

    async def run(self, accept):
        self.runs += 1
        life = self._lives[min(self.runs, len(self._lives)) - 1]
        if life != "absent":
            accept(DeviceEvent(device=self.name, boot_ns=1, event="connected"))
        if life == "ends":
            return
        if life == "stays":
            await asyncio.Event().wait()
        raise ConnectionResetError(f"{self.name} is gone")


@contextlib.asynccontextmanager
async def supervised(*devices):
    accepted = []
    supervisor = Supervisor(list(devices), accepted.append)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, accepted
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_device_that_is_lost_is_tried_again_and_others_go_on():
    steady, flaky = Device("steady", ["stays"]), Device("flaky", ["dies", "absent", "stays"])
    async with supervised(steady, flaky) as (supervisor, accepted):
        await until(lambda: flaky.runs == 3)
        await until(lambda: supervisor.states == {"steady": CONNECTED, "flaky": CONNECTED})
        assert steady.runs == 1
        assert supervisor.errors == {}
    told = [(each.device, each.event) for each in accepted]
    assert told.count(("flaky", "lost")) == 1  # it was connected once and lost once
    assert told.count(("flaky", "connected")) == 2


async def test_a_device_that_never_answers_is_named_and_not_reported_each_time():
    async with supervised(Device("away", ["absent"])) as (supervisor, accepted):
        assert supervisor.states == {"away": CONNECTING}
        await until(lambda: supervisor.states == {"away": LOST})
        assert supervisor.errors["away"] == "ConnectionResetError: away is gone"
        assert accepted == []


async def test_a_recording_that_ends_is_done_and_not_played_again():
    device = Device("old-day", ["ends"])
    async with supervised(device) as (supervisor, _):
        await until(lambda: supervisor.states == {"old-day": DONE})
        await asyncio.sleep(0.05)
        assert device.runs == 1


async def test_a_device_that_is_held_stops_and_then_connects_anew():
    device = Device("desk", ["stays"])
    async with supervised(device) as (supervisor, accepted):
        await until(lambda: supervisor.states == {"desk": CONNECTED})
        async with supervisor.holding("desk") as held:
            assert held is device
            assert supervisor.states == {"desk": CONNECTING}
            await asyncio.sleep(0.05)
            assert device.runs == 1
        await until(lambda: supervisor.states == {"desk": CONNECTED})
        assert device.runs == 2
    assert [each.event for each in accepted] == ["connected", "connected"]  # it was never lost
    assert supervisor.health()["desk"].reconnects == 0


async def test_a_device_that_is_lost_and_held_meanwhile_comes_back():
    device = Device("desk", ["absent", "stays"])
    async with supervised(device) as (supervisor, _):
        await until(lambda: supervisor.states == {"desk": LOST})
        async with supervisor.holding("desk"):
            runs = device.runs
            await asyncio.sleep(0.3)  # it would have been tried again by now
            assert device.runs == runs
        await until(lambda: supervisor.states == {"desk": CONNECTED})
        assert supervisor.errors == {}


def test_a_device_that_has_only_just_gone_is_tried_within_a_second_and_one_long_gone_seldom():
    assert longest_wait_s(0, 0.0) == 0.2
    assert max(longest_wait_s(tries, 299.0) for tries in range(2000)) < 1.0
    assert longest_wait_s(2000, 301.0) == LONGEST_WAIT_S
