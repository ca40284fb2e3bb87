"""A message bus of the tests' own with BlueZ's interfaces on it, by python3-dbusmock (Debian's)."""

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.servers import find_server

ADAPTER = "/org/bluez/hci0"
DEVICE = "org.bluez.Device1"
PYTHON = "/usr/bin/python3"  # Debian's, which has the package; not the environment's
MOCK = "org.freedesktop.DBus.Mock"
NO = False
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
<allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
</policy></busconfig>
"""


class Bluez:
    """BlueZ as bleak sees it: a radio, and devices that are heard."""

    def __init__(self, bus):
        self._bus = bus
        self._known = set()

    async def call(self, path, interface, member, signature="", *body):
        answer = await self._bus.call(
            Message(
                destination="org.bluez",
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        assert answer.message_type != MessageType.ERROR, answer.body
        return answer.body

    async def hear(self, address, rssi, manufacturer=None, service=None):
        """Have an advertisement come in; of a device heard before, only its strength changes."""
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        told = {
            "RSSI": Variant("n", rssi),
            "ManufacturerData": Variant(
                "a{qv}", {key: Variant("ay", each) for key, each in (manufacturer or {}).items()}
            ),
            "ServiceData": Variant(
                "a{sv}",
                {
                    f"0000{key:04x}-0000-1000-8000-00805f9b34fb": Variant("ay", each)
                    for key, each in (service or {}).items()
                },
            ),
        }
        if path in self._known:
            stronger = {"RSSI": told["RSSI"]}
            await self.call(path, MOCK, "UpdateProperties", "sa{sv}", DEVICE, stronger)
            return
        self._known.add(path)
        told |= {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", address),
            "Adapter": Variant("o", ADAPTER),
            "Paired": Variant("b", NO),
            "Connected": Variant("b", NO),
            "UUIDs": Variant("as", []),
        }
        await self.call("/org/bluez", MOCK, "AddObject", "ssa{sv}a(ssss)", path, DEVICE, told, [])
        await self.call(
            "/", MOCK, "EmitSignal", "sssav", "org.freedesktop.DBus.ObjectManager",
            "InterfacesAdded", "oa{sa{sv}}",
            [Variant("o", path), Variant("a{sa{sv}}", {DEVICE: told})],
        )  # fmt: skip

    async def scans_begun(self):
        """Count how often a scan was started."""
        (calls,) = await self.call(ADAPTER, MOCK, "GetMethodCalls", "s", "StartDiscovery")
        return len(calls)


def start(folder):
    bus = find_server("dbus-daemon")
    if subprocess.run(
        [PYTHON, "-c", "import dbusmock"], capture_output=True, check=False
    ).returncode:
        absent = "python3-dbusmock is not installed: apt install python3-dbusmock"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(absent)
    path = folder / "bus"
    config = folder / "bus.conf"
    config.write_text(CONFIG.format(path=path))
    daemon = subprocess.Popen([bus, f"--config-file={config}", "--nofork"])
    return daemon, path


@asynccontextmanager
async def running_bluez(folder, monkeypatch):
    """Give BlueZ with one radio, on a bus that this process takes for the system's."""
    daemon, path = start(folder)
    address = f"unix:path={path}"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    mock = None
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110  another's file
                await asyncio.sleep(0.02)
            mock = await asyncio.create_subprocess_exec(
                PYTHON, "-m", "dbusmock", "--system", "--template", "bluez5",
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            bus = await MessageBus(bus_address=address).connect()
            while not await has_owner(bus):
                assert mock.returncode is None, "python3-dbusmock ended"
                await asyncio.sleep(0.02)
        bluez = Bluez(bus)
        await bluez.call("/org/bluez", "org.bluez.Mock", "AddAdapter", "ss", "hci0", "tests")
        roles = {"Roles": Variant("as", ["central", "peripheral"])}
        await bluez.call(ADAPTER, MOCK, "AddProperties", "sa{sv}", "org.bluez.Adapter1", roles)
        yield bluez
        bus.disconnect()
        await bus.wait_for_disconnect()
    finally:
        if mock is not None and mock.returncode is None:
            mock.terminate()
            await mock.wait()
        daemon.terminate()
        await asyncio.to_thread(daemon.wait, 10)


async def has_owner(bus):
    answer = await bus.call(
        Message(
            destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus", member="NameHasOwner", signature="s",
            body=["org.bluez"],
        )
    )  # fmt: skip
    return answer.body[0]
