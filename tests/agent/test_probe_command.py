"""``probe`` and ``profiles apply``, as a technician uses them, with the daemon up and down."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import pytest
from aerocast_agent import probing
from aerocast_agent.attending import Attendant, UnknownDeviceError
from aerocast_agent.config import Config, Gateway, GpsSerial, Llrp
from aerocast_agent.driver import Fault, ProbeReport
from aerocast_agent.orders import Orders
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols import commands
from aerocast_protocols.commands import Command
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.serial_devices import PtyScanner

from tests.agent.desk import called, write_config

AGENT = Path(sys.executable).with_name("aerocast-agent")


class Reader:
    """A driver whose device tells about itself and keeps a setting."""

    def __init__(self, name, memory):
        self.name = name
        self.memory = memory
        self.running = False

    async def run(self, accept):
        self.running = True
        try:
            accept(DeviceEvent(device=self.name, boot_ns=1, event="connected"))
            await asyncio.Event().wait()
        finally:
            self.running = False

    async def probe(self):
        if self.memory.get("mute"):
            raise TimeoutError(f"{self.name} has been silent for 1 s")
        return ProbeReport(
            says={"model": "R700", "while_running": self.running}, antennas={1: True, 2: False}
        )

    async def read_back(self):
        assert not self.running
        return {"session": self.memory["session"]}

    async def apply(self, settings):
        self.memory.update(settings)


@contextlib.asynccontextmanager
async def attended(tmp_path, memory):
    profile = tmp_path / "own.toml"
    profile.write_text('kind = "llrp"\nvendor = "Impinj"\nmodel = "R700"\nsession = 2\n')
    config = Config(
        gateway=Gateway(site="s", name="g"),
        devices=(
            Llrp(name="portal", host="h", profile=str(profile)),
            GpsSerial(name="gps", port="p"),
        ),
    )

    def make(name):
        return Reader(name, memory)

    supervisor = Supervisor([make("portal"), make("gps")], lambda _: None)
    task = asyncio.create_task(supervisor.run())
    try:
        async with asyncio.timeout(60):
            while set(supervisor.states.values()) != {"connected"}:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.01)
        yield Attendant(config, supervisor, make), supervisor
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_connected_device_is_asked_without_being_stopped(tmp_path):
    async with attended(tmp_path, {"session": 0}) as (attendant, supervisor):
        before = supervisor.driver("portal")
        probed = await attendant.probe("portal")
        assert supervisor.driver("portal") is before
        assert probed.says == {"model": "R700", "while_running": True}
        assert probed.faults == (
            Fault(
                found="antenna 2 is not connected",
                mend="screw the cable to port 2 tight; then try another cable or antenna",
            ),
        )
        with pytest.raises(UnknownDeviceError):
            await attendant.probe("portal-9")


async def test_a_device_is_brought_to_its_profile_and_runs_again(tmp_path):
    memory = {"session": 0}
    async with attended(tmp_path, memory) as (attendant, supervisor):
        told = await attendant.adjust("portal", dry_run=True)
        assert [(each.key, each.profile) for each in told.differences] == [("session", 2)]
        assert memory["session"] == 0
        assert (await attendant.adjust("portal", dry_run=False)).applied
        assert memory["session"] == 2
        async with asyncio.timeout(60):
            while supervisor.states["portal"] != "connected":  # noqa: ASYNC110  no event
                await asyncio.sleep(0.01)
        assert (await attendant.adjust("gps", dry_run=True)).error.endswith("no profile for it")


async def test_the_hub_may_ask_and_restart_a_device_by_command(tmp_path):
    async with attended(tmp_path, {"session": 0}) as (attendant, _):
        orders = Orders(None, attendant, None)

        async def order(number, verb, device):
            asked = Command(id=number, verb=verb, expires_at_us=2**62, device=device)
            return commands.decode(await orders.answer(commands.encode(asked)))

        told = json.loads((await order("a", "probe", "portal")).output)
        assert told["says"]["model"] == "R700"
        assert (await order("b", "restart_device", "portal")).output == "restarted"
        assert "no device 'x'" in (await order("c", "probe", "x")).error


async def test_an_error_while_probing_is_a_fault_with_its_mend():
    report = await probing.ask(Reader("portal", {"mute": True}))
    (fault,) = report.faults
    assert fault.found == "portal has been silent for 1 s"
    assert "power" in fault.mend
    for error, mends in (
        (FileNotFoundError(2, "No such file"), "plug it in"),
        (PermissionError(13, "Permission denied"), "dialout"),
        (ConnectionRefusedError(111, "refused"), "other programs"),
        (ModuleNotFoundError("pyscard"), "install"),
    ):
        assert mends in probing.fault_of(error).mend


def test_without_a_daemon_a_device_is_opened_for_a_moment(tmp_path, capsys):
    config = write_config(tmp_path, "/dev/ttyACM98")
    code, out, _ = called(capsys, "probe", "gps", "--json", "--config", config)
    assert code == 1
    told = json.loads(out)
    assert "ttyACM99" in told["faults"][0]["found"]
    assert "/dev/serial/by-id" in told["faults"][0]["mend"]
    code, out, _ = called(capsys, "probe", "gps", "--config", config)
    assert "WRONG: " in out
    assert "mend: " in out
    code, _, err = called(capsys, "probe", "desc", "--config", config)
    assert code == 2
    assert "did you mean 'desk'" in err
    code, _, err = called(capsys, "profiles", "apply", "desk", "--config", config)
    assert code == 1


async def test_a_daemon_is_asked_when_it_runs(tmp_path, capsys):
    scanner = PtyScanner()
    config = write_config(tmp_path, scanner.path)
    daemon = await asyncio.create_subprocess_exec(
        AGENT, "run", "--config", config, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while (  # noqa: ASYNC110  the daemon is another process
                '"state":"connected"'
                not in called(capsys, "devices", "--json", "--config", config)[1]
            ):
                await asyncio.sleep(0.1)
        code, out, _ = await asyncio.to_thread(
            called, capsys, "probe", "desk", "--json", "--config", config
        )
        assert (code, json.loads(out)["health"]["state"]) == (0, "connected")
        code, out, _ = await asyncio.to_thread(
            called, capsys, "profiles", "apply", "desk", "--json", "--config", config
        )
        assert (code, json.loads(out)["error"]) == (1, "agent.toml names no profile for it")
    finally:
        daemon.terminate()
        await daemon.wait()
        scanner.unplug()
